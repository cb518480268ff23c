"""ICC profiles (version 4) of a few hundred bytes, from chromaticities and a curve."""

import struct

import numpy as np

from ...arrays import AnyArray
from .signalled import Colour

_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_LARGEST_EXPONENT, _LARGEST_VALUE = 16, 100
_HEADER, _ENTRY = 128, 12


def built_profile(colour: Colour, *, gray: bool) -> bytes:
    """The profile of gray or RGB samples.

    Raises:
        ValueError: there are no such colours.
    """
    common = {b"desc": _text("aez"), b"cprt": _text("CC0"), b"wtpt": _xyz(_D50)}
    if gray:
        return _profile(b"GRAY", {**common, b"kTRC": _curve(colour)})
    adaptation, primaries = _adapted_to_d50(colour)
    columns = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True)}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(colour))
    return _profile(b"RGB ", {**common, b"chad": b"sf32" + bytes(4) + _fixed(adaptation), **columns, **curves})


def _adapted_to_d50(colour: Colour) -> tuple[AnyArray, AnyArray]:
    """The matrices from the colour's own white to D50, and from RGB to XYZ there."""
    white, *primaries = (np.array([x, y, 1 - x - y]) for x, y in np.reshape(colour.primaries, (4, 2)))
    with np.errstate(all="ignore"):
        white /= white[1]
        adaptation = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / (_BRADFORD @ white)) @ _BRADFORD
        try:
            scales = np.linalg.solve(np.stack(primaries, 1), white)
        except np.linalg.LinAlgError:
            raise ValueError("no primaries") from None
        matrix = adaptation @ np.stack(primaries, 1) @ np.diag(scales)
    if not (np.abs(np.stack([adaptation, matrix])) < _LARGEST_VALUE).all():
        raise ValueError("no primaries")
    return adaptation, matrix


def _curve(colour: Colour) -> bytes:
    """From samples to light."""
    if colour.exponent is None:
        return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed(_SRGB_CURVE)
    if not 1 / _LARGEST_EXPONENT < colour.exponent < _LARGEST_EXPONENT:
        raise ValueError("no curve")
    return b"para" + bytes(8) + _fixed((colour.exponent,))


def _text(text: str) -> bytes:
    return b"mluc" + struct.pack(">LLL4sLL", 0, 1, 12, b"enUS", 2 * len(text), 28) + text.encode("utf-16-be")


def _xyz(values: AnyArray) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(values)


def _fixed(values: AnyArray | tuple[float, ...]) -> bytes:
    return bytes(np.rint(np.ravel(values) * 65536).astype(">i4"))


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Header, table and contents; contents that are equal are there once."""
    start = _HEADER + 4 + _ENTRY * len(tags)
    table, contents = struct.pack(">L", len(tags)), b""
    places: dict[bytes, int] = {}
    for name, content in tags.items():
        if content not in places:
            places[content] = start + len(contents)
            contents += content + bytes(-len(content) % 4)
        table += struct.pack(">4sLL", name, places[content], len(content))
    version, created = 0x04300000, struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    header = struct.pack(">L4xL4s4s4s12s4s", start + len(contents), version, b"mntr", space, b"XYZ ", created, b"acsp")
    return header.ljust(68, b"\0") + _fixed(_D50).ljust(_HEADER - 68, b"\0") + table + contents
