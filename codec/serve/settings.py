"""What `aez serve` can be told: its settings with their defaults, and the options that set them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from ..api import DecodeOptions, EncodeOptions
from ..terminal.options import Count, no_nan

STATE_FOLDER = ".aez-serve"
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """How to serve; the names are those of the options.

    Args:
        root: folder of .aez files; the cache is in `STATE_FOLDER` below it.
        origin: folder or URL where what is not below the root comes from.
        token: what PUT and DELETE must bring; without it there is neither.
        host, port: address to listen at; port 0 is any free one.
        workers: processes.
        threads: of the networks, for one picture.
        decodes, queue: pictures that are coded at a time, and that may wait for it, over all workers.
        cache_size: bytes of coded pictures and of what came from the origin, together.
        max_pixels: of a picture that is coded.
        max_body: bytes of a file, be it uploaded, the origin's or below the root.
        max_age: seconds for which clients need not ask again, and for which the origin is not asked again.
        timeout: seconds after which a request is given up; what it waits for is given up sooner.
        quality: of what is encoded, 0 to 100.
        keep_metadata: whether answers hold the EXIF and XMP of their files.
    """

    root: Path
    decodes: int
    origin: str | None = None
    token: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    threads: int = 1
    queue: int = 64
    cache_size: int = 1_000_000_000
    max_pixels: int = 24_000_000
    max_body: int = 50_000_000
    max_age: int = 3600
    timeout: float = 60
    quality: float = 50
    keep_metadata: bool = False

    @property
    def encoding(self) -> EncodeOptions:
        """How pictures are encoded."""
        return {"threads": self.threads, "max_pixels": self.max_pixels}

    @property
    def decoding(self) -> DecodeOptions:
        """How files are decoded."""
        return {"threads": self.threads, "max_pixels": self.max_pixels}

    @property
    def origin_seconds(self) -> float:
        """After which the origin is given up."""
        return min(20.0, self.timeout / 3)

    @property
    def connection_seconds(self) -> float:
        """In which a connection has to show that it is alive."""
        return min(10.0, self.timeout / 3)

    @property
    def state(self) -> Path:
        """Where the cache, locks and counters of all workers are."""
        return self.root / STATE_FOLDER

    @property
    def worker_locks(self) -> Path:
        """Where each worker holds a locked file as long as it lives."""
        return self.state / "workers"

    @property
    def single_flight(self) -> Path:
        """Where the files are that keep work from being done twice at a time."""
        return self.state / "single-flight"

    @property
    def metrics(self) -> Path:
        """Where the workers count."""
        return self.state / "metrics"


def server_options(command: Command) -> Command:
    """The options of `aez serve`, in the order in which help shows them."""
    options = (
        click.option(
            "--origin", metavar="URL", help="Where to pull what is not below ROOT: a web server, s3://, a folder."
        ),
        _option("--host", str, "Address to listen at."),
        _option("--port", click.IntRange(0, 65535), "0: any free one."),
        _option("--workers", click.IntRange(1), "Processes."),
        _option("--threads", click.IntRange(1), "Of the networks, per picture."),
        click.option("--decodes", type=click.IntRange(1), help="Pictures coded at a time.  [default: one per core]"),
        _option("--queue", click.IntRange(0), "Pictures that may wait for it."),
        _option("--cache-size", Count(), "Bytes kept below ROOT."),
        _option("--max-pixels", Count(), "Refuse to code larger pictures."),
        _option("--max-body", Count(), "Bytes of an upload, original or file."),
        _option("--max-age", click.IntRange(0), "Seconds until asked again."),
        _option("--timeout", click.FloatRange(1), "Seconds for a request."),
        _option("--quality", click.FloatRange(0, 100), "Of what is encoded.", "-q"),
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
