"""The training loop of an exported script, with only what the run's settings need."""

import re
from collections.abc import Callable

from aeviz.export.script import plain_training
from aeviz.export.script.sources import Sources
from aeviz.runs import RunConfig, TrainingConfig

SCHEDULES: dict[str, Callable[..., float]] = {
    "step": plain_training.step, "exponential": plain_training.exponential, "cosine": plain_training.cosine,
    "one_cycle": plain_training.one_cycle,
}  # fmt: skip
OPTIMIZERS = {
    "sgd": "SGD({shared})",
    "momentum": "SGD({shared}, momentum=MOMENTUM)",
    "nesterov": "SGD({shared}, momentum=MOMENTUM, nesterov=MOMENTUM > 0)",
    "rmsprop": "RMSprop({shared})",
    "adam": "Adam({shared})",
    "adamw": "AdamW({shared})",
}
SHARED = "network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY"
FEATURE = re.compile(r"^\[(\w+)\] ?")  # the feature a template line belongs to; lines without one are always included
LOOP = '''def pixels(images: Tensor, rows: Tensor) -> Tensor:
    """Rows of images (N, C, H, W) uint8 as floats in [0, 1]."""
    return images[rows].to(DEVICE).float() / 255


def validate(network: Network, images: Tensor, labels: Tensor) -> dict[str, float]:
    """The mean of every loss term."""
    network.eval()
    sums: dict[str, float] = {}
    with torch.no_grad():
        for rows in torch.arange(len(images)).split(1024):
            terms = losses(network, pixels(images, rows), labels[rows].to(DEVICE), 1.0)
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(rows)
    return {name: value / len(images) for name, value in sums.items()}


def train() -> Network:
    """Train from scratch; return the network with the lowest validation loss."""
    torch.manual_seed(SEED)
    images, labels, n_train = $load
    splits = make_splits(NAME, n_train, len(images) - n_train$group)
    train_images, val_images = (torch.from_numpy(images[splits[name]]) for name in ("train", "val"))
    train_labels, val_labels = (torch.from_numpy(labels[splits[name]]).long() for name in ("train", "val"))
    network = Network()
[standardise]     network.encoder[0].set_statistics(*statistics(train_images))
    network.to(DEVICE)
    optimizer = torch.optim.$optimizer
    judged = network
[ema]     judged = copy.deepcopy(network).requires_grad_(False)  # a running average of the weights
    best, kept = math.inf, copy.deepcopy(judged)
[watch]     waited = 0  # epochs without progress on validation
[plateau]     since, slowed = 0, 1.0  # such epochs since the last decay, and the factor on the rate
    for epoch in range(EPOCHS):
        shuffle = torch.Generator().manual_seed(SEED * 1_000_003 + epoch)
        batches = batches_of(torch.randperm(len(train_images), generator=shuffle), BATCH_SIZE)
        network.train()
[counts]         for number, rows in enumerate(batches):
[counts]             done = epoch + number / len(batches)  # epochs
[plain]         for rows in batches:
[moves]             for group in optimizer.param_groups:
[moves]                 group["lr"] = $rate
            x = pixels(train_images, rows)
[augment]             x = augment(x, **AUGMENT)
            optimizer.zero_grad()
[reduced]             with torch.autocast(DEVICE, torch.bfloat16):
[reduced]                 terms = losses(network, x, train_labels[rows].to(DEVICE), $warmth)
[whole]             terms = losses(network, x, train_labels[rows].to(DEVICE), $warmth)
            terms["total"].backward()
[l1]             add_l1_gradient(network, L1)
[clip]             nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()
[ema]             update_average(judged, network, EMA)
        found = validate(judged, val_images, val_labels)
        print(f"epoch {epoch + 1}:", ", ".join(f"{name} {value:.4f}" for name, value in found.items()), flush=True)
[watch]         waited += 1
[plateau]         since += 1
        if found["total"] < best:
            best, kept = found["total"], copy.deepcopy(judged)
[watch]             waited = 0
[plateau]             since = 0
[plateau]         if since >= DECAY_EPOCHS:
[plateau]             since, slowed = 0, slowed * DECAY
[patience]         if waited >= PATIENCE:
[patience]             break
    return kept


if __name__ == "__main__":
    torch.save(train().state_dict(), "network.pt")
'''


def loop_text(config: RunConfig, sources: Sources, load: str, group: str) -> str:
    """The functions `pixels`, `validate` and `train`, and the call that starts it; adds what they use to `sources`."""
    training, features = config.training, features_of(config)
    helpers = {
        "standardise": plain_training.statistics, "augment": plain_training.augment, "l1": plain_training.add_l1_gradient,
        "ema": plain_training.update_average,
    }  # fmt: skip
    for helper in (plain_training.batches_of, *(of for name, of in helpers.items() if name in features)):
        sources.add(helper)
    values = {
        "load": load, "group": group, "rate": _rate(training, sources),
        "warmth": "min(1.0, done / ANNEALING)" if _anneals(config) else "1.0",
        "optimizer": OPTIMIZERS[training.optimizer].format(shared=SHARED),
    }  # fmt: skip
    text = "\n".join(_chosen(features))
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    return text


def features_of(config: RunConfig) -> set[str]:
    """The features of the loop that the run's settings need."""
    training, plateau = config.training, config.training.schedule == "plateau"
    counts = _anneals(config) or training.schedule in SCHEDULES or training.warmup > 0
    reduced = config.resolved is not None and config.resolved.precision == "bfloat16"
    answers = {
        "standardise": config.model.standardise, "ema": training.ema > 0, "plateau": plateau,
        "patience": training.patience > 0, "watch": training.patience > 0,
        "moves": plateau or training.schedule in SCHEDULES or training.warmup > 0, "counts": counts, "plain": not counts, "reduced": reduced, "whole": not reduced,
        "augment": any(training.augment.to_json().values()), "l1": training.l1 > 0, "clip": training.clip > 0,
    }  # fmt: skip
    return {name for name, answer in answers.items() if answer}


def _anneals(config: RunConfig) -> bool:
    """Whether the KL term is annealed."""
    return getattr(config.model, "annealing", 0.0) > 0


def _chosen(features: set[str]) -> list[str]:
    lines = []
    for line in LOOP.splitlines():
        marked = FEATURE.match(line)
        if marked is None or marked[1] in features:
            lines.append(line[marked.end() :] if marked else line)
    return lines


def _rate(training: TrainingConfig, sources: Sources) -> str:
    """The expression of the learning rate after `done` epochs."""
    factors = ["LEARNING_RATE"]
    if schedule := SCHEDULES.get(training.schedule):
        factors.append(f"{sources.add(schedule)}(done, EPOCHS, DECAY, DECAY_EPOCHS)")
    if training.warmup > 0:
        factors.append("min(1.0, max(done / WARMUP, 1e-3))")
    if training.schedule == "plateau":
        factors.append("slowed")
    return " * ".join(factors)
