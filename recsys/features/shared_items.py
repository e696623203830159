"""Shared items: what two people both listen to, read or join, the rarer the more telling."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from recsys.arguments import check_type
from recsys.catalogue.columns import Columns as C
from recsys.data.events import Events
from recsys.data.ids import check_match, hashed_strings
from recsys.data.population import Population
from recsys.errors import InputError, TableError, explained
from recsys.features.base import Block
from recsys.features.numeric import MOST_UNKNOWN, SALT, FittedNumeric
from recsys.types import Float64Array

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_LEAST_PEOPLE: Final = 2
"""People who share an item at least, for it to tell anybody's row from anybody else's."""


class SharedItems(Block):
    """Closeness by a second table: cosines of the items people have, weighted by rarity.

    table:       user_id and `item`, one row an item a person has; others of other people may be there.
    item:        the column of the items, of any values.
    amount:      a column of numbers of 0 or more, how much of the item, such as plays; None counts each once.
    max_columns: directions that are kept; below so many people or items the cosine is exact.
    weight:      logits that a cosine of 1 is worth before any outcome was seen; outcomes move it. Without it
                 lists of a log in which nobody has decided yet would be ties.

    An item of a person weighs `log(1 + amount) log(N / n)`, with n of the N people of the fit who have it;
    rows have length 1 before directions are left out, so the pair score is about the cosine, in [0, 1].
    Somebody without a row in the table has zeros. Leave out what a model should not learn from.

    Source: Salton and Buckley, "Term-weighting approaches in automatic text retrieval", Information
    Processing & Management 24 (1988) 513-523.

    >>> people = Population.of_ids(["a", "b", "c"], as_of="2026-01-05")
    >>> heard = pd.DataFrame({"user_id": ["a", "b", "c", "c"], "item": ["fado", "fado", "jazz", "folk"]})
    >>> SharedItems(heard).fit_transform(people).pair_scores([0, 0], [1, 2]).round(2).tolist()
    [1.0, 0.0]
    """

    name = "shared_items"

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        item: str = "item",
        amount: str | None = None,
        max_columns: int = 128,
        weight: float = 2.0,
        name: str = "shared_items",
    ) -> None:
        self.name = name
        self.table = table
        self.item = item
        self.amount = amount
        self.max_columns = max_columns
        self.weight = weight

    def _check_weight(self) -> None:
        check_type(self.weight, float, name="weight", where="SharedItems")
        if not 0.0 <= self.weight < np.inf:
            got, remedy = self.weight, "give 0 or more"
            raise InputError(explained("impossible weight", where="SharedItems", got=got, remedy=remedy))

    def _learn(self, people: Population, events: Events) -> "FittedSharedItems":  # noqa: ARG002
        from scipy.sparse import csr_array, diags_array

        self._check_weight()
        users, items, amounts = self._checked_table()
        ids = pd.Index(users.unique())
        check_match(
            people.ids, ids, what="the table", where="SharedItems.fit", most=MOST_UNKNOWN, required=True
        )
        person, column = ids.get_indexer(users), pd.factorize(items)[0]
        shape = (len(ids), int(column.max(initial=-1)) + 1)
        counts = csr_array((amounts, (person, column)), shape=shape)
        counts.data = np.log1p(counts.data)
        fitted = np.isin(ids.to_numpy(object), people.ids.values)
        having = np.asarray((counts[fitted] > 0).sum(axis=0)).ravel()
        rarity = np.log(max(int(fitted.sum()), 1) / np.maximum(having, 1.0))
        weighted = csr_array(counts @ diags_array(np.where(having >= _LEAST_PEOPLE, rarity, 0.0)))
        length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        rows = csr_array(diags_array(1.0 / np.where(length > 0.0, length, 1.0)) @ weighted)
        directions = _directions(rows[np.flatnonzero(fitted)], self.max_columns)
        coded = np.asarray(rows.dot(directions), np.float32)
        hashes = hashed_strings([str(user) for user in ids], salt=SALT)
        order = np.argsort(hashes, kind="stable")
        labels = tuple(f"direction_{at}" for at in range(coded.shape[1]))
        return FittedSharedItems(hashes[order], coded[order], coded[order], labels, float(self.weight))

    def _checked_table(self) -> tuple["pd.Series[Any]", "pd.Series[Any]", Float64Array]:
        """Return user, item and amount of each row, or raise TableError with every problem."""
        needed = [C.USER, self.item, *([] if self.amount is None else [self.amount])]
        problems = [f"column '{name}' is missing" for name in needed if name not in self.table.columns]
        if problems:
            raise TableError("table", problems)
        amounts = np.ones(len(self.table))
        if self.amount is not None:
            amounts = pd.to_numeric(self.table[self.amount], errors="coerce").to_numpy(np.float64)
            wrong = ~(np.isfinite(amounts) & (amounts >= 0.0))
            if wrong.any():
                first = self.table.loc[wrong, self.amount].iloc[0]
                got = f"{int(wrong.sum())} amounts are no number of 0 or more, the first {first!r}"
                problems.append(f"{got}; leave those rows out")
        if self.table[[C.USER, self.item]].isna().any(axis=None):
            problems.append(f"a row has no '{C.USER}' or no '{self.item}'; leave it out")
        if problems:
            raise TableError("table", problems)
        return self.table[C.USER], self.table[self.item], amounts


@dataclass(frozen=True, eq=False)
class FittedSharedItems(FittedNumeric):
    """Rows of about length 1 by person, the same as viewer and as candidate; zeros without an item."""

    name: ClassVar[str] = "shared_items"

    usual_weight: float


def _directions(matrix: "csr_array[Any]", most: int) -> Float64Array:
    """Return the leading right singular directions of sparse rows, `(n_columns, k)`; of few, all."""
    from scipy.sparse.linalg import svds

    if min(matrix.shape) <= max(most, 1):
        return np.asarray(np.linalg.svd(matrix.toarray(), full_matrices=False)[2].T, np.float64)
    start = np.ones(min(matrix.shape))
    return np.asarray(svds(matrix, k=most, v0=start)[2].T[:, ::-1], np.float64)
