"""A fuzz target for atheris: whatever the bytes, decoding ends in a picture or in an `AezError`.

`make fuzz` runs it. Mutations are made inside the header and the sections, whose checksums are then set right, and the
checksum of the latents is not compared, so that they reach what lies behind. Pictures are small: memory and time of
large ones are for tests/test_hard_input.py.
"""

import random
import sys
import warnings
from dataclasses import replace

import atheris

with atheris.instrument_imports(include=["aez"]):
    from aez import AezError, decode, info
    from aez.coding import decode as decoding
    from aez.format.container import (
        HEADER_BYTES,
        Flags,
        Header,
        Section,
        front_sections,
        parse_header,
        rest_sections,
        write,
    )
    from aez.format.quality import QUALITY_MAX

MAX_PIXELS = 40_000
CONTENT_MAX = 1 << 20
FAST_LEVEL = 1


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change raw bytes, a field of the header, or the content of a section."""
    changed = _mutate_inside(data, random.Random(seed))
    return changed if 0 < len(changed) <= max_size else bytes(atheris.Mutate(data, max_size))


def _mutate_inside(data: bytes, choose: random.Random) -> bytes:
    """A file with another field or section; nothing where raw bytes are to be changed."""
    try:
        header = parse_header(data)
        frames = [*front_sections(data, header), *rest_sections(data, header)]
        found = [(frame.type, frame.content(CONTENT_MAX)) for frame in frames]
    except AezError:
        return b""
    what = choose.random()
    if what < 0.1 or not found:
        return b""
    if what < 0.3:
        return _changed_header(header, choose).pack() + data[HEADER_BYTES:]
    place = choose.randrange(len(found))
    kind, content = found[place]
    changed = bytes(atheris.Mutate(content, len(content) + 64))
    found[place] = kind, changed[: len(changed) // 4 * 4] or b"\0"  # rANS has whole words
    parts = [Section(kind, content, FAST_LEVEL) for kind, content in found]
    front = sum(kind <= header.front_end for kind, _ in found)
    return write(header, parts[:front], parts[front:])


def _changed_header(header: Header, choose: random.Random) -> Header:
    changes: list[dict[str, int]] = [
        {"flags": Flags(header.flags ^ (1 << choose.randrange(7)))},
        {"quality": choose.randint(0, QUALITY_MAX)},
        {"width": choose.randint(1, 300)},
        {"height": choose.randint(1, 300)},
        {"medium_bytes": choose.randint(HEADER_BYTES, header.medium_bytes + 10)},
    ]
    return replace(header, **choose.choice(changes))  # type: ignore[arg-type]


def test_one_input(data: bytes) -> None:
    for attempt in (
        lambda: info(data),
        lambda: decode(data, "medium", max_pixels=MAX_PIXELS, threads=1),
        lambda: decode(data, upscale=True, max_pixels=MAX_PIXELS, threads=1),
    ):
        try:
            attempt()
        except AezError:
            continue


class AnyChecksum(int):
    """Equal to every number."""

    def __ne__(self, other: object) -> bool:
        return False


def main() -> None:
    warnings.simplefilter("ignore")
    vars(decoding)["checksum"] = lambda *_: AnyChecksum()
    atheris.Setup(sys.argv, test_one_input, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
