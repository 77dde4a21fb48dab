"""Script: download one of torchvision's sets into a folder, in a process that can be killed at once.

Imports nothing from aeviz; prints the error as the last line of its output.
"""

import socket
import sys

SILENCE_SECONDS = 30.0  # timeout for a server that sends nothing


def fetch(torchvision_name: str, folder: str) -> None:
    """Download, check and unpack one of torchvision's sets."""
    from torchvision import datasets

    socket.setdefaulttimeout(SILENCE_SECONDS)
    dataset = getattr(datasets, torchvision_name)
    for choice in ({"split": "train"}, {"split": "test"}) if torchvision_name == "SVHN" else ({},):
        dataset(folder, download=True, **choice)


def main() -> int:
    """Download the set named on the command line; return 0 on success."""
    try:
        fetch(sys.argv[1], sys.argv[2])
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        sys.stdout.write(f"\n{text}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
