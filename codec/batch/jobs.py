"""What happens to one file: encoding or decoding, in memory."""

import json
import warnings
from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image
from rich.filesize import decimal

from .. import api
from ..api import DecodeOptions, EncodeOptions, Resolution
from ..coding.targets import Target
from ..errors import AezWarning
from ..metrics import psnr
from ..model.registry import DEFAULT_MODEL, find_by_name
from ..picture import files
from ..picture.files import PictureFormat
from .manifest import Result

_SHARED = ("model", "threads", "device", "max_pixels")


@dataclass(frozen=True)
class Converted:
    """New bytes, or none if the original is better kept; the picture's size; PSNR in dB if it was asked for."""

    data: bytes | None
    width: int
    height: int
    psnr: float | None


@dataclass(frozen=True)
class Encoding:
    """Pictures of any format to .aez."""

    quality: float | Target
    options: EncodeOptions
    skip_larger: bool
    measure: bool

    suffix = ".aez"
    reads = frozenset(files.READABLE)

    @property
    def settings(self) -> str:
        """What decides the result, to tell whether it is up to date."""
        quality = asdict(self.quality) if isinstance(self.quality, Target) else self.quality
        model = find_by_name(self.options.get("model", DEFAULT_MODEL)).id
        kept = [*(self.options.get(name) for name in ("layers", "coding", "effort")), self.skip_larger]
        return json.dumps(["encode", quality, model, *kept])

    def is_complete(self, result: Result) -> bool:
        """Whether a result has all that is asked for; kept originals have no PSNR."""
        return not self.measure or result.psnr is not None or not result.target.endswith(self.suffix)

    def check(self) -> None:
        """Find out once what would go wrong with every file.

        Raises:
            AezError: no file can be encoded with these options.
        """
        api.check_target(self.quality, self.options.get("layers", "all"))
        options = self.options.copy()
        options["effort"] = min(options.get("effort", 0), 1)
        api.encode(Image.new("RGB", (1, 1)), 50, **options)

    def convert(self, data: bytes) -> Converted:
        """Encode a file.

        Raises:
            AezError: it cannot be.
        """
        files.allow_pixels(self.options.get("max_pixels", api.MAX_PIXELS))
        coded = api.encode_bytes(data, self.quality, **self.options)
        found = api.info(coded)
        if len(coded) > len(data):
            if self.skip_larger:
                return Converted(None, found.width, found.height, None)
            warnings.warn(
                f"the .aez is larger: {decimal(len(coded))} for {decimal(len(data))}", AezWarning, stacklevel=2
            )
        return Converted(coded, found.width, found.height, self._psnr(data, coded) if self.measure else None)

    def _psnr(self, data: bytes, coded: bytes) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AezWarning)
            original, _ = files.plain_picture(data)
            options: Any = {name: value for name, value in self.options.items() if name in _SHARED}
            decoded = api.decode(coded, **options)
        return psnr(decoded.convert(original.mode), original)


@dataclass(frozen=True)
class Decoding:
    """.aez to pictures of one format."""

    resolution: Resolution
    format: PictureFormat
    options: DecodeOptions

    reads = frozenset({".aez"})

    @property
    def suffix(self) -> str:
        """Of the pictures."""
        return ".jpg" if self.format == "jpeg" else f".{self.format}"

    @property
    def settings(self) -> str:
        """As in `Encoding`."""
        return json.dumps(["decode", self.resolution, self.format, self.options.get("upscale")])

    def is_complete(self, _: Result) -> bool:
        """As in `Encoding`."""
        return True

    def check(self) -> None:
        """As in `Encoding`; nothing goes wrong with every file."""

    def convert(self, data: bytes) -> Converted:
        """Decode a file.

        Raises:
            AezError: it cannot be.
        """
        image = api.decode(data, self.resolution, **self.options)
        return Converted(files.save_picture(image, self.format), image.width, image.height, None)


Job = Encoding | Decoding
