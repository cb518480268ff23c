"""Can an autoencoder beat JPEG on MNIST? The network of the talk, in real bytes.

python examples/autoencoders/digits.py
"""

import io
from collections.abc import Iterable, Iterator

import matplotlib.pyplot as plt
import numpy as np
import torch
from coding import file_bytes
from data import digits
from matplotlib.figure import Figure
from PIL import Image
from rate import Coded, Network, Scaled, coded, for_rate, largest, psnr
from report import Report, arguments, show
from torch import Tensor, nn
from torch.nn import functional as F
from training import seeded, train

from aez.metrics.rate_distortion import Point, bpp_at

SIDE, PIXELS = 28, 28 * 28
CHANNELS = 8
"""Of the code, which is 4 x 4."""
FINENESS = 16
"""Steps into which the largest number is cut when training for rate begins."""
DIVISORS = (255, 64, 32, 16, 8, 5, 3, 2)
"""How many steps the largest number of a code is cut into."""
WEIGHTS = (300.0, 100.0, 30.0, 10.0, 3.0)
"""Of the squared error against bits; each training goes on from the one before."""
NARROW, WIDE = (16, 8, 8), (16, 32, 64)
"""Channels of the three convolutions: the talk's, and for comparison more where the picture is small already."""
JPEG_QUALITIES = (1, 2, 3, 5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 95)
LOSSLESS: dict[str, dict[str, object]] = {"PNG": {"optimize": True}, "WebP": {"lossless": True, "method": 6}}

Curves = dict[str, list[Point]]
"""Bits a pixel and PSNR by name."""


class Talk(nn.Module):
    """28 x 28 -> 4 x 4 x 8 -> 28 x 28, three times convolution and pooling, three times convolution and upsampling."""

    def __init__(self, widths: tuple[int, int, int] = NARROW) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.encoder = nn.Sequential(
            *(nn.Conv2d(1, fine, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(fine, middle, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(middle, CHANNELS, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)),
        )
        self.decoder = nn.Sequential(
            *(nn.Conv2d(CHANNELS, coarse, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(coarse, middle, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(middle, fine, 3), nn.ReLU(), nn.Upsample(scale_factor=2)),
            *(nn.Conv2d(fine, 1, 3, padding=1), nn.Sigmoid()),
        )

    def encode(self, pictures: Tensor) -> Tensor:
        """[N, 1, 28, 28] -> [N, 8, 4, 4]."""
        code: Tensor = self.encoder(pictures)
        return code

    def decode(self, code: Tensor) -> Tensor:
        """[N, 8, 4, 4] -> [N, 1, 28, 28] in 0..1."""
        pictures: Tensor = self.decoder(code)
        return pictures


def for_cross_entropy(model: Talk, pictures: Tensor, steps: int) -> Talk:
    """Trained as in the talk, for the cross-entropy of every pixel, without a thought of bytes."""
    train(model.parameters(), pictures, lambda x: F.binary_cross_entropy(model.decode(model.encode(x)), x), steps)
    return model


def for_rates(trained: Talk, pictures: Tensor, steps: int) -> Iterator[tuple[float, Scaled]]:
    """For rate and distortion at each weight, going on from the one before."""
    model: Network = trained
    step = largest(trained, pictures) / FINENESS
    for weight in WEIGHTS:
        model, step = for_rate(model, step, pictures, steps, weight), 1.0
        yield weight, model


def bpp(size: float) -> float:
    """Bits a pixel of so many bytes a digit."""
    return 8 * size / PIXELS


def curves_of(name: str, points: Iterable[Coded]) -> Curves:
    """Both ways to count bytes."""
    found = list(points)
    return {
        name: [Point(number, bpp(one.alone), one.psnr) for number, one in enumerate(found)],
        f"{name}, all together": [Point(number, bpp(one.together), one.psnr) for number, one in enumerate(found)],
    }


def saved(picture: Tensor, kind: str, **options: object) -> bytes:
    """A picture [1, H, W] as a file of Pillow's."""
    buffer = io.BytesIO()
    Image.fromarray((255 * picture[0]).round().byte().numpy()).save(buffer, kind, **options)
    return buffer.getvalue()


def opened(file: bytes) -> Tensor:
    """The picture in a file, [1, H, W]."""
    return torch.from_numpy(np.asarray(Image.open(io.BytesIO(file)), np.float32))[None] / 255


def scan_bytes(jpeg: bytes) -> int:
    """What a JPEG has besides all that stands before its samples, and the two bytes at its end."""
    start = jpeg.index(b"\xff\xda") + 2
    return len(jpeg) - start - int.from_bytes(jpeg[start : start + 2], "big") - 2


def by_jpeg(test: Tensor) -> Curves:
    """Files, what is in them besides headers, and all digits on one sheet."""
    curves: Curves = {"JPEG, files": [], "JPEG, without headers": [], "JPEG, one sheet of all": []}
    across = int(len(test) ** 0.5)
    sheet = test[: across**2].reshape(across, across, SIDE, SIDE).transpose(1, 2).reshape(1, across * SIDE, -1)
    for quality in JPEG_QUALITIES:
        files = [saved(digit, "JPEG", quality=quality, optimize=True) for digit in test]
        of_all = saved(sheet, "JPEG", quality=quality, optimize=True)
        reached = psnr(torch.stack([opened(file) for file in files]), test)
        for name, size, found in (
            ("JPEG, files", mean(map(len, files)), reached),
            ("JPEG, without headers", mean(map(scan_bytes, files)), reached),
            ("JPEG, one sheet of all", len(of_all) / across**2, psnr(opened(of_all), sheet)),
        ):
            curves[name].append(Point(quality, bpp(size), found))
    return curves


def mean(numbers: Iterable[float]) -> float:
    """The arithmetic one."""
    return float(np.mean(list(numbers)))


def main() -> None:
    given = arguments(__doc__)
    seeded()
    training, test, *_ = digits()
    steps, count = (20, 100) if given.quick else (2000, 1000)
    test = test[:count]
    report = Report("digits")

    talk = for_cross_entropy(Talk(), training, 3 * steps)
    wide = for_cross_entropy(Talk(WIDE), training, steps)
    with torch.no_grad():
        report.values["float_psnr"] = f"{psnr(talk.decode(talk.encode(test)), test):.1f}"
    step = largest(talk, training)
    of_talk = {divisor: coded(talk, step / divisor, training, test) for divisor in DIVISORS}
    names = "the talk's network", "the same, for rate and distortion", "a wider one, for rate and distortion"
    of_rate = [
        {weight: coded(model, 1.0, training, test) for weight, model in for_rates(start, training, steps)}
        for start in (talk, wide)
    ]
    curves = by_jpeg(test)
    for name, points in zip(names, (of_talk.values(), *(found.values() for found in of_rate)), strict=True):
        curves |= curves_of(name, points)

    in_bytes = of_talk[255]
    jpegs = [saved(digit, "JPEG", optimize=True) for digit in test]
    report.values.update(
        byte_psnr=f"{in_bytes.psnr:.1f}",
        byte_together=f"{in_bytes.together:.0f}",
        byte_ratio=f"{PIXELS / in_bytes.together:.1f}",
        jpeg_header=f"{mean(len(file) - scan_bytes(file) for file in jpegs):.0f}",
        own_header=f"{file_bytes(bytes(20), SIDE, SIDE) - 20}",
    )
    least = curves["JPEG, without headers"][0]
    report.values.update(jpeg_least=f"{least.bpp * PIXELS / 8:.0f}", jpeg_worst=f"{least.fidelity:.1f}")
    report.values.update(
        {f"best_{number}": f"{max(p.fidelity for p in curves[name]):.1f}" for number, name in enumerate(names)}
    )
    lossless = {kind: mean(len(saved(x, kind, **options)) for x in test) for kind, options in LOSSLESS.items()}
    report.values.update({kind.lower(): f"{size:.0f}" for kind, size in lossless.items()})
    wanted = (14.0, 16.0, 17.0, 18.0, 19.0, 20.0, 22.0, 24.0)
    report.table(
        "curves",
        ["bytes a digit at a PSNR of", *(f"{fit:.0f} dB" for fit in wanted)],
        [[name, *(size_at(points, fit) for fit in wanted)] for name, points in curves.items()],
    )
    report.write(
        given.out, figure_of(curves, lossless, test, {weight: one.pictures for weight, one in of_rate[1].items()})
    )


def size_at(points: list[Point], fidelity: float) -> str:
    """Bytes a digit at a PSNR."""
    found = bpp_at(points, fidelity)
    return f"{found * PIXELS / 8:.1f}" if found else "-"


def figure_of(curves: Curves, lossless: dict[str, float], test: Tensor, shown: dict[float, Tensor]) -> Figure:
    """Rate-distortion curves, and some digits as they come back."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(14, 5.5), width_ratios=(1.4, 1))
    for name, points in curves.items():
        style = "--" if name.startswith("JPEG") else "-"
        left.plot([p.bpp * PIXELS / 8 for p in points], [p.fidelity for p in points], style, marker=".", label=name)
    for kind, size in lossless.items():
        left.axvline(size, color="gray", lw=0.8)
        left.text(size, 8, f" {kind}, lossless", rotation=90, va="bottom", fontsize=8)
    left.set(xscale="log", xlabel="bytes a digit", ylabel="PSNR in dB", title="Digits that no network has seen")
    left.grid(alpha=0.3)
    left.legend(fontsize=8)
    rows = {"original": test, **{f"weight {weight:.0f}": pictures for weight, pictures in shown.items()}}
    show(right, {name: pictures[:12] for name, pictures in rows.items()})
    return figure


if __name__ == "__main__":
    main()
