"""Several processes on one model: PyTorch's own engine, started by `torchrun`.

`torchrun --nproc_per_node 2 train.py …` starts two of these processes. Each computes the
gradient of its slice of the batch; DDP averages the gradients, so that a step is the same
step as one process's, up to the order of the additions. FSDP also splits the weights and the
optimizer's state, for models that do not fit on one device.

Source: book appendix A.9.3.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is, and the device that it computes on."""

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files and speaks to the user."""
        return self.rank == 0

    def mean(self, value: float) -> float:
        """The mean of `value` over all processes."""
        if self.world_size == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=self._reduce_device())
        dist.all_reduce(total)
        return float(total) / self.world_size

    def any(self, flag: bool) -> bool:
        """Whether `flag` is set in at least one process."""
        return self.mean(1.0 if flag else 0.0) > 0.0

    def wait(self) -> None:
        """Returns when every process has come here."""
        self.mean(0.0)

    def close(self) -> None:
        """Leaves the group of processes."""
        if self.world_size > 1:
            dist.destroy_process_group()

    def _reduce_device(self) -> torch.device:
        return self.device if self.device.type == "cuda" else torch.device("cpu")


def choose_device(name: str) -> torch.device:
    """The device called `name`; `auto` takes CUDA, then Apple's GPU, then the CPU.

    Raises `ValueError` when a device asked for by name is not there: never a silent CPU.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"--device {name}: not a device; try auto, cpu, cuda or mps") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"--device {name}: this PyTorch sees no CUDA device; try --device cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"--device {name}: this PyTorch sees no Apple GPU; try --device cpu")
    if device.type == "cuda" and ":" not in name:
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return device


def join_processes(device_name: str) -> Processes:
    """Joins the group that `torchrun` started, or is alone when it did not."""
    device = choose_device(device_name)
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if world_size == 1:
        return Processes(0, 1, device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Processes(dist.get_rank(), dist.get_world_size(), device)


def distribute(model: nn.Module, processes: Processes, fsdp: bool) -> nn.Module:
    """Wraps the model for the group: as it is (one process), DDP, or FSDP by request."""
    if processes.world_size == 1:
        return model
    if fsdp:
        for block in model.get_submodule("blocks").children():
            fully_shard(block)
        fully_shard(model)
        return model
    ids = [processes.device.index] if processes.device.type == "cuda" else None
    # The only buffers are RoPE's tables, which every process computes for itself.
    return DistributedDataParallel(model, device_ids=ids, broadcast_buffers=False)
