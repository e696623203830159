"""Use of the package that a type check refuses: where one of these errors is not found, `make type` fails.

Nothing of it runs. Planted and seen caught: a stub file of the package that knows every name.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import recsys

    right_name = recsys.Ranker
    misspelt = recsys.Rankr  # type: ignore[attr-defined]
    recsys.HybridModel(factors=16, blocks=[recsys.features.Scales()])
    recsys.HybridModel(factor=16)  # type: ignore[call-arg]
    recsys.HybridModel(factors="16")  # type: ignore[arg-type]
    recsys.models.EASE(regularisation=1.0)  # type: ignore[call-arg]
    recsys.make_town(20, rng=7)
    recsys.make_town(20, rng="7")  # type: ignore[arg-type]
    misspelt_function = recsys.tracking.logg  # type: ignore[attr-defined]
