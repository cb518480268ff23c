"""The options of `aez serve`, which set its settings."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..terminal.options import THREADS_MAX, Count, no_nan
from .settings import ServerSettings

Command = TypeVar("Command", bound=Callable[..., Any])


def server_options(command: Command) -> Command:
    """The options of `aez serve`, in the order in which help shows them."""
    options = (
        click.option(
            "--origin", metavar="URL", help="Where to pull what is not below ROOT: a web server, s3://, a folder."
        ),
        _option("--host", str, "Address to listen at."),
        _option("--port", click.IntRange(0, 65535), "0: any free one."),
        _option("--workers", click.IntRange(1), "Processes."),
        _option("--threads", click.IntRange(1, THREADS_MAX), "Of the networks, per picture."),
        click.option("--decodes", type=click.IntRange(1), help="Pictures coded at a time.  [default: one per core]"),
        _option("--queue", click.IntRange(0), "Pictures that may wait for it."),
        _option("--cache-size", Count(), "Bytes kept below ROOT."),
        _option("--max-pixels", Count(), "Refuse to code larger pictures."),
        _option("--max-body", Count(), "Bytes of an upload, original or file."),
        _option("--max-age", click.IntRange(0), "Seconds for which clients and the server keep what they have."),
        _option("--timeout", click.FloatRange(1), "Seconds for a request."),
        _option("--quality", click.FloatRange(0, 100), "Of what is encoded.", "-q"),
        click.option(
            "--cors",
            metavar="ORIGIN",
            multiple=True,
            help="Let scripts of pages of this origin read answers: https://example.org, or * for all; repeatable.",
        ),
        click.option("--keep-metadata", is_flag=True, help="Send EXIF and XMP, which may tell places and names."),
        click.option(
            "--token",
            envvar="AEZ_TOKEN",
            metavar="TOKEN",
            callback=_not_empty,
            help="What PUT and DELETE must bring; better by AEZ_TOKEN.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _not_empty(_: click.Context, __: click.Parameter, token: str | None) -> str | None:
    """A token without the blanks around it, which no header could bring."""
    if token is not None and not token.strip():
        raise click.BadParameter("the token is empty")
    return token and token.strip()


def _option(name: str, kind: Any, help: str, *short: str) -> Callable[[Command], Command]:
    """An option whose default is that of the settings."""
    default = getattr(ServerSettings, name.removeprefix("--").replace("-", "_"))
    callback = no_nan if isinstance(kind, click.FloatRange) else None
    shown = f"{default // 1_000_000}M" if isinstance(kind, Count) else default
    return click.option(*short, name, type=kind, default=shown, callback=callback, show_default=True, help=help)
