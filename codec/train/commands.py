"""What `aez train` and `aez export` do."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from torch import Tensor

from ..errors import AezError
from ..export.export import export
from ..format.blocks import BLOCK
from ..model.folder import PARAMS, Description, is_name, plain_file, read_description
from ..model.registry import find_by_name
from ..nn.codec import Codec
from ..nn.params import Params, load_params
from .checkpoint import Checkpoint, LogRow, Settings
from .data import Crops, DataError, find_pictures, load_pictures, named
from .loop import FIXED_ENCODER_RATE, FIXED_ENCODER_SHARE, Trainer
from .plot import plot_log
from .synthetic import synthetic_pictures

KEPT_ASIDE = 20
VALIDATION_CROP = 256
FURTHER_LEARNING_RATE = 1e-4  # of models that have been trained to the end; more undoes what they have learned
SYNTHETIC_SHARE, SYNTHETIC_SIZE, SYNTHETIC_SEED = 0.1, (768, 512), 1
CALIBRATION_PICTURES = 90


def train(
    folders: Iterable[Path],
    out: Path,
    *,
    valid: Path | None = None,
    init: str | None = None,
    resume: bool = False,
    compiled: bool | None = None,
    device: str = "cpu",
    **settings: Any,
) -> None:
    """Train and write checkpoint, log and plot to `out`; `settings` are those of `Settings` that were given.

    A resumed run goes on with the settings of its checkpoint where none are given.

    Raises:
        AezError: there are too few pictures, no such device, nothing to resume, or the loss is no longer finite.
    """
    checkpoint = out / "checkpoint.pt"
    if resume and init:
        raise AezError("--resume goes on with the weights of the checkpoint, --init begins with others")
    if resume and not checkpoint.exists():
        raise AezError(f"{checkpoint} does not exist, so there is nothing to resume")
    if not resume and checkpoint.exists():
        raise AezError(f"{checkpoint} exists; go on with --resume or choose another -o")
    before = Checkpoint.load(checkpoint) if resume else None
    trunk = Checkpoint.load(Path(init)) if init and init.endswith(".pt") else None
    if init:
        settings = {"learning_rate": trunk.settings.learning_rate if trunk else FURTHER_LEARNING_RATE} | settings
    schedule = _schedule(before, settings)
    if schedule.crop % BLOCK:
        raise AezError(f"--crop must be a multiple of {BLOCK}")
    if device == "cuda" and not torch.cuda.is_available():
        raise AezError("CUDA is not available")
    torch.manual_seed(schedule.seed)
    pictures, validation = _load(folders, valid, schedule.crop, torch.device(device))
    earlier = before or trunk
    trainer = Trainer(
        codec=Codec(earlier.architecture) if earlier else _initial(init) if init else Codec(),
        crops=Crops(pictures, schedule.seed),
        validation=validation,
        settings=schedule,
        compiled=device == "cuda" if compiled is None else compiled,
    )
    if before:
        trainer.resume(before)
    elif trunk:
        trainer.branch(trunk)
    elif not init:
        trainer.start_from_klt()
    if trainer.progress() >= 1:
        print(f"{checkpoint}: all {trainer.step} steps are done; a larger --steps or --minutes goes on")
        return
    out.mkdir(parents=True, exist_ok=True)
    with _Bar(trainer) as bar:
        trainer.run(bar.report, out)
    plot_log(trainer.log, out / "log.png")


def export_checkpoint(checkpoint: Path, models: Path, name: str, pictures: Path | None, force: bool) -> Description:
    """Make the model `models / name` of a training checkpoint's averaged weights.

    Raises:
        AezError: the checkpoint is not one, the exported graphs are wrong, or the name is taken and `force` is false.
    """
    folder = models / name
    if not is_name(name):
        raise AezError(f"{name!r} is not a name for a model")
    if folder.exists() and not (force and (folder / "model.json").is_file()):
        raise AezError(f"{folder} exists; -f replaces a model")
    trained = Checkpoint.load(checkpoint)
    validation = list(trained.validation)
    paths = find_pictures([pictures]) if pictures else []
    spread = paths[:: max(1, len(paths) // CALIBRATION_PICTURES)]
    calibration = load_pictures(spread, BLOCK, torch.device("cpu")) if pictures else validation
    params = Params(trained.averaged(), trained.settings.loss)
    export(params, folder, calibration, validation, _summary(trained.log, trained.settings))
    return read_description(folder)


def _schedule(before: Checkpoint | None, given: dict[str, Any]) -> Settings:
    """The settings of a checkpoint, or the defaults, with those that were given in their place."""
    if before is None:
        return Settings(**given)
    length: dict[str, Any] = {"minutes": None} if "steps" in given else {}
    return replace(before.settings, **{**length, **given})


def _initial(name: str) -> Codec:
    path = Path(name) if name.endswith(".safetensors") else plain_file(find_by_name(name).folder, PARAMS)
    return load_params(path).codec.grown()


def _load(folders: Iterable[Path], valid: Path | None, crop: int, device: torch.device) -> tuple[list[Tensor], Tensor]:
    """Training pictures, and validation crops [N, 3, size, size] from the middle of others.

    Raises:
        DataError: there are too few, or they are too small.
    """
    folders = list(folders)
    paths = find_pictures(folders)
    if not valid and len(paths) < 2:
        raise DataError(
            f"{named(folders)}: one picture cannot be trained on and kept aside; --valid names others for the learning"
            " curve"
        )
    aside = find_pictures([valid]) if valid else paths[::KEPT_ASIDE]
    pictures = list(load_pictures(sorted({*paths} - {*aside}), crop, device))
    if not pictures:
        raise DataError(f"{named(folders)}: no picture to train on of at least {crop} x {crop} pixels, which is --crop")
    middles = [_middle(picture) for picture in load_pictures(aside, BLOCK, device)]
    if not middles:
        places = valid or named(folders)
        raise DataError(f"{places}: no picture for the learning curve of at least {BLOCK} x {BLOCK} pixels")
    largest = max(len(middle[0]) for middle in middles)
    validation = torch.stack([middle for middle in middles if len(middle[0]) == largest])
    return pictures + _made_up(pictures, crop, device), validation


def _made_up(pictures: list[Tensor], crop: int, device: torch.device) -> list[Tensor]:
    """As many synthetic pictures as make `SYNTHETIC_SHARE` of all pixels."""
    width, height = max(SYNTHETIC_SIZE[0], crop), max(SYNTHETIC_SIZE[1], crop)
    pixels = sum(picture.shape[1] * picture.shape[2] for picture in pictures)
    count = math.ceil(SYNTHETIC_SHARE / (1 - SYNTHETIC_SHARE) * pixels / (width * height))
    return [
        torch.tensor(np.asarray(image)).permute(2, 0, 1).contiguous().to(device)
        for image in synthetic_pictures(count, width, height, SYNTHETIC_SEED)
    ]


def _middle(picture: Tensor) -> Tensor:
    """The largest square of whole blocks in the middle of a picture, up to `VALIDATION_CROP`."""
    size = min(*picture.shape[1:], VALIDATION_CROP) // BLOCK * BLOCK
    top, left = (picture.shape[1] - size) // 2, (picture.shape[2] - size) // 2
    return picture[:, top : top + size, left : left + size]


def _summary(log: list[LogRow], settings: Settings) -> str:
    """The training run as Markdown."""
    rows = "\n".join(
        f"| {row.step} | {row.seconds / 60:.0f} | {row.score:.4f} |" for row in log if row.score is not None
    )
    return f"""{log[-1].step} steps in {log[-1].seconds / 60:.0f} minutes; batches of {settings.batch} crops of
{settings.crop} x {settings.crop}, Adam, averaged weights; loss: {settings.loss}. Everything together at
{settings.learning_rate:g}, which falls to zero in the last {settings.decay:.0%} of the time by a cosine; the last
{FIXED_ENCODER_SHARE * settings.decay:.0%} for all but the encoder, on rounded latents, at
{FIXED_ENCODER_RATE * settings.learning_rate:g} with another cosine to zero.
Score: mean over validation crops and qualities 10, 30, 50, 70, 90 of ln(rate + lambda * distortion); 0.01 is 1 %.

| step | minutes | score |
| --- | --- | --- |
{rows}
"""


@dataclass
class _Bar:
    """A progress bar on stderr with loss, bpp and PSNR; plain lines where stderr is no terminal."""

    trainer: Trainer

    def __enter__(self) -> "_Bar":
        columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        console = Console(stderr=True)
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self.task = self.progress.add_task("", total=1.0)
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def report(self, row: LogRow) -> None:
        score = "" if row.score is None else f"  score {row.score:.4f}"
        line = f"step {row.step}  loss {row.loss:.4f}  {row.bpp:.3f} bpp  {row.psnr:.2f} dB{score}"
        if self.progress.disable:
            print(f"{row.seconds:.0f} s  {line}", flush=True)
        self.progress.update(self.task, completed=self.trainer.progress(), description=line)
