"""What the logits of one pair are made of, for data scientists and operators; never for a member."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import Language
from recsys.models.directed import sigmoid
from recsys.types import Float64Array

Kind = Literal["level", "answers", "place", "behaviour", "reduction", "noise", "whole"]
Side = Literal["both", "viewer", "candidate"]


class LogitTerm(NamedTuple):
    """One term of a logit.

    kind: where it comes from. name: which of that kind; of answers, the feature block.
    side: `both` for what depends on the pair, else whose own number it is.
    """

    kind: Kind
    name: str
    side: Side = "both"


LogitTerms = Mapping[LogitTerm, Float64Array]
"""Each term's share of the logits of some pairs, `(n_pairs,)` each; together they are the logits."""

LEVEL: Final = LogitTerm("level", "level")
DISTANCE_DECAY: Final = LogitTerm("place", "distance_decay")
PERSONAL: Final = LogitTerm("behaviour", "personal")
FACTORS: Final = LogitTerm("behaviour", "factors")
SELECTIVITY: Final = LogitTerm("behaviour", "selectivity", "viewer")
POPULARITY: Final = LogitTerm("behaviour", "popularity", "candidate")
CLOSENESS: Final = LogitTerm("behaviour", "common_neighbours")
AFFINITY: Final = LogitTerm("behaviour", "affinity")
REDUCTION: Final = LogitTerm("reduction", "reduction")
NOISE: Final = LogitTerm("noise", "noise")
WHOLE: Final = LogitTerm("whole", "whole")


_BAR_PX = 70


@dataclass(frozen=True, eq=False)
class PairExplanation:
    """Two people's chances to like each other, term by term, in logits; made by `Model.explain_pair`.

    ids:    the two, as given. model: its name. lang: of the words shown.
    logits: `(2,)`: of "the first likes the second", then the other way round.
    terms:  what each adds to the two; they add up to `logits`.
    p_mutual: both, as the model combines them.

    For the people who run and study the engine. It speaks of somebody's own way to say yes, of how
    liked they are, and of pairs that may never meet, so nothing of it may reach a member. Answers
    themselves are not in it: a term is a whole block, and sensitive answers enter no block.

    >>> from recsys.models.explanation import LEVEL, POPULARITY
    >>> terms = {LEVEL: np.array([-1.0, -1.0]), POPULARITY: np.array([0.5, 0.0])}
    >>> PairExplanation(("a", "b"), "popularity", np.array([-0.5, -1.0]), terms, 0.1)
    PairExplanation(a and b by popularity, p_mutual 0.100, in logits)
                a likes b  b likes a
    popularity     +0.500     +0.000
    level          -1.000     -1.000
    logit          -0.500     -1.000
    p_like          0.378      0.269
    """

    ids: tuple[Hashable, Hashable]
    model: str
    logits: npt.NDArray[np.float64]
    terms: LogitTerms
    p_mutual: float
    lang: Language = "en"

    @property
    def p_like(self) -> npt.NDArray[np.float64]:
        """P(like | look) of the two directions, `(2,)` in [0, 1]."""
        return sigmoid(self.logits)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a direction and term: viewer_id, candidate_id, kind, term, side, label, logit."""
        rows = [
            (self.ids[at], self.ids[1 - at], term.kind, term.name, term.side, self._label(term), values[at])
            for at in (0, 1)
            for term, values in self.terms.items()
        ]
        return pd.DataFrame(rows, columns=[C.VIEWER, C.CANDIDATE, "kind", "term", "side", "label", "logit"])

    def summary(self) -> pd.DataFrame:
        """Return one row a term, sides added up, the largest first; one column a direction, in logits."""
        added: dict[str, npt.NDArray[np.float64]] = {}
        for term, values in self.terms.items():
            label = self._label(term)
            added[label] = added.get(label, np.zeros(2)) + values
        level = load_catalogue().text("explained.level", self.lang)
        order = sorted(added, key=lambda label: (label == level, -float(np.abs(added[label]).max())))
        rows = np.array([added[label] for label in order]).reshape(-1, 2)
        return pd.DataFrame(rows, index=pd.Index(order, name="term"), columns=list(self.directions))

    @property
    def directions(self) -> tuple[str, str]:
        """What the two directions are called, in words."""
        catalogue = load_catalogue()
        first, second = (
            catalogue.text("explanation.direction", self.lang, viewer=str(a), candidate=str(b))
            for a, b in (self.ids, self.ids[::-1])
        )
        return first, second

    def __repr__(self) -> str:
        table = self.summary().map("{:+.3f}".format)
        table.loc["logit"] = [f"{value:+.3f}" for value in self.logits]
        table.loc["p_like"] = [f"{value:.3f}" for value in self.p_like]
        head = f"{self.ids[0]} and {self.ids[1]} by {self.model}, p_mutual {self.p_mutual:.3f}, in logits"
        return f"PairExplanation({head})\n{table.rename_axis(None).to_string()}"

    def _repr_html_(self) -> str:
        table = self.summary()
        widest = max(float(table.abs().to_numpy().max(initial=0.0)), 1e-9)
        head = "".join(f"<th>{escape(name)}</th>" for name in table.columns)
        body = "".join(
            f"<tr><th style='text-align:left'>{escape(str(label))}</th>"
            + "".join(f"<td>{_bar(float(value), widest)}</td>" for value in row)
            + "</tr>"
            for label, row in zip(table.index, table.to_numpy(), strict=True)
        )
        ends = zip(("logit", "p_like"), (self.logits, self.p_like), strict=True)
        foot = "".join(
            f"<tr><th style='text-align:left'>{name}</th>"
            + "".join(f"<td>{value:.3f}</td>" for value in values)
            + "</tr>"
            for name, values in ends
        )
        note = escape(load_catalogue().text("explanation.note", self.lang))
        said = f"{escape(self.model)}, p_mutual {self.p_mutual:.3f}"
        return f"<p>{said}</p><table><tr><th></th>{head}</tr>{body}{foot}</table><p><small>{note}</small></p>"

    def _label(self, term: LogitTerm) -> str:
        return term_label(term, self.lang)


def term_label(term: LogitTerm, lang: Language = "en") -> str:
    """Return what a term is called; a feature block of one's own has its own name.

    >>> term_label(POPULARITY), term_label(LogitTerm("answers", "wants"))
    ('popularity', 'wants')
    """
    catalogue, key = load_catalogue(), f"explained.{term.name}"
    return catalogue.text(key, lang) if key in catalogue.texts else term.name


def _bar(value: float, widest: float) -> str:
    """Return a number with a bar on its side of a middle line."""
    width = round(_BAR_PX * abs(value) / widest)
    right = value >= 0
    colour = "#2c6468" if right else "#bb8769"
    start = _BAR_PX if right else _BAR_PX - width
    inner = (
        f"<span style='position:absolute;left:{start}px;width:{width}px;height:0.7em;background:{colour}'>"
    )
    box = f"<span style='position:relative;display:inline-block;width:{2 * _BAR_PX}px;height:0.7em'>"
    return f"{value:+.3f} {box}{inner}</span></span>"
