"""What an event of each type must say, and may not."""

from collections.abc import Iterator

import numpy as np

from recsys.errors import did_you_mean, explained
from recsys.schema.columns import Columns as C
from recsys.schema.contract import Context, positions
from recsys.schema.fields.field import Fault
from recsys.schema.vocabulary import EVENT_DETAILS, PERSONAL_EVENTS

_TO_ANYBODY = ("optin",)
_MAY_BE_SILENT = ("report",)
"""It separates the pair whatever its category, so an unknown one may stay null."""


def right_target(context: Context) -> Iterator[Fault]:
    """Refuse events about one person that name another, and events between two that do not."""
    rows = context.sound_columns(C.TYPE, C.TARGET)
    personal, anybody = rows[C.TYPE].isin(PERSONAL_EVENTS), rows[C.TYPE].isin(_TO_ANYBODY)
    named = rows[C.TARGET].notna()
    yield Fault(
        f"{C.TARGET}.unexpected",
        positions(rows[personal & named]),
        explained("this type of event is about one person", where=C.TARGET, remedy="leave target null"),
    )
    yield Fault(
        f"{C.TARGET}.missing",
        positions(rows[~personal & ~anybody & ~named]),
        explained("this type of event needs a target", where=C.TARGET, remedy="name the other person"),
    )


def right_detail(context: Context) -> Iterator[Fault]:
    """Refuse details that their type of event does not have."""
    rows = context.sound_columns(C.TYPE, C.DETAIL)
    details = {kind: frozenset(words) for kind, words in EVENT_DETAILS.items()}
    with_detail = rows[rows[C.DETAIL].notna()]
    known = np.fromiter(
        (
            word in details.get(kind, ())
            for kind, word in zip(with_detail[C.TYPE], with_detail[C.DETAIL], strict=True)
        ),
        bool,
        len(with_detail),
    )
    strange = with_detail[~known]
    reasons: dict[tuple[str, str], str] = {}
    for kind, word in strange[[C.TYPE, C.DETAIL]].drop_duplicates().itertuples(index=False):
        remedy = did_you_mean(word, details[kind]) if kind in details else "leave it null"
        reasons[kind, word] = explained(f"not a detail of '{kind}'", where=C.DETAIL, got=word, remedy=remedy)
    pairs = zip(strange[C.TYPE], strange[C.DETAIL], strict=True)
    yield Fault(
        f"{C.DETAIL}.unknown_word",
        positions(strange),
        np.fromiter((reasons[pair] for pair in pairs), object, len(strange)),
    )
    must = rows[C.TYPE].isin([kind for kind in details if kind not in _MAY_BE_SILENT])
    yield Fault(
        f"{C.DETAIL}.missing",
        positions(rows[must & rows[C.DETAIL].isna()]),
        explained("this type of event needs a detail", where=C.DETAIL, remedy="say which"),
    )
