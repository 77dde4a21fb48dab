"""Classes as they are named on the command line."""

from collections.abc import Callable
from typing import Any

import click

from aeviz.errors import BadValue, UnknownName

NAMED = 30  # classes that a sentence names


def class_option(help: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option that names a class."""
    return click.option("--class", "label", metavar="CLASS", help=f"{help}, by its name or its number from 0.")


taken_as_option = class_option("Of a conditional network: the class the images are of; else what rebuilds each best")


def same_class(run: Any, text: str | None, count: int) -> Any:
    """The class named for so many images, as labels (n,); -1 where none is named.

    Raises:
        BadValue: a class is named for a network that is told none.
        UnknownName: there is no such class.
    """
    import numpy as np

    if text is not None and not run.load().n_classes:
        raise BadValue("the network of {run} is told no classes; leave --class {name} out", run=run.id, name=text)
    return np.full(count, -1 if text is None else class_number(run, text))


def taken_as(run: Any, told: Any, number: int) -> dict[str, str]:
    """What --json adds of an image that a conditional network was told a class of, (n,)."""
    return {} if told is None else {"class": run.config().data.classes[told[number]]}


def say_class(row: dict[str, Any]) -> str:
    """The same in a line of text."""
    return f", taken as {row['class']}" if "class" in row else ""


def class_number(run: Any, text: str) -> int:
    """The number of the class of this name, or that number itself.

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
