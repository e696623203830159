"""Which accounts are one person's: those that ever had a person token in common.

The index of persons that a night publishes is in `recsys.safety.person_index`; what is said of an account
without a row reaches the others of its person by `recsys.data.absent_accounts`.
"""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from recsys.catalogue.columns import Columns as C
from recsys.data.ids import IdIndex
from recsys.types import IndexArray, ObjectArray

_SPELLED: Final = "spelling:"


def token_of_spelling(form: str) -> str:
    """Return the token of accounts without one whose ids differ in spelling alone, of `form` in common."""
    return f"{_SPELLED}{form}"


def is_given(token: str | None) -> bool:
    """Say whether a token was given, as whoever proved who they are has one.

    >>> is_given("hmac1:0"), is_given(token_of_spelling("u1")), is_given(None)
    (True, False, False)
    """
    return token is not None and not token.startswith(_SPELLED)


def token_rows(rows: pd.DataFrame, former: Collection[tuple[str, str]] = ()) -> pd.DataFrame:
    """Return the person tokens that each account ever had, the earliest first: `user_id`, `person_token`.

    former: accounts and tokens of rows that count for nothing else; they come last.
    """
    columns = [C.USER, C.PERSON_TOKEN]
    if C.PERSON_TOKEN not in rows:
        return pd.DataFrame(sorted(former), columns=columns, dtype=object)
    known = rows.loc[rows[C.PERSON_TOKEN].notna()]
    if C.VALID_FROM in known:
        known = known.sort_values(C.VALID_FROM, na_position="first", kind="stable")
    known = known[columns].astype(object)
    if former:
        known = pd.concat([known, pd.DataFrame(sorted(former), columns=columns, dtype=object)])
    return known.drop_duplicates(columns)


def tokens_of_persons(known: pd.DataFrame) -> dict[str, str]:
    """Return, for each token of `token_rows`, the one that stands for its person: the earliest.

    A token that changed names the same person still, so accounts that ever had a token in common are one
    person's.

    >>> rows = pd.DataFrame({"user_id": ["a", "a", "b"], "person_token": ["s", "t", "t"]})
    >>> tokens_of_persons(rows)
    {'s': 's', 't': 's'}
    """
    tokens, names = pd.factorize(known[C.PERSON_TOKEN])  # numbered from the earliest on
    users = pd.factorize(known[C.USER])[0]
    person, earliest = connected_rows(len(names), (tokens, users)), np.arange(len(names))
    several = np.flatnonzero(person >= 0)
    _, first, whose = np.unique(person[several], return_index=True, return_inverse=True)
    earliest[several] = several[first][whose]
    return dict(zip(names, np.asarray(names, object)[earliest], strict=True))


def connected_rows(n: int, *labelled: tuple[IndexArray, npt.NDArray[Any]]) -> IndexArray:
    """Return a number for each group of rows that labels connect, `(n,)`, -1 for a row that stands alone.

    labelled: pairs of rows and their labels, aligned; rows with a label of one kind in common are connected.

    >>> connected_rows(4, (np.array([0, 2]), np.array([7, 7])), (np.array([2, 3]), np.array([1, 1]))).tolist()
    [0, -1, 0, 0]
    """
    ends, size = [(np.zeros(0, np.int64), np.zeros(0, np.int64))], n
    for rows, labels in labelled:
        distinct, code = np.unique(labels, return_inverse=True)
        ends.append((rows, size + code))
        size += len(distinct)
    one, other = (np.concatenate(side) for side in zip(*ends, strict=True))
    graph = coo_array((np.ones(len(one), bool), (one, other)), (size, size))
    group = np.asarray(connected_components(graph, directed=False)[1][:n] if n else [], np.int64)
    return np.where(np.bincount(group)[group] > 1, group, -1)


def person_tokens(known: pd.DataFrame, ids: IdIndex) -> ObjectArray:
    """Return the token of each account's person, None where none is known."""
    first = known.drop_duplicates(C.USER).set_index(C.USER)[C.PERSON_TOKEN]
    if len(first) < len(known):  # somebody's token has changed
        first = first.map(tokens_of_persons(known))
    tokens = first.reindex(ids.values)
    return tokens.astype(object).where(tokens.notna(), None).to_numpy(object)


def under_known_account(
    contacts: pd.DataFrame, known: pd.DataFrame, ids: IdIndex, person_tokens: ObjectArray
) -> pd.DataFrame:
    """Return contact tokens, those of accounts without a row under one of their person that has one.

    known: see `token_rows`. person_tokens: `(n_people,)`, of each account's person.
    """
    person = tokens_of_persons(known)
    rows = np.flatnonzero(pd.notna(person_tokens))
    account = dict(zip(person_tokens[rows], ids.ids(rows), strict=True))
    absent = known[ids.find(known[C.USER]) < 0]
    meant = {user: account.get(person[token]) for user, token in absent.to_numpy(object)}
    users = contacts[C.USER].astype(object)
    return contacts.assign(**{C.USER: users.map(meant).where(users.isin(list(meant)), users)}).dropna(
        subset=[C.USER]
    )
