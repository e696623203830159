"""What makes two people likely for each other, as bars."""

from typing import TYPE_CHECKING, Final

import numpy as np

from recsys.catalogue.loading import load_catalogue
from recsys.plots.canvas import canvas, legend
from recsys.plots.style import ACCENT, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from recsys.models.explanation import PairExplanation


_OTHER: Final = "#c7772e"


def pair(explained: "PairExplanation", *, ax: "Axes | None" = None) -> "Axes":
    """Draw what `Model.explain_pair` returns: a bar a part and direction, in logits, the largest first.

    Bars to the right make a like more likely, bars to the left less; all bars of a colour add up to the
    logit in the legend. For data scientists and operators, never for a member.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = recsys.PopularityModel().fit(people, events, rng=np.random.default_rng(7))
    >>> axes = pair(model.explain_pair("u0000001", "u0000002"))
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['popularity', 'level']
    """
    table = explained.summary()
    axes = canvas(ax, width=7.0, height=1.4 + 0.42 * len(table))
    rows = np.arange(len(table))
    for at, (name, colour) in enumerate(zip(table.columns, (ACCENT, _OTHER), strict=True)):
        label = f"{name}: {explained.logits[at]:+.2f}, {explained.p_like[at]:.0%}"
        axes.barh(rows + (at - 0.5) * 0.38, table[name], height=0.36, color=colour, label=label)
    axes.axvline(0.0, color=SOFT, linewidth=0.8)
    axes.set_yticks(rows, table.index.tolist())
    axes.invert_yaxis()
    title = load_catalogue().text("explanation.title", explained.lang, model=explained.model)
    axes.set(xlabel="logit", title=title)
    legend(axes)
    return axes
