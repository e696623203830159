"""Everything that scores: two matrices, `taste` and `appeal`.

Every model and its settings, loaded when first used; the names stand in `__init__.pyi`.
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
