"""Constraints of plugins: loaded by name, and checked against what every constraint promises."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from recsys.arguments import checked_arguments
from recsys.constraints.base import Constraint
from recsys.constraints.policy import Policy, standard_constraints
from recsys.data.population import Population
from recsys.errors import PluginError, explained
from recsys.plugins import build_plugin, known_names
from recsys.types import BoolArray, Int32Array

_SAMPLED: Final = 200
_OURS: Final = "recsys."


def plugin_constraint(name: str, options: Mapping[str, Any]) -> Constraint:
    """Return the constraint that a plugin registers under a name, with its settings.

    Raises PluginError when it cannot be used, SettingsError for settings it does not take.
    """
    known_names("constraints", [*(one.name for one in standard_constraints()), "self", "other"])

    where = "settings.policy.constraints"
    built: Constraint = build_plugin(
        "constraints", name, options, what="a constraint", base=Constraint, where=where
    )
    return built


def is_own(constraint: Constraint) -> bool:
    """Say whether a rule is one of this package, whose two forms tests hold equal."""
    return type(constraint).__module__.startswith(_OURS)


def check_plugin_constraints(policy: Policy, people: Population) -> None:
    """Hold every rule from outside to its promises, see `check_constraint`.

    Raises PluginError naming the rule and the first pair.
    """
    for constraint in policy.constraints:
        if not is_own(constraint):
            check_constraint(constraint, people)


@checked_arguments
def check_constraint(constraint: Constraint, people: Population) -> None:
    """Hold a rule to its promises, on pairs among 200 people spread over everybody.

    The plain form must be a mask, the same both ways, and the compiled form must say what it says. A
    rule whose compiled form allowed more would let people be shown, in live search, whom it forbids.

    Raises PluginError naming the rule and the first pair.

    >>> from recsys.constraints.profile import AgeBands
    >>> check_constraint(AgeBands(), Population.of_ids(["a", "b"], as_of="2026-01-05"))
    """
    rows = np.linspace(0, max(len(people) - 1, 0), min(_SAMPLED, len(people))).astype(np.int32)
    i, j = np.repeat(rows, len(rows)), np.tile(rows, len(rows))
    i, j = i[i != j], j[i != j]
    if not len(i):
        return
    meet = _mask(constraint, "allows", people, i, j)
    back = _mask(constraint, "allows", people, j, i)
    _refuse(constraint, i, j, meet != back, "a rule is not the same both ways")
    shown = meet & _mask(constraint, "shows", people, i, j)
    fast = Policy((constraint,)).compile(people).may_show(i, j)
    what = "the two forms of a rule differ; the compiled one allows more"
    _refuse(constraint, i, j, fast & ~shown, what)
    _refuse(constraint, i, j, shown & ~fast, "the two forms of a rule differ")


def _mask(constraint: Constraint, form: str, people: Population, i: Int32Array, j: Int32Array) -> BoolArray:
    found = getattr(constraint, form)(people, i, j)
    if not isinstance(found, np.ndarray) or found.dtype != bool or found.shape != i.shape:
        got = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
        remedy = f"return one bool a pair, {i.shape} here"
        raise PluginError(
            explained(f"'{form}' of a rule is no mask", where=constraint.name, got=got, remedy=remedy)
        )
    return found


def _refuse(constraint: Constraint, i: Int32Array, j: Int32Array, wrong: BoolArray, what: str) -> None:
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        got = f"{int(wrong.sum())} of {len(wrong)} pairs, the first at rows {i[first]} and {j[first]}"
        remedy = "subclass recsys.testing.ConstraintContract to find out"
        raise PluginError(explained(what, where=constraint.name, got=got, remedy=remedy))
