"""aez: a learned image codec. One file holds one picture in two resolutions.

>>> import aez
>>> data = aez.encode(image, quality=60)
>>> medium = aez.decode(data, "medium")
"""

from .api import MAX_PIXELS, Info, decode, decode_file, encode, encode_file, info
from .coding.targets import Target, TargetError
from .errors import AezError, AezWarning, DamagedError, FormatError, ModelError, PictureError
from .plugin import register

__version__ = "0.1.0"
__all__ = [
    "MAX_PIXELS",
    "AezError",
    "AezWarning",
    "DamagedError",
    "FormatError",
    "Info",
    "ModelError",
    "PictureError",
    "Target",
    "TargetError",
    "decode",
    "decode_file",
    "encode",
    "encode_file",
    "info",
]

register()
