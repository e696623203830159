"""An external query finds exactly what a member with the same answers, whom nobody knows yet, is shown."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.constraints.compiled import Compiled
from recsys.data.csr import SparseRows
from recsys.errors import InputError
from recsys.models.directed import Directed
from recsys.models.reciprocal import COMBINERS
from recsys.retrieval import Retriever
from recsys.retrieval.external_query import ExternalQuery
from tests.constraints.plain_masks import plain_may_show
from tests.retrieval.worlds import compiled_world, directed_world


def alone(compiled: Compiled, row: int) -> Compiled:
    """The one person at `row`, as compiled of one."""
    each = ("listed", "traits", "refuses", "overlaps", "cell", "max_km", "min_km", "in_person")
    arrays = {name: getattr(compiled, name)[[row]] for name in (*each, "liked_only", "suggestible")}
    for name in ("own", "avoid"):
        groups = getattr(compiled, name).row(row)
        arrays |= {f"{name}_indptr": np.array([0, len(groups)]), f"{name}_indices": groups}
    return replace(compiled, n_people=1, **arrays)


def unknown_to_all(compiled: Compiled, row: int) -> Compiled:
    """The same community, but nobody is separated from `row` or has liked them; they are listed."""
    changed = {}
    for name, both in (("separated", True), ("liked", False)):
        lists = getattr(compiled, name)
        rows = np.repeat(np.arange(compiled.n_people), np.diff(lists.indptr))
        keep = (lists.indices != row) & ~((rows == row) & both)
        kept = SparseRows.of(rows[keep], lists.indices[keep], compiled.n_people)
        changed |= {f"{name}_indptr": kept.indptr, f"{name}_indices": kept.indices}
    listed = compiled.listed.copy()
    listed[row] = True
    return replace(compiled, listed=listed, **changed)


def met_by_group(compiled: Compiled, row: int) -> np.ndarray:
    """The rows that share a group with one person, owned by one of them at least."""
    everybody = np.arange(compiled.n_people)
    me = np.full(compiled.n_people, row)
    own, avoid = compiled.own, compiled.avoid
    met = own.share(me, own, everybody) | own.share(me, avoid, everybody) | avoid.share(me, own, everybody)
    return np.flatnonzero(met & (everybody != row))


def query_of(retriever: Retriever, compiled: Compiled, directed: Directed, row: int) -> ExternalQuery:
    layout = retriever._index
    order = layout.order
    near = None
    if directed.distance_decay is not None:
        _, first = np.unique(layout.people.place, return_index=True)
        near = directed.distance_decay.matrix(directed.cell[[row]], directed.cell[order[first]])[0]
    return ExternalQuery.of(
        layout,
        alone(compiled, row),
        taste=directed.taste[row],
        appeal=directed.appeal[row],
        near=near,
    )


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 40),
    k=st.integers(1, 12),
    how=st.sampled_from(sorted(COMBINERS)),
    density=st.sampled_from([0.0, 0.03]),
    near=st.booleans(),
    priced=st.booleans(),
)
def test_an_external_query_finds_what_a_member_is_shown(
    seed: int, n: int, k: int, how: str, density: float, near: bool, priced: bool
) -> None:
    rng = np.random.default_rng(seed)
    row = int(rng.integers(n))
    compiled = unknown_to_all(compiled_world(rng, n, density=density), row)
    directed = directed_world(rng, n, 5, near=near)
    price = rng.choice([0.0, 0.3, 1.0], n) * priced
    exclude = rng.permutation(n)[: n // 4]
    pairs = np.column_stack([np.full(len(exclude), row), exclude])
    member = Retriever(directed, compiled).top_k([row], k=k, combiner=how, exclude=pairs, price=price)
    absent = compiled.listed.copy()
    absent[row] = False
    others = Retriever(directed, replace(compiled, listed=absent), tile=7)
    query = query_of(others, compiled, directed, row)
    order = others._index.order
    met = met_by_group(compiled, row)
    left_out = np.union1d(exclude, met)
    found = query.top_k(others._index, k=k, combiner=how, exclude=left_out, price=price[order])
    assert found.rows.tolist() == member.candidates.tolist()
    for name in ("p_like", "p_liked_back", "p_mutual"):
        assert getattr(found, name).tobytes() == getattr(member, name).tobytes()
    everybody = np.arange(n)
    expected = plain_may_show(compiled, np.full(n, row), everybody)
    expected[met] = query.may_show(others._index, met)  # groups are excluded by the caller
    assert query.may_show(others._index, everybody).tolist() == expected.tolist()


@pytest.mark.parametrize(
    "wrong",
    [
        {"taste": np.ones(99)},
        {"taste": np.full(5, np.nan)},
        {"taste": np.full(5, 1e36)},
        {"appeal": np.ones((1, 5))},
        {"near": np.zeros(99)},
    ],
)
def test_a_query_of_another_layout_is_refused(wrong: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    compiled, directed = compiled_world(rng, 20), directed_world(rng, 20)
    layout = Retriever(directed, compiled)._index
    right = {"taste": directed.taste[0], "appeal": directed.appeal[0]}
    with pytest.raises(InputError, match="query"):
        ExternalQuery.of(layout, alone(compiled, 0), **(right | wrong))
    elsewhere = replace(alone(compiled, 0), cell_reach=np.zeros((9, 3), np.uint32))
    with pytest.raises(InputError, match="reach"):
        ExternalQuery.of(layout, elsewhere, **right)
    with pytest.raises(InputError, match="compiled"):
        ExternalQuery.of(layout, compiled, **right)
