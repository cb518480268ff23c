"""What `aez encode`, `aez decode` and `aez info` do."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath

from rich.filesize import decimal

from .. import api
from ..api import DecodeOptions, Info, Resolution
from ..jobs import Decoding, Encoding, Job, Kept
from ..output import is_device, refuse_existing, write_file
from ..picture.files.formats import PictureFormat, format_of
from . import paths
from .names import printable
from .paths import FolderOutput, Input, Output
from .progress import track
from .reporter import Reporter
from .streams import Stream


@dataclass(frozen=True)
class Files:
    """What is converted, folders by what is below them, and where to: `output`, or beside each input."""

    inputs: Sequence[Input]
    output: Output | FolderOutput | None
    overwrite: bool

    def pairs(self, job: Job, output_name: Callable[[str], str], report: Reporter) -> list[tuple[Input, Output]]:
        """Inputs with their outputs.

        Raises:
            PathError: they do not fit together.
        """
        sources = paths.expand(self.inputs, job.foreign_kind, report)
        return list(zip(sources, paths.place(sources, self.output, output_name), strict=True))

    def check(self, target: Output) -> None:
        """Stop before any work is done in vain.

        Raises:
            AezError, OSError: the output exists and must not be overwritten, or is closed.
        """
        if isinstance(target, Stream):
            target.check()
        else:
            refuse_existing(target, self.overwrite)

    def write(self, target: Output, data: bytes) -> None:
        """Write an output; its folder is made where one was asked for.

        Raises:
            AezError, OSError: it cannot be written, or exists and must not be overwritten.
        """
        if isinstance(target, Stream):
            target.write(data)
            return
        if isinstance(self.output, FolderOutput):
            self.output.path.mkdir(parents=True, exist_ok=True)
        write_file(target, data, self.overwrite)


def encode_files(chosen: Files, job: Encoding, report: Reporter) -> None:
    """Encode pictures, each as an .aez file.

    Raises:
        PathError: nothing was begun.
    """
    pairs = chosen.pairs(job, job.output_name, report)
    with report.command():
        job.check_model()
    for source, target in track(pairs, report.visible):
        with report.file(source, target):
            chosen.check(target)
            converted = job.convert(paths.read(source))
            if isinstance(converted, Kept):
                report.note(source, f"{converted.reason}, so it is not written")
                continue
            chosen.write(target, converted.data)
            pixels = converted.width * converted.height
            found = api.info(converted.data, model=job.options.get("model"), max_pixels=pixels)
            report.done(
                f"{printable(target)}  {decimal(found.bytes)}  {found.bpp:.3f} bpp",
                {"input": _path(source), "output": _path(target), **asdict(found)},
                f"medium needs {decimal(found.medium_bytes)}",
            )


def decode_files(
    chosen: Files, resolution: Resolution, format: PictureFormat | None, options: DecodeOptions, report: Reporter
) -> None:
    """Decode .aez files to pictures, of the format of the output's suffix unless one is given.

    Raises:
        PathError: nothing was begun.
    """
    usual = Decoding(resolution, format or "png", options)

    def output_name(name: str) -> str:
        path = PurePath(usual.output_name(name))
        return str(path.with_suffix(f".medium{usual.suffix}") if resolution == "medium" else path)

    for source, target in track(chosen.pairs(usual, output_name, report), report.visible):
        with report.file(source, target):
            chosen.check(target)
            job = Decoding(resolution, format or _format_of(target), options)
            converted = job.convert(paths.read(source))
            chosen.write(target, converted.data)
            width, height = converted.width, converted.height
            report.done(
                f"{printable(target)}  {width} x {height}",
                {"input": _path(source), "output": _path(target), "width": width, "height": height},
                f"as {job.format}",
            )


def show_info(sources: Sequence[Input], max_pixels: int, report: Reporter) -> None:
    """Say what .aez files hold, without decoding them."""
    for source in sources:
        with report.file(source):
            found = api.info(paths.read(source), max_pixels=max_pixels)
            report.done(_described(source, found), {"input": _path(source), **asdict(found)})


def _path(place: Input | Output) -> str:
    """As it was given, for programs."""
    return place.path if isinstance(place, Stream) else str(place)


def _format_of(target: Output) -> PictureFormat:
    """By the suffix; what has none and is no file gets PNG."""
    if isinstance(target, Stream) or (not target.suffix and is_device(target)):
        return "png"
    return format_of(target)


def _described(source: Input, found: Info) -> str:
    """What a file holds, for people."""
    share = 100 * found.medium_bytes / found.bytes
    kind = ("gray" if found.gray else "colour") + (" with alpha" if found.alpha else "")
    state = "" if found.complete else "  (incomplete or damaged behind the front part)"
    quality = "" if found.quality is None else f", quality {found.quality:g}"
    limit = f" within {found.max_error}" if found.max_error else ""
    exact = f"{100 * found.exact_share:.0f} % of the pixels exact{limit}, " if found.exact_share else ""
    model = f"model {found.model or 'not installed'} ({found.model_id})"
    layers = f"{exact}layers {found.layers}, coding {found.coding}, {model}"
    coding = layers if found.layers else f"near-lossless{limit}" if found.max_error else "lossless"
    sections = ", ".join(f"{section.type} {decimal(section.bytes)}" for section in found.sections)
    return "\n".join(
        [
            f"{printable(source)}: {found.width} x {found.height}, {kind}{quality}{state}",
            f"  {decimal(found.bytes)}, {found.bpp:.3f} bpp; medium {found.medium_width} x {found.medium_height} "
            f"needs the first {found.medium_bytes} bytes ({share:.0f} %)",
            f"  {coding}, format version {found.version}",
            f"  {sections}",
        ]
    )
