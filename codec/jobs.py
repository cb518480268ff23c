"""What `aez encode`, `aez decode` and `aez batch` do to the bytes of one file, in memory."""

import json
import warnings
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import PurePath, PurePosixPath
from typing import cast

from PIL import Image
from rich.filesize import decimal

from . import api
from .api import LOSSLESS, DecodeOptions, EncodeOptions, Quality, Resolution
from .coding.targets import Target
from .errors import AezError, AezWarning, DamagedError, LimitError, PictureError, QualityWarning, warn
from .format.container import MAGIC
from .limits import MAX_PIXELS
from .metrics.fidelity import psnr
from .model.registry import DEFAULT_MODEL, find_by_name, load_model
from .picture.convert import plain
from .picture.files.formats import NEEDED_FOR, READABLE, SUFFIXES, PictureFormat
from .picture.files.opening import plain_picture
from .picture.files.saving import save_picture

_LONGEST_SUFFIX = 8
_SHARED = ("model", "threads", "device", "max_pixels")


@dataclass(frozen=True)
class Converted:
    """New bytes; the picture's size; PSNR in dB if it was asked for."""

    data: bytes
    width: int
    height: int
    psnr: float | None = None


@dataclass(frozen=True)
class Kept:
    """Nothing new, since the original is better kept; why, and the picture's size."""

    reason: str
    width: int
    height: int


@dataclass(frozen=True)
class Encoding:
    """Pictures of any format to .aez; with `measure`, results have their PSNR.

    Originals are kept where the .aez would be larger, if `skip_larger`, or have a PSNR of less than `min_psnr` dB.
    """

    quality: Quality
    options: EncodeOptions
    skip_larger: bool
    min_psnr: float | None = None
    measure: bool = False

    suffix = ".aez"

    def output_name(self, name: str) -> str:
        """What the result of a file is called."""
        return _renamed(name, {*SUFFIXES, self.suffix}, self.suffix)

    @staticmethod
    def foreign_kind(name: str) -> str:
        """What kind of file this is, by its name, that is not taken from folders; empty for those that are."""
        kind = _foreign_kind(name, READABLE)
        return f"{kind} (needs {NEEDED_FOR[kind]})" if kind in NEEDED_FOR else kind

    @property
    def settings(self) -> str:
        """What decides the result, to tell whether it is up to date."""
        quality = asdict(self.quality) if isinstance(self.quality, Target) else self.quality
        model = 0 if quality == LOSSLESS else find_by_name(self.options.get("model", DEFAULT_MODEL)).id
        kept = [*(self.options.get(name) for name in ("exact", "layers", "coding", "effort")), self.skip_larger]
        given: list[object] = [name for name in ("strip", "strip_gps") if self.options.get(name)]
        given += [] if self.min_psnr is None else [{"min_psnr": self.min_psnr}]
        return json.dumps(["encode", quality, model, *kept, *given])

    def check_model(self) -> None:
        """Find out whether there is such a model.

        Raises:
            ModelError: there is none.
        """
        options = self.options
        if self.quality == LOSSLESS:
            return
        load_model(options.get("model", DEFAULT_MODEL), options.get("threads", 0), options.get("device", "auto"))

    def check(self) -> None:
        """Find out once what would go wrong with every file.

        Raises:
            AezError: no file can be encoded with these options.
        """
        options = self.options.copy()
        effort = options.get("effort", 0)
        exact, layers, coding = options.get("exact", "auto"), options.get("layers", "all"), options.get("coding", "ans")
        api.check_options(self.quality, exact=exact, layers=layers, coding=coding, effort=effort)
        if self.quality == LOSSLESS:
            return
        options["effort"] = min(effort, 1)
        api.encode(Image.new("RGB", (1, 1)), api.DEFAULT_QUALITY, **options)

    def convert(self, data: bytes) -> Converted | Kept:
        """Encode a file.

        Raises:
            AezError: it cannot be.
        """
        with warnings.catch_warnings():
            if self.min_psnr is not None:  # which is measured, not estimated
                warnings.simplefilter("ignore", QualityWarning)
            coded = api.encode_bytes(data, self.quality, **self.options)
        found = api.info(coded, max_pixels=self.options.get("max_pixels", MAX_PIXELS))
        larger = f"the .aez is larger ({decimal(len(coded))}) than the input ({decimal(len(data))})"
        if len(coded) > len(data) and self.skip_larger:
            return Kept(larger, found.width, found.height)
        measured = self._psnr(data, coded) if self.measure or self.min_psnr is not None else None
        if measured is not None and self.min_psnr is not None and measured < self.min_psnr:
            return Kept(f"the .aez has {measured:.2f} dB", found.width, found.height)
        if len(coded) > len(data):
            warn(larger)
        return Converted(coded, found.width, found.height, measured)

    def is_damaged(self, result: bytes) -> bool:
        """Whether a file that was a result once is truncated, or altered beyond reading."""
        return _is_damaged(result, self._decoding)

    @property
    def _decoding(self) -> DecodeOptions:
        return cast(DecodeOptions, {name: value for name, value in self.options.items() if name in _SHARED})

    def _psnr(self, data: bytes, coded: bytes) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AezWarning)
            original, _ = plain_picture(data, self.options.get("max_pixels", MAX_PIXELS))
            decoded = plain(api.decode(coded, **self._decoding))
        return psnr(decoded.convert(original.mode), original)


@dataclass(frozen=True)
class Decoding:
    """.aez to pictures of one format."""

    resolution: Resolution
    format: PictureFormat
    options: DecodeOptions

    measure = False

    @property
    def suffix(self) -> str:
        """Of the pictures."""
        return ".jpg" if self.format == "jpeg" else f".{self.format}"

    def output_name(self, name: str) -> str:
        """As in `Encoding`."""
        return _renamed(name, {Encoding.suffix}, self.suffix)

    @staticmethod
    def foreign_kind(name: str) -> str:
        """As in `Encoding`."""
        return _foreign_kind(name, {Encoding.suffix})

    @property
    def settings(self) -> str:
        """As in `Encoding`."""
        return json.dumps(["decode", self.resolution, self.format, self.options.get("upscale")])

    def check(self) -> None:
        """As in `Encoding`; nothing goes wrong with every file."""

    def convert(self, data: bytes) -> Converted:
        """Decode a file.

        Raises:
            AezError: it cannot be.
        """
        image = api.decode(data, self.resolution, **self.options)
        return Converted(save_picture(image, self.format), image.width, image.height)

    def is_damaged(self, result: bytes) -> bool:
        """As in `Encoding`."""
        return _is_damaged(result, self.options)


Job = Encoding | Decoding


def _renamed(name: str, known: Collection[str], suffix: str) -> str:
    """A name with another suffix. Only a known one is taken off: "Scan 1.2" becomes "Scan 1.2.aez"."""
    old = PurePath(name).suffix
    return name.removesuffix(old if old.lower() in known else "") + suffix


def _is_damaged(result: bytes, options: DecodeOptions) -> bool:
    """Whether a file cannot be read, unless for want of its model, of a newer version or of a higher limit."""
    is_aez = result.startswith(MAGIC)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AezWarning)
        try:
            if is_aez:
                api.decode(result, **options)
            else:
                plain_picture(result, options.get("max_pixels", MAX_PIXELS))
        except LimitError:
            return False
        except (DamagedError, PictureError) as error:
            return not is_aez or isinstance(error, DamagedError)
        except AezError:
            pass
    return False


def _foreign_kind(name: str, taken: Collection[str]) -> str:
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    if path.name.startswith("._"):
        return "._* (made by macOS)"
    if suffix in taken:
        return ""
    return suffix if suffix and len(suffix) <= _LONGEST_SUFFIX and " " not in suffix else "no suffix"
