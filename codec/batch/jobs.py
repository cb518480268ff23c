"""What happens to one file: encoding or decoding, in memory."""

import json
import warnings
from dataclasses import asdict, dataclass

from aez import api, files
from aez.api import DecodeOptions, EncodeOptions, Resolution
from aez.compare.measure import load
from aez.errors import AezWarning
from aez.files import PictureFormat
from aez.metrics import psnr
from aez.networks import DEFAULT_MODEL, installed_models
from aez.targets import Target


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
        model = installed_models().get(self.options.get("model", DEFAULT_MODEL))
        kept = [self.options.get("layers"), self.options.get("coding"), self.skip_larger]
        return json.dumps(["encode", quality, model, *kept])

    def convert(self, data: bytes) -> Converted:
        """Encode a file.

        Raises:
            AezError: it cannot be.
        """
        coded = files.encode_bytes(data, self.quality, **self.options)
        found = api.info(coded)
        if self.skip_larger and len(coded) > len(data):
            return Converted(None, found.width, found.height, None)
        return Converted(coded, found.width, found.height, self._psnr(data, coded) if self.measure else None)

    def _psnr(self, data: bytes, coded: bytes) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AezWarning)
            original, _ = load(data)
            decoded = api.decode(coded, threads=self.options.get("threads", 0))
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

    def convert(self, data: bytes) -> Converted:
        """Decode a file.

        Raises:
            AezError: it cannot be.
        """
        image = api.decode(data, self.resolution, **self.options)
        return Converted(files.save_picture(image, self.format), image.width, image.height, None)


Job = Encoding | Decoding
