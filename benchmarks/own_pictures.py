"""What a model of one's own gains: the shipped model, trained on with pictures of one kind, against the shipped model.

python benchmarks/own_pictures.py --pictures DIR [--minutes 30] [--out runs/own] [--threads 0]

Any folder of pictures of one kind will do. The set that was used: the 786 pictures of at least 256 x 256 pixels in
GIMP's manual, screenshots and examples (Debian's package gimp-help-en 2.10.34, folder usr/share/gimp/2.0/help/en/
images; GNU Free Documentation License). An eighth of the pictures is kept aside and compared on: runs of eight
neighbours by name, so that hardly any picture has a near copy among those that are trained on.

BD-rate is that of the mean curves over real files, by the measure that the model is trained for (SSIMULACRA2 for the
loss "eyes", PSNR for "mse"), in the high resolution. Cost is rate + lambda * distortion as in training, over the
middles of the pictures kept aside; 0.01 of its logarithm is 1 %. A model is trained for the loss that the shipped one
was trained for.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from PIL import Image

import aez
from aez.metrics.fidelity import psnr
from aez.metrics.rate_distortion import Metric, Point, bd_rate, common_range, mean_curve
from aez.metrics.ssimulacra2 import ssimulacra2
from aez.model.folder import PARAMS
from aez.model.registry import DEFAULT_MODEL, AnyModel, find_by_name
from aez.nn.params import load_params
from aez.picture.files.opening import plain_picture
from aez.train.commands import VALIDATION_CROP, export_checkpoint, train
from aez.train.data import find_pictures, load_pictures
from aez.train.loop import score

QUALITIES = (10, 30, 50, 70, 90)
RUN, KEPT_ASIDE = 8, 8
NAME = "own-1"
TRAINING = {"batch": 4, "crop": 256}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of pictures of one kind")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument(
        "--out", type=Path, default=Path("runs/own"), help="new folder for the training run and the model"
    )
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    trained, aside = split(large_pictures(arguments.pictures))
    if not aside:
        raise SystemExit(f"{arguments.pictures}: too few pictures of at least {VALIDATION_CROP} x {VALIDATION_CROP}")
    print(f"{len(trained)} pictures to train on, {len(aside)} kept aside")
    shipped = find_by_name(DEFAULT_MODEL).folder
    loss = load_params(shipped / PARAMS).loss
    with TemporaryDirectory() as temporary:
        folders = [link(paths, Path(temporary) / name) for name, paths in (("train", trained), ("aside", aside))]
        given: dict[str, Any] = {"minutes": arguments.minutes, "loss": loss, "compiled": True, **TRAINING}
        train(folders[:1], arguments.out, valid=folders[1], init=DEFAULT_MODEL, **given)
        export_checkpoint(arguments.out / "checkpoint.pt", arguments.out, NAME, folders[0], force=False)
    own = arguments.out / NAME
    costs = [mean_ln_cost(folder / PARAMS, aside) for folder in (shipped, own)]
    print(f"cost: {100 * (costs[1] - costs[0]):+.1f} % (loss: {loss})")
    pictures = [plain_picture(path.read_bytes())[0] for path in aside]
    metric: Metric = "ssimulacra2" if loss == "eyes" else "psnr"
    curves = [curve(pictures, folder, metric, arguments.threads) for folder in (shipped, own)]
    print(f"| quality | shipped, bpp | {metric} | own, bpp | {metric} |\n| --- | --- | --- | --- | --- |")
    before, after = curves
    for a, b in zip(before, after, strict=True):
        print(f"| {a.quality:g} | {a.bpp:.3f} | {a.fidelity:.2f} | {b.bpp:.3f} | {b.fidelity:.2f} |")
    fidelities = common_range(curves, metric)
    rate = bd_rate(before, after, fidelities) if fidelities else None
    if fidelities is None or rate is None:
        print("no BD-rate: the curves have too little in common")
    else:
        print(f"BD-rate by {metric}: {rate:+.1f} % from {fidelities[0]:.1f} to {fidelities[1]:.1f}")


def large_pictures(folder: Path) -> list[Path]:
    """Pictures that can be cropped for validation."""
    found = []
    for path in find_pictures([folder]):
        with Image.open(path) as image:
            if min(image.size) >= VALIDATION_CROP:
                found.append(path)
    return found


def split(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Those to train on, and those that are kept aside."""
    aside = [path for number, path in enumerate(paths) if number // RUN % KEPT_ASIDE == KEPT_ASIDE - 1]
    return sorted({*paths} - {*aside}), aside


def link(paths: Iterable[Path], folder: Path) -> Path:
    """A folder of links to pictures."""
    folder.mkdir()
    for number, path in enumerate(paths):
        (folder / f"{number}{path.suffix}").symlink_to(path)
    return folder


@torch.no_grad()
def mean_ln_cost(params: Path, paths: Iterable[Path]) -> float:
    """Mean logarithm of the cost, for the loss of the model, over the middles of pictures."""
    loaded = load_params(params)
    middles = []
    for picture in load_pictures(paths, VALIDATION_CROP, torch.device("cpu")):
        top, left = (picture.shape[1] - VALIDATION_CROP) // 2, (picture.shape[2] - VALIDATION_CROP) // 2
        middles.append(picture[:, top : top + VALIDATION_CROP, left : left + VALIDATION_CROP])
    return score(loaded.codec.eval(), torch.stack(middles), loaded.loss)


def curve(pictures: Iterable[Image.Image], model: AnyModel, metric: Metric, threads: int) -> list[Point]:
    """The mean curve of real files."""
    fidelity = ssimulacra2 if metric == "ssimulacra2" else psnr
    curves = []
    for image in pictures:
        points = []
        for quality in QUALITIES:
            data = aez.encode(image, quality, model=model, threads=threads)
            decoded = aez.decode(data, model=model, threads=threads).convert(image.mode)
            points.append(Point(quality, aez.info(data).bpp, fidelity(decoded, image)))
        curves.append(points)
    return mean_curve(curves)


if __name__ == "__main__":
    main()
