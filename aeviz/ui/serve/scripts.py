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

_scripts: dict[str, bytes] = {}


def loader(script: str) -> str:
    """A module that does as the module `script` does, which a browser fetches once and keeps."""
    content = script.encode()
    name = hashlib.sha256(content).hexdigest()[:24]
    _scripts[name] = content
    return LOADER.format(path=json.dumps(address("script", f"{name}.js")))


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
