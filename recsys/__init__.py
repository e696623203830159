"""Mutual, boundary-respecting recommendations for companionship communities.

    import recsys

    people = recsys.load_population("parquet:data/town")
    events = recsys.load_events("parquet:data/town")
    policy = recsys.Policy.default()
    model = recsys.ContentModel().fit(people, events, rng=np.random.default_rng(7))
    lists = recsys.recommend(model, people, policy, k=20)

`recsys.evaluation` judges lists and `recsys.plots` draws them. All names are loaded when first used, so
`import recsys` stays quick and pulls in neither mlflow, implicit nor scikit-learn.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsys import evaluation as evaluation
    from recsys import plots as plots
    from recsys.allocation.allocate import allocate
    from recsys.constraints.policy import Policy
    from recsys.data.events import Events
    from recsys.data.population import Population
    from recsys.evaluation.compare import compare
    from recsys.evaluation.evaluate import evaluate
    from recsys.interactions.interactions import Interactions
    from recsys.models.baselines import RandomModel
    from recsys.models.content import ContentModel
    from recsys.models.hybrid import HybridModel
    from recsys.models.popularity import PopularityModel
    from recsys.ranking.ranker import Ranker
    from recsys.ranking.recommend import recommend
    from recsys.simulation.town import make_town
    from recsys.storage.load import load_events, load_population
    from recsys.storage.publication import read_publication


__version__ = "0.1.0"

_HOMES = {
    "ContentModel": "recsys.models.content",
    "Events": "recsys.data.events",
    "HybridModel": "recsys.models.hybrid",
    "Interactions": "recsys.interactions.interactions",
    "Policy": "recsys.constraints.policy",
    "PopularityModel": "recsys.models.popularity",
    "Population": "recsys.data.population",
    "RandomModel": "recsys.models.baselines",
    "Ranker": "recsys.ranking.ranker",
    "allocate": "recsys.allocation.allocate",
    "compare": "recsys.evaluation.compare",
    "evaluate": "recsys.evaluation.evaluate",
    "load_events": "recsys.storage.load",
    "load_population": "recsys.storage.load",
    "make_town": "recsys.simulation.town",
    "read_publication": "recsys.storage.publication",
    "recommend": "recsys.ranking.recommend",
}


_MODULES = ("evaluation", "plots")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"recsys.{name}")
    if name not in _HOMES:
        raise AttributeError(_unknown(name))
    return getattr(import_module(_HOMES[name]), name)


def _unknown(name: str) -> str:
    from recsys.errors import did_you_mean, explained

    return explained("recsys has no such name", got=name, remedy=did_you_mean(name, __dir__()))


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES, "__version__"])


__all__ = [
    "ContentModel",
    "Events",
    "HybridModel",
    "Interactions",
    "Policy",
    "PopularityModel",
    "Population",
    "RandomModel",
    "Ranker",
    "allocate",
    "compare",
    "evaluate",
    "load_events",
    "load_population",
    "make_town",
    "read_publication",
    "recommend",
]
