"""A small parent process for every command, which reports if a signal kills the command.

Imports the standard library only, so that it costs next to nothing.
"""

from aeviz.watch.messages import CRASHES
from aeviz.watch.process import fork_worker, holding_job, set_command

__all__ = ["CRASHES", "fork_worker", "holding_job", "set_command"]
