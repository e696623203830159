"""Erasure of people from a snapshot: their rows are emptied, the rows of all others stay where they are."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recsys.constraints.cold_start import ColdStartVocabulary
from recsys.constraints.sparse_masks import CsrRows, PairRules
from recsys.data.csr import SparseRows
from recsys.data.ids import id_before_placeholder
from recsys.data.proofs import ANY_TIER
from recsys.messaging.reasons import Reasons
from recsys.ranking.snapshot import SnapshotData, packed_ids
from recsys.ranking.snapshot_rows import ArmRows, ListRows, PairStageRows
from recsys.retrieval.index import TileIndex
from recsys.safety.erasure_list import ErasedPeople
from recsys.safety.person_index import PersonIndex
from recsys.storage.dataclass_codec import load_dataclass, save_dataclass
from recsys.types import BoolArray, BytesArray, Int32Array

_PLACEHOLDER = "\x01"
"""Put behind the id before; no id holds it, and it sorts before whatever an id may go on with."""


def erase_from_snapshot(folder: Path, erased: ErasedPeople) -> BoolArray:
    """Empty the rows of erased people in the snapshot of a folder; say which rows, `(n_people,)` bool.

    Raises SourceError when the folder is damaged.
    """
    data = load_dataclass(SnapshotData, folder, mmap=False)
    ids = [value.decode() for value in data.ids]
    gone = erased.among(ids)
    absent = erased.among(value.decode() for value in data.circles.absent)
    before = erased.among(map(id_before_placeholder, ids))  # of somebody erased earlier, too
    if gone.any() or absent.any() or before.any():
        data = replace(data, circles=data.circles.without_absent(absent))
        save_dataclass(folder, without_people(data, gone))
    return gone


def without_tokens(vocabulary: ColdStartVocabulary, gone: BoolArray) -> ColdStartVocabulary:
    """Return what newcomers are compiled with, without the tokens of some rows."""
    kept = ~gone[vocabulary.token_row]
    return replace(
        vocabulary,
        token=vocabulary.token[kept],
        token_row=vocabulary.token_row[kept],
        token_is_own=vocabulary.token_is_own[kept],
    )


def without_people(data: SnapshotData, gone: BoolArray) -> SnapshotData:
    """Return a snapshot with the rows of some people emptied; gone: `(n_people,)` bool."""
    return replace(
        data,
        ids=_ids_without(data.ids, gone),
        lists=_lists_without(data.lists, gone),
        likes=SparseRows(*_rows_without(data.likes, gone, gone)),
        layout=_layout_without(data.layout, gone),
        reasons=_reasons_without(data.reasons, gone),
        stages=_stages_without(data.stages, gone),
        persons=_persons_without(data.persons, gone),
        arms=_arms_without(data.arms, gone),
        filters=data.filters.without(gone),
        separated=SparseRows(*_rows_without(data.separated, gone, gone)),
        circles=data.circles.without(gone),
        proved=np.where(gone, ANY_TIER, data.proved).astype(np.int8) if len(data.proved) else data.proved,
    )


def without_reasons(data: SnapshotData) -> SnapshotData:
    """Return a snapshot that says of nobody what they have in common with others: no reasons, no circles."""
    everybody = np.ones(len(data.ids), bool)
    return replace(
        data,
        lists=replace(data.lists, reasons=data.lists.reasons[:0]),
        reasons=_reasons_without(data.reasons, everybody),
        circles=data.circles.without(everybody),
    )


def _arms_without(arms: ArmRows, gone: BoolArray) -> ArmRows:
    return replace(arms, codes=np.where(gone, np.int8(-1), arms.codes)) if len(arms.codes) else arms


def _ids_without(ids: BytesArray, gone: BoolArray) -> BytesArray:
    kept: list[str] = []
    for value, is_gone in zip((one.decode() for one in ids), gone, strict=True):
        is_placeholder = is_gone or id_before_placeholder(value) != value
        kept.append((kept[-1] if kept else "") + _PLACEHOLDER if is_placeholder else value)
    return packed_ids(kept)


def _lists_without(lists: ListRows, gone: BoolArray) -> ListRows:
    viewer = np.repeat(np.arange(len(gone)), np.diff(lists.indptr))
    kept = ~gone[viewer] & ~gone[lists.candidates]
    propensity = lists.propensity[kept] if len(lists.propensity) else lists.propensity
    reasons = lists.reasons[kept] if len(lists.reasons) else lists.reasons
    return ListRows(_indptr(viewer[kept], len(gone)), lists.candidates[kept], propensity, reasons)


def _rows_without(rows: Any, gone_row: BoolArray, gone_member: BoolArray) -> tuple[Any, Int32Array]:
    row = np.repeat(np.arange(len(rows.indptr) - 1), np.diff(rows.indptr))
    kept = ~gone_row[row] & ~gone_member[rows.indices]
    return _indptr(row[kept], len(gone_row)), rows.indices[kept]


def _indptr(row: Any, n_rows: int) -> Any:
    indptr = np.zeros(n_rows + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=n_rows), out=indptr[1:])
    return indptr


def _layout_without(layout: TileIndex, gone: BoolArray) -> TileIndex:
    """Take people out of a search: no position, no factors, rules that nobody meets."""
    at = layout.position[gone]
    at = at[at >= 0]
    position = layout.position.copy()
    position[gone] = -1
    people, words = layout.people, layout.words
    factors = people._replace(
        taste=_emptied(people.taste, at),
        appeal=_emptied(people.appeal, at),
        quantized=_emptied(people.quantized, at),
    )
    refuses = words.refuses.copy()
    refuses[:, at] = ~np.uint64(0)
    hidden = np.zeros(len(layout.order), bool)
    hidden[at] = True
    return layout._replace(
        position=position,
        people=factors,
        words=words._replace(
            traits=_emptied(words.traits.T, at).T,
            refuses=refuses,
            short=_emptied(words.short.T, at).T,
            long=_emptied(words.long.T, at).T,
        ),
        sparse=_pair_rules_without(layout.sparse, hidden),
    )


def _pair_rules_without(rules: PairRules, hidden: BoolArray) -> PairRules:
    changed: dict[str, Any] = {}
    for name in ("separated", "own", "avoid", "owners", "avoiders", "likers"):
        rows: CsrRows = getattr(rules, name)
        n_rows = len(rows.indptr) - 1
        by_group, of_group = name in {"owners", "avoiders"}, name in {"own", "avoid"}
        n_members = max(int(rows.indices.max(initial=-1)) + 1, len(hidden))
        row = np.zeros(n_rows, bool) if by_group else hidden
        member = np.zeros(n_members, bool) if of_group else hidden
        changed[name] = CsrRows(*_rows_without(rows, row, member))
    return rules._replace(**changed)


def _emptied(rows: Any, at: Any) -> Any:
    changed = rows.copy()
    changed[at] = 0
    return changed


def _reasons_without(reasons: Reasons, gone: BoolArray) -> Reasons:
    """Empty the rows of every array that has one row a person."""
    at, kinds = np.flatnonzero(gone), {}
    for kind in fields(reasons):
        value, changed = getattr(reasons, kind.name), {}
        for part in fields(value):
            rows = getattr(value, part.name)
            if isinstance(rows, sparse.csr_array | sparse.csr_matrix):
                left = ~gone[np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))]
                indptr = np.concatenate([[0], np.cumsum(left)])[rows.indptr].astype(rows.indptr.dtype)
                changed[part.name] = type(rows)((rows.data[left], rows.indices[left], indptr), rows.shape)
            elif isinstance(rows, np.ndarray) and len(rows) == len(gone) and part.name != "centre":
                changed[part.name] = _emptied(rows, at)
        kinds[kind.name] = replace(value, **changed)
    return replace(reasons, **kinds)


def _stages_without(stages: PairStageRows, gone: BoolArray) -> PairStageRows:
    row = np.repeat(np.arange(len(gone)), np.diff(stages.indptr))
    kept = ~gone[row] & ~gone[stages.others]
    indptr = _indptr(row[kept], len(gone))
    looks = stages.looks[kept] if len(stages.looks) else stages.looks
    return PairStageRows(
        stages.names, indptr, stages.others[kept], stages.codes[kept], stages.check_due[kept], looks
    )


def _persons_without(persons: PersonIndex, gone: BoolArray) -> PersonIndex:
    kept = ~gone[persons.row]
    of_row = persons.of_row.copy()
    of_row[:, gone] = 0
    return replace(persons, of_row=of_row, token=persons.token[kept], row=persons.row[kept])
