"""Distributed training: the process group started by `torchrun`, and its collectives."""

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
    """This process's `rank` among `size`; only rank 0 writes, reports and takes requests."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0."""
        return self.rank == 0

    def part(self, images: int) -> tuple[int, int, int] | None:
        """This process's shard (first, end, whole) of a batch; None for a single process."""
        if self.size == 1:
            return None
        return images * self.rank // self.size, images * (self.rank + 1) // self.size, images

    def split(self, batches: list[Tensor]) -> tuple[list[Tensor], list[tuple[int, int, int] | None]]:
        """This process's shards of batches (B,), each with its `part`."""
        parts = [self.part(len(batch)) for batch in batches]
        return [batch[part[0] : part[1]] if part else batch for batch, part in zip(batches, parts, strict=True)], parts

    def broadcast(self, value: Any) -> Any:
        """Broadcast a picklable value from rank 0; return it in every process."""
        if self.size == 1:
            return value
        shared = [value]
        dist.broadcast_object_list(shared, src=0)
        return shared[0]

    def agree(self, yes: bool) -> bool:
        """Broadcast a boolean from rank 0; cheap enough for every step."""
        if self.size == 1:
            return yes
        decided = torch.tensor([yes], dtype=torch.uint8)  # on the host, so that no step waits for its GPU
        dist.broadcast(decided, src=0)
        return bool(decided.item())

    def summed(self, terms: dict[str, Tensor], images: int) -> tuple[dict[str, Tensor], int]:
        """Sum a step's loss terms over all processes; return them with the weight they count by.

        A single process returns its own means, weighted by its images; otherwise the weight is 1.
        """
        if self.size == 1:
            return terms, images
        together = torch.stack([value.float() for value in terms.values()]) * images
        dist.all_reduce(together)
        return dict(zip(terms, together, strict=True)), 1

    def device(self, resolved: str) -> str:
        """The device of this process: on CUDA the GPU of its local rank, else the shared one."""
        if self.size == 1 or not resolved.startswith("cuda"):
            return resolved
        return f"cuda:{os.environ['LOCAL_RANK']}"


ALONE = World()


def is_launched_together() -> bool:
    """Whether `torchrun` started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def join(device_name: str) -> World:
    """Join the process group that `torchrun` started: gloo for host tensors, nccl for CUDA.

    Raises:
        BadValue: the requested device is not on this machine.
    """
    if not is_launched_together():
        return ALONE
    device = resolve_device(device_name)
    if device.startswith("cuda"):  # before any collective: nccl uses the current GPU
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo")
    return World(dist.get_rank(), dist.get_world_size())


def leave() -> None:
    """Leave the process group once all processes are done; leaving earlier would cut off the others."""
    if dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()
        gc.collect()  # a live reference to the group would end its threads late and abort the process
