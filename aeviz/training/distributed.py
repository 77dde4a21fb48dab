"""The processes that train one network together: who they are, and what they agree on."""

import gc
import os
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from aeviz.models.device import resolve_device


@dataclass(frozen=True)
class World:
    """One process of `size`, number `rank`; the first one alone writes, reports and hears requests."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def part(self, images: int) -> tuple[int, int, int] | None:
        """This process's share (first, end, whole) of a batch; None where it works alone."""
        if self.size == 1:
            return None
        return images * self.rank // self.size, images * (self.rank + 1) // self.size, images

    def share(self, value: Any) -> Any:
        """What the first process says, in every process."""
        if self.size == 1:
            return value
        said = [value]
        dist.broadcast_object_list(said, src=0)
        return said[0]

    def agree(self, yes: bool) -> bool:
        """What the first process has decided; cheap enough for every step."""
        if self.size == 1:
            return yes
        decided = torch.tensor([yes], dtype=torch.uint8)  # on the host: no step may wait for its card
        dist.broadcast(decided, src=0)
        return bool(decided.item())

    def summed(self, terms: dict[str, Tensor], images: int) -> tuple[dict[str, Tensor], int]:
        """Terms of a step, and how often they count: a process alone by its images, others by all, summed already."""
        if self.size == 1:
            return terms, images
        together = torch.stack([value.float() for value in terms.values()]) * images
        dist.all_reduce(together)
        return dict(zip(terms, together, strict=True)), 1

    def device(self, resolved: str) -> str:
        """The device of this process: on CUDA the card of its number on this machine, else the one chosen for all."""
        if self.size == 1 or not resolved.startswith("cuda"):
            return resolved
        return f"cuda:{os.environ['LOCAL_RANK']}"


ALONE = World()


def is_launched_together() -> bool:
    """Whether `torchrun` has started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def join(asked: str) -> World:
    """Meet the other processes that `torchrun` has started: over gloo for what lies on the host, nccl for CUDA.

    Raises:
        BadValue: the device asked for is not on this machine.
    """
    if not is_launched_together():
        return ALONE
    device = resolve_device(asked)
    if device.startswith("cuda"):  # before the first word: over nccl each speaks from its own card
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo")
    return World(dist.get_rank(), dist.get_world_size())


def leave() -> None:
    """Part from the others once all are at the end; who left earlier would cut off those still talking."""
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()
        gc.collect()  # what still holds the group would end its threads too late, and the process with an abort
