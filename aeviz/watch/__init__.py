"""A small parent process for every command, which reports if a signal kills the command.

Imports the standard library only, so that it costs next to nothing.
"""

from aeviz.watch.process import begin, holding, running
from aeviz.watch.words import CRASHES

__all__ = ["CRASHES", "begin", "holding", "running"]
