"""Why a candidate is on a viewer's list, as short codes made of what the viewer may see.

Codes, in the order of preference:

    interest:<tag>     both have this interest of the catalogue
    listens:<topic>    the candidate is glad to listen to a topic the viewer wants to talk about
    answer:<question>  both gave the same public answer
    circle             both belong to one community
    near               both want to meet in person and live not far apart

A pair gets at most three: the best of each kind in this order, then the second best of each. Only
these fields are read; no score, distance, activity, boundary or private answer can show through.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.entries import CatalogueEntry, Interest, Language, Question
from recsys.catalogue.loading import load_catalogue
from recsys.data.population import Population
from recsys.errors import InputError, did_you_mean, explained
from recsys.messaging.reason_kinds import Agreement, Arrays, Listening, Near, SharedCircle, SharedInterests
from recsys.types import Int16Array, Int32Array


def kind_of(code: str) -> str:
    """Return the kind of a reason code.

    >>> kind_of("interest:photography"), kind_of("near")
    ('interest', 'near')
    """
    return code.partition(":")[0]


def visible_reasons(codes: Iterable[str], stage: str) -> list[str]:
    """Return the reason codes that may be shown at a stage, in their order.

    Raises InputError for an unknown stage.

    >>> visible_reasons(["interest:photography", "near"], "matched"), visible_reasons(["near"], "closed")
    (['interest:photography', 'near'], [])
    """
    stages = load_catalogue().stages
    stages.code(stage)
    shown = stages.reasons[stage]
    return [code for code in codes if kind_of(code) in shown]


MOST_REASONS: Final = 3


class Evidence(Protocol):
    """One kind of reason: all its codes, and which of them hold for each pair, best first."""

    @property
    def codes(self) -> "list[str] | tuple[str, ...]":
        """Every code of this kind."""
        ...

    def of(self, viewer: Int32Array, candidate: Int32Array, most: int) -> Int16Array:
        """Return positions in `codes`, `(n_pairs, most)`, -1 for none."""
        ...

    def arrays(self) -> Arrays:
        """Return what is held of people."""
        ...


class Reasons:
    """Reason codes for pairs of one population; what people said is laid out once."""

    def __init__(self, people: Population, catalogue: Catalogue | None = None) -> None:
        words = load_catalogue() if catalogue is None else catalogue
        self._kinds: tuple[Evidence, ...] = tuple(kind(people, words) for kind in _KINDS.values())

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, npt.NDArray[Any]], codes: Mapping[str, Sequence[str]]
    ) -> "Reasons":
        """Take back what `arrays` and `codes_by_kind` returned; the arrays may be mapped files."""
        reasons = cls.__new__(cls)
        reasons._kinds = tuple(
            kind.from_arrays({key: arrays[f"{name}.{key}"] for key in _keys(arrays, name)}, codes[name])
            for name, kind in _KINDS.items()
        )
        return reasons

    def arrays(self) -> Arrays:
        """Return everything held of people as plain arrays, named `kind.part`."""
        return {
            f"{name}.{key}": array
            for name, kind in zip(_KINDS, self._kinds, strict=True)
            for key, array in kind.arrays().items()
        }

    def codes_by_kind(self) -> dict[str, list[str]]:
        """Return every code by its kind."""
        return {name: list(kind.codes) for name, kind in zip(_KINDS, self._kinds, strict=True)}

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
        names, numbers, starts = self.numbered(viewers, candidates, stages)
        codes, ends = names[numbers].tolist(), starts.tolist()
        return [codes[start:end] for start, end in pairwise(ends)]

    def numbered(
        self,
        viewers: npt.ArrayLike,
        candidates: npt.ArrayLike,
        stages: Sequence[str] | None = None,
    ) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Return what `codes` returns as arrays: all codes there are, numbers pair after pair, and starts.

        The codes of pair p are `names[numbers[starts[p]:starts[p + 1]]]`; starts is `(n_pairs + 1,)`.
        """
        i, j = np.asarray(viewers, np.int32), np.asarray(candidates, np.int32)
        names, first = self._numbered()
        by_kind = [
            np.where(found >= 0, found.astype(np.int32) + offset, -1)
            for kind, offset in zip(self._kinds, first, strict=True)
            for found in [kind.of(i, j, MOST_REASONS)]
        ]
        if stages is not None:
            for kind, found in zip(self._kinds, by_kind, strict=True):
                found[~self._may_show(kind, stages)] = -1
        in_turn = np.stack(by_kind, axis=2).reshape(len(i), MOST_REASONS * len(by_kind))
        held = in_turn >= 0
        kept = held & (np.cumsum(held, axis=1) <= MOST_REASONS)
        starts = np.zeros(len(i) + 1, np.int64)
        np.cumsum(kept.sum(axis=1), out=starts[1:])
        return names, in_turn[kept].astype(np.int32), starts

    @staticmethod
    def _may_show(kind: Evidence, stages: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Say which of the stages may show reasons of a kind."""
        code = kind.codes[0] if len(kind.codes) else ""
        may = {stage: bool(visible_reasons([code], stage)) for stage in dict.fromkeys(stages)}
        return np.array([may[stage] for stage in stages], dtype=bool)

    def _numbered(self) -> tuple[npt.NDArray[np.object_], list[int]]:
        """Return all codes of all kinds in one array, and where each kind begins."""
        names = [code for kind in self._kinds for code in kind.codes]
        lengths = [len(kind.codes) for kind in self._kinds]
        return np.array(names, dtype=object), [sum(lengths[:kind]) for kind in range(len(lengths))]


_KINDS: Final[dict[str, Any]] = {
    "interest": SharedInterests,
    "listens": Listening,
    "answer": Agreement,
    "circle": SharedCircle,
    "near": Near,
}
"""In the order of preference."""


def _keys(arrays: Mapping[str, npt.NDArray[Any]], kind: str) -> list[str]:
    return [name.partition(".")[2] for name in arrays if name.partition(".")[0] == kind]


def reason_text(code: str, lang: Language = "ja") -> str:
    """Return a reason code in words for the viewer.

    Raises InputError for a code that is none.

    >>> print(reason_text("interest:photography", "en"))
    You share an interest: Photography
    """
    catalogue = load_catalogue()
    kind, _, name = code.partition(":")
    if kind in ("circle", "near") and not name:
        return catalogue.text(f"reason.{kind}", lang)
    named: dict[str, Mapping[str, Interest] | Mapping[str, CatalogueEntry] | Mapping[str, Question]] = {
        "interest": catalogue.interests,
        "listens": catalogue.topics,
        "answer": catalogue.questions,
    }
    if name in named.get(kind, {}):
        return catalogue.text(f"reason.{kind}", lang, label=named[kind][name].label.text(lang))
    known = ["interest", "listens", "answer", "circle", "near"]
    raise InputError(explained("unknown reason", got=kind, remedy=did_you_mean(kind, known)))
