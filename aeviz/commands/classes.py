"""Classes as they are named on the command line."""

from typing import Any

from aeviz.errors import UnknownName

NAMED = 30  # classes that a sentence names


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
