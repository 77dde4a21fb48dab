"""`python -m bench.gpu`: all parts on one device, then a page of JSON and one of tables."""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from bench.gpu.conduct import conduct
from bench.gpu.parts import PARTS, Setting
from bench.gpu.report import failures, markdown


def main() -> int:
    """Run what was asked on the command line; 1 if a check failed."""
    asked = _parser().parse_args()
    names = ["machine", *(name for name in asked.parts.split(",") if name != "machine")]
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        _parser().error(f"no part is called {unknown[0]!r}; there are: {', '.join(PARTS)}")
    folder = Path(asked.folder or os.environ.get("OUT") or "gpu-results")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="aeviz-bench-") as runs:
        os.environ["AEVIZ_RUNS"] = runs
        setting = Setting(asked.device, asked.small)
        outcomes = conduct(names, setting, folder, asked.seconds, lambda text: print(text, file=sys.stderr, flush=True))
    page = {"setting": setting.to_json(), "parts": outcomes}
    (folder / "gpu.json").write_text(json.dumps(page, indent=1) + "\n")
    text = markdown(outcomes, setting)
    (folder / "gpu.md").write_text(text + "\n")
    print(text)
    return 1 if failures(outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench/gpu.sh", description="What wants a graphics card, in one go.")
    parser.add_argument("folder", nargs="?", help="where gpu.json and gpu.md go (else $OUT, else gpu-results)")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N, or cpu to see that all of it runs")
    parser.add_argument("--small", action="store_true", help="small networks, few images: to see that all of it runs")
    parser.add_argument("--seconds", type=float, default=340.0, help="in all; every part has a share and is cut off")
    parser.add_argument("--parts", default=",".join(PARTS), help="some of: " + ", ".join(PARTS))
    return parser


if __name__ == "__main__":
    sys.exit(main())
