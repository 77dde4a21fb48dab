"""Class labels on the command line."""

from collections.abc import Callable
from typing import Any

import click

from aeviz.errors import BadValue, UnknownName

NAMED = 30  # classes listed in an error


def class_option(help: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An option that takes a class."""
    return click.option("--class", "label", metavar="CLASS", help=f"{help}, by its name or its number from 0.")


given_class_option = class_option(
    "The images' class, for a conditional network; by default the one that fits each best"
)


def class_labels(run: Any, text: str | None, count: int) -> Any:
    """The given class as labels (n,) for all images; -1 if no class is given.

    Raises:
        BadValue: a class is given for an unconditional network.
        UnknownName: there is no such class.
    """
    import numpy as np

    if text is not None and not run.load().n_classes:
        raise BadValue("the network of {run} is not conditional; leave --class {name} out", run=run.id, name=text)
    return np.full(count, -1 if text is None else class_number(run, text))


def class_entry(run: Any, condition: Any, number: int) -> dict[str, str]:
    """What --json adds for an image of a conditional network, given the class of each image (n,)."""
    return {} if condition is None else {"class": run.config().data.classes[condition[number]]}


def class_suffix(row: dict[str, Any]) -> str:
    """The same as text."""
    return f", taken as {row['class']}" if "class" in row else ""


def class_number(run: Any, text: str) -> int:
    """The number of a class, given by its name or number.

    Raises:
        UnknownName: there is no such class.
    """
    classes = run.config().data.classes
    if text in classes:
        return int(classes.index(text))
    if text.isdecimal() and int(text) < len(classes):
        return int(text)
    known = ", ".join([f"{number} {name}" for number, name in enumerate(classes[:NAMED])]) or "none"
    known += f" and {len(classes) - NAMED} more" if len(classes) > NAMED else ""
    raise UnknownName("no class is called {name!r}; there are: {known}", name=text, known=known)
