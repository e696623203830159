"""What a night or an analysis used, reached and made, kept so that it can be compared.

    from recsys import tracking

    tracking.log(model, table, people=people, events=events)

mlflow is imported here alone, when a tracker is first used. `recsys.tracking.tracker` says what a
tracker is, `mlflow_tracker` is the one that keeps things, `registry` holds models by version, and
`promotion` decides which of them is the champion. The names stand in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
