"""Options that several commands of the command line share."""

import math
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, get_args

import click

from ..api import DEFAULT_QUALITY, EFFORT_MAX, LOSSLESS, Exact
from ..coding.encode import Coding, Layers
from ..coding.targets import Measure, Target
from ..limits import MAX_PIXELS
from ..metrics.rate_distortion import Metric
from ..model.registry import DEFAULT_MODEL
from ..model.sessions import Device
from .paths import FolderOutput, Input, Output
from .reporter import Reporter
from .streams import STDIN, STDOUT, open_stream

Command = Callable[..., Any]
QUALITY_PARAMETERS = ("quality", *(measure.replace("-", "_") for measure in get_args(Measure)), LOSSLESS)
"""Parameters of which one says how good a picture shall be."""
THREADS_MAX = 1024
_COUNT_MAX = 1 << 62


class Count(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """A count with an optional k or M, of thousands or millions."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        factor = {"k": 1_000, "m": 1_000_000}.get(value[-1:].lower(), 1)
        try:
            count = int(float(value[:-1] if factor > 1 else value) * factor)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a number like 50k or 128M", param, ctx)
        if count < 0:
            self.fail(f"{value} is less than nothing", param, ctx)
        if count > _COUNT_MAX:
            self.fail(f"{value} is more than anything has", param, ctx)
        return count


class TargetType(click.ParamType):  # type: ignore[type-arg]  # as above
    """A value of one measure, as a `Target`."""

    name = "target"

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._number = Count() if measure == "size" else click.FLOAT

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        try:
            return Target(self._measure, self._number.convert(value, param, ctx))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class InputType(click.ParamType):  # type: ignore[type-arg]  # as above
    """A file or folder; - is standard input, and ./- is a file."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Input:
        if not value:
            self.fail("a name is empty", param, ctx)
        return STDIN if value == "-" else open_stream(value) or Path(value)


class OutputType(click.ParamType):  # type: ignore[type-arg]  # as above
    """A file, or a folder where it ends in a slash; - is standard output, and ./- is a file."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output | FolderOutput:
        if not value:
            self.fail("the name is empty", param, ctx)
        if os.path.basename(value) in ("", ".", ".."):  # noqa: PTH119 - Path drops what is looked for here
            return FolderOutput(Path(value))
        return STDOUT if value == "-" else open_stream(value) or Path(value)


def _add(command: Command, *options: Callable[[Command], Command]) -> Command:
    """Options in the order in which help shows them."""
    for option in reversed(options):
        command = option(command)
    return command


inputs_argument = click.argument("inputs", metavar="IN...", nargs=-1, required=True, type=InputType())
output_option = click.option(
    "-o",
    "--output",
    type=OutputType(),
    help="File, or folder for several inputs, which name/ makes; - is standard output.  [default: beside each input]",
)


def output_folder_option(default: str, help: str) -> Callable[[Command], Command]:
    """`-o` of what a command makes a folder of; nothing is asked for beside an input."""
    return click.option(
        "-o", "--output", type=click.Path(path_type=Path), default=default, show_default=True, help=help
    )


metric_option = click.option(
    "--metric",
    type=click.Choice(get_args(Metric)),
    help="What equally good means: PSNR, or SSIMULACRA2, which is nearer to what eyes see."
    "  [default: ssimulacra2 where it is installed]",
)
debug_option = click.option("--debug", is_flag=True, help="Show tracebacks.")
jobs_option = click.option(
    "--jobs", type=click.IntRange(1), help="Processes.  [default: as many as cores, divided by --threads]"
)


def _threads_option(help: str) -> Callable[[Command], Command]:
    return click.option("--threads", type=click.IntRange(0, THREADS_MAX), default=0, help=help)


threads_option = _threads_option("Threads of the networks.  [default: one per core]")
threads_of_jobs_option = _threads_option(
    "Threads of the networks in each process.  [default: as many as cores, divided by the processes]"
)
model_option = click.option(
    "--model",
    metavar="NAME",
    default=DEFAULT_MODEL,
    show_default=True,
    help="A model of `aez models`, or the folder of one.",
)
device_option = click.option(
    "--device",
    type=click.Choice(get_args(Device)),
    default="auto",
    show_default=True,
    help="Where the networks run; the exact ones always run on the CPU.",
)
max_pixels_option = click.option(
    "--max-pixels",
    type=Count(),
    default=f"{MAX_PIXELS // 1_000_000}M",
    show_default=True,
    help="Refuse larger pictures.",
)


def output_options(command: Command) -> Command:
    """What every command that writes pictures takes; the command gets one `report`."""

    @wraps(command)
    def with_report(*, quiet: bool, verbose: bool, as_json: bool, debug: bool, **options: Any) -> Any:
        return command(report=Reporter(quiet=quiet, verbose=verbose, as_json=as_json, debug=debug), **options)

    return _add(
        with_report,
        threads_option,
        device_option,
        max_pixels_option,
        click.option("-f", "--force", is_flag=True, help="Overwrite existing outputs."),
        click.option("--quiet", is_flag=True, help="Say nothing but errors."),
        click.option("-v", "--verbose", is_flag=True, help="Say more."),
        click.option("--json", "as_json", is_flag=True, help="One JSON object per output on stdout."),
        debug_option,
    )


def quality_options(command: Command) -> Command:
    """-q, or the target in its place; the command gets one `quality`."""

    @wraps(command)
    def with_quality(**options: Any) -> Any:
        given = [value for value in (options.pop(name) for name in QUALITY_PARAMETERS) if value is not None]
        if len(given) > 1:
            options_of = ", ".join(f"--{name.replace('_', '-')}" for name in QUALITY_PARAMETERS)
            raise click.UsageError(f"only one of {options_of} can be met")
        return command(quality=given[0] if given else DEFAULT_QUALITY, **options)

    return _add(
        with_quality,
        click.option(
            "-q",
            "--quality",
            type=click.FloatRange(0, 100),
            callback=no_nan,
            help="0 to 100, decimals allowed; from 30 to 90 about the SSIMULACRA2 of a photograph.  "
            f"[default: {DEFAULT_QUALITY:g}]",
        ),
        click.option("--bpp", type=TargetType("bpp"), metavar="X", help="Bits per pixel, within 1 %."),
        click.option(
            "--size",
            type=TargetType("size"),
            metavar="N",
            help="At most N bytes, 1 % less at worst; 50k is 50,000.",
        ),
        click.option("--psnr", type=TargetType("psnr"), metavar="DB", help="PSNR of high, within 0.05 dB."),
        click.option(
            "--ssimulacra2", type=TargetType("ssimulacra2"), metavar="S", help="SSIMULACRA2 of high, within 0.5."
        ),
        click.option("--medium-psnr", type=TargetType("medium-psnr"), metavar="DB", help="PSNR of medium."),
        click.option(
            f"--{LOSSLESS}",
            flag_value=LOSSLESS,
            default=None,
            help="All samples as they are, under alpha 0 too; what has more than 8 bits a sample is refused.",
        ),
    )


def encoding_options(command: Command) -> Command:
    """How pictures are encoded."""
    coded = _add(
        command,
        click.option(
            "--exact",
            type=click.Choice(get_args(Exact)),
            default="auto",
            show_default=True,
            help="auto: blocks of text and drawings are stored as samples where that is better.",
        ),
        click.option(
            "--layers",
            type=click.Choice(get_args(Layers)),
            default="all",
            show_default=True,
            help="base: only what the medium resolution needs; high is generated from it.",
        ),
        click.option(
            "--coding",
            type=click.Choice(get_args(Coding)),
            default="ans",
            show_default=True,
            help="How the file's numbers are packed: ans (rANS) is 28 % smaller than zstd (Kodak, quality 50), which"
            " needs no decoder but zstd's.",
        ),
        click.option(
            "--effort",
            type=click.IntRange(0, EFFORT_MAX),
            default=0,
            show_default=True,
            help="How long to search for a better file: half a minute a megapixel for each step (needs aez[effort]).",
        ),
        model_option,
        click.option("--strip", is_flag=True, help="Leave out EXIF and XMP."),
        click.option("--strip-gps", is_flag=True, help="Leave out positions, of EXIF and of XMP."),
        click.option("--skip-larger", is_flag=True, help="Keep the input where the .aez would be larger."),
    )
    return quality_options(coded)


def no_nan(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """click's ranges let NaN through."""
    if value is not None and math.isnan(value):
        raise click.BadParameter("nan is not a number")
    return value
