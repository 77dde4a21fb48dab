"""The exported script is the run: the same images, network, loss and steps, without a word of aeviz."""

import ast
import contextlib
import io
import re
import runpy

import numpy as np
import pytest
import torch
from PIL import Image

from aeviz import data, export, files, jobs, training
from aeviz.data import ImportSettings
from aeviz.errors import BadValue
from aeviz.export.script import script
from aeviz.export.script.loop import OPTIMIZERS, SCHEDULES
from aeviz.export.script.script import LOADINGS, script_of
from aeviz.export.script.sources import Sources
from aeviz.models import BODIES, LOSSES, VARIANTS, Batch, build
from aeviz.models.variants import noise, vae
from aeviz.models.variants.noise import NOISES
from aeviz.runs import TrainingConfig
from aeviz.training.steps import optimizers, schedule
from aeviz.training.steps.schedule import rate_at
from tests.exports import MARKUP, QUOTES, hostile, untrained

CONV = {"name": "conv", "channels": (4, 6)}
CUSTOM = {
    "name": "custom", "norm": "group", "activation": "leaky_relu", "dropout": 0.1,
    "layers": ({"kind": "conv", "size": 5, "stride": 1}, {"kind": "pool"}, {"kind": "residual", "size": 6}, {"kind": "dense", "size": 9}),
}  # fmt: skip
NETWORKS = {
    **{name: {"variant": name} for name in VARIANTS},
    **{f"body {name}": {"body": {"name": name}} for name in BODIES},
    **{f"noise {name}": {"variant": "denoising", "kind": name} for name in NOISES},
    "many kinds of layers": {"body": CUSTOM},
    "batch norm": {"body": {"name": "residual", "channels": (4, 6), "norm": "batch", "activation": "gelu"}},
    "tied, standardised": {"tied": True, "standardise": True, "init": "he"},
    "tied convolutions": {"tied": True, "body": CONV, "init": "xavier"},
    "kl sparsity": {"variant": "sparse", "penalty": "kl"},
    "free bits": {"variant": "vae", "free_bits": 0.5},
    "uneven words": {"variant": "vq_vae", "latent_dim": 5, "code_size": 2},
}
TRAININGS = {
    "as it is proposed": {},
    "one image left over": {"batch_size": 1293},
    **{name: {"optimizer": name} for name in OPTIMIZERS},
    **{name: {"schedule": name, "decay_epochs": 1} for name in SCHEDULES},
    "plateau": {"schedule": "plateau", "decay_epochs": 1, "learning_rate": 0.1},
    "patience": {"patience": 1, "learning_rate": 0.3, "epochs": 6},
    "warmup": {"warmup": 1.0},
    "penalties": {"l1": 0.01, "l2": 0.01, "clip": 1.0},
    "average": {"ema": 0.9},
}


def namespace(run, tmp_path, name="script"):
    path = tmp_path / "script.py"
    path.write_text(script_of(run), encoding="utf-8")
    return runpy.run_path(str(path), run_name=name)


def totals(run, tmp_path, monkeypatch):
    """The validation loss after each epoch, of the run and of its script."""
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        namespace(run, tmp_path, "__main__")
    here = [line["val"]["total"] for line in run.metrics() if "val" in line and line["epoch"] > 0]
    return here, [float(total) for total in re.findall(r"total (\S+?),?\s", out.getvalue())]


def trained(model=None, **settings):
    body = {"name": "dense", "widths": [16]}
    recipe = {"model": {"latent_dim": 3, "body": body, **(model or {})}, "training": {"device": "cpu", **settings}}
    run = training.prepare(training.Recipe.parse(recipe))
    with jobs.hold_job(run) as worker:
        training.work(run, worker)
    return run


def assert_same_losses(run, tmp_path):
    ours, found = build(run.config().model, run.config().training.loss), namespace(run, tmp_path)
    network = found["Network"]()
    network.load_state_dict(ours.state_dict())
    x, labels = torch.rand(7, 1, 8, 8), torch.tensor([0, 1, 2, 3, -1, 5, 9])
    for is_training in (True, False):
        for model in (ours, network):
            model.train(is_training)
        torch.manual_seed(1)
        wanted = {name: value.detach() for name, value in ours.losses(Batch(x, x, labels)).items()}
        torch.manual_seed(1)
        terms = found["losses"](network, x, labels, 1.0)
        assert terms.keys() == wanted.keys()
        for name, value in terms.items():
            torch.testing.assert_close(value.detach(), wanted[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_written_out_with_its_loss(name, tmp_path):
    assert_same_losses(untrained(NETWORKS[name]), tmp_path)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_written_out(loss, tmp_path):
    assert_same_losses(untrained({"body": CONV}, loss=loss), tmp_path)


@pytest.mark.parametrize("name", ["autoencoder", "tied convolutions", "cvae", "vq_vae"])
def test_weights_begin_as_they_do_here(name, tmp_path):
    run = untrained(NETWORKS[name])
    networks = []
    for make in (lambda: build(run.config().model), namespace(run, tmp_path)["Network"]):
        torch.manual_seed(0)
        networks.append(make().state_dict())
    assert list(networks[0]) == list(networks[1])
    assert all(torch.equal(networks[0][name], networks[1][name]) for name in networks[0])


@pytest.mark.parametrize("name", TRAININGS)
def test_the_script_trains_to_the_same_loss(name, tmp_path, monkeypatch):
    run = trained(**{"epochs": 2} | TRAININGS[name])
    here, there = totals(run, tmp_path, monkeypatch)
    assert len(there) == len(here) >= 2
    assert there == pytest.approx(here, rel=0.01)
    assert (tmp_path / "network.pt").exists()


@pytest.mark.parametrize("variant", ["vae", "cvae"])
def test_the_script_anneals_as_the_run_did(variant, tmp_path, monkeypatch):
    run = trained({"variant": variant, "annealing": 2.0}, epochs=2, loss="bernoulli")
    here, there = totals(run, tmp_path, monkeypatch)
    assert there == pytest.approx(here, rel=0.03)


def test_varied_images_stay_images_and_change(tmp_path):
    every = {"flip_horizontal": True, "flip_vertical": True, "shift": 0.1, "rotation": 10.0, "scale": 0.1, "crop": 0.2, "brightness": 0.1, "contrast": 0.1}  # fmt: skip
    run = untrained(augment=every)
    x = torch.rand(5, 1, 8, 8)
    found = namespace(run, tmp_path)
    varied = found["augment"](x, **found["AUGMENT"])
    assert varied.shape == x.shape
    assert 0 <= float(varied.min()) < float(varied.max()) <= 1
    assert all(not torch.equal(one, other) for one, other in zip(varied, x, strict=True))
    assert "# - Augmented images: pixels from outside are black here" in script_of(run)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("epoch", [0.0, 0.7, 2.5, 4.99])
def test_schedules_are_those_of_the_training(name, epoch):
    config = TrainingConfig(schedule=name, epochs=5, decay=0.3, decay_epochs=2, learning_rate=1.0)
    assert SCHEDULES[name](epoch, 5, 0.3, 2) == pytest.approx(rate_at(config, epoch))


def test_all_optimizers_and_schedules_are_known():
    assert OPTIMIZERS.keys() == optimizers.OPTIMIZERS.keys()
    assert SCHEDULES.keys() | {"constant", "plateau"} == schedule.SCHEDULES.keys()
    assert LOADINGS.keys() == data.DATASETS.keys()


@pytest.mark.parametrize(
    ("name", "params"),
    [("digits", {}), ("photo_patches", {}), ("shapes", {"count": 300, "channels": 3, "size": 32, "seed": 4})],
)
def test_the_script_has_the_same_images_in_the_same_splits(name, params, tmp_path):
    dataset = data.load(name, params)
    found = namespace(untrained(set=name, params=params), tmp_path)
    images, labels, n_train = LOADINGS[name].of(**params)
    np.testing.assert_array_equal(images, dataset.images[:])
    np.testing.assert_array_equal(labels, dataset.labels)
    splits = found["make_splits"](name, n_train, len(images) - n_train, LOADINGS[name].group)
    for split, rows in splits.items():
        np.testing.assert_array_equal(rows, dataset.splits[split])


def test_own_images_come_from_their_folder(tmp_path, monkeypatch):
    for number in range(12):
        folder = tmp_path / "mine" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    data.import_data([tmp_path / "mine"], ImportSettings(name="mine", size=8))
    dataset, found = data.load("mine"), namespace(untrained(set="mine"), tmp_path)
    images, labels, n_train = found["folder_of_images"](tmp_path / "mine", "mine", *dataset.shape)
    np.testing.assert_array_equal(images, dataset.images)
    np.testing.assert_array_equal(labels, dataset.labels)
    assert n_train == len(dataset.rows("train")) + len(dataset.rows("val"))
    monkeypatch.setattr("sys.argv", ["script.py", str(tmp_path / "mine")])
    monkeypatch.chdir(tmp_path)
    namespace(untrained(set="mine", epochs=1), tmp_path, "__main__")


def test_nothing_of_aeviz_is_needed(tmp_path):
    tree = ast.parse(script_of(untrained({"variant": "beta_tc_vae", "body": CUSTOM}, loss="ssim")))
    lines = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {(node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) for node in lines}
    assert {name.split(".")[0] for name in named} <= {"torch", "numpy", "sklearn", "math", "copy", "zlib", "typing",
                                                      "dataclasses", "collections", "contextlib"}  # fmt: skip


def test_what_people_named_is_nothing_but_comments_and_one_literal(tmp_path):
    run = hostile()
    text = script_of(run)
    head = text.split("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in head)
    assert f"# {MARKUP}" in head[0]
    assert "os" not in {alias.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for alias in node.names}  # fmt: skip
    assert namespace(run, tmp_path)["NAME"] == QUOTES


def test_what_was_done_while_the_run_trained_is_said_at_the_top():
    run = untrained()
    events = [
        {"kind": "turn", "path": "training.learning_rate", "from": 0.001, "to": 0.0005}, {"kind": "change"},
        {"kind": "turn", "path": "model.body.dropout", "from": 0.0, "to": 0.0},
        {"kind": "early_stop"},
    ]  # fmt: skip
    for event in events:
        files.append_line(
            run.path / "metrics.jsonl", {"epoch": 2, "step": 1, "seconds": 1.0, "lr": 0.1, "event": event}
        )
    said = [line for line in script_of(run).splitlines() if "In epoch 3" in line]
    assert said == [
        "# - In epoch 3 training.learning_rate went from 0.001 to 0.0005; here it has its final value from the start.",
        "# - In epoch 3 the network was changed; here it has its final form from the start.",
    ]


def test_a_variant_without_a_plain_form_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.delitem(script.OBJECTIVES, "vae")
    with pytest.raises(BadValue, match="no script can train a VAE; it can train autoencoder, denoising"):
        export.write_export("script", untrained({"variant": "vae"}), tmp_path / "x.py")


def test_two_things_of_one_name_are_not_mixed_up():
    sources = Sources()
    sources.add(noise.gaussian)
    with pytest.raises(ValueError, match=r"gaussian of .*vae would hide that of .*noise"):
        sources.add(vae.gaussian)
