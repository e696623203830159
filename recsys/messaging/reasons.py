"""Reasons: why a candidate is on a viewer's list, as short codes made of what the viewer may see.

Codes, in the order of preference:

    interest:<tag>     both have this interest of the catalogue
    listens:<topic>    the candidate is glad to listen to a topic the viewer wants to talk about
    answer:<question>  both gave the same public answer
    circle             both belong to one community
    near               both want to meet in person and live not far apart

A pair gets at most three: the best of each kind in this order, then the second best of each. Only
these fields are read; no score, distance, activity, boundary or private answer can show through.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.entries import CatalogueEntry, Interest, Language, Question
from recsys.data.population import Population
from recsys.errors import InputError, did_you_mean, explained
from recsys.messaging.reason_kinds import (
    ListenedTopics,
    NearbyCells,
    ReasonKind,
    SharedAnswers,
    SharedCommunity,
    SharedInterests,
)
from recsys.parallel import map_in_threads, n_threads
from recsys.types import Int32Array, IntegerArray

_PAIRS_AT_ONCE: Final = 1 << 16


def kind_of(code: str) -> str:
    """Return the kind of a reason code.

    >>> kind_of("interest:photography"), kind_of("near")
    ('interest', 'near')
    """
    return code.partition(":")[0]


def reasons_shown(stage: str) -> Collection[str]:
    """Return the kinds of reasons that may be shown at a stage.

    Raises InputError for an unknown stage.

    >>> sorted(reasons_shown("closed"))
    []
    """
    stages = load_catalogue().stages
    stages.code(stage)
    return stages.reasons[stage]


def visible_reasons(codes: Iterable[str], stage: str) -> list[str]:
    """Return the reason codes that may be shown at a stage, in their order.

    Raises InputError for an unknown stage.

    >>> visible_reasons(["interest:photography", "near"], "matched"), visible_reasons(["near"], "closed")
    (['interest:photography', 'near'], [])
    """
    shown = reasons_shown(stage)
    return [code for code in codes if kind_of(code) in shown]


MOST_REASONS: Final = 3


@dataclass(frozen=True, eq=False)
class Reasons:
    """What reasons are read from, for one population; kinds in the order of preference."""

    interest: SharedInterests
    listens: ListenedTopics
    answer: SharedAnswers
    circle: SharedCommunity
    near: NearbyCells

    @classmethod
    def of(cls, people: Population, catalogue: Catalogue | None = None) -> Self:
        """Read what every kind needs of people; `catalogue` is theirs when None."""
        words = people.catalogue if catalogue is None else catalogue
        return cls(
            interest=SharedInterests.of(people, words),
            listens=ListenedTopics.of(people, words),
            answer=SharedAnswers.of(people, words),
            circle=SharedCommunity.of(people, words),
            near=NearbyCells.of(people, words),
        )

    @property
    def kinds(self) -> tuple[ReasonKind, ...]:
        """Every kind, in the order of preference."""
        return self.interest, self.listens, self.answer, self.circle, self.near

    @classmethod
    def of_one(cls, person: Population) -> Self:
        """Read what `with_person` needs of a population of one, whose communities and cell stay unknown."""
        words = person.catalogue
        return cls(
            interest=SharedInterests.of(person, words),
            listens=ListenedTopics.of(person, words),
            answer=SharedAnswers.of(person, words),
            circle=SharedCommunity.unknown(1),
            near=NearbyCells.unknown(1),
        )

    def with_person(self, own: Self, rows: IntegerArray) -> Self:
        """Return one person at row 0, read by themselves, and the people at `rows` after them.

        own: by `of_one`. Communities and cells have numbers of their own in each population, so these two
        are unknown.
        """
        return type(self)(
            interest=self.interest.with_person(own.interest, rows),
            listens=self.listens.with_person(own.listens, rows),
            answer=self.answer.with_person(own.answer, rows),
            circle=SharedCommunity.unknown(len(rows) + 1),
            near=NearbyCells.unknown(len(rows) + 1),
        )

    def codes(
        self,
        viewers: npt.ArrayLike,
        candidates: npt.ArrayLike,
        stages: Sequence[str] | None = None,
    ) -> list[list[str]]:
        """Return the reason codes of each aligned pair of rows, at most three a pair.

        stages: the stage of each pair; reasons it may not show yet are left out. None is `listed`, the
        stage of people who do not know each other.
        """
        names, numbers, starts = self.coded(viewers, candidates, stages)
        codes, ends = names[numbers].tolist(), starts.tolist()
        return [codes[start:end] for start, end in pairwise(ends)]

    def coded(
        self,
        viewers: npt.ArrayLike,
        candidates: npt.ArrayLike,
        stages: Sequence[str] | None = None,
    ) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return what `codes` returns as arrays: all codes there are, numbers pair after pair, and starts.

        The codes of pair p are `names[numbers[starts[p]:starts[p + 1]]]`; starts is `(n_pairs + 1,)`.
        """
        names, in_turn = self.all_codes[0], self.numbers(viewers, candidates, stages)
        kept = in_turn >= 0
        starts = np.zeros(len(in_turn) + 1, np.int64)
        np.cumsum(kept.sum(axis=1), out=starts[1:])
        return names, in_turn[kept], starts

    def numbers(
        self, viewers: npt.ArrayLike, candidates: npt.ArrayLike, stages: Sequence[str] | None = None
    ) -> npt.NDArray[np.int32]:
        """Return the reasons of each pair as numbers among `all_codes`, `(n_pairs, 3)`, -1 for none."""
        i, j = np.asarray(viewers, np.int32), np.asarray(candidates, np.int32)
        if len(i) <= _PAIRS_AT_ONCE:
            return self._numbers(i, j, stages)
        parts = [slice(start, start + _PAIRS_AT_ONCE) for start in range(0, len(i), _PAIRS_AT_ONCE)]

        def of_part(part: slice) -> npt.NDArray[np.int32]:
            return self._numbers(i[part], j[part], None if stages is None else stages[part])

        return np.concatenate(map_in_threads(of_part, parts, n_threads(len(i))))

    def _numbers(self, i: Int32Array, j: Int32Array, stages: Sequence[str] | None) -> npt.NDArray[np.int32]:
        found = [kind.best(i, j, MOST_REASONS).astype(np.int32) for kind in self.kinds]
        in_turn = np.stack(found, axis=2)
        in_turn = np.where(in_turn >= 0, in_turn + self.all_codes[1], np.int32(-1))
        if stages is not None:
            shown = {stage: reasons_shown(stage) for stage in set(stages)}
            for at, kind in enumerate(self.kinds):
                name = kind_of(kind.codes[0] if len(kind.codes) else "")
                if not all(name in kinds for kinds in shown.values()):
                    in_turn[[name not in shown[stage] for stage in stages], :, at] = -1
        in_turn = in_turn.reshape(len(i), MOST_REASONS * len(self.kinds))
        place = np.cumsum(in_turn >= 0, axis=1) - 1
        pair, column = np.nonzero((in_turn >= 0) & (place < MOST_REASONS))
        first = np.full((len(i), MOST_REASONS), -1, np.int32)
        first[pair, place[pair, column]] = in_turn[pair, column]
        return first

    @cached_property
    def all_codes(self) -> tuple[npt.NDArray[np.object_], Int32Array]:
        """All codes of all kinds in one array, and where each kind begins."""
        names = [code for kind in self.kinds for code in kind.codes]
        lengths = [len(kind.codes) for kind in self.kinds]
        return np.array(names, dtype=object), np.cumsum([0, *lengths[:-1]], dtype=np.int32)


def reason_text(code: str, lang: Language = "ja", *, catalogue: Catalogue | None = None) -> str:
    """Return a reason code in words for the viewer.

    catalogue: the one of the people or the publication the code is from; that of the package when None.

    Raises InputError for a code that is none.

    >>> print(reason_text("interest:photography", "en"))
    You share an interest: Photography
    """
    text = reason_text_or_none(code, lang, load_catalogue() if catalogue is None else catalogue)
    if text is None:
        kind, known = kind_of(code), ["interest", "listens", "answer", "circle", "near"]
        raise InputError(explained("unknown reason", got=kind, remedy=did_you_mean(kind, known)))
    return text


def reason_text_or_none(code: str, lang: Language, catalogue: Catalogue) -> str | None:
    """Return a reason code in words, None for a code that has none, which must not cost a page.

    >>> reason_text_or_none("interest:of_another_catalogue", "en", load_catalogue()) is None
    True
    """
    kind, _, name = code.partition(":")
    if kind in ("circle", "near") and not name:
        return catalogue.text(f"reason.{kind}", lang)
    named: dict[str, Mapping[str, Interest] | Mapping[str, CatalogueEntry] | Mapping[str, Question]] = {
        "interest": catalogue.interests,
        "listens": catalogue.topics,
        "answer": catalogue.questions,
    }
    if name not in named.get(kind, {}):
        return None
    return catalogue.text(f"reason.{kind}", lang, label=named[kind][name].label.text(lang))
