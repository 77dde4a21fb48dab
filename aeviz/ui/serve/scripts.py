"""Serve component scripts so that browsers cache them by content.

Streamlit sends a component's whole script on every run; ours is a loader of a few lines that imports the real one.
"""

import functools
import gzip
import hashlib
import json

from aeviz.ui.serve.addresses import address

# Streamlit imports a component's script from a blob URL, which cannot resolve relative URLs: hence the absolute one.
# Imported on each call, so that the next run of the page recovers from a failure.
LOADER = """const at = new URL({path}, location.origin).href
export default async (component) => (await import(at)).default(component)
"""
# Renames the script's default export and adds its style next to the drawing.
STYLED = """{script}
const aevizStyle = {css}
const aevizStyled = new WeakSet()
export default (component) => {{
  if (!aevizStyled.has(component.parentElement)) {{
    aevizStyled.add(component.parentElement)
    component.parentElement.append(Object.assign(document.createElement("style"), {{ textContent: aevizStyle }}))
  }}
  return aevizDraw(component)
}}
"""
DEFAULT = "export default function ("

_scripts: dict[str, bytes] = {}


def loader(script: str, css: str = "") -> str:
    """A small module that imports `script`, with its style, from a URL that browsers cache.

    Raises:
        ValueError: `css` is given, but `script` does not contain `export default function (` exactly once.
    """
    content = (_styled(script, css) if css else script).encode()
    name = hashlib.sha256(content).hexdigest()[:24]
    _scripts[name] = content
    return LOADER.format(path=json.dumps(address("script", f"{name}.js")))


def _styled(script: str, css: str) -> str:
    if script.count(DEFAULT) != 1:
        raise ValueError(f"a script with a style must contain {DEFAULT!r} exactly once")
    return STYLED.format(script=script.replace(DEFAULT, "function aevizDraw("), css=json.dumps(css))


def is_known(name: str) -> bool:
    """Whether a loader of this script was created in this process."""
    return name in _scripts


@functools.cache
def packed(name: str) -> bytes:
    """A script by name, gzipped; cached.

    Raises:
        KeyError: no loader of it was created.
    """
    return gzip.compress(_scripts[name], 6)
