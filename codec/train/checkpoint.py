"""A training run as data: its settings, its log, and the checkpoint from which it goes on."""

import csv
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import AezError
from ..nn.codec import Codec
from ..nn.loss import LossName
from ..nn.networks import Architecture
from ..output import write_file


@dataclass(frozen=True)
class Settings:
    """How to train. The schedule is `minutes` long where given, `steps` long otherwise.

    In the last `decay` of it, 0 to 1, the learning rate falls to zero; before, it is constant. A run that goes on for
    days has none; what it has learned is seen in short runs that branch off it and decay.
    """

    steps: int = 20_000
    minutes: float | None = None
    loss: LossName = "eyes"
    decay: float = 1.0
    batch: int = 8
    crop: int = 128
    learning_rate: float = 1e-3
    seed: int = 1


@dataclass(frozen=True)
class LogRow:
    """One row of the log: means since the row before; `score` only where validation was due."""

    step: int
    seconds: float
    learning_rate: float
    loss: float
    bpp: float
    psnr: float
    score: float | None


@dataclass(frozen=True)
class Checkpoint:
    """All that a run needs to go on, and `export` to make a model; `validation`: its pictures, uint8 [N, 3, H, W]."""

    architecture: Architecture
    settings: Settings
    codec: dict[str, Tensor]
    ema: dict[str, Tensor]
    validation: Tensor
    optimizer: dict[str, Any]
    crops_rng: dict[str, Any]
    torch_rng: Tensor
    cuda_rng: list[Tensor]
    step: int
    fixed_encoder_from: int | None
    seconds: float
    log: list[LogRow]

    def save(self, path: Path) -> None:
        """Write everything at once or not at all."""
        plain = {"architecture": asdict(self.architecture), "settings": asdict(self.settings)}
        buffer = io.BytesIO()
        torch.save({**vars(self), **plain, "log": [asdict(row) for row in self.log]}, buffer)
        write_file(path, buffer.getvalue(), overwrite=True)

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """Read what `save` wrote, to the CPU.

        Raises:
            AezError: it is something else, or from a version that trained otherwise.
        """
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            return cls(
                **{
                    **state,
                    "architecture": Architecture(**state["architecture"]),
                    "settings": Settings(**state["settings"]),
                    "log": [LogRow(**row) for row in state["log"]],
                }
            )
        except Exception as error:  # whatever unpickling meets
            raise AezError(f"{path}: not a checkpoint of this version") from error

    def averaged(self) -> Codec:
        """The codec with its averaged weights, which are the better ones."""
        codec = Codec(self.architecture)
        codec.load_state_dict(self.ema)
        return codec


def write_log(rows: list[LogRow], path: Path) -> None:
    """Write the log as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(LogRow.__dataclass_fields__), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
