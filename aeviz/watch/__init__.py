"""The tiny process beside every line of the command line, which says so when a signal has ended the line.

Imports the standard library only, so that it costs next to nothing.
"""

from aeviz.watch.process import begin, holding, running
from aeviz.watch.words import CRASHES

__all__ = ["CRASHES", "begin", "holding", "running"]
