"""Figures of the library: each takes the tables it returns and gives back matplotlib axes.

    from recsys import plots

    plots.models(recsys.evaluation.compare(lists, truth), "ndcg@10")

Every function draws on `ax`, or on new axes when None, and returns the axes, so that titles and
limits can be changed afterwards; `use_style` gives other figures the same look. The report draws with
the same functions.
"""

from recsys.evaluation.market import lorenz_curve
from recsys.plots.lists import funnel, list_lengths, lorenz, trend
from recsys.plots.metrics import evidence_curve, models, policy_curves, reliability
from recsys.plots.people import cell_map, embedding_map, pair, principal_plane
from recsys.plots.studies import estimators, learning_curve, order, policies
from recsys.plots.style import use_style

__all__ = [
    "cell_map",
    "embedding_map",
    "estimators",
    "evidence_curve",
    "funnel",
    "learning_curve",
    "list_lengths",
    "lorenz",
    "lorenz_curve",
    "models",
    "order",
    "pair",
    "policies",
    "policy_curves",
    "principal_plane",
    "reliability",
    "trend",
    "use_style",
]
