"""Who could be listed of the people that a mapping gives, and the first reason why the others could not."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.entries import LANGUAGES, Label
from recsys.catalogue.preference_words import WISHES
from recsys.constraints.policy import Policy
from recsys.constraints.why_not import constraint_text
from recsys.data.population import Population
from recsys.data.quarantine import CODES
from recsys.data.unknown_words import SAFETY_EVENTS
from recsys.mapping.draft_people import may_number_rows
from recsys.storage.load import LoadedTables
from recsys.types import ObjectArray

LISTED = "listed"


def first_constraints(people: Population, policy: Policy) -> ObjectArray:
    """Return the constraint that first leaves each person unlisted, `(n_people,)`; None where listed.

    >>> first_constraints(Population.of_ids(["a"], as_of="2026-01-05"), Policy.default()).tolist()
    ['account']
    """
    found = np.full(len(people), None, object)
    left = np.ones(len(people), bool)
    for constraint in policy.constraints:
        passes = Policy((constraint,)).compile(people).listed
        found[left & ~passes] = constraint.name
        left &= passes
    return found


def listing_funnel(reasons: ObjectArray, policy: Policy) -> pd.DataFrame:
    """Return how many people each constraint leaves out first, in the order they are asked, why in words."""
    counts = pd.Series(reasons, dtype=object).value_counts()
    names = [name for name in policy.names if name in counts.index]
    rows = [(name, int(counts[name]), *(_text(name).text(lang) for lang in LANGUAGES)) for name in names]
    return pd.DataFrame(rows, columns=["constraint", "people", *LANGUAGES]).set_index("constraint")


def listing_by_person(
    reasons: Mapping[str, str | None], loaded: LoadedTables, set_aside: Mapping[str, str]
) -> pd.DataFrame:
    """Return one row an id: `user_id`, `listed`, `reason` and the reason in words, in the order of ids.

    reasons: the constraint that first leaves each accepted person out, None where listed. loaded: whose
    quarantine names ids that the contract refused. set_aside: reasons of the queries, by id.
    """
    found: dict[str, tuple[str, Label]] = {}
    for name, reason in set_aside.items():
        found[name] = (f"set_aside.{reason}", _own("set_aside_by_query", reason))
    refused = loaded.quarantine
    if len(refused):
        for name, codes in refused.loc[refused["table"] == T.PROFILES, [C.USER, CODES]].itertuples(
            index=False
        ):
            if isinstance(name, str):
                found[name] = (f"refused.{codes}", _own("refused_by_table", codes))
    listed = _label("mapping.may_be_listed")
    for name, constraint in reasons.items():
        if constraint is not None and name in set_aside:  # a row is kept that says what its person may not
            continue
        found[name] = (LISTED, listed) if constraint is None else (constraint, _text(constraint))
    rows = [
        (name, reason == LISTED, reason, *(label.text(lang) for lang in LANGUAGES))
        for name, (reason, label) in sorted(found.items())
    ]
    return pd.DataFrame(rows, columns=[C.USER, LISTED, "reason", *LANGUAGES])


def unwished_words(loaded: LoadedTables) -> pd.DataFrame:
    """Return words that members hold and no wish names, where anybody named some, with how many hold them.

    Only people who left the wish open meet those.
    """
    profiles = loaded.accepted.get(T.PROFILES, pd.DataFrame())
    rows = []
    for said, wish in WISHES.items():
        if said not in profiles or not profiles[wish].notna().any():
            continue
        wished = set(profiles[wish].dropna().explode())
        for word, people in profiles[said].value_counts().items():
            if word not in wished:
                rows.append((f"{T.PROFILES}.{wish}", word, int(people)))
    return pd.DataFrame(rows, columns=["column", "word", "people"]).set_index("column")


def required_answers(accepted: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the questions whose answer somebody requires of others, where some answers are not public.

    Only a public answer meets a required one: by who is missing, another would be told.
    """
    columns = ["question", "required by", "answered by", "of these in public"]
    answers = accepted.get(T.ANSWERS, pd.DataFrame())
    if C.MANDATORY not in answers:
        return pd.DataFrame(columns=columns).set_index("question")
    required = answers[answers[C.MANDATORY].eq(True).fillna(False).astype(bool)]
    known = answers[answers[C.ANSWER].notna()]
    counts = [
        rows.groupby(C.QUESTION)[C.USER].nunique()
        for rows in (required, known, known[known[C.VISIBILITY].eq("public").fillna(False).astype(bool)])
    ]
    found = pd.concat(counts, axis=1, keys=columns[1:]).reindex(counts[0].index).fillna(0).astype(int)
    return found[found["of these in public"] < found["answered by"]].rename_axis("question")


_SHARED: Final = {"employer": 10}
"""Members from which on a token is told of as shared: colleagues have one employer, three people no phone."""
_SHARED_BY_ANY: Final = 3


def shared_tokens(accepted: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return by kind how many tokens are those of many members, and of how many at most.

    Such a token is that of a text which stands for nothing known, or of a number of the service itself: it
    makes its members one person, or keeps them all apart.
    """
    profiles, tokens = (accepted.get(name, pd.DataFrame()) for name in (T.PROFILES, T.TOKENS))
    found = []
    if C.PERSON_TOKEN in profiles:
        found.append(
            profiles[[C.USER, C.PERSON_TOKEN]].set_axis([C.USER, C.HMAC], axis=1).assign(kind="person")
        )
    if len(tokens):
        own = tokens[tokens[C.KIND].eq("self").fillna(False)]
        found.append(own[[C.USER, C.HMAC]].assign(kind=own[C.NAMESPACE]))
    rows = []
    for kind, held in pd.concat(found).dropna().groupby("kind", sort=True) if found else ():
        people = held.groupby(C.HMAC)[C.USER].nunique()
        many = people[people >= _SHARED.get(str(kind), _SHARED_BY_ANY)]
        if len(many):
            rows.append((kind, len(many), int(many.max())))
    return pd.DataFrame(rows, columns=["token", "shared", "most members"]).set_index("token")


_OF_TWO: Final = (
    (T.BLOCKS, None),
    (T.REPORTS, None),
    *((T.EVENTS, kind) for kind in (*SAFETY_EVENTS, "like")),
)


def row_numbers(accepted: Mapping[str, pd.DataFrame], one_of: int = 1) -> pd.DataFrame:
    """Return the columns of people that hold numbers from 1 on, each once, as numbers of rows are.

    They keep the wrong people apart, and the right ones meet. one_of: of so many people one was looked at.
    """
    rows = []
    for table, kind in _OF_TWO:
        frame = accepted.get(table, pd.DataFrame())
        if kind is not None and len(frame):
            frame = frame[frame[C.TYPE].eq(kind).fillna(False)]
        for column in frame.columns.intersection([C.ACTOR, C.TARGET]):
            ids = frame[column].dropna().astype(str).to_list()
            if may_number_rows(ids, one_of=one_of):
                name = f"{table}.{column}" if kind is None else f"{table}.{column} ({kind})"
                rows.append((name, len(ids), f"{min(map(int, ids))} to {max(map(int, ids))}"))
    return pd.DataFrame(rows, columns=["column", "rows", "numbers"]).set_index("column")


def _own(key: str, what: str) -> Label:
    return _label(f"mapping.{key}", what=what)


def _text(name: str) -> Label:
    """Return why the constraint `name` leaves one person out; of a rule of one's own, what it says of two."""
    key = f"unlisted.{name}"
    return _label(key) if key in load_catalogue().texts else constraint_text(name)


def _label(key: str, **values: str) -> Label:
    catalogue = load_catalogue()
    return Label(ja=catalogue.text(key, "ja", **values), en=catalogue.text(key, "en", **values))
