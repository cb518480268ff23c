"""What `aez encode`, `aez decode` and `aez info` do."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.filesize import decimal

from .. import api
from ..api import DecodeOptions, Info, Resolution
from ..jobs import Decoding, Encoding, Kept
from ..picture.formats import PictureFormat, format_of
from . import paths
from .progress import track
from .reporter import Reporter


@dataclass(frozen=True)
class Files:
    """What is converted, folders by what is below them, and where to: `output`, or beside each input."""

    inputs: Sequence[Path]
    output: Path | None
    overwrite: bool

    def pairs(self, suffixes: Collection[str], beside: Callable[[Path], Path]) -> list[tuple[Path, Path]]:
        """Inputs with their outputs.

        Raises:
            PathError: they do not fit together.
        """
        sources = paths.expand(self.inputs, suffixes)
        return list(zip(sources, paths.place(sources, self.output, beside), strict=True))


def encode_files(chosen: Files, job: Encoding, report: Reporter) -> None:
    """Encode pictures, each as an .aez file.

    Raises:
        PathError: nothing was begun.
    """
    pairs = chosen.pairs(job.reads, lambda source: source.with_suffix(job.suffix))
    report.piped = any(target == paths.STANDARD for _, target in pairs)
    for source, target in track(pairs, report.visible):
        with report.file(source):
            paths.refuse_taken(target, chosen.overwrite)
            converted = job.convert(paths.read(source))
            if isinstance(converted, Kept):
                report.note(source, f"{converted.reason}, so it is not written")
                continue
            paths.write(target, converted.data, chosen.overwrite)
            found = api.info(converted.data)
            report.done(
                f"{target}  {decimal(found.bytes)}  {found.bpp:.3f} bpp",
                {"input": str(source), "output": str(target), **asdict(found)},
                f"medium needs {decimal(found.medium_bytes)}",
            )


def decode_files(
    chosen: Files, resolution: Resolution, format: PictureFormat | None, options: DecodeOptions, report: Reporter
) -> None:
    """Decode .aez files to pictures, of the format of the output's suffix unless one is given.

    Raises:
        PathError: nothing was begun.
    """
    suffix = Decoding(resolution, format or "png", options).suffix
    ending = f".medium{suffix}" if resolution == "medium" else suffix
    pairs = chosen.pairs(Decoding.reads, lambda source: source.with_name(source.stem + ending))
    report.piped = any(target == paths.STANDARD for _, target in pairs)
    for source, target in track(pairs, report.visible):
        with report.file(source):
            paths.refuse_taken(target, chosen.overwrite)
            job = Decoding(resolution, format or _format_of(target), options)
            converted = job.convert(paths.read(source))
            paths.write(target, converted.data, chosen.overwrite)
            values = {"input": str(source), "output": str(target), "width": converted.width, "height": converted.height}
            report.done(f"{target}  {converted.width} x {converted.height}", values, f"as {job.format}")


def show_info(sources: Sequence[Path], report: Reporter) -> None:
    """Say what .aez files hold, without decoding them."""
    for source in sources:
        with report.file(source):
            found = api.info(paths.read(source))
            report.done(_described(source, found), {"input": str(source), **asdict(found)})


def _format_of(target: Path) -> PictureFormat:
    return "png" if target == paths.STANDARD else format_of(target)


def _described(source: Path, found: Info) -> str:
    """What a file holds, for people."""
    share = 100 * found.medium_bytes / found.bytes
    kind = ("gray" if found.gray else "colour") + (" with alpha" if found.alpha else "")
    state = "" if found.complete else "  (incomplete or damaged behind the front part)"
    sections = ", ".join(f"{section.type} {decimal(section.bytes)}" for section in found.sections)
    return "\n".join(
        [
            f"{source}: {found.width} x {found.height}, {kind}, quality {found.quality:g}{state}",
            f"  {decimal(found.bytes)}, {found.bpp:.3f} bpp; medium {found.medium_width} x {found.medium_height} "
            f"needs the first {found.medium_bytes} bytes ({share:.0f} %)",
            f"  layers {found.layers}, coding {found.coding}, model {found.model} ({found.model_id}), "
            f"format version {found.version}",
            f"  {sections}",
        ]
    )
