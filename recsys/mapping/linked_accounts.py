"""Accounts of one person by more than one proof: a phone or a mailbox that several accounts have in common.

A profile has one person token. Whoever comes back with another number and the same mailbox would be somebody
new by it, so rows of kind `person` in tokens.sql are further proofs of the same person.
"""

from typing import Any, Final

import numpy as np
import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.account_linkage import connected_rows
from recsys.mapping.results import as_frame

PROOF: Final = "person"
"""The kind of a row of tokens.sql whose token proves the person, as `person_token` of profiles does."""
_OWN: Final = "self"


def proofs_in(tokens: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows of tokens that prove a person, `user_id` and `hmac`; a missing one proves nobody.

    >>> rows = {"user_id": ["a", "b"], "kind": ["person", "self"], "hmac": ["x", "x"]}
    >>> proofs_in(pd.DataFrame(rows)).to_dict("records")
    [{'user_id': 'a', 'hmac': 'x'}]
    """
    if tokens is None or not {C.USER, C.KIND, C.HMAC} <= {*tokens.columns}:
        return pd.DataFrame(columns=[C.USER, C.HMAC], dtype=object)
    proofs = tokens.loc[tokens[C.KIND].eq(PROOF).fillna(False).astype(bool), [C.USER, C.HMAC]]
    return proofs.dropna().astype(object)


def as_own_tokens(tokens: pd.DataFrame) -> pd.DataFrame:
    """Return contact tokens as the engine takes them: a proof is a token of one's own, said once."""
    if C.KIND not in tokens:
        return tokens
    proofs = tokens[C.KIND].eq(PROOF).fillna(False).astype(bool)
    if not proofs.any():
        return tokens
    return tokens.assign(**{C.KIND: tokens[C.KIND].astype(object).mask(proofs, _OWN)}).drop_duplicates(
        ignore_index=True
    )


def with_linked_accounts(profiles: Any, proofs: pd.DataFrame) -> Any:
    """Return profiles in which accounts that share a proof have one person token.

    It is that of the account whose id is the least, so that a new account takes the token of the old one, and
    a proof itself where none of them has a token. profiles: an Arrow table with those that are set aside.
    """
    import pyarrow as pa

    if proofs.empty or C.USER not in profiles.column_names:
        return profiles
    users = as_frame(T.PROFILES, profiles.select([C.USER]))[C.USER].astype(object)
    has_column = C.PERSON_TOKEN in profiles.column_names
    given = profiles.column(C.PERSON_TOKEN).to_pylist() if has_column else [None] * len(users)
    own = pd.DataFrame({C.USER: users, C.HMAC: pd.Series(given, dtype=object)}).dropna(subset=[C.USER])
    person = _person_of(own, proofs)
    tokens = [
        person.get(user, token) if isinstance(user, str) else token
        for user, token in zip(users, given, strict=True)
    ]
    column = pa.array(tokens, pa.string())
    if not has_column:
        return profiles.append_column(C.PERSON_TOKEN, column)
    return profiles.set_column(profiles.column_names.index(C.PERSON_TOKEN), C.PERSON_TOKEN, column)


def _person_of(own: pd.DataFrame, proofs: pd.DataFrame) -> dict[str, str]:
    """Return the token of the person of each account that has a proof, or shares a token with one that has.

    own: `user_id` and `hmac`, the person token of each account, None for none. proofs: see `proofs_in`.
    """
    told = pd.concat([own.assign(first=0), proofs[proofs[C.USER].isin(own[C.USER])].assign(first=1)])
    told = told.dropna(subset=[C.HMAC]).sort_values([C.USER, "first", C.HMAC], kind="stable")
    if told.empty:
        return {}
    users, names = pd.factorize(told[C.USER])
    group = connected_rows(len(names), (users, told[C.HMAC].to_numpy(object).astype(str)))
    group = np.where(group >= 0, group, group.max(initial=0) + 1 + np.arange(len(names)))
    told = told.assign(group=group[users]).sort_values(["first", C.USER, C.HMAC], kind="stable")
    token = told.drop_duplicates("group").set_index("group")[C.HMAC]
    return dict(zip(names, token.reindex(group), strict=True))
