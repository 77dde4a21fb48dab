"""Errors meant for people: an English template and the values that fill it."""

from importlib import metadata


class AevizError(Exception):
    """What a person can cause, worded as what was wrong (with the value) and what would be right."""

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template.format(**values))
        self.template = template
        self.values = values


class UnknownName(AevizError):
    """A name that no register, folder or file answers to."""


class BadValue(AevizError):
    """A setting outside what is allowed."""


class BadFile(AevizError):
    """A file that cannot be read as what it should be."""


class BadArchive(AevizError):
    """A zip that is refused whole."""


class MissingData(AevizError):
    """A data set that is not at hand, or a download that failed."""


class OverBudget(AevizError):
    """A network or a set that would not fit into memory."""


class NotNow(AevizError):
    """A request that the present state of a run or a job does not allow."""


class Stopped(AevizError):
    """The person asked for a stop, and the work has ended there."""


class Paused(AevizError):
    """The person asked for a pause, and the work has ended there, to go on later."""


class MissingPackage(AevizError):
    """An optional package that is not installed."""


def install_line(packages: tuple[str, ...]) -> str | None:
    """The line that installs those of these packages that are not here; None where all of them are."""
    absent = [package for package in packages if not _is_installed(package)]
    return f"python -m pip install {' '.join(absent)}" if absent else None


def _is_installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True
