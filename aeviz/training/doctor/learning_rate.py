"""The doctor's rules for the learning rate: diverged, saturated, exploding, too high, too low."""

import numpy as np

from aeviz.training.doctor.history import Finding, History, noise, smooth

IN_A_ROW = 3  # consecutive measurements that must show a problem; a single one may be chance
LONG = 8  # measurements
NO_BETTER_YET = 1.0  # times the error of the mean image
VANISHED = 1e-3  # of the first gradient; saturated networks were seen below 1e-5, trained ones above 0.05
EXPLODED = 100.0  # times the median gradient; healthy ones were seen to jump by 5
ENOUGH_GRADIENTS = 8
WORSE_THAN_START = 1.05  # times the loss before the first step
FAR_WORSE = 2.0  # times the first training loss, within the first epochs
RISE = 0.1  # above the minimum loss so far; a healthy loss stays within 0.03
NOISE = 3.0  # a rise counts if it is this many times the usual difference between two measurements
# Below a tenth of the initial loss, fluctuations are measured relative to that tenth.
WELL = 0.1
SWING = 0.05  # usual difference between two measurements; healthy late ones differ by 0.03
SWING_BACK = 0.4  # share of movement that goes up: 0.5 is pure oscillation, healthy trainings stay below 0.2
STUCK = 1.1  # times the mean image's error: any network that learns at all gets to 1
STUCK_MOVED, STUCK_FALL = 0.1, 0.05  # fall of the loss since the start (so the rate is not too low), and lately
EPOCHS = 5  # at one learning rate before it is judged
TINY_FALL = 0.01  # of the loss per epoch; at the start Adam loses 0.2 at 1e-3, 0.002 at 1e-5
STEADY = 0.5  # later falls relative to earlier ones: 1 for a straight line, near 0 for a converging loss
PLATEAU_EPOCHS = 10
PLATEAU = 0.05  # distance to the mean image's error: every training passes there, but a good rate leaves soon
PLATEAU_FALL = 0.002  # of the loss per epoch on that plateau; Adam at 1e-3 leaves it at 0.02


def diverged(history: History) -> Finding:
    """The loss is NaN or infinite."""
    rate = history.config.training.learning_rate
    sentence = f"The loss is no longer a number: at a learning rate of {rate:g} the steps were too large."
    return slower("diverged", "Diverged", sentence, rate, history, by=10, again=True)


def saturated(history: History) -> Finding | None:
    """Large steps have saturated the network, so that the gradient has vanished."""
    known = [value for value in history.gradients if value is not None]
    worse = history.against_mean()[-IN_A_ROW:]
    if not known or history.first_gradient is None or len(worse) < IN_A_ROW or worse.min() < NO_BETTER_YET:
        return None
    share = known[-1] / history.first_gradient
    if share > VANISHED:
        return None
    sentence = (
        f"The gradient has vanished ({share:.0e} of its first length) while reconstructions are worse than the "
        "mean image: large steps have saturated the network."
    )
    return slower("saturated", "Learning rate too high", sentence, share, history, by=10, again=True)


def exploding(history: History) -> Finding | None:
    """The gradient is far larger than usual."""
    known = [value for value in history.gradients if value is not None]
    if len(history.gradients) < ENOUGH_GRADIENTS or not known or not (usual := float(np.median(known))):
        return None
    last = history.gradients[-1]
    ratio = last / usual if last is not None else np.inf
    if ratio < EXPLODED:
        return None
    sentence = f"The gradient is {ratio:.3g} times as long as usual; one such step can undo all others."
    return slower("exploding", "Exploding gradient", sentence, ratio, history)


def rate_too_high(history: History) -> Finding | None:
    """The loss rises, oscillates by more than its noise, or is stuck."""
    if history.is_warming_up():
        return None
    for sign in (_worse_than_start, _risen, _swinging, _stuck):
        if (evidence := sign(history)) is not None:
            sentence, number = evidence
            return slower("rate_too_high", "Learning rate too high", sentence, number, history)
    return None


def _worse_than_start(history: History) -> tuple[str, float] | None:
    """Compare like with like: noise and augmentation raise the training loss above that of validation."""
    judged = (history.validation(), history.start.get("val", {}).get("total"), WORSE_THAN_START)
    for losses, start, limit in (judged, (history.within_epochs(), history.first_train, FAR_WORSE)):
        if len(losses) >= IN_A_ROW and start and (ratio := float(losses[-IN_A_ROW:].min()) / start) > limit:
            return f"The loss is {ratio:.3g} times what it was at the start.", ratio
    return None


def _risen(history: History) -> tuple[str, float] | None:
    losses = history.falling()
    if len(losses) < 2 * IN_A_ROW:
        return None
    least = float(smooth(losses)[:-IN_A_ROW].min())
    rise = (float(losses[-IN_A_ROW:].min()) - least) / _scale(least, history)
    if rise <= max(RISE, NOISE * noise(losses)):
        return None
    return f"The loss has risen by {rise:.0%} above its least, which is more than its noise.", rise


def _swinging(history: History) -> tuple[str, float] | None:
    late = history.falling()[-LONG:]
    if len(late) < LONG:
        return None
    moves = np.diff(late) / _scale(float(np.median(late)), history)
    swing = float(np.median(np.abs(moves)))
    ups = moves[moves > SWING]
    if swing < SWING or len(ups) < IN_A_ROW or ups.sum() < SWING_BACK * np.abs(moves).sum():
        return None
    return f"The loss swings by {swing:.0%} from one measurement to the next, without progress.", swing


def _scale(loss: float, history: History) -> float:
    """The scale that differences between losses are measured by."""
    return max(loss, WELL * history.start.get("val", {}).get("total", 0.0), 1e-30)


def _stuck(history: History) -> tuple[str, float] | None:
    train, worse, start = history.train(), history.against_mean()[-LONG:], history.start.get("val", {}).get("total")
    # A VAE is validated with mean codes, which its decoder never sees in training: early on they do badly.
    if len(worse) < LONG or not start or history.is_variational():
        return None
    moved, late = 1 - train[-1] / start, 1 - train[-1] / train[-LONG]
    if worse.min() < STUCK or moved < STUCK_MOVED or late > STUCK_FALL:
        return None
    ratio = float(worse[-1])
    return f"The error has stayed at {ratio:.2f} times that of the mean image for {LONG} epochs.", ratio


def rate_too_low(history: History) -> Finding | None:
    """The loss falls steadily, but only very slowly."""
    losses, worse = history.train(), history.against_mean()
    start = history.start.get("val", {}).get("total")
    if len(losses) < EPOCHS or len(worse) < EPOCHS or not start or history.is_warming_up():
        return None
    fall = float(start - losses[-1]) / start / len(losses)
    half = len(losses) // 2
    earlier, later = losses[0] - losses[half], losses[half] - losses[-1]
    steady = later > STEADY * earlier * (len(losses) - 1 - half) / half and earlier > 0
    if 0 < fall < TINY_FALL and steady and worse[-1] > 1 + PLATEAU:
        return _faster(f"The loss falls by only {fall:.2%} per epoch, as slowly now as at the start.", fall, history)
    late = losses[-PLATEAU_EPOCHS:]
    fall = float(late[0] - late[-1]) / late[0] / (len(late) - 1)
    stays = bool((np.abs(worse[-PLATEAU_EPOCHS:] - 1) < PLATEAU).all()) and not history.is_variational()
    if len(late) == PLATEAU_EPOCHS and stays and 0 < fall < PLATEAU_FALL:
        sentence = (
            f"For {PLATEAU_EPOCHS} epochs the reconstructions have been about the mean image, "
            f"and the loss falls by only {fall:.2%} per epoch."
        )
        return _faster(sentence, fall, history)
    return None


def slower(
    name: str, title: str, sentence: str, number: float, history: History, by: float = 3, again: bool = False
) -> Finding:
    """A finding that suggests a learning rate `by` times smaller."""
    rate = float(f"{history.config.training.learning_rate / by:.2g}")
    label = f"{'Restart with' if again else 'Lower'} the learning rate {'at' if again else 'to'} {rate:g}"
    return Finding(name, title, sentence, float(number), {"training.learning_rate": rate}, label, again)


def _faster(sentence: str, number: float, history: History) -> Finding:
    rate = min(10.0, float(f"{history.config.training.learning_rate * 10:.2g}"))
    cure, label = {"training.learning_rate": rate}, f"Raise the learning rate to {rate:g}"
    return Finding("rate_too_low", "Learning rate too low", sentence, float(number), cure, label)
