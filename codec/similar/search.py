"""Which pictures of a catalogue are alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from .description import ALIKE, SAME, Description, likeness
from .index import Catalogue

_PAIRS = 2_000_000
"""Compared at a time, which bounds the memory."""


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


def nearest(catalogue: Catalogue, wanted: Description, count: int) -> list[Match]:
    """Files whose pictures are the same as one, and others that are alike up to `count`, the most alike first."""
    scores = _scores(catalogue, range(len(catalogue.names)), wanted)
    best = np.argsort(-scores, kind="stable")[: max(count, int((scores >= SAME).sum()))]
    return [_match(catalogue, int(place), scores[place]) for place in best if scores[place] >= ALIKE]


def groups(catalogue: Catalogue) -> list[list[Match]]:
    """Files that show the same picture, with their likeness to the first of a group, the largest picture or else file.

    A file is in the group of all that it is the same as, so the ends of a long chain may differ.
    """
    vectors = catalogue.vectors
    copies: dict[str, int] = {}
    group_of = np.array([copies.setdefault(one.digest, place) for place, one in enumerate(catalogue.descriptions)], int)
    rows = max(_PAIRS // max(len(vectors), 1), 1)
    for start in range(0, len(vectors), rows):
        same = likeness(vectors[start : start + rows], vectors[start:]) >= SAME
        for row in np.flatnonzero(same.sum(1) > 1):
            joined = np.unique(group_of[start:][same[row]])
            if len(joined) > 1:
                group_of[np.isin(group_of, joined)] = joined[0]
    sizes = np.bincount(group_of, minlength=len(vectors))
    return [_group(catalogue, np.flatnonzero(group_of == group).tolist()) for group in np.flatnonzero(sizes > 1)]


def _group(catalogue: Catalogue, places: list[int]) -> list[Match]:
    def size(place: int) -> tuple[int, int]:
        one = catalogue.descriptions[place]
        return one.width * one.height, one.bytes

    largest = max(places, key=size)
    others = [place for place in places if place != largest]
    scores = _scores(catalogue, others, catalogue.descriptions[largest])
    order = sorted(zip(others, scores.tolist(), strict=True), key=lambda scored: -scored[1])
    return [_match(catalogue, largest, 1.0), *(_match(catalogue, place, score) for place, score in order)]


def _scores(catalogue: Catalogue, places: Sequence[int], wanted: Description) -> Floats:
    """How much some files are like one: 1 where they are copies, even of what has no structure."""
    scores = likeness(catalogue.vectors[places], wanted.vector[None])[:, 0]
    copies = np.array([catalogue.descriptions[place].digest == wanted.digest for place in places], bool)
    return np.where(copies, np.float32(1), scores)


def _match(catalogue: Catalogue, place: int, score: float) -> Match:
    one = catalogue.descriptions[place]
    return Match(catalogue.names[place], one.width, one.height, one.bytes, round(float(score), 3))
