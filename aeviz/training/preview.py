"""The picture one sees of a run: a few validation images over their reconstructions."""

import torch

from aeviz import files
from aeviz.data import Dataset, pictures
from aeviz.models import Autoencoder
from aeviz.runs import Run

COUNT = 10
SIDE = 56  # pixels a small image is enlarged to at least


@torch.no_grad()
def write_preview(run: Run, model: Autoencoder, dataset: Dataset) -> None:
    """Replace `preview.webp`: the first validation images over what the network makes of them."""
    images = dataset.images[dataset.rows("val")[:COUNT]]  # (N, C, H, W) uint8
    if images.ndim != 4:
        return
    model.eval()
    device = next(model.parameters()).device
    x_hat = model.decode(model.code(torch.from_numpy(images).to(device).float() / 255.0))
    rebuilt = pictures.to_pixels(x_hat.float().cpu().numpy())
    scale = max(1, -(-SIDE // images.shape[-1]))
    mosaic = pictures.originals_over_reconstructions(images, rebuilt, columns=COUNT, scale=scale)
    files.write_bytes(run.path / "preview.webp", pictures.encode_webp(mosaic))
