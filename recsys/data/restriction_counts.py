"""How many people have a value that keeps some apart, and events that do, as gates compare over nights."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.data.events import CodedEvents
from recsys.data.exclusions import unsafe_events
from recsys.data.unknown_words import SAFETY_EVENTS

KEPT: Final = "kept_"
"""Before a column in the counts of a table: its values that keep people apart."""
MET: Final = "met"
"""Behind a kind and a namespace of tokens: the people whose token means somebody else."""
RESTRICTING: Final = "restricting"
"""How many accepted events keep two people apart, or somebody out."""
RESTRICTING_IN: Final = "restricting_in:"
"""Before a type of events and a month, such as `hide:2026-01`, in the same counts."""
ERASED: Final = "erased:"
"""Before the name of another count: how many of it are rows that went because they named somebody erased."""
RESTRICTING_TYPES: Final = ("pass", *SAFETY_EVENTS)
_UNSAFE: Final = "unsafe"


def restricting_events(events: CodedEvents) -> dict[str, int]:
    """Return how many events keep two people apart, or somebody out: all, and by type and month (UTC)."""
    is_unsafe = unsafe_events(events)
    kinds = {name: events.are(name) for name in RESTRICTING_TYPES}
    of_kind = {_UNSAFE: is_unsafe & ~np.logical_or.reduce(list(kinds.values())), **kinds}
    found = {RESTRICTING: int(np.logical_or.reduce(list(of_kind.values())).sum())}
    for name, rows in of_kind.items():
        months, n_events = np.unique(
            events.ts[rows].astype("datetime64[us]").astype("datetime64[M]"), return_counts=True
        )
        told = zip(months.astype(str).tolist(), n_events.tolist(), strict=True)
        found |= {f"{RESTRICTING_IN}{name}:{month}": n for month, n in told}
    return found


def tokens_counted(tokens: pd.DataFrame) -> dict[str, int]:
    """Return how many people have a token of each kind and namespace, and of how many it means somebody else.

    An own token that nobody else has, and an excluded one that is nobody's, keep nobody apart: as many have
    one where another column is read, but none meets.
    """
    rows = tokens[[C.USER, C.KIND, C.NAMESPACE]].astype(str)
    found = {f"{KEPT}{kind}_{space}": n for (kind, space), n in _people_of(rows).items()}
    if C.HMAC not in tokens:
        return found
    rows = rows.assign(**{C.HMAC: tokens[C.HMAC].astype(str)}).drop_duplicates()
    owned = rows[rows[C.KIND].eq("self")]
    owners = owned.groupby([C.NAMESPACE, C.HMAC])[C.USER].agg(["nunique", "first"]).reset_index()
    met = rows.merge(owners, on=[C.NAMESPACE, C.HMAC])
    met = met[met["nunique"].gt(1) | met["first"].ne(met[C.USER])]
    return found | {f"{KEPT}{kind}_{space}_{MET}": n for (kind, space), n in _people_of(met).items()}


def _people_of(rows: pd.DataFrame) -> Counter[tuple[str, str]]:
    """Return how many people stand in rows of each kind and namespace."""
    people = rows[[C.USER, C.KIND, C.NAMESPACE]].drop_duplicates()
    return Counter(zip(people[C.KIND].tolist(), people[C.NAMESPACE].tolist(), strict=True))


def answers_counted(answers: pd.DataFrame, options: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Return how many people require answers that leave somebody out: of any question, and of each.

    Who accepts every answer of a question requires none, but for one at all.

    options: the answers that each question has; those that anybody gives or accepts are among them.
    """
    found = {f"{KEPT}{C.MANDATORY}": 0}
    if not {C.MANDATORY, C.QUESTION, C.ACCEPTED} <= set(answers):
        return found
    required = answers[answers[C.MANDATORY].eq(True).fillna(False).astype(bool)]
    if required.empty:
        return found
    asked = answers[answers[C.QUESTION].isin(required[C.QUESTION].unique())]
    known: dict[str, set[str]] = {
        str(one): set(options.get(str(one), ())) for one in asked[C.QUESTION].unique()
    }
    given = asked[[C.QUESTION, C.ANSWER]].dropna().drop_duplicates() if C.ANSWER in asked else asked[:0]
    for question, answer in zip(given.get(C.QUESTION, ()), given.get(C.ANSWER, ()), strict=True):
        known[str(question)].update(str(answer).split("|"))
    accepted = [
        (str(question), _words(of))
        for question, of in zip(required[C.QUESTION], required[C.ACCEPTED], strict=True)
    ]
    for question, words in accepted:
        known[question] |= words
    leaves_out = np.array([words != known[question] for question, words in accepted], bool)
    people = required.loc[leaves_out, [C.USER, C.QUESTION]].astype(str).drop_duplicates()
    each = {
        f"{KEPT}{C.MANDATORY}_{question}": n for question, n in Counter(people[C.QUESTION].tolist()).items()
    }
    return found | each | {f"{KEPT}{C.MANDATORY}": int(people[C.USER].nunique())}


def words_left_out(profiles: pd.DataFrame, column: str, held: Collection[str]) -> dict[str, int]:
    """Return how many people wish for a set of words without each: of those that anybody has or wishes for.

    column: wishes as lists of words, None for none. held: the words that somebody has.
    """
    wished = profiles[[C.USER, column]].dropna(subset=[column])
    code, given = pd.factorize(wished[column].map(tuple))  # few different ones
    sets = [frozenset(map(str, one)) for one in given]
    lacking = {
        word: np.array([word not in one for one in sets], bool)[code]
        for word in sorted(frozenset(map(str, held)).union(*sets))
    }
    return {
        f"{KEPT}{column}_{word}": int(wished.loc[rows, C.USER].nunique()) for word, rows in lacking.items()
    }


def _words(accepted: object) -> frozenset[str]:
    """Return the answers that somebody accepts, none where they are not known."""
    return (
        frozenset(map(str, accepted))
        if isinstance(accepted, list | tuple | set | np.ndarray)
        else frozenset()
    )
