"""What a night or an analysis used, reached and made, kept so that it can be compared.

    from recsys import tracking

    tracking.log(model, table, people=people, events=events)

mlflow is imported here alone, when a tracker is first used. `recsys.tracking.tracker` says what a
tracker is, `mlflow_tracker` is the one that keeps things, `registry` holds models by version, and
`promotion` decides which of them is the champion. The names stand in `__init__.pyi`.
"""

from typing import Any

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Load a public name; an unknown one is an error that names the nearest."""
    if name in __all__:
        return _load(name)
    from recsys.errors import unknown_name

    raise unknown_name(__name__, name, __all__)
