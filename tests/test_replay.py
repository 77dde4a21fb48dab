"""A replayed step is the step itself: the same numbers, bit by bit."""

import dataclasses

import pytest
import torch

from aeviz.models import VARIANTS, Batch, build, fitted_to
from aeviz.runs import Resolved, TrainingConfig
from aeviz.runs.config import AugmentConfig
from aeviz.training.batches.augment import Augment
from aeviz.training.steps.replay import RecordedStep
from aeviz.training.steps.stepper import Stepper
from tests.levels import BODIES

SHAPE, BATCH, STEPS = (1, 8, 8), 6, 5


class Images:
    """A feed of a few drawn images of three classes."""

    device = "cpu"

    def __init__(self):
        self.pixels = torch.randint(0, 256, (40, *SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))

    def batch(self, positions):
        x = self.pixels.index_select(0, positions).float().div_(255.0)
        return Batch(x, x, positions % 3)


def recorded(variant="autoencoder", body="dense", vary=None, channels_last=False, **training):
    """A network about to be trained in recorded steps."""
    torch.manual_seed(0)
    settings = {"variant": variant, "latent_dim": 4, "body": BODIES[body] | {"norm": "batch", "dropout": 0.1}}
    model = build(fitted_to(settings, SHAPE, 3)).train()
    resolved = Resolved(device="cpu", device_name="CPU", threads=1, channels_last=channels_last)
    stepper = Stepper(model, TrainingConfig(batch_size=BATCH, **training), resolved)
    return RecordedStep(stepper, Images(), vary or (lambda batch: batch), BATCH)


def trained(step, sizes=(BATCH,) * STEPS):
    """All terms of every step, and the weights after the last one."""
    terms = []
    for number, size in enumerate(sizes):
        found = step(torch.arange(size) + number, epoch=0.1 * number)
        terms.append({name: float(value) for name, value in found.items()})
    return terms, {name: value.clone() for name, value in step.stepper.model.state_dict().items()}


def assert_alike(make, sizes=(BATCH,) * STEPS):
    plain = make()
    plain.can_replay = False
    expected, weights = trained(plain, sizes)
    replayed = make()
    got, others = trained(replayed, sizes)
    assert replayed.can_replay
    assert got == expected
    assert all(torch.equal(weights[name], others[name]) for name in weights)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("body", BODIES)
def test_every_network_learns_the_same_when_its_step_is_replayed(variant, body):
    assert_alike(lambda: recorded(variant, body, channels_last=body != "dense"))


def test_clipping_penalties_averages_and_schedules_act_on_replayed_steps():
    settings = {"clip": 0.5, "l1": 0.01, "l2": 0.1, "ema": 0.9, "schedule": "cosine", "warmup": 0.2, "epochs": 2}
    assert_alike(lambda: recorded("vae", **settings))


def test_images_are_augmented_afresh_in_every_replayed_step():
    augment = Augment(AugmentConfig(shift=0.2, flip_horizontal=True, rotation=20.0, brightness=0.3), SHAPE)
    assert_alike(lambda: recorded(vary=lambda batch: dataclasses.replace(batch, x=augment(batch.x, batch.part))))


def test_a_smaller_batch_is_learned_from_in_between():
    assert_alike(recorded, sizes=(BATCH, BATCH, BATCH, 4, BATCH))


def test_a_step_that_looks_at_its_numbers_is_not_replayed():
    step = recorded(vary=lambda batch: batch if float(batch.x.sum()) > 0 else None)
    terms, _ = trained(step)
    assert not step.can_replay
    assert len(terms) == STEPS


def test_what_is_baked_in_is_recorded_again_when_it_changes():
    found = []
    for can_replay in (False, True):
        step = recorded()
        step.can_replay = can_replay
        trained(step)
        for module in step.stepper.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.6
        step.forget()
        found.append(trained(step)[0])
    assert found[0] == found[1]
