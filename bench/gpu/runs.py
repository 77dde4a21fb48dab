"""Whole trainings on the card through aeviz's own loop: taken up again, changed, turned, chosen for, streamed."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aeviz import jobs, training
from aeviz.data import Dataset
from aeviz.models.weights import load_model
from aeviz.runs import Resolved, Run
from aeviz.training import Recipe, autotune, loop
from aeviz.training.batches.feed import Feed
from aeviz.training.rate_finder import find_rate
from bench.gpu.blobs import blobs
from bench.gpu.parts import Found, Setting, Work

Plan = dict[int, tuple[str, dict[str, Any]]]
TURNS: Plan = {
    3: ("turn", {"path": "training.learning_rate", "value": 5e-4}),
    5: ("turn", {"path": "model.beta", "value": 2.0}),
    7: ("turn", {"path": "model.body.dropout", "value": 0.2}),
    9: ("turn", {"path": "training.l1", "value": 1e-4}),
}
ALIKE = 1e-4


def works(setting: Setting) -> list[Work]:
    """The ways a training goes, each with replayed steps where they matter."""
    dataset = blobs(400 if setting.small else 4000)
    bodies = ["dense"] if setting.small else ["dense", "conv"]
    device = setting.device
    found: list[Work] = []
    for body in bodies:
        found += [
            (f"{body}: learns", partial(learns, device, dataset, body)),
            (f"{body}: goes on to the last bit", partial(goes_on, device, dataset, body)),
            (f"{body}: replayed steps hear what is turned", partial(turns, device, dataset, body)),
            (f"{body}: goes on as a changed network", partial(changes, device, dataset, body)),
        ]
    return [
        *found,
        ("streamed images are the same", partial(streams, device, dataset)),
        ("the finder finds a rate", partial(finds, device, dataset)),
        ("what is chosen by measuring", partial(chooses, device, dataset, bodies[-1])),
    ]


class Asking(jobs.Worker):
    """A worker whose person asks for things at given steps."""

    def __init__(self, job: Run, plan: Plan) -> None:
        super().__init__(job)
        self.plan = dict(plan)

    def may_have_requests(self) -> bool:
        return True

    def report(self, **changes: Any) -> None:
        super().report(**changes)
        for step in [step for step in self.plan if changes.get("step", -1) >= step]:
            request, values = self.plan.pop(step)
            self.job.ask(request, **values)


def learns(device: str, dataset: Dataset, body: str) -> Found:
    """The loss falls, by replayed steps."""
    run = train(prepared(device, dataset, body, epochs=3), dataset)
    losses = [line["val"]["total"] for line in run.metrics() if "val" in line]
    return {"ok": losses[-1] < 0.99 * losses[0], "losses": [round(loss, 3) for loss in losses]}


def goes_on(device: str, dataset: Dataset, body: str) -> Found:
    """Three epochs in one go, and one and then two more: the same weights."""
    with exactly():
        whole = train(prepared(device, dataset, body, epochs=3), dataset)
        parted = train(prepared(device, dataset, body, epochs=1), dataset)
        config = parted.config()
        parted.write_config(config.model_copy(update={"training": config.training.model_copy(update={"epochs": 3})}))
        return compared(whole, train(parted, dataset))


def turns(device: str, dataset: Dataset, body: str) -> Found:
    """Rate, beta, dropout and a penalty turned while steps are replayed, against plain steps."""
    with exactly():
        both = [train(prepared(device, dataset, body, 3, graphs), dataset, TURNS) for graphs in (False, True)]
    heard = [line["event"]["path"] for line in both[1].metrics() if "event" in line]
    found = compared(*both)
    return found | {"ok": found["ok"] and len(heard) == len(TURNS), "heard": heard}


def changes(device: str, dataset: Dataset, body: str) -> Found:
    """A wider code and another layer, while it trains; then undone."""
    run = prepared(device, dataset, body, epochs=3)
    model = run.config().model.to_json()
    wider = {name: value for name, value in model.items() if name != "sample_shape"} | {"latent_dim": 12}
    train(run, dataset, {5: ("change", {"model": wider}), 9: ("undo", {})})
    events = [line["event"] for line in run.metrics() if "event" in line]
    kept = load_model(run.weights)[0].latent_dim
    refused = [event["said"] for event in events if event["kind"] == "refused"]
    return {"ok": not refused and kept in (8, 12), "said": "; ".join(refused), "latent_dim": kept}


def streams(device: str, dataset: Dataset) -> Found:
    """Batches read as they come are those that lie on the card."""
    resident, streamed = (Feed(dataset, "train", device, resident=kind) for kind in (True, False))
    order = list(torch.arange(256, device=device).split(100))
    pairs = zip(resident.batches(order), streamed.batches(order), strict=True)
    return {"ok": all(torch.equal(a.x, b.x) and torch.equal(a.labels, b.labels) for a, b in pairs)}  # type: ignore[arg-type]


def finds(device: str, dataset: Dataset) -> Found:
    """A rate between the ends of the sweep."""
    sweep = find_rate(recipe(device, "dense", 1), dataset, device)
    return {"ok": sweep.suggestion is None or 1e-6 < sweep.suggestion < 10, "rate": sweep.suggestion}


def chooses(device: str, dataset: Dataset, body: str) -> Found:
    """What a training takes for precision, layout and graphs: no check, but of interest."""
    before, autotune.WORTH_MEASURING = autotune.WORTH_MEASURING, 0.0
    try:
        resolved = autotune.resolve(training.prepare(recipe(device, body, 1), dataset).config())
    finally:
        autotune.WORTH_MEASURING = before
    return {"resolved": resolved.to_json()}


def recipe(device: str, body: str, epochs: int) -> Recipe:
    """A beta-VAE that needs random numbers, with averaged weights."""
    bodies = {
        "dense": {"name": "dense", "widths": [64]},
        "conv": {"name": "conv", "channels": [8, 16], "norm": "batch"},
    }
    model = {"variant": "beta_vae", "latent_dim": 8, "body": bodies[body] | {"dropout": 0.1}}
    settings = {"epochs": epochs, "batch_size": 128, "device": device, "loss": "bernoulli", "ema": 0.9}
    return Recipe.parse({"model": model, "training": settings})


def prepared(device: str, dataset: Dataset, body: str, epochs: int, graphs: bool = True) -> Run:
    """A run of that recipe, in float32, whose steps are replayed or not."""
    run = training.prepare(recipe(device, body, epochs), dataset)
    where = "cuda:0" if device == "cuda" else device
    resolved = Resolved(device=where, device_name=where, threads=torch.get_num_threads(), graphs=graphs)
    run.write_config(run.config().model_copy(update={"resolved": resolved}))
    return run


def train(run: Run, dataset: Dataset, plan: Plan | None = None) -> Run:
    """Train to the end, in this process."""
    resolved = run.config().resolved
    assert resolved is not None
    before, loop.CHECK_SECONDS = loop.CHECK_SECONDS, 0.0 if plan else loop.CHECK_SECONDS
    try:
        loop.Trainer(run, dataset, resolved.device, Asking(run, plan or {})).train()
    finally:
        loop.CHECK_SECONDS = before
    return run


def compared(a: Run, b: Run) -> Found:
    """The greatest difference between the kept weights of two runs."""
    ours, theirs = (load_model(Path(run.weights))[0].state_dict() for run in (a, b))
    apart = max(_apart(value.numpy(), theirs[name].numpy()) for name, value in ours.items())
    return {"ok": apart < ALIKE, "difference": apart, "bitwise": apart == 0.0}


def exactly() -> Any:
    """The same kernels at every call."""
    from bench.gpu.steps import exact

    return exact()


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max(initial=0.0))
