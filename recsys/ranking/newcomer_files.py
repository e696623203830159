"""What a publication keeps for people who were not there yet: the rules' words and the model."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from recsys.constraints.brought import brought_constraint, is_own
from recsys.constraints.constraint import Constraint
from recsys.constraints.newcomer import Plan
from recsys.constraints.policy import Policy
from recsys.errors import PublicationError, explained
from recsys.models.model import Model
from recsys.models.nearness import Nearness
from recsys.plugins import plugins
from recsys.schema.population import Population
from recsys.storage.arrays import load_arrays, save_arrays
from recsys.storage.manifest import Manifest, verify_files
from recsys.storage.published import NEWCOMERS

_MODELS: Final[Mapping[str, tuple[str, str]]] = {
    "content": ("recsys.models.content", "ContentModel"),
    "hybrid": ("recsys.models.hybrid", "HybridModel"),
}
"""Models that score people they have never seen."""


def write_newcomer_files(folder: Path, people: Population, policy: Policy, model: Model) -> bool:
    """Write to `folder` what folding in one more person needs; say whether this model can do it at all."""
    if model.name not in _MODELS:
        return False
    plan = Plan.of(policy, people, policy.compile(people))
    light = model.for_newcomers()
    nearness = light.fitted.nearness
    own = Policy(tuple(one for one in policy.constraints if is_own(one)))
    settings = next((s for s in _settings() if Policy.default(**s).version == own.version), None)
    brought = [one for one in policy.constraints if not is_own(one)]
    meta = {
        "model": model.name,
        "policy": settings,
        "brought": {one.name: _options(one) for one in brought},
        "answers_seen": dict(plan.answers_seen),
        "nearness": None if nearness is None else asdict(nearness),
    }
    save_arrays(folder, plan.arrays(), meta)
    light.save(folder / "model")
    return True


def _options(constraint: Constraint) -> dict[str, Any] | None:
    """Return the settings of a rule from outside; None when they are no plain values."""
    options: dict[str, Any] = asdict(constraint) if is_dataclass(constraint) else {}
    try:
        again: Any = json.loads(json.dumps(options))
    except TypeError:
        return None
    return options if again == options else None


def _rules(settings: Mapping[str, Any] | None, brought: Mapping[str, Any]) -> Policy | None:
    """Return the rules a publication was made with, when settings and plugins alone make them."""
    if not settings or any(
        options is None or name not in plugins("constraints") for name, options in brought.items()
    ):
        return None
    policy = Policy.default(**settings)
    for name, options in brought.items():
        policy &= brought_constraint(name, options)
    return policy


def _settings() -> list[dict[str, Any]]:
    tiers, same = ("age", "id", "id_liveness"), (True, False)
    return [{"verification": tier, "same_employer": employer} for tier in tiers for employer in same]


@dataclass(frozen=True, eq=False)
class NewcomerFiles:
    """The same, opened: the plan, the rules it was made of, the model, and its nearness."""

    plan: Plan
    policy: Policy
    model: Model
    nearness: Nearness | None

    @classmethod
    def open(cls, run: Path, manifest: Manifest, policy: Policy | None) -> Self:
        """Verify and map what was written; a policy that is not a default one has to be given.

        Raises PublicationError when there is nothing, or it is damaged.
        """
        if f"{NEWCOMERS}/arrays.json" not in manifest.files:
            remedy = "publish a content or hybrid model"
            raise PublicationError(explained("this publication folds nobody in", remedy=remedy))
        verify_files(run, manifest, under=f"{NEWCOMERS}/")
        arrays, meta = load_arrays(run / NEWCOMERS, mmap="c", verify=False)
        rules = policy or _rules(meta["policy"], meta.get("brought", {}))
        if rules is None or rules.version != manifest.made_from.policy:
            raise PublicationError(
                explained("the rules of this publication are not known", remedy="give policy=")
            )
        module, name = _MODELS[meta["model"]]
        model = getattr(import_module(module), name).load(run / NEWCOMERS / "model")
        near = None if meta["nearness"] is None else Nearness(**meta["nearness"])
        return cls(Plan.from_arrays(arrays, meta["answers_seen"]), rules, model, near)


def padded(factors: Any, width: int) -> Any:
    """Return one row of factors in float64, padded with zeros to `width`.

    Raises PublicationError when it is longer than that.

    >>> padded(np.ones((1, 2), np.float32), 3).tolist()
    [1.0, 1.0, 0.0]
    """
    row = np.asarray(factors, np.float64)[0]
    if len(row) > width:
        raise PublicationError(explained("the model has other factors than the publication", got=len(row)))
    return np.concatenate([row, np.zeros(width - len(row))])
