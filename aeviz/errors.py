"""Errors for users: an English template and the values that fill it."""

from importlib import metadata


class AevizError(Exception):
    """An error the user can cause; the message says what was wrong (with the value) and what would be right."""

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template.format(**values))
        self.template = template
        self.values = values


class UnknownName(AevizError):
    """A name that matches nothing in a registry, folder or file."""


class BadValue(AevizError):
    """A setting outside its allowed values."""


class BadFile(AevizError):
    """A file that cannot be read as expected."""


class BadArchive(AevizError):
    """A zip that is refused as a whole."""


class MissingData(AevizError):
    """A data set that is not present, or a download that failed."""


class OverBudget(AevizError):
    """A network or a data set that would not fit into memory."""


class NotNow(AevizError):
    """A request that the current state of a run or a job does not allow."""


class Stopped(AevizError):
    """The user stopped the work."""


class Paused(AevizError):
    """The user paused the work, to resume it later."""


class MissingPackage(AevizError):
    """An optional package that is not installed."""


def install_command(packages: tuple[str, ...]) -> str | None:
    """The command that installs the missing ones of these packages; None if all are installed."""
    absent = [package for package in packages if not _is_installed(package)]
    return f"python -m pip install {' '.join(absent)}" if absent else None


def _is_installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True
