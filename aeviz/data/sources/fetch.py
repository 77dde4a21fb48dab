"""Run as a script: torchvision's own download of one set into a folder, in a process that can be ended at once.

It imports nothing of aeviz, and says what went wrong as the last line of its output.
"""

import socket
import sys

SILENCE_SECONDS = 30.0  # a server that sends nothing for this long is given up


def fetch(torchvision_name: str, folder: str) -> None:
    """Download, check and unpack one of torchvision's sets."""
    from torchvision import datasets

    socket.setdefaulttimeout(SILENCE_SECONDS)
    dataset = getattr(datasets, torchvision_name)
    for choice in ({"split": "train"}, {"split": "test"}) if torchvision_name == "SVHN" else ({},):
        dataset(folder, download=True, **choice)


def main() -> int:
    """Fetch what the command line names; the exit status tells whether it came."""
    try:
        fetch(sys.argv[1], sys.argv[2])
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        sys.stdout.write(f"\n{text}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
