"""Pictures for notebooks: each takes the tables the library returns and gives back matplotlib axes.

    from recsys import plots

    plots.models(recsys.evaluation.compare(lists, truth), "ndcg@10")

Every function draws on `ax`, or on new axes when None, and returns the axes, so that titles and
limits can be changed afterwards; `use_style` gives other pictures the same look. matplotlib comes with
the extra `report`.
"""

from recsys.evaluation.market import lorenz_curve
from recsys.plots.cells import cell_map
from recsys.plots.embedding import embedding_map, principal_plane
from recsys.plots.evidence import evidence_curve
from recsys.plots.funnel import funnel
from recsys.plots.lengths import list_lengths
from recsys.plots.lorenz import lorenz
from recsys.plots.models import models
from recsys.plots.pair import pair
from recsys.plots.reliability import reliability
from recsys.plots.style import use_style

__all__ = [
    "cell_map",
    "embedding_map",
    "evidence_curve",
    "funnel",
    "list_lengths",
    "lorenz",
    "lorenz_curve",
    "models",
    "pair",
    "principal_plane",
    "reliability",
    "use_style",
]
