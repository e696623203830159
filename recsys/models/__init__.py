"""Everything that scores: two matrices, `taste` and `appeal`.

Every model and its settings, loaded when first used; the names stand in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
