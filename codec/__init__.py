"""aez: a learned image codec. One file holds one picture in two resolutions.

>>> import aez
>>> from PIL import Image
>>> data = aez.encode(Image.open("img.png"), quality=60)
>>> medium = aez.decode(data, "medium")
>>> image = Image.open("img.png").convert("RGB")
>>> image.save("img.aez", quality=60)  # Pillow reads and writes .aez once aez is imported
>>> with Image.open("img.aez") as copy:
...     copy.size
(171, 133)
"""

from .api import (
    DecodeOptions,
    EncodeOptions,
    Info,
    Quality,
    Resolution,
    SectionInfo,
    decode,
    decode_file,
    encode,
    encode_file,
    info,
    latents,
)
from .coding.targets import Target, TargetError
from .errors import (
    AezError,
    AezWarning,
    DamagedError,
    FormatError,
    LimitError,
    ModelError,
    OutputExistsError,
    PictureError,
    QualityWarning,
)
from .picture.files.formats import PictureFormat
from .plugin import register

__version__ = "1.0.0"
__all__ = [
    "AezError",
    "AezWarning",
    "DamagedError",
    "DecodeOptions",
    "EncodeOptions",
    "FormatError",
    "Info",
    "LimitError",
    "ModelError",
    "OutputExistsError",
    "PictureError",
    "PictureFormat",
    "Quality",
    "QualityWarning",
    "Resolution",
    "SectionInfo",
    "Target",
    "TargetError",
    "decode",
    "decode_file",
    "encode",
    "encode_file",
    "info",
    "latents",
]

register()
