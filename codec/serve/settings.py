"""What `aez serve` was told."""

from dataclasses import dataclass, field
from pathlib import Path

from ..api import DecodeOptions, EncodeOptions

OWN_FOLDER = ".aez-serve"


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Args:
        root: folder of .aez files; the cache is in `OWN_FOLDER` below it.
        origin: folder or URL where what is not below the root comes from.
        token: what PUT and DELETE must bring; without it there is neither.
        cache_bytes: of results and of what came from the origin, together.
        quality: of what is encoded, 0 to 100.
        threads: of the networks, for one picture.
        running, waiting: pictures that are coded at a time, and that may wait for it, over all workers.
        max_pixels: of a picture that is coded.
        max_body: bytes of a body, be it uploaded or the origin's.
        max_age: seconds for which clients need not ask again, and for which the origin is not asked again.
        request_seconds: after which a request is given up; what it waits for is given up sooner.
    """

    root: Path
    origin: str | None = None
    token: str | None = field(default=None, repr=False)
    cache_bytes: int = 1_000_000_000
    quality: float = 50
    threads: int = 1
    running: int = 2
    waiting: int = 64
    max_pixels: int = 24_000_000
    max_body: int = 50_000_000
    max_age: int = 3600
    request_seconds: float = 60

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
        return min(20.0, self.request_seconds / 3)

    @property
    def patience(self) -> float:
        """Seconds in which a connection has to show that it is alive."""
        return min(10.0, self.request_seconds / 3)

    @property
    def own(self) -> Path:
        """Where the cache, locks and counters of all workers are."""
        return self.root / OWN_FOLDER

    @property
    def workers(self) -> Path:
        """Where each worker holds a locked file as long as it lives."""
        return self.own / "workers"

    @property
    def metrics(self) -> Path:
        """Where the workers count."""
        return self.own / "metrics"
