"""Text formatting: labels, numbers with units, and names escaped from Markdown."""

import re
import time
from typing import Any

from aeviz.runs import RunConfig

NAMES = ("t-SNE",)  # written in lower case even at the start of a sentence
LABELS = {
    "latent_dim": "Latent size",
    "batch_size": "Batch size",
    "learning_rate": "Learning rate",
    "widths": "Layer widths",
    "channels": "Layer channels",
    "norm": "Normalisation",
    "mse": "MSE",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "kl": "KL",
    "l1": "L1",
    "mmd": "MMD", "mi": "Mutual information", "tc": "Total correlation", "dimension_kl": "KL by dimension",
    "salt_pepper": "Salt and pepper", "code_size": "Codebook vector size", "annealing": "KL annealing",
    "dims": "Dimensions",
    "n_components": "Components",
    "relu": "ReLU", "leaky_relu": "Leaky ReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU", "tanh": "tanh",
    "sgd": "SGD", "rgb": "Colour", "mode": "Colours", "pca": "PCA",
    "x": "x", "y": "y", "z": "z", "d": "Dimension", "k": "Clusters", "min_cluster_size": "Minimum cluster size",
    "adamw": "AdamW", "rmsprop": "RMSprop", "one_cycle": "One-cycle", "plateau": "On plateau", "auto": "Automatic",
    "init": "Weight initialisation", "torch": "PyTorch default", "normal": "N(0, 1/√n)", "xavier": "Xavier", "he": "He",
    "tied": "Tied weights", "standardise": "Standardise input", "clip": "Gradient clipping", "l2": "L2",
    "ema": "Weight averaging", "patience": "Early stopping", "warmup": "Warm-up", "decay_epochs": "Decay interval",
    "flip_horizontal": "Horizontal flip", "flip_vertical": "Vertical flip", "compile": "torch.compile",
    "knn_map": "10-NN accuracy on the map",
    "knn_codes": "10-NN accuracy in the codes",
}  # fmt: skip

STATES = {
    "queued": ("Waiting", "gray", ":material/schedule:"),
    "running": ("Training", "blue", ":material/autorenew:"),
    "paused": ("Paused", "orange", ":material/pause:"),
    "done": ("Done", "green", ":material/check:"),
    "stopped": ("Stopped", "orange", ":material/stop:"),
    "failed": ("Failed", "red", ":material/error:"),
    "diverged": ("Diverged", "red", ":material/trending_up:"),
    "interrupted": ("Interrupted", "orange", ":material/power_off:"),
}


def label(name: object) -> str:
    """The display label of a setting or metric."""
    text = str(name)
    return LABELS.get(text, text.replace("_", " ").capitalize())


def plain(text: object) -> str:
    """Escape user-provided text from Markdown (an image in a name would be fetched)."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~$:&-])", r"\\\1", str(text)).replace("\n", " ")


def run_title(config: RunConfig, title: str = "") -> str:
    """A run's title: the user's, or one made of its variant, size and data set."""
    return title.strip() or config.default_title()


def decibels(value: float | None) -> str:
    """Format a PSNR with its unit, or a dash for None."""
    return f"{value:.2f} dB" if value is not None else "–"


def when(moment: float, seconds: bool = False) -> str:
    """Format a timestamp as the time of day if it is today, else as the date."""
    then = time.localtime(moment)
    today = time.localtime()[:3] == then[:3]
    clock = "%H:%M:%S" if seconds else "%H:%M"
    return time.strftime(clock if today else "%d %b %Y", then)


def sentence(message: object) -> str:
    """Escape a message and capitalise it."""
    return plain(capitalised(message))


def capitalised(message: object) -> str:
    """Capitalise the first letter, except of `NAMES`."""
    text = str(message)
    return text if text.startswith(NAMES) else text[:1].upper() + text[1:]


def number(value: Any, digits: int = 3) -> str:
    """Format a number with sensible digits, or a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def signed(value: float) -> str:
    """Format a number with its sign and two decimals."""
    return f"{value:+.2f}".replace("-", "−")


def count(value: float) -> str:
    """Abbreviate a large count: 567k, 1.2M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= limit:
            return f"{value / (1e3 if unit == 'k' else limit):.3g}{unit}"
    return f"{value:,.0f}"


def duration(seconds: float) -> str:
    """Format seconds as hours, minutes and seconds."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"


def shape(values: tuple[int, ...]) -> str:
    """Format an image shape (C, H, W) as height × width and colour; other shapes as they are."""
    if len(values) == 3 and values[0] in (1, 3):
        return f"{values[1]} × {values[2]} {'colour' if values[0] == 3 else 'grey'}"
    return " × ".join(str(value) for value in values)
