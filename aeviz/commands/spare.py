"""`spare`: a process that has imported everything and waits for a command."""

import json
import os
import sys

import click

from aeviz import watch


@click.command(hidden=True)
@click.pass_context
def spare(context: click.Context) -> None:
    """Import everything, take one step, and wait for a command to run; exit at end of file."""
    _warm_up()
    line = sys.stdin.readline()
    if not line:
        return
    log, *arguments = json.loads(line)
    watch.set_command(arguments)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(source, stream)
    context.find_root().command.main(arguments, prog_name="aeviz", standalone_mode=False)


def _warm_up() -> None:
    """Do the imports and first calls that a training would otherwise wait for."""
    import sklearn.cluster  # noqa: F401
    import torch

    from aeviz import training  # noqa: F401
    from aeviz.jobs.memory import release_memory
    from aeviz.models import Batch, build, model_config
    from aeviz.models.device import threads
    from aeviz.runs import TrainingConfig
    from aeviz.training.steps.optimizers import OPTIMIZERS

    torch.set_num_threads(threads())
    x = torch.rand(8, 1, 8, 8)
    for body in ("dense", "conv"):
        model = build(model_config({"sample_shape": (1, 8, 8), "latent_dim": 2, "body": {"name": body}}))
        optimizer = OPTIMIZERS["adam"](model.parameters(), TrainingConfig())
        model.losses(Batch(x, x))["total"].backward()
        optimizer.step()
    release_memory()
