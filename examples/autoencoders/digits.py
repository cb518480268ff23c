"""Can an autoencoder beat JPEG on MNIST? The network of the talk, in real bytes.

python examples/autoencoders/digits.py
"""

import io
from statistics import fmean

import matplotlib.pyplot as plt
import numpy as np
import torch
from coding import file_bytes
from data import digits
from matplotlib.figure import Figure
from PIL import Image
from rate import Coded, coded, for_rate, largest, psnr
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
"""Of the squared error against bits."""
NARROW, WIDE = (16, 8, 8), (16, 32, 64)
"""Channels of the three convolutions: the talk's, and for comparison more where the picture is small already."""
TALK, WIDER, FOR_RATE, TOGETHER = "the talk's network", "a wider one", ", for rate and distortion", ", all together"
"""Parts of names of curves."""
JPEG_FILES, JPEG_ALONE, JPEG_SHEET = "JPEG, files", "JPEG, without headers", "JPEG, one sheet of all"
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


def bpp(size: float) -> float:
    """Bits a pixel of so many bytes a digit."""
    return 8 * size / PIXELS


def curves_of(name: str, points: dict[float, Coded]) -> Curves:
    """Both ways to count bytes."""
    return {
        name: [Point(quality, bpp(one.alone), one.psnr) for quality, one in points.items()],
        name + TOGETHER: [Point(quality, bpp(one.together), one.psnr) for quality, one in points.items()],
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
    curves: Curves = {JPEG_FILES: [], JPEG_ALONE: [], JPEG_SHEET: []}
    across = int(len(test) ** 0.5)
    sheet = test[: across**2].reshape(across, across, SIDE, SIDE).transpose(1, 2).reshape(1, across * SIDE, -1)
    for quality in JPEG_QUALITIES:
        files = [saved(digit, "JPEG", quality=quality, optimize=True) for digit in test]
        of_all = saved(sheet, "JPEG", quality=quality, optimize=True)
        reached = psnr(torch.stack([opened(file) for file in files]), test)
        for name, size, found in (
            (JPEG_FILES, fmean(map(len, files)), reached),
            (JPEG_ALONE, fmean(map(scan_bytes, files)), reached),
            (JPEG_SHEET, len(of_all) / across**2, psnr(opened(of_all), sheet)),
        ):
            curves[name].append(Point(quality, bpp(size), found))
    return curves


def main() -> None:
    given = arguments(__doc__)
    seeded()
    training, test, *_ = digits()
    steps, count = (20, 100) if given.quick else (2000, 1000)
    test = test[:count]
    report = Report("digits")

    curves = by_jpeg(test)
    tell(curves)
    networks = {
        name: for_cross_entropy(Talk(widths), training, 3 * steps) for name, widths in ((TALK, NARROW), (WIDER, WIDE))
    }
    found: dict[str, dict[float, Coded]] = {}
    for name, network in networks.items():
        step = largest(network, training)
        found[name] = {divisor: coded(network, step / divisor, training, test) for divisor in DIVISORS}
        tell(curves_of(name, found[name]))
        found[name + FOR_RATE] = {
            weight: coded(for_rate(network, step / FINENESS, training, steps, weight), 1.0, training, test)
            for weight in WEIGHTS
        }
        tell(curves_of(name + FOR_RATE, found[name + FOR_RATE]))
    for name, points in found.items():
        curves |= curves_of(name, points)

    talk, in_bytes = networks[TALK], found[TALK][255]
    jpegs = [saved(digit, "JPEG", optimize=True) for digit in test]
    with torch.no_grad():
        report.values["float_psnr"] = f"{psnr(talk.decode(talk.encode(test)), test):.1f}"
    report.values.update(
        byte_psnr=f"{in_bytes.psnr:.1f}",
        byte_together=f"{in_bytes.together:.0f}",
        byte_ratio=f"{PIXELS / in_bytes.together:.1f}",
        jpeg_header=f"{fmean(len(file) - scan_bytes(file) for file in jpegs):.0f}",
        own_header=f"{file_bytes(bytes(20), SIDE, SIDE) - 20}",
    )
    least = curves[JPEG_ALONE][0]
    report.values.update(jpeg_least=f"{least.bpp * PIXELS / 8:.0f}", jpeg_worst=f"{least.fidelity:.1f}")
    for key, name in (("talk", TALK), ("wide", WIDER)):
        report.values[f"{key}_weights"] = f"{sum(one.numel() for one in networks[name].parameters()):,}"
        report.values[f"{key}_best"] = best(found[name])
        report.values[f"{key}_rate_best"] = best(found[name + FOR_RATE])
    quoted = {"jpeg": JPEG_ALONE, "sheet": JPEG_SHEET, "wide": WIDER, "wide_rate": WIDER + FOR_RATE}
    for key, name in quoted.items():
        report.values[f"{key}_at_19"] = size_at(curves[name], 19)
    report.values["wide_rate_together_at_19"] = size_at(curves[WIDER + FOR_RATE + TOGETHER], 19)
    lossless = {kind: fmean(len(saved(x, kind, **options)) for x in test) for kind, options in LOSSLESS.items()}
    report.values.update({kind.lower(): f"{size:.0f}" for kind, size in lossless.items()})
    wanted = (14.0, 16.0, 17.0, 18.0, 19.0, 20.0, 22.0, 24.0)
    report.table(
        "curves",
        ["bytes a digit at a PSNR of", *(f"{fit:.0f} dB" for fit in wanted)],
        [[name, *(size_at(points, fit) for fit in wanted)] for name, points in curves.items()],
    )
    shown = {weight: one.pictures for weight, one in found[WIDER + FOR_RATE].items()}
    report.write(given.out, figure_of(curves, lossless, test, shown))


def tell(curves: Curves) -> None:
    """Bytes a digit and PSNR as soon as they are known; the table comes minutes later."""
    for name, points in curves.items():
        print(f"{name}: {', '.join(f'{p.bpp * PIXELS / 8:.1f} ({p.fidelity:.1f} dB)' for p in points)}", flush=True)


def best(points: dict[float, Coded]) -> str:
    """The highest PSNR that is reached."""
    return f"{max(one.psnr for one in points.values()):.1f}"


def size_at(points: list[Point], fidelity: float) -> str:
    """Bytes a digit at a PSNR."""
    found = bpp_at(points, fidelity)
    return f"{found * PIXELS / 8:.1f}" if found else "-"


def figure_of(curves: Curves, lossless: dict[str, float], test: Tensor, shown: dict[float, Tensor]) -> Figure:
    """Rate-distortion curves, and some digits as they come back."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(14, 5.5), width_ratios=(1.4, 1))
    colours = list(dict.fromkeys(name.removesuffix(TOGETHER) for name in curves))
    for name, points in curves.items():
        style = "--" if name.startswith("JPEG") else ":" if name.endswith(TOGETHER) else "-"
        left.plot(
            [p.bpp * PIXELS / 8 for p in points],
            [p.fidelity for p in points],
            style,
            color=f"C{colours.index(name.removesuffix(TOGETHER))}",
            marker=".",
            label=name,
        )
    for kind, size in lossless.items():
        left.axvline(size, color="gray", lw=0.8)
        left.text(size, 0.02, f" {kind}, lossless", transform=left.get_xaxis_transform(), rotation=90, fontsize=8)
    left.set(xscale="log", xlabel="bytes a digit", ylabel="PSNR in dB", title="Digits that no network has seen")
    left.grid(alpha=0.3)
    left.legend(fontsize=8, loc="upper left")
    rows = {"original": test, **{f"weight {weight:.0f}": pictures for weight, pictures in shown.items()}}
    show(right, {name: pictures[:12] for name, pictures in rows.items()})
    return figure


if __name__ == "__main__":
    main()
