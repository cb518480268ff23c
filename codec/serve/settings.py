"""What `aez serve` can be told, with defaults."""

from dataclasses import dataclass, field
from pathlib import Path

from ..api import DEFAULT_QUALITY, DecodeOptions, EncodeOptions

STATE_FOLDER = ".aez-serve"


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
        cors: origins whose pages may read answers, "*" for all.
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
    quality: float = DEFAULT_QUALITY
    cors: tuple[str, ...] = ()
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
