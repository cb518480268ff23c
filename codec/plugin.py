"""The Pillow plugin: after `import aez`, `Image.open("x.aez")` and `image.save("x.aez", quality=60)` work."""

import inspect
import sys
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

from PIL import Image, ImageFile

from . import api
from .errors import AezError
from .format.container import MAGIC, Flags
from .format.contents import Contents
from .limits import MAX_PIXELS
from .model.registry import find_by_id
from .picture.metadata.metadata import attach_metadata

if TYPE_CHECKING:
    from PIL._imaging import PixelAccess

FORMAT = "AEZ"
MIME_TYPE = "image/aez"
_MODES = {(False, False): "RGB", (False, True): "RGBA", (True, False): "L", (True, True): "LA"}


class AezImageFile(ImageFile.ImageFile):
    """An .aez file; `draft` chooses the medium resolution, and a file that ends too early for high opens as medium."""

    format = FORMAT
    format_description = "aez learned image"

    # Copies and unpickled images have their samples and nothing else; Pillow makes them without `_open`.
    _data: bytes | None = None
    _medium_size = (0, 0)
    _resolution: api.Resolution = "high"

    def _open(self) -> None:
        assert self.fp is not None
        self._data = self.fp.read()
        try:
            contents = Contents(self._data)
            header = contents.header
            self._mode = _MODES[Flags.GRAY in header.flags, Flags.ALPHA in header.flags]
            attach_metadata(self, contents.metadata(), header.colours)
        except AezError as error:
            raise SyntaxError(str(error)) from error
        self._medium_size = header.medium_width, header.medium_height
        self._size = header.width, header.height
        if not header.all_exact and (model := find_by_id(header.model)) is not None:
            self.info["quality"] = model.scale.to_shown(header.quality)
        if contents.lacks_high:
            self._choose_medium()

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> tuple[str, tuple[int, int, float, float]] | None:
        """Choose the medium resolution if it is at least as large as `size`; the mode stays."""
        if self._data is None or size is None or size[0] > self._medium_size[0] or size[1] > self._medium_size[1]:
            return None
        self._choose_medium()
        return self.mode, (0, 0, *self._medium_size)

    def load(self) -> "PixelAccess | None":
        if self._data is not None:
            try:
                image = api.decode(self._data, self._resolution, max_pixels=_max_pixels())
            except AezError as error:
                raise OSError(str(error)) from error
            self._data = None
            if self.fp is not None and self._exclusive_fp:
                self.fp.close()
            self.fp = None
            self.im = image.im
        return super().load()

    def _choose_medium(self) -> None:
        self._resolution = "medium"
        self._size = self._medium_size


def _max_pixels() -> int:
    """Pillow's own limit, beyond which it refuses pictures, where that is higher than the usual one."""
    warned_of = Image.MAX_IMAGE_PIXELS
    return sys.maxsize if warned_of is None else max(MAX_PIXELS, 2 * warned_of)


def save(image: Image.Image, file: IO[bytes], _filename: str | bytes) -> None:
    """Pillow's save handler: the options of `encode`; `icc_profile`, `exif`, `xmp` replace those of `info`."""
    given = _options(image, inspect.currentframe())
    options: Any = {name: given[name] for name in api.EncodeOptions.__annotations__ if name in given}
    metadata: dict[Any, Any] = {name: given[name] or b"" for name in ("icc_profile", "exif", "xmp") if name in given}
    if isinstance(given.get("exif"), Image.Exif):
        metadata["exif"] = given["exif"].tobytes()
    quality: api.Quality = api.LOSSLESS if given.get("lossless") else given.get("quality", api.DEFAULT_QUALITY)
    file.write(api.encode(_with_info(image, image.info | metadata), quality, **options))


def _options(image: Image.Image, handler: FrameType | None) -> dict[str, Any]:
    """The options of the call of `Image.save` that has called this handler.

    Pillow passes them in `image.encoderinfo`, and those of threads that save one image at a time get mixed there. The
    call itself still knows its own.
    """
    call = handler.f_back if handler else None
    if call and call.f_code is Image.Image.save.__code__ and "params" in call.f_locals:
        return dict(call.f_locals["params"])
    return image.encoderinfo


def _with_info(image: Image.Image, info: dict[str | tuple[int, int], Any]) -> Image.Image:
    """The same loaded image, not its copy, with another `info`: others may use the image meanwhile."""
    twin = object.__new__(type(image))
    vars(twin).update(vars(image), info=info)
    return twin


def register() -> None:
    """Make the format known to Pillow."""
    Image.register_open(FORMAT, AezImageFile, lambda prefix: prefix.startswith(MAGIC))
    Image.register_save(FORMAT, save)
    Image.register_extension(FORMAT, ".aez")
    Image.register_mime(FORMAT, MIME_TYPE)
