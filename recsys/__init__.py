"""Mutual, boundary-respecting recommendations for companionship communities.

    import recsys

    people = recsys.load_population("parquet:data/town")
    events = recsys.load_events("parquet:data/town")
    policy = recsys.Policy.default()
    model = recsys.ContentModel().fit(people, events, rng=np.random.default_rng(7))
    lists = recsys.recommend(model, people, policy, k=20)

`recsys.evaluation` measures lists and `recsys.plots` draws them. The public names stand in
`__init__.pyi` and are loaded when first used, so `import recsys` is quick and loads neither mlflow,
implicit nor scikit-learn.
"""

from typing import Any

import lazy_loader

__version__ = "0.2.0"

_NAMESPACES = ("models", "features", "evaluation", "experiments", "tracking")
"""Packages whose names are asked for by mistake in this one."""
_load, _, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Load a public name; an unknown one is an error that names the nearest."""
    if name in __all__:
        return _load(name)
    from importlib import import_module
    from importlib.util import find_spec

    from recsys.errors import explained, unknown_name

    # A module is asked for as an attribute before it is loaded: `from recsys import errors` loads it alone.
    is_module = not name.startswith("_") and find_spec(f"{__name__}.{name}") is not None
    for package in () if name.startswith("_") or is_module else _NAMESPACES:
        if name in import_module(f"{__name__}.{package}").__all__:
            remedy = f"use recsys.{package}.{name}"
            raise AttributeError(explained("recsys has no such name", got=name, remedy=remedy))
    raise unknown_name(__name__, name, __dir__())


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
