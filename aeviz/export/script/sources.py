"""The source code of our functions and classes with their dependencies, for a standalone file."""

import ast
import functools
import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

OURS = __name__.split(".")[0]
STANDARD = {
    "copy": "import copy",
    "math": "import math",
    "np": "import numpy as np",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "Tensor": "from torch import Tensor",
    "nn": "from torch import nn",
}


class Module(NamedTuple):
    """One of our modules: its lines, and its top-level definitions by name."""

    lines: list[str]
    tops: dict[str, ast.stmt]


class Sources:
    """Definitions, each once and after its dependencies, and the imports they need.

    `instead` maps functions to plainer ones of the same name that replace them.
    """

    def __init__(self, instead: Mapping[Callable[..., Any], Callable[..., Any]] | None = None) -> None:
        self._instead = {(one.__module__, one.__name__): other.__module__ for one, other in (instead or {}).items()}
        self.definitions: dict[str, str] = {}
        self._imports: set[str] = set()
        self._homes: dict[str, str] = {}

    def add(self, thing: object) -> str:
        """Add one of our functions or classes with its dependencies; return its name."""
        name: str = thing.__name__  # type: ignore[attr-defined]
        self._add(thing.__module__, name)
        return name

    def import_for(self, text: str) -> None:
        """Add the imports that a text of the file itself needs."""
        named = names_in(text)
        self._imports |= {line for name, line in STANDARD.items() if name in named}

    def text(self) -> str:
        """All definitions; consecutive one-line assignments are kept together."""
        text, was_line = "", False
        for definition in dict.fromkeys(self.definitions.values()):
            is_line = not definition.startswith(("def ", "class ", "@"))
            text += ("\n" if is_line and was_line else "\n\n\n") + definition
            was_line = is_line
        return text.strip()

    def imports(self) -> str:
        """All import lines: the standard library, then the rest."""
        groups: tuple[list[str], list[str]] = ([], [])
        for line in _joined(self._imports):
            package = line.split()[1].split(".")[0]
            groups[package not in sys.stdlib_module_names].append(line)
        return "\n\n".join("\n".join(group) for group in groups if group)

    def _add(self, home: str, name: str) -> None:
        home = self._instead.get((home, name), home)
        if self._homes.setdefault(name, home) != home:
            raise ValueError(f"{name} of {home} would hide that of {self._homes[name]}")
        module = _read(home)
        node = module.tops[name]
        if name in self.definitions:
            return
        self.definitions[name] = ""  # ends the recursion of a definition that names itself
        for other in _names(node) & module.tops.keys() - {name}:
            self._add_dependency(home, other)
        del self.definitions[name]  # it comes after its dependencies
        first = min([node.lineno, *(line.lineno for line in getattr(node, "decorator_list", []))])
        self.definitions[name] = "\n".join(module.lines[first - 1 : node.end_lineno])

    def _add_dependency(self, home: str, name: str) -> None:
        node = _read(home).tops[name]
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == OURS:
            self._add(str(node.module), name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._imports.add(_import_line(node, name))
        else:
            self._add(home, name)


def names_in(text: str) -> set[str]:
    """The names used in a piece of Python code."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


@functools.lru_cache
def _read(home: str) -> Module:
    spec = importlib.util.find_spec(home)
    assert spec is not None
    assert spec.origin is not None
    source = Path(spec.origin).read_text(encoding="utf-8")
    tops = {name: node for node in ast.parse(source).body for name in _defined(node)}
    return Module(source.splitlines(), tops)


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def _names(node: ast.stmt) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _import_line(node: ast.Import | ast.ImportFrom, name: str) -> str:
    alias = next(alias for alias in node.names if (alias.asname or alias.name) == name)
    renamed = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
    return f"from {node.module} import {renamed}" if isinstance(node, ast.ImportFrom) else f"import {renamed}"


def _joined(lines: set[str]) -> list[str]:
    """Sorted import lines, with those from one module merged."""
    plain = sorted(line for line in lines if line.startswith("import "))
    by_module: dict[str, list[str]] = {}
    for line in sorted(lines - set(plain)):
        module, _, name = line.removeprefix("from ").partition(" import ")
        by_module.setdefault(module, []).append(name)
    return plain + [f"from {module} import {', '.join(names)}" for module, names in sorted(by_module.items())]
