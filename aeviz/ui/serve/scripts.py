"""Our JavaScript in the browser: fetched once by its content, while Streamlit tells a component's script at every run.

A component gets a loader of a few lines instead, and calls the real one through it.
"""

import functools
import gzip
import hashlib
import json

from aeviz.ui.serve.addresses import address

# Streamlit imports a component's script from a blob, which has no place of its own to look beside: hence the whole address.
# Asked for anew after a failure, so that the next run of the page mends it.
LOADER = """const at = new URL({path}, location.origin).href
export default async (told) => (await import(at)).default(told)
"""
# The real one, called by another name, with its style where it draws.
STYLED = """{script}
const aevizStyle = {css}
const aevizStyled = new WeakSet()
export default (told) => {{
  if (!aevizStyled.has(told.parentElement)) {{
    aevizStyled.add(told.parentElement)
    told.parentElement.append(Object.assign(document.createElement("style"), {{ textContent: aevizStyle }}))
  }}
  return aevizDraw(told)
}}
"""
DEFAULT = "export default function ("

_scripts: dict[str, bytes] = {}


def loader(script: str, css: str = "") -> str:
    """A module that does as the module `script` does, which a browser fetches once and keeps, with its style.

    Raises:
        ValueError: a style for a script that does not export its drawing as `export default function (`, once.
    """
    content = (_styled(script, css) if css else script).encode()
    name = hashlib.sha256(content).hexdigest()[:24]
    _scripts[name] = content
    return LOADER.format(path=json.dumps(address("script", f"{name}.js")))


def _styled(script: str, css: str) -> str:
    if script.count(DEFAULT) != 1:
        raise ValueError(f"a script with a style says {DEFAULT!r} once")
    return STYLED.format(script=script.replace(DEFAULT, "function aevizDraw("), css=json.dumps(css))


def is_known(name: str) -> bool:
    """Whether a loader of this script has been made in this process."""
    return name in _scripts


@functools.cache
def packed(name: str) -> bytes:
    """A script by its name, packed by gzip, once for all.

    Raises:
        KeyError: no loader of it has been made.
    """
    return gzip.compress(_scripts[name], 6)
