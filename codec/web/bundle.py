"""A model's weights as a browser fetches them: one file for medium pictures, one more for high ones.

A bundle is a safetensors file (8 bytes of length, JSON, arrays) in one zstd frame. See format_spec.md, "Bundles".
"""

import json
import struct
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import zstandard

from ..arrays import AnyArray
from ..errors import ModelError
from ..model.folder import DESCRIPTION, read_arrays, read_description
from ..model.identity import read_params

Part = Literal["medium", "high"]
PARTS: tuple[Part, ...] = get_args(Part)
VERSION = 1
"""Changes with what is in bundles, so that browsers do not take one that they have kept for another."""
_HIGH = ("context_2.", "context_3.", "synthesis.")
_TYPES = {"int8": "I8", "int16": "I16", "int32": "I32", "float16": "F16"}
_STRONGEST = 19


def make_bundle(folder: Path, part: Part) -> bytes:
    """What decoding takes from a model's folder: for medium pictures, or what high ones need besides.

    Raises:
        ModelError: something is missing or cannot be read.
    """
    arrays = {**read_arrays(folder), **read_params(folder)}
    wanted = {name: array for name, array in arrays.items() if name.startswith(_HIGH) == (part == "high")}
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _STRONGEST, write_content_size=True, write_checksum=True
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(_safetensors(wanted, _description(folder)))


def _description(folder: Path) -> str:
    found = read_description(folder)
    described = {
        "name": found.name,
        "id": f"{found.id:08x}",
        "base": found.base,
        "enhancement": found.enhancement,
        "hashes": found.hashes,
        "halos": found.halos,
        "qualities": found.scale.stored,
    }
    return json.dumps(described, separators=(",", ":"))


def _safetensors(arrays: dict[str, AnyArray], description: str) -> bytes:
    header: dict[str, object] = {"__metadata__": {"description": description}}
    values = bytearray()
    for name, array in sorted(arrays.items()):
        if array.dtype.name not in _TYPES:
            raise ModelError(f"{name} of {DESCRIPTION}'s model is of a type that bundles do not hold")
        start = len(values)
        values += np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        header[name] = {"dtype": _TYPES[array.dtype.name], "shape": array.shape, "data_offsets": [start, len(values)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + bytes(values)
