"""The Pillow plugin: after `import aez`, `Image.open("x.aez")` and `image.save("x.aez", quality=60)` work."""

from typing import IO, TYPE_CHECKING

from PIL import Image, ImageFile

from aez import api, container
from aez.contents import Contents
from aez.errors import AezError

if TYPE_CHECKING:
    from PIL._imaging import PixelAccess

FORMAT = "AEZ"
MIME_TYPE = "image/aez"
_MODES = {(False, False): "RGB", (False, True): "RGBA", (True, False): "L", (True, True): "LA"}


class AezImageFile(ImageFile.ImageFile):
    """An .aez file; `draft` chooses the medium resolution, and a front part alone opens as the medium picture."""

    format = FORMAT
    format_description = "aez learned image"

    def _open(self) -> None:
        assert self.fp is not None
        self._data: bytes | None = self.fp.read()
        try:
            found = api.info(self._data)
            self.info.update(Contents(self._data).metadata())
        except AezError as error:
            raise SyntaxError(str(error)) from error
        self._medium_size = found.medium_width, found.medium_height
        self._resolution: api.Resolution = "high"
        self._size = found.width, found.height
        self._mode = _MODES[found.gray, found.alpha]
        self.info["quality"] = found.quality
        self.tile = []
        if found.layers == "all" and found.bytes == found.medium_bytes:
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
                self.im = api.decode(self._data, self._resolution).im
            except AezError as error:
                raise OSError(str(error)) from error
            self._data = None
        return super().load()

    def _choose_medium(self) -> None:
        self._resolution = "medium"
        self._size = self._medium_size


def save(image: Image.Image, file: IO[bytes], _filename: str | bytes) -> None:
    """Pillow's save handler: `quality`, `layers`, `coding`; `icc_profile`, `exif`, `xmp` replace those of `info`."""
    options = image.encoderinfo
    copy = image.copy()
    copy.info.update({name: options[name] for name in ("icc_profile", "exif", "xmp") if name in options})
    file.write(
        api.encode(
            copy,
            options.get("quality", 50),
            layers=options.get("layers", "all"),
            coding=options.get("coding", "ans"),
        )
    )


def register() -> None:
    """Make the format known to Pillow."""
    Image.register_open(FORMAT, AezImageFile, lambda prefix: prefix.startswith(container.MAGIC))
    Image.register_save(FORMAT, save)
    Image.register_extension(FORMAT, ".aez")
    Image.register_mime(FORMAT, MIME_TYPE)
