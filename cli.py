"""The command line of aez: options and printing, nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Unpack, get_args

import click

from aez import __version__
from aez.api import DecodeOptions, EncodeOptions, Quality, Resolution
from aez.errors import needs_extra
from aez.jobs import Encoding
from aez.metrics.rate_distortion import Metric
from aez.picture.files.formats import PictureFormat
from aez.serve.options import server_options
from aez.serve.settings import ServerSettings
from aez.terminal import paths
from aez.terminal.commands import Files, decode_files, encode_files, show_info
from aez.terminal.names import printable
from aez.terminal.options import (
    InputType,
    OutputType,
    debug_option,
    device_option,
    encoding_options,
    inputs_argument,
    jobs_option,
    max_pixels_option,
    metric_option,
    model_option,
    no_nan,
    output_folder_option,
    output_option,
    output_options,
    threads_of_jobs_option,
    threads_option,
)
from aez.terminal.paths import ExistingPath, FolderOutput, Input, Output
from aez.terminal.process import PreparedGroup, processes_and_threads
from aez.terminal.reporter import Reporter, describe


@click.group(
    cls=PreparedGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    short_help="learned image codec: one file, two resolutions",
)
@click.version_option(__version__, prog_name="aez")
def main() -> None:
    """A learned image codec: one file, two resolutions.

    \b
    aez encode img.png               writes img.aez
    aez decode img.aez -o out.png    writes out.png
    aez decode img.aez --res medium  writes img.medium.png, half as wide and high
    """


@main.command(short_help="Encode pictures as .aez files.")
@inputs_argument
@output_option
@encoding_options
@output_options
def encode(
    inputs: tuple[Input, ...],
    output: Output | FolderOutput | None,
    quality: Quality,
    skip_larger: bool,
    force: bool,
    report: Reporter,
    **options: Unpack[EncodeOptions],
) -> None:
    """Encode pictures, or all pictures below a folder, as .aez files.

    The result of a/img.png is a/img.aez, unless -o names another file or folder.
    """
    encode_files(Files(inputs, output, force), Encoding(quality, options, skip_larger), report)
    report.exit()


@main.command(short_help="Decode .aez files to pictures.")
@inputs_argument
@output_option
@click.option(
    "--res", type=click.Choice(get_args(Resolution)), default="high", show_default=True, help="medium: half the size."
)
@click.option(
    "--format",
    "picture_format",
    type=click.Choice(get_args(PictureFormat)),
    help="Of the output.  [default: by its suffix, or png]",
)
@click.option(
    "--upscale", is_flag=True, help="Generate high from the bytes of medium where the others are missing or damaged."
)
@output_options
def decode(
    inputs: tuple[Input, ...],
    output: Output | FolderOutput | None,
    res: Resolution,
    picture_format: PictureFormat | None,
    force: bool,
    report: Reporter,
    **options: Unpack[DecodeOptions],
) -> None:
    """Decode .aez files, or all of them below a folder, to pictures.

    The result of a/img.aez is a/img.png, or a/img.medium.png with --res medium, unless -o names another file or folder.
    """
    decode_files(Files(inputs, output, force), res, picture_format, options, report)
    report.exit()


@main.command(short_help="Say what .aez files hold, without decoding them.")
@inputs_argument
@max_pixels_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object per file.")
@debug_option
def info(inputs: tuple[Input, ...], max_pixels: int, as_json: bool, debug: bool) -> None:
    """Say what .aez files hold, without decoding them."""
    report = Reporter(as_json=as_json, debug=debug)
    show_info(inputs, max_pixels, report)
    report.exit()


class _Models(click.Group):
    """Lists, unless told otherwise."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        listed = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        return super().parse_args(ctx, ["list", *args] if listed else args)


@main.group(cls=_Models)
def models() -> None:
    """List models, install and remove your own.

    Models are those shipped with aez, those in the folders of AEZ_MODELS (a list as in PATH), and those installed.
    """


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="A JSON object per model.")
def list_models(as_json: bool) -> None:
    """List name, id and place of all models."""
    from aez.terminal import models as commands

    report = Reporter()
    commands.list_models(report, as_json)
    report.exit()


@models.command("install", short_help="Try a model and copy it to your own models.")
@click.argument("folder", type=click.Path(path_type=Path))
@debug_option
def install_model(folder: Path, debug: bool) -> None:
    """Try the model of FOLDER, as aez export made it, and copy it to your own models."""
    from aez.terminal import models as commands

    report = Reporter(debug=debug)
    folder = folder.absolute()
    with report.file(folder):
        model = commands.install(folder)
        report.say(f"{model.name}  {model.id:08x}  {model.folder}")
    report.exit()


@models.command("remove")
@click.argument("name")
@debug_option
def remove_model(name: str, debug: bool) -> None:
    """Remove an installed model."""
    from aez.terminal import models as commands

    report = Reporter(debug=debug)
    with report.file(name):
        report.say(f"removed {commands.remove(name)}")
    report.exit()


@main.command(short_help="Convert whole trees of folders; go on after a stop.")
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@encoding_options
@click.option(
    "--min-psnr",
    type=click.FloatRange(0, 100),
    callback=no_nan,
    metavar="DB",
    help="Measure PSNR, and keep the input where it would be lower.",
)
@click.option("--to", type=click.Choice(get_args(PictureFormat)), help="Decode .aez files instead.")
@click.option("--res", type=click.Choice(get_args(Resolution)), default="high", help="With --to.  [default: high]")
@click.option("--upscale", is_flag=True, help="With --to: generate high where the enhancement layer is damaged.")
@click.option("--include", multiple=True, metavar="GLOB", help="Only such names.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="No such names.")
@click.option(
    "--files",
    "listed",
    type=ExistingPath(dir_okay=False),
    help="Take the names below SRC from this file, one a line, instead of looking for them.",
)
@click.option("--keep-extension", is_flag=True, help="a.png becomes a.png.aez.")
@jobs_option
@click.option("--dask", "scheduler", metavar="ADDRESS", help="Let a Dask cluster do the work: tcp://host:8786.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--report", "report_file", type=click.Path(path_type=Path), help="Write sizes and PSNR there as CSV.")
@threads_of_jobs_option
@device_option
@max_pixels_option
@click.option("-f", "--force", is_flag=True, help="Overwrite files that no batch has written.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@debug_option
@click.pass_context
def batch(
    context: click.Context,
    /,
    source: str,
    target: str,
    scheduler: str | None,
    dry_run: bool,
    report_file: Path | None,
    listed: Path | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    keep_extension: bool,
    jobs: int | None,
    threads: int,
    force: bool,
    quiet: bool,
    debug: bool,
    **options: Any,
) -> None:
    """Convert all pictures below SRC, mirroring its folders in DST; go on where an earlier run has stopped.

    SRC and DST may be URLs such as s3://bucket/folder (needs aez[cloud]). What is up to date is skipped; a bad file
    does not stop the others.
    """
    from aez.batch import commands
    from aez.batch.job import chosen_job
    from aez.batch.name_list import read_names
    from aez.batch.selection import Selection

    report = Reporter(quiet=quiet, debug=debug)
    if scheduler and jobs:
        raise click.UsageError("--jobs has no meaning with --dask")
    with report.command():
        processes, threads = processes_and_threads(jobs, threads or (1 if scheduler else 0))
        request = commands.Request(
            source=source,
            target=target,
            job=chosen_job(context, options, threads, measure=report_file is not None),
            selection=Selection(include, exclude, read_names(listed) if listed else None),
            keep_extension=keep_extension,
            force=force,
            processes=processes,
            scheduler=scheduler,
            report=report_file,
        )
        if dry_run:
            commands.show_plan(request, report)
        else:
            commands.convert_tree(request, report)
    report.exit()


@main.command(short_help="Serve .aez files over HTTP, in both resolutions.")
@click.argument("root", type=click.Path(path_type=Path))
@server_options
@debug_option
def serve(root: Path, threads: int, decodes: int | None, debug: bool, **options: Any) -> None:
    """Serve the .aez files below ROOT over HTTP, in both resolutions and as AVIF, WebP, JPEG or PNG (needs aez[serve]).

    \b
    /a/b.aez?res=medium   the front part of ROOT/a/b.aez: a valid .aez file
    /a/b?res=medium       the picture in a format that the client accepts
    /                     all pictures on a page
    """
    report = Reporter(debug=debug)
    with report.file(root):
        with _serve_extra():
            from aez.serve import commands
        decodes, _ = processes_and_threads(decodes, threads)
        settings = ServerSettings(root=root.absolute(), threads=threads, decodes=decodes, **options)
        commands.serve(settings)
    report.exit()


@main.command(short_help="Measure JPEG and AVIF sizes for the page of serve.")
@click.argument("root", type=ExistingPath(file_okay=False))
@click.argument("originals", type=ExistingPath(file_okay=False))
@metric_option
@threads_option
@max_pixels_option
@debug_option
def gallery(root: Path, originals: Path, metric: Metric | None, threads: int, max_pixels: int, debug: bool) -> None:
    """Measure what JPEG and AVIF that are as good would need for the .aez files below ROOT, for the page of aez serve.

    Kept in ROOT/.aez-gallery.json; only what is new is measured. The original of a/b.aez is a/b.png, or another
    picture of that name, below ORIGINALS.
    """
    report = Reporter(debug=debug)
    with report.file(root):
        with _serve_extra():
            from aez.compare.commands import choose_metric
            from aez.serve.gallery_measure import measure_folder
        for name, trouble in measure_folder(root, originals, choose_metric(metric), threads, max_pixels):
            if trouble:
                report.fail(describe(trouble, name))
            else:
                report.say(printable(name))
    report.exit()


@main.command(short_help="Compare aez with JPEG, WebP, AVIF and JPEG XL.")
@inputs_argument
@click.option(
    "-q",
    "--quality",
    type=click.FloatRange(0, 100),
    callback=no_nan,
    help="Only this quality, and the JPEGs that are as good, instead of curves.",
)
@metric_option
@click.option(
    "--report", "folder", type=click.Path(path_type=Path), help="Write a page with curves and details into this folder."
)
@click.option("--json", "form", flag_value="json", help="JSON on stdout.")
@click.option("--csv", "form", flag_value="csv", help="CSV on stdout, a line per picture, codec and quality.")
@model_option
@threads_option
@max_pixels_option
@click.option("--quiet", is_flag=True, help="Show no progress and no notes.")
@debug_option
def compare(
    inputs: tuple[Input, ...],
    quality: float | None,
    metric: Metric | None,
    folder: Path | None,
    form: Literal["json", "csv"] | None,
    quiet: bool,
    debug: bool,
    **options: Any,
) -> None:
    """Compare aez with JPEG, WebP, AVIF and JPEG XL on your own pictures.

    Curves over all qualities, BD-rates, sizes where pictures are equally good, and speeds. WebP and AVIF are there if
    Pillow has them; SSIMULACRA2, BD-rates, reports and JPEG XL need aez[compare].
    """
    from aez.compare import commands

    if quality is not None and folder:
        raise click.UsageError("a report is of curves; leave out -q")
    report = Reporter(quiet=quiet, debug=debug)
    sources = paths.expand(inputs, Encoding.foreign_kind, report)
    with report.command():
        chosen = commands.choose_metric(metric)
        codecs = commands.prepare(folder, **options)
    if quality is None:
        commands.note_what_is_missing(report)
        commands.compare_curves(sources, report, codecs, chosen, form, folder)
    else:
        commands.compare_quality(sources, report, codecs, chosen, form, quality)
    report.exit()


@main.command(short_help="Find pictures that are alike in a folder of .aez files.")
@click.argument("where", metavar="[PICTURE] FOLDER", nargs=-1, required=True, type=InputType())
@click.option("--page", type=OutputType(), help="Write an HTML page of them there.")
@click.option("-f", "--force", is_flag=True, help="Overwrite an existing page.")
@jobs_option
@threads_of_jobs_option
@max_pixels_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object per group, or per file that is like PICTURE.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@debug_option
def similar(
    where: tuple[Input, ...],
    page: Output | FolderOutput | None,
    force: bool,
    jobs: int | None,
    threads: int,
    max_pixels: int,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> None:
    """Find the .aez files below FOLDER that show the same picture, or those that are most like PICTURE.

    The same picture means rescaled, recompressed, cropped a little, brightened, turned or mirrored. PICTURE is a file
    of any format. What files look like is kept in FOLDER/.aez-similar, so only new ones are read the next time.
    """
    from aez.similar import commands

    report = Reporter(quiet=quiet, as_json=as_json, debug=debug)
    *pictures, folder = where
    if len(pictures) > 1 or not isinstance(folder, Path):
        raise click.UsageError("what is searched is one FOLDER, after at most one PICTURE")
    if not (page is None or isinstance(page, Path)):
        raise click.UsageError("--page names a file; what is found goes to standard output")
    processes, threads = processes_and_threads(jobs, threads)
    request = commands.Request(folder, page, force, processes, threads, max_pixels)
    if pictures:
        commands.show_nearest(pictures[0], request, report)
    else:
        commands.show_groups(request, report)
    report.exit()


@main.command(short_help="Make one HTML file that shows .aez files to anybody.")
@inputs_argument
@click.option(
    "-o", "--output", type=OutputType(), required=True, metavar="PAGE", help="The page; - is standard output."
)
@click.option(
    "--res",
    type=click.Choice(get_args(Resolution)),
    default="high",
    show_default=True,
    help="medium: a smaller page of half the size.",
)
@click.option("-f", "--force", is_flag=True, help="Overwrite an existing page.")
@debug_option
def page(inputs: tuple[Input, ...], output: Output | FolderOutput, res: Resolution, force: bool, debug: bool) -> None:
    """Make one HTML file of .aez files, with the decoder and its weights inside.

    Any browser of today shows it, without a network and without aez.
    """
    from aez.web.commands import write_page

    report = Reporter(debug=debug)
    write_page(Files(inputs, output, force), res, report)
    report.exit()


@main.command(short_help="Write what web pages need to show .aez files.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--model", "models", metavar="NAME", multiple=True, help="Only the weights of this model; repeatable.")
@click.option("-f", "--force", is_flag=True, help="Overwrite existing files.")
@debug_option
def web(folder: Path, models: tuple[str, ...], force: bool, debug: bool) -> None:
    """Write aez.js and the weights of models into FOLDER, the root of a web server.

    A page with <script src="/aez.js"></script> shows .aez files like any others: <img src="photo.aez">. (aez serve
    brings all this along.)
    """
    from aez.web.commands import write_site

    report = Reporter(debug=debug)
    write_site(folder, models, force, report)
    report.exit()


@main.command(short_help="Train a model on your own pictures.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=ExistingPath(file_okay=False))
@output_folder_option("runs/train", "Results go here.")
@click.option(
    "--valid",
    type=ExistingPath(file_okay=False),
    help="Pictures for the learning curve.  [default: every 20th picture is kept aside]",
)
@click.option("--steps", type=click.IntRange(1), help="Length of the schedule.  [default: 20000]")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True, max=1e6),
    callback=no_nan,
    help="Length of the schedule in place of --steps.",
)
@click.option("--batch", type=click.IntRange(1), help="Crops per step.  [default: 8]")
@click.option("--crop", type=click.IntRange(64), help="Their side, a multiple of 64.  [default: 128]")
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True, max=1),
    callback=no_nan,
    help="Its peak.  [default: 0.001; with --init 0.0001, or that of the checkpoint]",
)
@click.option(
    "--loss",
    type=click.Choice(["eyes", "mse"]),
    help="What to train for: SSIMULACRA2 with a share of squared error, or squared error alone.  [default: eyes]",
)
@click.option(
    "--decay",
    type=click.FloatRange(0, 1),
    callback=no_nan,
    help="Last part of the schedule, in which the learning rate falls to zero; 0 for a run that will go on."
    "  [default: 1]",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="[default: 1]")
@click.option(
    "--init",
    metavar="MODEL",
    help="Start from an installed model, a params.safetensors file, or the checkpoint.pt of another run.",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in -o, with its settings.")
@click.option("--compile/--no-compile", "compiled", default=None, help="torch.compile.  [default: on CUDA]")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@debug_option
def train(folders: tuple[Path, ...], output: Path, debug: bool, **options: Any) -> None:
    """Train a model on folders of pictures (needs aez[train]).

    Writes checkpoint.pt, params.safetensors (averaged weights), log.csv and log.png to -o; aez export makes a model
    of the checkpoint.
    """
    given = {name: value for name, value in options.items() if value is not None}
    report = Reporter(debug=debug)
    with _training(report) as commands:
        commands.train(folders, output, **given)
    report.exit()


@main.command(short_help="Make a model of a training checkpoint.")
@click.argument("checkpoint", type=ExistingPath(dir_okay=False))
@click.option("--name", required=True, help="Name of the model, with its version, such as mine-1.")
@output_folder_option("models", "Its folder goes here.")
@click.option(
    "--pictures",
    type=ExistingPath(file_okay=False),
    help="Fit the entropy coder's tables to these training pictures.",
)
@click.option("-f", "--force", is_flag=True, help="Replace a model of that name.")
@debug_option
def export(checkpoint: Path, name: str, output: Path, pictures: Path | None, force: bool, debug: bool) -> None:
    """Make a model of a checkpoint: ONNX graphs, tables and model card, all checked (needs aez[train])."""
    report = Reporter(debug=debug)
    with _training(report) as commands:
        model = commands.export_checkpoint(checkpoint, output, name, pictures, force)
        folder = output / name
        report.say(f"{model.name}  {model.id:08x}  {folder}  (to be found by name: aez models install {folder})")
    report.exit()


@contextmanager
def _training(report: Reporter) -> Iterator[Any]:
    """The training commands, whose imports take seconds."""
    with report.command():
        try:
            from aez.train import commands
        except ImportError as error:
            raise needs_extra("training", str(error.name), "train") from error
        yield commands


@contextmanager
def _serve_extra() -> Iterator[None]:
    """Say what to install where an import fails."""
    try:
        yield
    except ImportError as error:
        raise needs_extra("serving", str(error.name), "serve") from error


if __name__ == "__main__":
    main()
