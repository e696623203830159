"""Interests: what people like, through what is like it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import FREE, Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import spelling
from recsys.data.events import Events
from recsys.data.ids import hashed_strings
from recsys.data.population import Population
from recsys.features.base import Block, BlockRows, FittedBlock, positions, sums_by_person, unit_rows
from recsys.types import Float32Array, Float64Array, Int64Array

MAX_RANK: Final = 32
NGRAM_SIZES: Final = (2, 3)
_MODES: Final = {"online": -1.0, "in_person": 1.0, "both": 0.0}


class Interests(Block):
    """Interests smoothed through the taxonomy and through who holds them.

    rank:        columns for the interests of the catalogue, at most 32.
    width:       columns for free tags (hashed character n-grams).
    own:         weight of a tag itself in the likeness of two tags,
    taxonomy:    of their common ancestors,
    cooccurrence: of being liked by the same people (PPMI and truncated SVD); the three are scaled to 1.
    unlisted:    how many tags at level 0 count into a person's mean level.
    slack:       shortens the row of a person with little evidence, in levels.
    mode_weight: share of the score that is the share mode (online or in person).
    catalogue:   the interests and their parents; that of the people when None.

    >>> people = Population.of_ids(["a", "b"], as_of="2026-01-05")
    >>> Interests(rank=8, width=4).fit(people).fitted_.columns[-2:]
    ('ngram_3', 'share_mode')
    """

    name = "interests"

    def __init__(
        self,
        *,
        rank: int = 32,
        width: int = 16,
        own: float = 0.4,
        taxonomy: float = 0.3,
        cooccurrence: float = 0.3,
        unlisted: float = 5.0,
        slack: float = 1.0,
        mode_weight: float = 0.1,
        catalogue: Catalogue | None = None,
        name: str = "interests",
    ) -> None:
        self.name = name
        self.rank = rank
        self.width = width
        self.own = own
        self.taxonomy = taxonomy
        self.cooccurrence = cooccurrence
        self.unlisted = unlisted
        self.slack = slack
        self.mode_weight = mode_weight
        self.catalogue = catalogue

    def _learn(self, people: Population, events: Events) -> "FittedInterests":  # noqa: ARG002
        catalogue = self.catalogue or people.catalogue
        tags = tuple(sorted(catalogue.interests))
        counts = self._cooccurrence(people, tags)
        holders = np.diag(counts) + 1.0
        kernel = self._kernel(catalogue, tags, counts)
        return FittedInterests(
            tags=tags,
            vectors=embedding(kernel, holders / holders.sum(), min(self.rank, MAX_RANK)),
            width=self.width,
            unlisted=self.unlisted,
            slack=self.slack,
            mode_weight=self.mode_weight,
        )

    def _cooccurrence(self, people: Population, tags: tuple[str, ...]) -> Float64Array:
        """Count the people who like both of two tags more than their own mean, `(n_tags, n_tags)`."""
        from scipy.sparse import csr_array

        table = with_levels(people.long.interests)
        liked = centred_levels(table, len(people), self.unlisted) > 0
        tag = positions(table[C.TAG], tags)
        kept = liked & (tag >= 0)
        place = (table[C.ROW].to_numpy(np.int64)[kept], tag[kept])
        holds = csr_array((np.ones(int(kept.sum())), place), shape=(len(people), len(tags)))
        return np.asarray((holds.T @ holds).toarray(), np.float64)

    def _kernel(self, catalogue: Catalogue, tags: tuple[str, ...], counts: Float64Array) -> Float64Array:
        lines = {tag: catalogue.ancestors(tag) for tag in tags}
        parts = (
            (self.own, np.eye(len(tags))),
            (self.taxonomy, taxonomy_kernel(tags, lines)),
            (self.cooccurrence, cooccurrence_kernel(counts, min(self.rank, MAX_RANK))),
        )
        total = self.own + self.taxonomy + self.cooccurrence
        return np.sum([weight / total * kernel for weight, kernel in parts], axis=0)


@dataclass(frozen=True, eq=False)
class FittedInterests(FittedBlock):
    """Centred levels summed over tag vectors, at most unit length, and how one likes to share.

    The pair score is `(1 - mode_weight) * z_i . z_j + mode_weight * m_i * m_j`, where z is the sum of
    centred level times tag vector, shortened by `slack`, and m the mean share mode from -1 (online)
    to 1 (in person). It is the same in both directions.

    tags:    the known interests, each with a row of `vectors` `(n_tags, rank)`.
    width:   columns of hashed n-grams for every other tag.
    """

    name: ClassVar[str] = "interests"

    tags: tuple[str, ...]
    vectors: Float32Array
    width: int
    unlisted: float
    slack: float
    mode_weight: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Latent directions, n-gram columns, and the share mode."""
        latent = tuple(f"latent_{at}" for at in range(self.vectors.shape[1]))
        return (*latent, *(f"ngram_{at}" for at in range(self.width)), "share_mode")

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody; both are the same."""
        table = with_levels(people.long.interests)
        person = table[C.ROW].to_numpy(np.int64)
        entry, vectors = self._vectors(table[C.TAG])
        levels = centred_levels(table, len(people), self.unlisted)
        held = unit_rows(sums_by_person(person, entry, levels, vectors, len(people)), self.slack)
        modes = self._modes(table, person, len(people))
        rows = np.column_stack([held * np.sqrt(1.0 - self.mode_weight), modes * np.sqrt(self.mode_weight)])
        matrix = np.ascontiguousarray(rows, np.float32)
        return BlockRows(matrix, matrix)

    def _vectors(self, tags: "pd.Series[Any]") -> tuple[Int64Array, Float32Array]:
        """Return for each row the position of its tag in a table of vectors, and that table."""
        entry, distinct = pd.factorize(tags.astype(object))
        place = positions(distinct, self.tags)
        rank = self.vectors.shape[1]
        vectors = np.zeros((len(distinct), rank + self.width), np.float32)
        vectors[place >= 0, :rank] = self.vectors[place[place >= 0]]
        free = [str(tag) for tag, at in zip(distinct, place, strict=True) if at < 0]
        vectors[place < 0, rank:] = hashed_ngrams(free, self.width)
        return entry.astype(np.int64), vectors

    @staticmethod
    def _modes(table: pd.DataFrame, person: Int64Array, n_people: int) -> Float64Array:
        mode = table[C.SHARE_MODE].map(_MODES).fillna(0.0).to_numpy(np.float64)
        count = np.maximum(np.bincount(person, minlength=n_people), 1)
        return np.asarray(np.bincount(person, mode, n_people) / count)


def centred_levels(table: pd.DataFrame, n_people: int, unlisted: float) -> Float64Array:
    """Return each listed level minus its person's mean level, aligned with `table`.

    The mean counts `unlisted` further tags at level 0, so that someone who gives every tag the same
    level still likes them all, and someone who lists few is not thought to like everything else.
    """
    person = table[C.ROW].to_numpy(np.int64)
    level = table[C.LEVEL].to_numpy(np.float64)
    total, count = np.bincount(person, level, n_people), np.bincount(person, minlength=n_people)
    return level - (total / np.maximum(count + unlisted, 1e-12))[person]


def with_levels(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an interests table whose level is known, once a person and tag."""
    known = table[pd.to_numeric(table[C.LEVEL], errors="coerce").notna().to_numpy(bool)]
    return known.drop_duplicates([C.ROW, C.TAG]).reset_index(drop=True)


def ngrams(tag: str) -> Counter[str]:
    """Return the character pairs and triples of a tag after folding, between `<` and `>`.

    >>> sorted(ngrams("free:AB"))
    ['<a', '<ab', 'ab', 'ab>', 'b>']
    """
    text = f"<{spelling(tag.removeprefix(FREE))}>"
    return Counter(text[at : at + size] for size in NGRAM_SIZES for at in range(len(text) - size + 1))


def hashed_ngrams(tags: Sequence[str], width: int) -> Float32Array:
    """Return each tag as unit-length signed hashed n-gram counts, `(n_tags, width)` float32.

    Source: feature hashing, Weinberger et al., ICML 2009. A tag whose n-grams cancel is zero.
    """
    rows = np.zeros((len(tags), width))
    for at, tag in enumerate(tags):
        counts = ngrams(tag)
        hashes = hashed_strings(counts, salt="ngram")
        signs = 1.0 - 2.0 * (hashes >> np.uint64(63)).astype(np.float64)
        np.add.at(rows[at], (hashes % np.uint64(width)).astype(np.int64), signs * list(counts.values()))
    return unit_rows(rows)


def taxonomy_kernel(
    tags: Sequence[str], ancestors: Mapping[str, Sequence[str]], decay: float = 0.5
) -> Float64Array:
    """Return the cosine of two tags' weighted lines of ancestors, `(n_tags, n_tags)` in [0, 1].

    A tag weighs 1 on itself, `decay` on its parent, `decay^2` on its grandparent.

    >>> taxonomy_kernel(["a", "b"], {"a": ["top"], "b": ["top"]}).round(2).tolist()
    [[1.0, 0.2], [0.2, 1.0]]
    """
    lines = {tag: (tag, *ancestors.get(tag, ())) for tag in tags}
    place = {name: at for at, name in enumerate(sorted({n for line in lines.values() for n in line}))}
    weights = np.zeros((len(tags), len(place)))
    for row, tag in enumerate(tags):
        for depth, name in enumerate(lines[tag]):
            weights[row, place[name]] = decay**depth
    rows = unit_rows(weights).astype(np.float64)
    return rows @ rows.T


def ppmi(counts: Float64Array, discount: float = 5.0) -> Float64Array:
    """Return positive pointwise mutual information of tags from counts of people, `(n_tags, n_tags)`.

    counts: people who hold both tags; the diagonal counts the holders of one and is not used as a
    pair. Context frequencies are raised to 0.75 (Levy et al., TACL 2015) and pairs seen rarely are
    discounted by n / (n + discount) (Pantel & Lin, 2002).
    """
    pairs = counts - np.diag(np.diag(counts))
    row = pairs.sum(axis=1)
    context = row**0.75
    expected = np.outer(row, context) / max(context.sum(), 1e-300)
    ratio = np.divide(pairs, expected, out=np.ones_like(pairs), where=(pairs > 0) & (expected > 0))
    information = np.maximum(np.log(ratio), 0.0) * pairs / (pairs + discount)
    return (information + information.T) / 2.0


def cooccurrence_kernel(counts: Float64Array, rank: int) -> Float64Array:
    """Return the cosine of two tags' PPMI vectors after a truncated SVD, 0 for a tag never held.

    Uses `U sqrt(S)` of the `rank` strongest directions (Levy & Goldberg, NeurIPS 2014) among those
    whose two singular vectors agree: the others say which tags are unlike, with the sign lost.
    """
    strength, directions = np.linalg.eigh(ppmi(counts))
    kept = np.argsort(-strength, kind="stable")[:rank]
    kept = kept[strength[kept] > 1e-9]
    rows = unit_rows(directions[:, kept] * np.sqrt(strength[kept])).astype(np.float64)
    return rows @ rows.T


def embedding(kernel: Float64Array, frequency: Float64Array, rank: int) -> Float32Array:
    """Return rows whose inner products are the best rank-`rank` form of `kernel`, `(n_tags, rank)`.

    "Best" weighs each tag by how often it is held, so that the columns serve the tags people have;
    a rare tag is placed by its likeness to the common ones. Each column's sign is fixed: its largest
    entry is positive. Columns the kernel does not need are zero.
    """
    n_tags = len(kernel)
    scale = np.sqrt(frequency)
    values, vectors = np.linalg.eigh(scale[:, None] * kernel * scale[None, :])
    columns = np.zeros((n_tags, rank))
    strongest = np.argsort(-values, kind="stable")[:rank]
    strongest = strongest[values[strongest] > 1e-9 * max(float(values.max(initial=0.0)), 1e-300)]
    directions = vectors[:, strongest]
    peaks = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])] if n_tags else 1.0
    columns[:, : len(strongest)] = directions * np.sign(peaks) * np.sqrt(values[strongest]) / scale[:, None]
    return columns.astype(np.float32)
