"""What a model's id is made of. See format_spec.md, "Model id"."""

import hashlib
import json
import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..arrays import AnyArray
from ..errors import ModelError, first_line
from .folder import ARRAYS, PARAMS, read_arrays, read_description, read_file
from .graphs import check_graph
from .networks import NETWORKS, Network

_LENGTH = struct.Struct("<Q")


def model_id(arrays: Mapping[str, AnyArray]) -> int:
    """First four bytes of `arrays_hash`."""
    return int(arrays_hash(arrays)[:8], 16)


def arrays_hash(arrays: Mapping[str, AnyArray]) -> str:
    """SHA-256 over names, types, shapes and values, in order of name."""
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        digest.update(f"{key} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def decides_samples(key: str) -> bool:
    """Whether decoded samples depend on a floating-point parameter."""
    return key == "log_step" or key.startswith(("synthesis.", "medium_synthesis."))


def check_identity(folder: Path) -> None:
    """Make sure that a model encodes what every copy of it decodes.

    Its exact networks must have the weights that are stored as arrays, and its id must be that of the arrays. Without
    `params.safetensors` the id cannot be computed, and is believed.

    Raises:
        ModelError: it is another one, or something cannot be read.
    """
    arrays = read_arrays(folder)
    for network in NETWORKS:
        if network.exact:
            _compare_weights(folder, network, arrays)
    if os.path.lexists(folder / PARAMS):
        described = read_description(folder).id
        computed = model_id({**arrays, **read_params(folder)})
        if computed != described:
            raise ModelError(f"{folder}: its id is {described:08x}, that of its arrays {computed:08x}: it was altered")


def _compare_weights(folder: Path, network: Network, arrays: Mapping[str, AnyArray]) -> None:
    try:
        constants = check_graph(read_file(folder, network.file))
        for key, array in arrays.items():
            if key.startswith(f"{network.name}.") and _as_constant(key, array) not in constants:
                raise ValueError(f"its weights are not those of {ARRAYS} ({key})")
    except (ValueError, TypeError) as error:
        raise ModelError(f"{folder}: {network.file}: {first_line(error)}") from error


def _as_constant(key: str, array: AnyArray) -> bytes:
    """How a graph stores an array: shifts as what is multiplied with."""
    with np.errstate(over="ignore"):
        return (np.exp2(-array.astype(np.float32)) if key.endswith(".shift") else array).tobytes()


def read_params(folder: Path) -> dict[str, AnyArray]:
    """The float16 arrays that decide samples. Plain installs have no `safetensors`, and its format is simple."""
    data = read_file(folder, PARAMS)
    try:
        (length,) = _LENGTH.unpack_from(data)
        header, values = json.loads(data[_LENGTH.size : _LENGTH.size + length]), data[_LENGTH.size + length :]
        return {key: _read_array(values, **entry) for key, entry in header.items() if decides_samples(key)}
    except (struct.error, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelError(f"{folder}: {PARAMS} cannot be read") from error


def _read_array(values: bytes, dtype: str, shape: list[int], data_offsets: list[int]) -> AnyArray:
    start, stop = data_offsets
    if dtype != "F16" or stop - start != 2 * math.prod(shape):
        raise ValueError
    return np.frombuffer(values, "<f2", math.prod(shape), start).reshape(shape)
