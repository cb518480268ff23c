"""Taking positions out of XMP, and leaving all else as it is, byte by byte."""

import re
from collections.abc import Sequence
from xml.parsers import expat

from ...errors import warn

# In the names of EXIF, of drones and of the web: exif:GPSLatitude, drone-dji:GpsLongtitude, geo:lat. Here as below, no
# character is looked at more than a few times: a packet has up to 16 MB.
_POSITION = re.compile(rb"(?i)gps|latitude|longt?itude|^geo:|(?:^|:)(?:lat|lon|lng|long)$")
_TAG = re.compile(rb"""<[^"'>]*+(?:"[^"]*+"[^"'>]*+|'[^']*+'[^"'>]*+)*+>""")
_ATTRIBUTE = re.compile(rb"""\s([^\s=]+)\s*=\s*(?:"[^"]*"|'[^']*')""")


def xmp_without_gps(packet: bytes) -> bytes:
    """An XMP packet without positions; empty, with a note, if nobody can tell where they are."""
    try:
        return _Positions(packet.rstrip(b"\0")).cleared()
    except (expat.ExpatError, ValueError, LookupError):
        warn("XMP is left out, since the position cannot be taken out of it")
        return b""


class _Positions:
    """Where a packet tells the position: elements that are cut out, and tags with attributes that are.

    Raises:
        ValueError: it tells it in a comment, or may do so, since it defines entities or is no ASCII with more.
        expat.ExpatError, LookupError: it is malformed.
    """

    def __init__(self, packet: bytes) -> None:
        self._packet = packet
        self._tags: list[tuple[int, int, bytes]] = []  # from, to, and what comes instead
        self._depth = 0
        if b"\0" in packet:
            raise ValueError("UTF-16 or UTF-32")
        self._parser = expat.ParserCreate()
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CommentHandler = self._check_remark
        self._parser.ProcessingInstructionHandler = self._check_remark
        self._parser.StartDoctypeDeclHandler = self._refuse
        if packet:
            self._parser.Parse(packet, True)

    def cleared(self) -> bytes:
        """The packet without them."""
        parts, place = list[bytes](), 0
        for start, end, instead in self._tags:
            parts += self._packet[place:start], instead
            place = end
        return b"".join(parts) + self._packet[place:]

    def _start(self, name: str, attributes: Sequence[str]) -> None:
        if self._depth:
            self._depth += 1
        elif _tells(name):
            self._depth = 1
            self._tags.append((*self._tag(), b""))
        elif any(_tells(attribute) for attribute in attributes[::2]):
            start, end = self._tag()
            kept = _ATTRIBUTE.sub(lambda found: b"" if _tells(found[1]) else found[0], self._packet[start:end])
            self._tags.append((start, end, kept))

    def _end(self, _: str) -> None:
        if not self._depth:
            return
        self._depth -= 1
        start, end, _instead = self._tags[-1]
        if not self._depth and self._packet[end - 2 : end] != b"/>":
            self._tags[-1] = start, self._packet.index(b">", self._parser.CurrentByteIndex) + 1, b""

    def _tag(self) -> tuple[int, int]:
        """Where the tag that is being parsed begins and ends."""
        found = _TAG.match(self._packet, self._parser.CurrentByteIndex)
        if not found:
            raise ValueError("no tag")
        return found.span()

    def _check_remark(self, *texts: str) -> None:
        if any(_POSITION.search(text.encode()) for text in texts):
            raise ValueError("a position in a comment")

    def _refuse(self, *_: object) -> None:
        raise ValueError("entities can hide anything")


def _tells(name: str | bytes) -> bool:
    """Whether what is called so is a position, or a part of one."""
    found = name.encode() if isinstance(name, str) else name
    return not found.startswith(b"xmlns:") and bool(_POSITION.search(found))
