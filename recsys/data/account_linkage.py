"""Which accounts are one person's: those that ever had a person token in common.

The index of persons that a night publishes is in `recsys.safety.person_index`; what is said of an account
without a row reaches the others of its person by `recsys.data.absent_accounts`.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from recsys.catalogue.columns import Columns as C
from recsys.data.ids import IdIndex
from recsys.types import ObjectArray


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
    n_tokens = len(names)
    size = n_tokens + int(users.max(initial=-1)) + 1
    links = coo_array((np.ones(len(known), bool), (users + n_tokens, tokens)), (size, size))
    component = connected_components(links, directed=False)[1]
    earliest = np.full(component.max(initial=-1) + 1, n_tokens)
    np.minimum.at(earliest, component[:n_tokens], np.arange(n_tokens))
    return dict(zip(names, np.asarray(names, object)[earliest[component[:n_tokens]]], strict=True))


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
