"""The loss of each variant, and a layer, in plain functions whose source is copied into exported scripts.

All take `network` (its encoder and decoder, and `reconstruction(fed, x)`), images x (B, C, H, W) in [0, 1], labels
(B,) and `warmth`, the annealing factor of the KL term. They return named terms; `total` is minimised.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aeviz.models.posterior import Gaussian
from aeviz.models.precision import in_float32
from aeviz.models.ssim import smooth
from aeviz.models.variants.beta_tc_vae import decompose
from aeviz.models.variants.cvae import SHARE_UNKNOWN
from aeviz.models.variants.noise import BLOCKS_ALONG, BLUR_SIDE
from aeviz.models.variants.vae import gaussian
from aeviz.models.variants.vq_vae import ATTRACTION, perplexity
from aeviz.models.variants.wae_mmd import MOST, mmd

Terms = dict[str, Tensor]


def squared_error(logits: Tensor, target: Tensor) -> Tensor:
    """Squared error, summed over an image's pixels and averaged over the batch."""
    return (torch.sigmoid(logits) - target).square().flatten(1).sum(1).mean()


def conv_transpose2d(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, extra: tuple[int, ...]
) -> Tensor:
    """Transposed convolution of x (B, I, h, w) with weight (I, O, K, K): (B, O, H, W), `extra` pixels larger."""
    return F.conv_transpose2d(x, weight, bias, stride, padding, extra)


def autoencoder(network: Any, x: Tensor, labels: Tensor, warmth: float) -> Terms:
    """The reconstruction loss only."""
    reconstruction = network.reconstruction(network.encoder(x), x)
    return {"reconstruction": reconstruction, "total": reconstruction}


def denoising(
    network: Any, x: Tensor, labels: Tensor, warmth: float, *, corrupt: Callable[[Tensor, float], Tensor], noise: float
) -> Terms:
    """The loss of reconstructing clean images from noisy ones; validation uses clean inputs."""
    seen = corrupt(x, noise) if network.training else x
    reconstruction = network.reconstruction(network.encoder(seen), x)
    return {"reconstruction": reconstruction, "total": reconstruction}


def gaussian_noise(x: Tensor, strength: float) -> Tensor:
    """Add noise of this standard deviation to every pixel."""
    return (x + strength * torch.randn_like(x)).clamp(0.0, 1.0)


def salt_and_pepper(x: Tensor, strength: float) -> Tensor:
    """Turn this share of the pixels white or black, half each."""
    chance, half = torch.rand_like(x[:, :1]), min(strength, 1.0) / 2
    return torch.where(chance < half, 0.0, torch.where(chance >= 1.0 - half, 1.0, x))


def blackened_blocks(x: Tensor, strength: float) -> Tensor:
    """Black out square blocks that cover this share on average, placed independently for every image."""
    height, width = x.shape[-2:]
    side = max(1, min(height, width) // BLOCKS_ALONG)
    kept = torch.rand(len(x), height // side + 2, width // side + 2, device=x.device) >= strength
    shift = (torch.rand(len(x), 2, device=x.device) * side).long()
    rows = (torch.arange(height, device=x.device) + shift[:, :1]) // side  # (B, H)
    columns = (torch.arange(width, device=x.device) + shift[:, 1:]) // side  # (B, W)
    image = torch.arange(len(x), device=x.device)
    return x * kept[image[:, None, None], rows[:, :, None], columns[:, None, :]][:, None]


def gaussian_blur(x: Tensor, strength: float) -> Tensor:
    """Blur with a Gaussian; its sigma is the strength times an eighth of the shorter side."""
    return smooth(x, max(strength * min(x.shape[-2:]) / BLUR_SIDE, 1e-3)).clamp(0.0, 1.0)


def sparse(
    network: Any, x: Tensor, labels: Tensor, warmth: float, *, penalty: str, sparsity: float, target: float
) -> Terms:
    """Add the L1 norm of the codes, or the KL divergence between each unit's mean activation and a target."""
    z = network.encoder(x).sigmoid() if penalty == "kl" else network.encoder(x)
    reconstruction = network.reconstruction(z, x)
    if penalty == "kl":
        mean = z.float().mean(0).clamp(1e-6, 1 - 1e-6)  # (B, D) -> (D,)
        active = target * (target / mean).log()
        silent = (1 - target) * ((1 - target) / (1 - mean)).log()
        active_enough = (active + silent).sum()
    else:
        active_enough = z.float().abs().sum(1).mean()
    return {
        "reconstruction": reconstruction,
        "sparsity": active_enough,
        "total": reconstruction + sparsity * active_enough,
    }


def contractive(network: Any, x: Tensor, labels: Tensor, warmth: float, *, contraction: float) -> Terms:
    """Add the squared norm of the encoder's Jacobian, estimated by one random projection per image."""
    with torch.enable_grad():
        seen = x.detach().requires_grad_()
        z = network.encoder(seen)
        (pulled,) = torch.autograd.grad(z, seen, torch.randn_like(z), create_graph=network.training)
    reconstruction, jacobian = network.reconstruction(z, x), pulled.flatten(1).square().sum(1).mean()
    return {"reconstruction": reconstruction, "jacobian": jacobian, "total": reconstruction + contraction * jacobian}


def rae(
    network: Any, x: Tensor, labels: Tensor, warmth: float, *, code_penalty: float, decoder_penalty: float
) -> Terms:
    """Add squared codes and squared decoder weights."""
    z = network.encoder(x).float()
    reconstruction, length = network.reconstruction(z, x), 0.5 * z.square().sum(1).mean()
    weights = sum((weight.square().sum() for weight in network.decoder.parameters() if weight.dim() > 1), length * 0)
    total = reconstruction + code_penalty * length + decoder_penalty * weights
    return {"reconstruction": reconstruction, "code_length": length, "decoder_weights": weights, "total": total}


def elbo_loss(reconstruction: Tensor, posterior: Gaussian, weight: float, free_bits: float) -> Terms:
    """Reconstruction plus the KL divergence to N(0, 1) in nats, with `free_bits` per dimension for free."""
    by_dimension = posterior.kl().mean(0)  # (B, D) -> (D,)
    total = reconstruction + weight * by_dimension.clamp(min=free_bits).sum()
    return {"reconstruction": reconstruction, "kl": by_dimension.sum(), "total": total}


def vae(network: Any, x: Tensor, labels: Tensor, warmth: float, *, free_bits: float, beta: float = 1.0) -> Terms:
    """The negative evidence lower bound, of a sampled code in training and of the mean code in validation."""
    posterior = gaussian(network.encoder(x))
    z = posterior.sample(torch.randn_like(posterior.mu)) if network.training else posterior.mode
    return elbo_loss(network.reconstruction(z, x), posterior, beta * warmth, free_bits)


def beta_tc_vae(network: Any, x: Tensor, labels: Tensor, warmth: float, *, free_bits: float, beta: float) -> Terms:
    """A VAE's loss plus (beta - 1) times the total correlation of its codes."""
    posterior = gaussian(network.encoder(x))
    z = posterior.sample(torch.randn_like(posterior.mu))
    terms = elbo_loss(
        network.reconstruction(z if network.training else posterior.mode, x), posterior, warmth, free_bits
    )
    mi, tc, dimension_kl = decompose(posterior, z)
    total = terms["total"] + (beta - 1.0) * warmth * tc
    return terms | {"mi": mi, "tc": tc, "dimension_kl": dimension_kl, "total": total}


def cvae(network: Any, x: Tensor, labels: Tensor, warmth: float, *, free_bits: float, n_classes: int) -> Terms:
    """A VAE's loss with encoder and decoder conditioned on the class; one label in ten is dropped in training."""
    if network.training:
        labels = labels.masked_fill(torch.rand(len(labels), device=labels.device) < SHARE_UNKNOWN, -1)
    told = F.one_hot(torch.where(labels >= 0, labels, n_classes), n_classes + 1).float()  # the last is "unknown"
    posterior = gaussian(network.encoder(x) + network.shift(told))
    z = posterior.sample(torch.randn_like(posterior.mu)) if network.training else posterior.mode
    return elbo_loss(network.reconstruction(torch.cat([z, told], dim=1), x), posterior, warmth, free_bits)


def wae_mmd(network: Any, x: Tensor, labels: Tensor, warmth: float, *, weight: float) -> Terms:
    """Add the maximum mean discrepancy between the codes and samples of N(0, 1)."""
    z = network.encoder(x).float()
    reconstruction, distance = network.reconstruction(z, x), mmd(z[:MOST], torch.randn_like(z)[:MOST])
    return {"reconstruction": reconstruction, "mmd": distance, "total": reconstruction + weight * distance}


def vq_vae(network: Any, x: Tensor, labels: Tensor, warmth: float, *, commitment: float) -> Terms:
    """Groups of the code quantised to the nearest codebook entry, with straight-through gradients."""
    z, entries = network.encoder(x).float(), network.codebook.weight  # (B, D), (K, S)
    groups = F.pad(z, (0, -z.shape[1] % entries.shape[1])).unflatten(1, (-1, entries.shape[1]))  # (B, G, S)
    there = F.pad(torch.ones_like(z[:1]), (0, groups[0].numel() - z.shape[1])).view_as(groups[:1])  # (1, G, S)
    with in_float32(z):
        still = groups.detach()
        distances = still.square().sum(2, keepdim=True) - 2 * still @ entries.T + there[0] @ entries.square().T
    chosen = distances.argmin(2)  # (B, G, K) -> (B, G)
    snapped = network.codebook(chosen).flatten(1)[:, : z.shape[1]]
    reconstruction = network.reconstruction(z + (snapped - z).detach(), x)
    codebook = (snapped - z.detach()).square().sum(1).mean() + ATTRACTION * distances.amin((0, 1)).mean()
    committed = (z - snapped.detach()).square().sum(1).mean()
    return {
        "reconstruction": reconstruction,
        "codebook": codebook,
        "commitment": committed,
        "perplexity": perplexity(chosen, len(entries)),
        "total": reconstruction + codebook + commitment * committed,
    }
