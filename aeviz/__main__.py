"""The command line: the same core without the web interface."""

import os
import sys
import traceback

from aeviz import watch

if __name__ == "__main__":
    watch.fork_worker()  # before anything heavy: only the worker process executes the imports below

from aeviz.jobs import thread_settings

os.environ.update(thread_settings() | os.environ)  # before anything loads OpenMP

import click

from aeviz import __version__
from aeviz.commands import COMMANDS
from aeviz.errors import AevizError


@click.group(commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aeviz")
def aeviz() -> None:
    """Train autoencoders on images, and walk through the latent spaces they learn."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 on success, 2 on a user's mistake (one sentence on stderr), 1 on a bug (traceback)."""
    try:
        return int(aeviz.main(arguments, prog_name="aeviz", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return 2
    except AevizError as error:
        click.echo(f"aeviz: {error}", err=True)
        return 2
    except click.Abort:
        sys.unraisablehook = _ignore
        click.echo("aeviz: stopped", err=True)
        return 130
    except BrokenPipeError:  # the reader of our output, such as `head`, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is None:
            traceback.print_exc()
            return 1
        click.echo(f"aeviz: {error.filename}: {error.strerror}; choose another path", err=True)
        return 2
    except Exception:
        traceback.print_exc()
        return 1


def _ignore(unraisable: "sys.UnraisableHookArgs") -> None:
    """Suppress errors of objects that Ctrl-C left half initialised (such as an opening zip) while they are deleted."""


if __name__ == "__main__":
    sys.exit(main())
