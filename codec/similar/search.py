"""Which pictures of a catalogue are alike."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from .description import ALIKE, SAME, likeness
from .index import Catalogue

_ROWS = 256
"""Compared with all others at a time, which bounds the memory."""


@dataclass(frozen=True)
class Match:
    """A file, and how much its picture is like another one, up to 1."""

    name: str
    width: int
    height: int
    bytes: int
    score: float

    @property
    def same(self) -> bool:
        """Whether both show the same picture, as far as can be told."""
        return self.score >= SAME


def nearest(catalogue: Catalogue, vector: Floats, count: int) -> list[Match]:
    """Files whose pictures are the same as one, and others that are alike up to `count`, the most alike first."""
    scores = likeness(catalogue.vectors, vector[None])[:, 0]
    best = np.argsort(-scores, kind="stable")[: max(count, int((scores >= SAME).sum()))]
    return [_match(catalogue, int(place), scores[place]) for place in best if scores[place] >= ALIKE]


def groups(catalogue: Catalogue) -> list[list[Match]]:
    """Files that show the same picture, with their likeness to the first of a group, the largest picture or else file.

    A file is in the group of all that it is the same as, so the ends of a long chain may differ.
    """
    leaders = list(range(len(catalogue.names)))
    for one, other in _pairs(catalogue.vectors):
        first, second = _leader(leaders, one), _leader(leaders, other)
        leaders[max(first, second)] = min(first, second)
    members: dict[int, list[int]] = {}
    for place in range(len(leaders)):
        members.setdefault(_leader(leaders, place), []).append(place)
    return [_group(catalogue, places) for places in members.values() if len(places) > 1]


def _pairs(vectors: Floats) -> Iterator[tuple[int, int]]:
    """Places of pictures that are the same."""
    for start in range(0, len(vectors), _ROWS):
        same = likeness(vectors[start : start + _ROWS], vectors[start:]) >= SAME
        for row, column in np.argwhere(np.triu(same, 1)).tolist():
            yield start + row, start + column


def _leader(leaders: list[int], place: int) -> int:
    """The first of a group; the ways to it are made shorter (union-find)."""
    while leaders[place] != place:
        leaders[place] = leaders[leaders[place]]
        place = leaders[place]
    return place


def _group(catalogue: Catalogue, places: list[int]) -> list[Match]:
    largest = max(places, key=lambda place: _size(*catalogue.sizes[place]))
    others = [place for place in places if place != largest]
    scores = likeness(catalogue.vectors[others], catalogue.vectors[[largest]])[:, 0]
    order = sorted(zip(others, scores.tolist(), strict=True), key=lambda scored: -scored[1])
    return [_match(catalogue, largest, 1.0), *(_match(catalogue, place, score) for place, score in order)]


def _size(width: int, height: int, size: int) -> tuple[int, int]:
    return width * height, size


def _match(catalogue: Catalogue, place: int, score: float) -> Match:
    return Match(catalogue.names[place], *catalogue.sizes[place], round(float(score), 3))
