"""The doctor's rules: detect problems of a training and suggest settings to fix them."""

from typing import Any

import numpy as np

from aeviz.runs import RunConfig
from aeviz.training.doctor.history import Finding, History, noise, smooth
from aeviz.training.doctor.learning_rate import diverged, exploding, rate_too_high, rate_too_low, saturated, slower

__all__ = ["Finding", "diagnose"]

IN_A_ROW = 3  # consecutive measurements that must show a problem; a single one may be chance
# Measured from this step on: healthy VAEs were seen with collapsed posteriors for their first 220 steps.
COLLAPSE_STEPS = 300
SILENT_NATS = 0.01  # a dimension with less KL than this carries no information
SILENT_SHARE = 0.75  # of the dimensions; a healthy VAE may leave as many unused and still reconstruct
NO_BETTER = 0.9  # of the mean image's error: a code without information stays near 1
FEW_ACTIVE = 1 / 16  # of the dimensions; fewer than two in any case, which do not span a map
# Of the units, averaged over the layers. Healthy ReLU networks were seen at 0.1 to 0.35 (single layers up to 0.85),
# for a while at 0.45; slightly too high rates at 0.6, far too high ones at 0.8.
DEAD_SHARE = 0.5
OVERFIT_EPOCHS, OVERFIT_SHARE = 5, 0.1  # since the best one; of all epochs, as long trainings fluctuate longer
OVERFIT_RISE, OVERFIT_FALL = 0.01, 0.005  # rise of validation above its best; fall of the training loss meanwhile
NOISE = 3.0  # a rise counts if it is this many times the usual difference between two epochs
FREE_BITS = 0.25  # nats per dimension: enough to start using it, little compared with 20 to 200 per image


def diagnose(config: RunConfig, metrics: list[dict[str, Any]], state: str = "") -> list[Finding]:
    """Problems of a training, the worst first; empty while there is too little data.

    Uses the metrics since the last change of a live setting or of the network. `state` is the run's status, because
    a loss that is not finite leaves no line.
    """
    history = History(config, metrics)
    if state == "diverged" or history.is_broken():
        return [diverged(history)]
    found = [finding for rule in RULES if (finding := rule(history)) is not None]
    names = {finding.name for finding in found}
    return [finding for finding in found if not names & set(CAUSES.get(finding.name, ()))]


def dead_units(history: History) -> Finding | None:
    """Most units respond to no image and so learn nothing."""
    dead = [vitals["dead"] for vitals in history.vitals_after(steps=1) if vitals.get("dead")][-IN_A_ROW:]
    if len(dead) < IN_A_ROW or len(history.epochs) < IN_A_ROW:
        return None
    share = min(float(np.mean(list(layers.values()))) for layers in dead)
    if share < DEAD_SHARE:
        return None
    layer, worst = max(dead[-1].items(), key=lambda item: item[1])
    relu = history.config.model.body.activation == "relu"
    sentence = f"{share:.0%} of the units, averaged over the layers, respond to no image ({worst:.0%} in {layer}); " + (
        "a ReLU that is off for all images can no longer learn." if relu else "they learn almost nothing."
    )
    if not relu:
        return slower("dead_units", "Dead units", sentence, share, history)
    # Large steps killed them. Switching to leaky ReLUs during training changes the output so much that networks did not
    # recover; a new training with smaller steps does well.
    rate = float(f"{history.config.training.learning_rate / 3:.2g}")
    cure = {"training.learning_rate": rate, "model.body.activation": "leaky_relu"}
    label = f"Restart with leaky ReLUs at {rate:g}"
    return Finding("dead_units", "Dead ReLUs", sentence, share, cure, label, again=True)


def collapse(history: History) -> Finding | None:
    """Posterior collapse: every posterior equals the prior, and the decoder ignores the code."""
    seen = [vitals["kl"] for vitals in history.vitals_after(COLLAPSE_STEPS) if vitals.get("kl")][-IN_A_ROW:]
    worse = history.against_mean()[-IN_A_ROW:]
    if len(seen) < IN_A_ROW or len(worse) < IN_A_ROW or history.is_warming_up():
        return None
    silent = [sum(value is not None and value < SILENT_NATS for value in kl) for kl in seen]
    dims = len(seen[-1])
    if min(silent) < SILENT_SHARE * dims or worse.min() < NO_BETTER:
        return None
    sentence = (
        f"{silent[-1]} of the {dims} dimensions carry less than {SILENT_NATS:g} nats of information, "
        "and the reconstructions are no better than the mean image: the code is ignored."
    )
    cure, label, again = _louder(history.config)
    return Finding("collapse", "Posterior collapse", sentence, silent[-1] / dims, cure, label, again)


def few_active(history: History) -> Finding | None:
    """Almost all dimensions are constant over the images."""
    seen = [vitals["active"] for vitals in history.vitals_after(COLLAPSE_STEPS) if vitals.get("active") is not None][
        -IN_A_ROW:
    ]
    dims = history.config.model.latent_dim
    if len(seen) < IN_A_ROW or dims < 2 or history.is_warming_up():
        return None
    if max(seen) >= max(2, FEW_ACTIVE * dims):
        return None
    sentence = f"Only {seen[-1]} of the {dims} dimensions of the code tell images apart."
    cure, label, again = _louder(history.config)
    return Finding("few_active", "Few active dimensions", sentence, seen[-1], cure, label, again)


def overfitting(history: History) -> Finding | None:
    """Validation gets worse while training gets better."""
    if len(history.epochs) < 2 * OVERFIT_EPOCHS:
        return None
    worse = history.against_mean()
    if len(worse) and worse[-1] > NO_BETTER:
        return None  # a network that has learned nothing cannot overfit
    validation, train = smooth(history.validation()), smooth(history.train())
    best = int(validation.argmin())
    rise = float(validation[-1] / validation[best] - 1)
    epochs = len(validation) - 1 - best
    if epochs < max(OVERFIT_EPOCHS, OVERFIT_SHARE * len(validation)) or train[-1] > (1 - OVERFIT_FALL) * train[best]:
        return None
    if rise < max(OVERFIT_RISE, NOISE * noise(history.validation()[best:])):
        return None
    sentence = (
        f"Validation has risen by {rise:.1%} in the {epochs} epochs since its best, while the training loss fell."
    )
    dropout = history.config.model.body.dropout
    if dropout < 0.3:
        cure, label = {"model.body.dropout": round(dropout + 0.1, 2)}, f"Drop out {dropout + 0.1:.0%} of the units"
    else:
        cure, label = {"training.patience": OVERFIT_EPOCHS}, f"Stop {OVERFIT_EPOCHS} epochs after the best"
    return Finding("overfitting", "Overfitting", sentence, rise, cure, label)


RULES = (saturated, exploding, rate_too_high, dead_units, collapse, few_active, rate_too_low, overfitting)
# A finding is dropped if one of its causes was found as well.
CAUSES = {
    "rate_too_high": ("saturated",),
    "exploding": ("saturated",),
    "dead_units": ("saturated", "rate_too_high"),
    "collapse": ("saturated", "rate_too_high"),
    "few_active": ("saturated", "rate_too_high", "dead_units", "collapse"),
    "rate_too_low": ("saturated", "rate_too_high", "dead_units", "collapse", "few_active"),
    "overfitting": ("saturated", "rate_too_high"),
}


def _louder(config: RunConfig) -> tuple[dict[str, Any], str, bool]:
    """Settings that let the code carry more information: the first that this variant has."""
    model = config.model.to_json()
    for name in ("beta", "sparsity", "contraction"):
        weight = model.get(name)
        if weight and (name != "beta" or weight > 1):
            lower = float(f"{weight / 4:.2g}")
            return {f"model.{name}": lower}, f"Lower {name} to {lower:g}", False
    if model.get("free_bits", FREE_BITS) < FREE_BITS:
        return {"model.free_bits": FREE_BITS}, f"Give each dimension {FREE_BITS:g} nats for free", False
    if config.training.loss == "mse" and "beta" not in model and config.model.variant == "vae":
        return {"training.loss": "bernoulli"}, "Restart with cross-entropy", True
    rate = float(f"{config.training.learning_rate / 3:.2g}")
    return {"training.learning_rate": rate}, f"Lower the learning rate to {rate:g}", False
