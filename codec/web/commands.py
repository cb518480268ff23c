"""What `aez page` and `aez web` do."""

from collections.abc import Sequence
from pathlib import Path

from rich.filesize import decimal

from ..api import Resolution, decode
from ..errors import AezError, LimitError, PictureError
from ..jobs import Decoding
from ..model.registry import AnyModel, find_by_name, known_models
from ..output import refuse_existing, write_file
from ..terminal import paths
from ..terminal.commands import Files
from ..terminal.names import printable
from ..terminal.paths import Input
from ..terminal.reporter import Reporter
from ..terminal.streams import Stream
from .assets import Asset, all_assets
from .page import Shown, make_page


def write_page(chosen: Files, resolution: Resolution, report: Reporter) -> None:
    """Write a page of pictures, if all of them can be shown."""
    sources = paths.expand(chosen.inputs, Decoding.foreign_kind, report)
    (target,) = paths.place([Path("page")], chosen.output, lambda name: f"{name}.html")
    with report.command():
        if paths.is_among(target, sources):
            raise AezError(f"{target} would be written over itself; choose another output with -o")
        chosen.check(target)
    pictures = []
    for source in sources:
        with report.file(source):
            data = paths.read(source)
            _check(data, resolution)
            pictures.append(Shown.of(_name(source), data, resolution))
    if len(pictures) < len(sources):
        if len(sources) > 1:
            report.fail(f"{printable(target)} is not written, since not all of that can be shown")
        return
    with report.file("", target):
        title = pictures[0].name if len(pictures) == 1 else f"{len(pictures)} pictures"
        page = make_page(title, pictures)
        chosen.write(target, page)
        files = decimal(sum(len(picture.data) for picture in pictures))
        report.done(f"{printable(target)}  {decimal(len(page))}, {files} of them .aez, all else is the decoder", {})


def write_site(folder: Path, names: Sequence[AnyModel], force: bool, report: Reporter) -> None:
    """Write scripts and weights into the folder of a web server: those of some models, or of all that are known."""
    with report.command():
        models = [find_by_name(name) for name in names] or list(known_models())
        assets = [asset for asset in all_assets(models) if not _is_there(asset, folder)]
        for asset in assets:
            refuse_existing(folder / asset.name, force, hint="-f updates it")
        if not assets:
            report.say(f"{printable(folder)}  is current")
        for asset in assets:
            path = folder / asset.name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, asset.data, force)
            report.say(f"{printable(path)}  {decimal(len(asset.data))}")


def _check(data: bytes, resolution: Resolution) -> None:
    """Decode a picture: who is sent the page cannot do anything about one that does not show."""
    try:
        decode(data, resolution)
    except LimitError as error:
        raise PictureError(f"{error}, and browsers decode no more") from error


def _is_there(asset: Asset, folder: Path) -> bool:
    path = folder / asset.name
    return path.is_file() and path.read_bytes() == asset.data


def _name(source: Input) -> str:
    return "standard input" if isinstance(source, Stream) else printable(source.name)
