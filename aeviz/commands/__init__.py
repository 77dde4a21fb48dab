"""The commands by name; each imports what it needs when it runs, so that a queued one stays small."""

import click

from aeviz.commands.colour import colour
from aeviz.commands.data import data
from aeviz.commands.directions import analogy, direction
from aeviz.commands.generate import sample, walk
from aeviz.commands.latent import encode, reconstruct, score
from aeviz.commands.maps import place, project
from aeviz.commands.rates import rates
from aeviz.commands.runs import delete, export, resume, runs, show, stop
from aeviz.commands.spare import spare
from aeviz.commands.sweeps import manifold, mean, traverse
from aeviz.commands.train import train, work

COMMANDS: dict[str, click.Command] = {
    command.name or "": command
    for command in (
        data,
        train,
        rates,
        runs,
        show,
        resume,
        stop,
        delete,
        encode,
        project,
        colour,
        place,
        reconstruct,
        score,
        sample,
        walk,
        traverse,
        direction,
        analogy,
        mean,
        manifold,
        export,
        work,
        spare,
    )
}
