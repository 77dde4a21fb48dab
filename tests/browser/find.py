"""A Chromium to drive: one that is on the PATH, else Playwright's own."""

import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ADVICE = (
    "No Chromium was found and Playwright could not install its own; install one, on Debian: apt-get install chromium"
)


def find_browser() -> str | None:
    """The path of a Chromium, or None where Playwright's is to be taken.

    Raises:
        RuntimeError: there is none and none can be installed; says what to install.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found or _playwright_has_one():
        return found
    done = subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if done.returncode or not _playwright_has_one():
        raise RuntimeError(ADVICE)
    return None


def _playwright_has_one() -> bool:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


if __name__ == "__main__":
    try:
        print("browser:", find_browser() or "Playwright's Chromium")
    except RuntimeError as error:
        sys.exit(str(error))
