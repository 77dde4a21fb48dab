"""A run's preview picture: a few validation images above their reconstructions."""

from aeviz import files
from aeviz.data import Dataset, pictures
from aeviz.latent.encode import decode, encode
from aeviz.models import Autoencoder
from aeviz.runs import Run

COUNT = 10
SIDE = 56  # pixels: smaller images are enlarged to at least this


def write_preview(run: Run, model: Autoencoder, dataset: Dataset) -> None:
    """Write `preview.webp`: the first validation images above their reconstructions."""
    rows = dataset.rows("val")[:COUNT]
    images = dataset.images[rows]  # (N, C, H, W) uint8
    if images.ndim != 4:
        return
    labels = dataset.labels[rows]
    x_hat = decode(model, encode(model, dataset.images, rows, labels=labels), labels=labels)
    rebuilt = pictures.to_pixels(x_hat)
    scale = max(1, -(-SIDE // images.shape[-1]))
    mosaic = pictures.originals_over_reconstructions(images, rebuilt, columns=COUNT, scale=scale)
    files.write_bytes(run.path / "preview.webp", pictures.encode_webp(mosaic))
