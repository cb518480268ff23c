"""What lies in a model's folder, which may come from strangers: files that are read with care, and fit each other."""

import io
import json
import re
import stat
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..arrays import AnyArray
from ..errors import ModelError, first_line
from ..format.container import VERSION
from ..format.entropy import SYMBOL_MAX
from ..format.quality import KNOTS, QUALITY_MAX, SHOWN, QualityScale
from ..format.tables import SCALES, TOTAL, Frequencies, Table
from .networks import NETWORKS
from .typical import Curve, Typical

DESCRIPTION, ARRAYS, PARAMS, CARD = "model.json", "entropy.npz", "params.safetensors", "card.md"
NEEDED = (DESCRIPTION, ARRAYS, *(network.file for network in NETWORKS))
FILES = (*NEEDED, PARAMS, CARD)

BYTES_MAX = 64 << 20  # of a file, and of the arrays of entropy.npz together
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_CHANNELS_MAX = 1 << 16
_HYPER_CHANNELS_MAX = 1 << 8  # their indices are bytes
_HALO_MAX = 8
_CURVE_MAX = 1e6
_CURVES = tuple(field.name for field in fields(Typical))
_NAME = re.compile(r"\w[\w.+-]{0,63}")
_ID, _HASH = re.compile("[0-9a-f]{8}"), re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Description:
    """`model.json`.

    Name, id, latent channels of both layers, a hash of what each exact network computes, how many blocks of 64 x 64
    pixels further than its tile each network sees, what qualities mean, and how photographs behave over them.
    """

    name: str
    id: int
    base: int
    enhancement: int
    hashes: dict[str, str]
    halos: dict[str, int]
    scale: QualityScale
    typical: Typical


@dataclass(frozen=True)
class Tables:
    """What decoding takes from `entropy.npz`.

    `offsets` int32 [KNOTS, features], the scale tables, and the frequencies of the hyper latents, int32 [KNOTS, C, N].
    """

    offsets: npt.NDArray[np.int32]
    scales: list[Table]
    hyper: Frequencies


def is_name(name: str) -> bool:
    """Whether a model may have that name: one word, which is no path anywhere."""
    return _NAME.fullmatch(name) is not None


def plain_file(folder: Path, name: str) -> Path:
    """One file of a model's folder.

    Raises:
        ModelError: it is missing, very large, or a link or device, which might lead elsewhere.
    """
    path = folder / name
    try:
        status = path.lstat()
    except FileNotFoundError:
        missing = f"{name} is missing"
        raise ModelError(f"{folder}: {f'not a model ({missing})' if name in NEEDED else missing}") from None
    except OSError as error:
        raise ModelError(f"{folder}: {name} cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(f"{folder}: {name} is not a plain file")
    if status.st_size > BYTES_MAX:
        raise ModelError(f"{folder}: {name} has more than {BYTES_MAX >> 20} MiB")
    return path


def read_file(folder: Path, name: str) -> bytes:
    """The bytes of one file of a model's folder.

    Raises:
        ModelError: as `plain_file`, or it cannot be read.
    """
    try:
        return plain_file(folder, name).read_bytes()
    except OSError as error:
        raise ModelError(f"{folder}: {name} cannot be read ({error.strerror})") from error


def read_description(folder: Path) -> Description:
    """The description of a model.

    Raises:
        ModelError: the folder holds none.
    """
    data = read_file(folder, DESCRIPTION)
    try:
        stored = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _not_a_model(folder, f"{DESCRIPTION}: {first_line(error)}") from error
    version = stored.get("format") if isinstance(stored, dict) else None
    if type(version) is int and version != VERSION:
        raise ModelError(f"{folder}: a model for version {version} of the format, this aez knows version {VERSION}")
    exact = [network.name for network in NETWORKS if network.exact]
    fits: dict[str, Callable[[object], bool]] = {
        "format": lambda value: value == VERSION,
        "name": lambda value: isinstance(value, str) and is_name(value),
        "id": lambda value: _matches(value, _ID),
        "base": _is_count,
        "enhancement": _is_count,
        "hashes": lambda value: isinstance(value, dict) and all(_matches(value.get(name), _HASH) for name in exact),
        "halos": lambda value: isinstance(value, dict) and all(_is_halo(value.get(net.name)) for net in NETWORKS),
        "qualities": _is_scale,
        "typical": lambda value: isinstance(value, dict) and all(_is_curve(value.get(name)) for name in _CURVES),
    }
    for key, fit in fits.items():
        if not isinstance(stored, dict) or not fit(stored.get(key)):
            raise _not_a_model(folder, f"{DESCRIPTION} has no {key}, or a wrong one")
    return Description(
        name=stored["name"],
        id=int(stored["id"], 16),
        base=stored["base"],
        enhancement=stored["enhancement"],
        hashes=stored["hashes"],
        halos=stored["halos"],
        scale=QualityScale(tuple(stored["qualities"])),
        typical=Typical(**{name: Curve(*np.array(stored["typical"][name], float)) for name in _CURVES}),
    )


def read_tables(folder: Path) -> Tables:
    """The tables of a model.

    Raises:
        ModelError: they are missing, or could not be decoded with.
    """
    found = read_arrays(folder, ("offsets", "scale_frequencies", "scale_lengths", "hyper_frequencies"))
    offsets, frequencies, lengths, hyper = found.values()

    def make_sure(fits: bool, name: str) -> None:
        if not fits:
            raise _not_a_model(folder, f"{ARRAYS}: {name} are not what they should be")

    make_sure(offsets.dtype == np.int16 and offsets.ndim == 2 and len(offsets) == KNOTS and offsets.size > 0, "offsets")
    make_sure(lengths.dtype == np.int32 and lengths.shape == (SCALES,) and _are_widths(lengths), "scale_lengths")
    make_sure(frequencies.dtype == np.int32 and frequencies.shape == (lengths.sum(),), "scale_frequencies")
    make_sure(hyper.dtype == np.int32 and hyper.ndim == 3 and len(hyper) == KNOTS, "hyper_frequencies")
    make_sure(0 < hyper.shape[1] <= _HYPER_CHANNELS_MAX and _are_widths(hyper.shape[2:]), "hyper_frequencies")
    stops = np.cumsum(lengths)
    sums = np.add.reduceat(frequencies, stops - lengths, dtype=np.int64)
    make_sure(_are_shares(frequencies, sums), "scale_frequencies")
    make_sure(_are_shares(hyper, hyper.sum(-1, dtype=np.int64)), "hyper_frequencies")
    scales = [Table(part) for part in np.split(frequencies, stops[:-1])]
    return Tables(offsets.astype(np.int32), scales, hyper)


def read_arrays(folder: Path, names: Iterable[str] | None = None) -> dict[str, AnyArray]:
    """Arrays of `entropy.npz`: all of them, or those of some names, in that order.

    Raises:
        ModelError: the file is missing, damaged or very large, or has no such arrays.
    """
    data = read_file(folder, ARRAYS)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            if sum(member.file_size for member in members.values()) > BYTES_MAX:
                raise ValueError(f"more than {BYTES_MAX >> 20} MiB")
            if any(member.compress_type not in _COMPRESSIONS for member in members.values()):
                raise ValueError("another compression than numpy's")
            wanted = list(members if names is None else names)
            if missing := [name for name in wanted if name not in members]:
                raise ValueError(f"no {missing[0]}")
            return {name: _read_array(archive, members[name]) for name in wanted}
    except Exception as error:  # whatever unzipping and parsing meet
        raise _not_a_model(folder, f"{ARRAYS}: {first_line(error)}") from error


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> AnyArray:
    with archive.open(member) as file:
        array: AnyArray = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _not_a_model(folder: Path, reason: str) -> ModelError:
    return ModelError(f"{folder}: not a model ({reason})")


def _matches(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value <= _CHANNELS_MAX


def _is_halo(value: object) -> bool:
    return type(value) is int and 0 < value <= _HALO_MAX


def _is_scale(value: object) -> bool:
    """Whether a list of stored qualities rises all the way."""
    return (
        isinstance(value, list)
        and len(value) == len(SHOWN)
        and all(type(stored) is int for stored in value)
        and (value[0], value[-1]) == (0, QUALITY_MAX)
        and all(low < high for low, high in pairwise(value))
    )


def _is_curve(value: object) -> bool:
    """Whether there are two rows of numbers, the first of them rising and the second positive."""
    try:
        rows = np.array(value, float)
    except (TypeError, ValueError, OverflowError):
        return False
    if rows.shape != (2, KNOTS) or not (np.abs(rows) < _CURVE_MAX).all():
        return False
    return bool((np.diff(rows[0]) > 0).all() and (rows[1] > 0).all())


def _are_widths(lengths: Iterable[int]) -> bool:
    """Whether tables of such lengths have a middle, and symbols within those that can be coded."""
    return all(4 <= length <= SYMBOL_MAX and length % 2 == 0 for length in lengths)


def _are_shares(frequencies: Frequencies, sums: npt.NDArray[np.int64]) -> bool:
    """Whether tables give every symbol a share, and all of each table together 2^24."""
    return bool((frequencies > 0).all() and (sums == TOTAL).all())
