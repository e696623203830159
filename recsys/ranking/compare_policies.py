"""What if: the people, pairs and lists of several policies side by side."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.columns import Columns as C
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.errors import ArgumentTypeError, InputError, explained, warn
from recsys.models.base import Model
from recsys.ranking.recommend import recommend

Scenario = Policy | tuple[Policy, Population]
_VIEWERS_AT_ONCE: Final = 256


@checked_arguments
def compare_policies(
    scenarios: Mapping[str, Scenario], people: Population, *, model: Model | None = None, k: int = 10
) -> pd.DataFrame:
    """Return what each policy would leave: one row a scenario, in the order given.

    scenarios: a policy by name, or a policy with the people as they would be. "What if everybody went 50 km"
               is {"today": policy, "50 km": (policy, people.assuming(max_distance_km=50))}, "what if that
               rule were not there" a `policy.without(...)`. They are compared and nothing is published.
    model:     also recommends; without it nothing is scored.
    k:         the length of a full list.

    Columns: scenario, listed (people who may be shown), pairs (viewer and candidate, each direction, without
    those the viewer has liked already, whom no list holds again), candidates (the median a listed viewer
    has), none (share of listed people without a candidate), fewer (with fewer than k).
    With a model also matches: P(both like | both look) summed over the lists of k, by listed people; and
    unreached: the share of listed people who are in nobody's list.

    Raises InputError without a scenario, ArgumentTypeError for anything but policies and people.

    >>> import recsys
    >>> people = recsys.load_population(recsys.make_town(120, rng=7).tables)
    >>> policy = Policy.default()
    >>> wider = (policy, people.assuming(max_distance_km=100))
    >>> table = compare_policies({"today": policy, "100 km": wider}, people)
    >>> table["scenario"].tolist(), table["pairs"].is_monotonic_increasing
    (['today', '100 km'], True)
    """
    if not scenarios:
        raise InputError(explained("no policy to compare", remedy="give policies by name"))
    rows: dict[str, dict[str, float]] = {}
    for name, scenario in scenarios.items():
        policy, there = scenario if isinstance(scenario, tuple) else (scenario, people)
        if not isinstance(policy, Policy) or not isinstance(there, Population):
            remedy = "give a Policy, or a Policy and a Population"
            got = type(scenario).__name__
            raise ArgumentTypeError(explained(f"'{name}' is no scenario", got=got, remedy=remedy))
        rows[str(name)] = _counted(policy, there, k)
        if len(there) and not rows[str(name)]["listed"]:
            remedy = "policy.compile(people).listed says who; people without profiles are listed by no rule"
            warn(explained("nobody is listed", where=f"scenario '{name}'", remedy=remedy))
        if model is not None:
            rows[str(name)] |= _listed(model, policy, there, k)
    return pd.DataFrame([{"scenario": name} | row for name, row in rows.items()])


def _counted(policy: Policy, people: Population, k: int) -> dict[str, float]:
    compiled = policy.compile(people)
    listed = np.flatnonzero(compiled.listed)
    candidates = np.zeros(len(listed), np.int64)
    for start in range(0, len(listed), _VIEWERS_AT_ONCE):
        tile = slice(start, start + _VIEWERS_AT_ONCE)
        candidates[tile] = compiled.may_show_block(listed[tile], listed).sum(axis=1)
    i, j = np.unique(people.relations.liked, axis=0).T
    liked = compiled.may_show(i, j) & compiled.listed[i] & compiled.listed[j]
    candidates -= np.bincount(np.searchsorted(listed, i[liked]), minlength=len(listed))
    return {
        "listed": len(listed),
        "pairs": int(candidates.sum()),
        "candidates": float(np.median(candidates)) if len(listed) else 0.0,
        "none": float((candidates == 0).mean()) if len(listed) else 0.0,
        "fewer": float((candidates < k).mean()) if len(listed) else 0.0,
    }


def _listed(model: Model, policy: Policy, people: Population, k: int) -> dict[str, float]:
    lists = recommend(model, people, policy, k=k)
    n_listed = max(int(policy.compile(people).listed.sum()), 1)
    return {
        "matches": float(lists[C.P_MUTUAL].sum()) / n_listed,
        "unreached": 1.0 - lists[C.CANDIDATE].nunique() / n_listed,
    }
