"""Map the code of a network to one with another dimension or of another kind."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from aeviz.models.base import Autoencoder
from aeviz.models.surgery.units import Affine

INITIAL_SCALE = 0.1  # scale of new code dimensions, relative to usual weights; the decoder ignores them at first
TIED_INITIAL_SCALE = 1e-3  # the same with tied weights, which the decoder uses too
INITIAL_VARIANCE = 0.01  # initial posterior variance of a new distribution, relative to that of the code
INITIAL_LOG_VAR = -4.0  # the same if no codes are known


@dataclass(frozen=True)
class CodeChange:
    """The new code as directions @ (old - mean), with directions (D new, D old) and mean (D old).

    `heads` are the encoder outputs per code dimension, old and new; `log_var` (D new) is the initial bias of a new
    head; `extra_inputs` are the decoder inputs besides the code, old and new.
    """

    directions: Tensor
    mean: Tensor
    heads: tuple[int, int]
    log_var: Tensor
    extra_inputs: tuple[int, int]
    small: float
    generator: torch.Generator

    def encoding(self, op: Affine) -> tuple[Affine, int]:
        """Map the encoder's last layer (heads * D old, ...) to the new code; also return the number of new rows."""
        assert op.weight is not None
        assert op.bias is not None
        new_dim, old_dim = self.directions.shape
        weights, biases, fresh = [], [], 0
        for head in range(self.heads[1]):
            if head >= self.heads[0]:
                weights.append(self._drawn(new_dim, op.weight))
                biases.append(self.log_var[:, None])
                fresh += new_dim
                continue
            rows = slice(head * old_dim, (head + 1) * old_dim)
            matrix = self.directions if head == 0 else self.directions.square()
            shift = self.mean if head == 0 else torch.zeros_like(self.mean)
            weight = torch.einsum("no,opiq->npiq", matrix, op.weight[rows])
            grown = max(0, new_dim - old_dim)
            if head == 0 and grown:
                weight[old_dim:] = self._drawn(grown, op.weight)
                fresh += grown
            weights.append(weight)
            biases.append(matrix @ (op.bias[rows] - shift[:, None]))
        return Affine(torch.cat(weights), torch.cat(biases)), fresh

    def decoding(self, op: Affine) -> Affine:
        """Map the decoder's first layer (..., D old) to the new code."""
        assert op.weight is not None
        assert op.bias is not None
        old_dim = self.directions.shape[1]
        code, rest = op.weight[:, :, :old_dim], op.weight[:, :, old_dim:]
        bias = op.bias + torch.einsum("upoq,o->up", code, self.mean)
        if self.extra_inputs[0] != self.extra_inputs[1]:  # labels were added or removed: their weights start at zero
            rest = torch.zeros(*op.weight.shape[:2], self.extra_inputs[1], 1)
        return Affine(torch.cat([torch.einsum("upoq,no->upnq", code, self.directions), rest], 2), bias)

    def _drawn(self, rows: int, like: Tensor) -> Tensor:
        spread = self.small / math.sqrt(like[0].numel())
        return spread * torch.randn(rows, *like.shape[1:], generator=self.generator)


def code_change(
    old: Autoencoder, new: Autoencoder, codes: Tensor | None, plain: bool, generator: torch.Generator
) -> CodeChange:
    """How to map old codes (N, D old) to new ones.

    A smaller code keeps the principal directions of the codes if these are `plain` outputs of the encoder. Otherwise,
    or without codes, it keeps the dimensions with the most effect on the reconstruction.
    """
    old_dim, new_dim = old.latent_dim, new.latent_dim
    heads = old.encoder_features() // old_dim, new.encoder_features() // new_dim
    first = [model.decoder_features() for model in (old, new)]
    directions, mean = torch.eye(new_dim, old_dim), torch.zeros(old_dim)
    if new_dim < old_dim:
        known = codes is not None and len(codes) > 1
        directions, mean = (
            _principal_directions(codes, new_dim) if known and plain else _most_influential(old, codes, new_dim)
        )
    log_var = torch.full((new_dim,), INITIAL_LOG_VAR)
    if codes is not None and len(codes) > 1:
        variances = (codes - codes.mean(0)).matmul(directions.double().T).var(0)
        log_var = (INITIAL_VARIANCE * variances).clamp_min(math.exp(2 * INITIAL_LOG_VAR)).log().float()
    small = TIED_INITIAL_SCALE if new.config.tied else INITIAL_SCALE
    more = first[0] - old_dim, first[1] - new_dim
    return CodeChange(directions, mean, heads, log_var, more, small, generator)


def _principal_directions(codes: Tensor | None, dims: int) -> tuple[Tensor, Tensor]:
    """The principal directions (dims, D) of codes (N, D), and their mean (D,)."""
    assert codes is not None
    mean = codes.mean(0)
    _, vectors = torch.linalg.eigh((codes - mean).T.cov())
    return vectors.T.flip(0)[:dims].float(), mean.float()


def _most_influential(old: Autoencoder, codes: Tensor | None, dims: int) -> tuple[Tensor, Tensor]:
    """Select (dims, D) the dimensions with most effect on the decoder; the others are fixed at their mean (D,)."""
    weight: Tensor = old.decoder[0].weight.detach().cpu().double()  # type: ignore[operator]
    reach = weight[:, : old.latent_dim].norm(dim=0)
    mean = torch.zeros(old.latent_dim)
    if codes is not None and len(codes) > 1:
        reach, mean = reach * codes.std(0), codes.mean(0).float()
    kept = reach.argsort(descending=True)[:dims].sort().values
    mean[kept] = 0.0
    return torch.eye(old.latent_dim)[kept], mean
