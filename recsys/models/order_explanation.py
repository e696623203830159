"""Why one candidate stands above another: the difference of their chances, term by term."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import Language
from recsys.data.population import Population
from recsys.errors import InputError, explained
from recsys.models.base import Id, Model
from recsys.models.explanation import AFFINITY, PairExplanation, term_label
from recsys.types import Float64Array

_CONTRIBUTION: Final = "contribution"


@dataclass(frozen=True, eq=False)
class OrderExplanation:
    """Why `first` stands above `second` for `viewer`, or below; made by `explain_order`.

    p_mutual: of the two, `(2,)`.
    lang:     of the words shown.
    terms:    one row a term: term, viewer_likes, likes_back, contribution. A contribution is in units of
              log P, and all add up to `log_ratio`: a term of 0.7 doubles the chance of the first against the
              second. viewer_likes is what comes of the viewer's choice, likes_back of the candidates'.
    log_ratio: logarithm of the ratio of their scores, what lists are ranked by: P(both like | both look),
              or, where a model also ranks by who comes across whom, the score of its order, which is no
              probability (see `recsys.recommend`).

    >>> terms = pd.DataFrame({"term": ["interests"], "viewer_likes": [0.5], "likes_back": [0.2]})
    >>> terms["contribution"] = terms["viewer_likes"] + terms["likes_back"]
    >>> OrderExplanation("v", "a", "b", "content", np.array([0.2, 0.1]), terms, 0.7)
    For v, a scores 2.0 times b: P(both like | both look), by content
    interests  +0.70
    """

    viewer: Hashable
    first: Hashable
    second: Hashable
    model: str
    p_mutual: Float64Array
    terms: pd.DataFrame
    log_ratio: float
    lang: Language = "en"

    def __repr__(self) -> str:
        width = max((len(str(term)) for term in self.terms["term"]), default=0)
        rows = zip(self.terms["term"], self.terms[_CONTRIBUTION], strict=True)
        return "\n".join([self.title, *(f"{term!s:<{width}}  {value:+.2f}" for term, value in rows)])

    @property
    def title(self) -> str:
        """The result in one sentence."""
        high, low, ratio = self.first, self.second, np.exp(self.log_ratio)
        if ratio < 1.0:
            high, low, ratio = low, high, 1.0 / ratio
        factor = f"{ratio:.2f}" if ratio < 1.1 else f"{ratio:.1f}"
        named = {"viewer": str(self.viewer), "high": str(high), "low": str(low)}
        more = {"factor": factor, "score": self.score, "model": self.model}
        return order_text("title", self.lang, **named, **more)

    @property
    def score(self) -> str:
        """What the score is: a probability, or the score of an order that also asks who comes across whom."""
        with_looks = (self.terms["term"] == term_label(AFFINITY, self.lang)).any()
        return order_text("ranking" if with_looks else "p_mutual", self.lang)

    def _repr_html_(self) -> str:
        return f"<p>{self.title}</p>{self.terms.round(3).to_html(index=False)}"


def order_text(key: str, lang: Language, **values: str) -> str:
    """Return a text on an order, see `explained_order` in the catalogue."""
    return load_catalogue().text(f"explained_order.{key}", lang, **values)


@checked_arguments
def explain_order(
    model: Model,
    viewer: Id,
    first: Id,
    second: Id,
    *,
    people: Population | None = None,
    lang: Language = "en",
) -> OrderExplanation:
    """Return why a model ranks one candidate above another for a viewer: exact differences by term.

    Lists are ranked by P(both like | both look), a product of two probabilities, each a sum of terms in a
    sigmoid. The log ratio of two products is the sum of two differences of log probabilities; each is
    shared out among its terms by the slope of the line between the two points, so that nothing is left
    over. Where a model also ranks by who comes across whom, that is a term of its own, of both directions at
    once, and what is compared is the score of that order.

    people: who holds the three; those of the fit when None.

    Raises as `Model.explain_pair` does, and InputError when two of the three are one person.

    >>> import recsys
    >>> town = recsys.make_town(60, rng=7)
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = recsys.ContentModel(folds=2).fit(people, events, rng=1)
    >>> why = explain_order(model, "u0000001", "u0000002", "u0000003")
    >>> bool(np.isclose(why.terms["contribution"].sum(), why.log_ratio))
    True
    """
    if len({viewer, first, second}) < 3:
        raise InputError(explained("an order is of two people for a third", got=(viewer, first, second)))
    pairs = [model.explain_pair(viewer, other, people=people, lang=lang) for other in (first, second)]
    sides = [_differences(pairs, direction) for direction in (0, 1)]
    names = dict.fromkeys(name for side in sides for name in side)
    rows = [(name, *(side.get(name, 0.0) for side in sides)) for name in names]
    terms = pd.DataFrame(rows, columns=["term", "viewer_likes", "likes_back"])
    terms[_CONTRIBUTION] = terms["viewer_likes"] + terms["likes_back"]
    log_ratio = float(terms[_CONTRIBUTION].sum())
    ranked = _ranked_log_ratio(model, people, viewer, (first, second))
    if ranked is not None and not np.isclose(ranked, log_ratio, atol=1e-4):
        affinity = {"term": term_label(AFFINITY, lang), _CONTRIBUTION: ranked - log_ratio}
        affinity |= {"viewer_likes": 0.0, "likes_back": 0.0}
        terms = pd.concat([terms, pd.DataFrame([affinity])], ignore_index=True)
        terms = terms.groupby("term", sort=False, as_index=False).sum()
        log_ratio = ranked
    order = terms[_CONTRIBUTION].abs().sort_values(ascending=False, kind="stable").index
    p_mutual = np.array([pair.p_mutual for pair in pairs])
    shown = terms.loc[order].reset_index(drop=True)
    return OrderExplanation(viewer, first, second, model.name, p_mutual, shown, log_ratio, lang)


def _differences(pairs: list[PairExplanation], direction: int) -> dict[str, float]:
    """Return by label how much each term adds to log P(like) of the first pair over that of the second."""
    high, low = (float(pair.logits[direction]) for pair in pairs)
    change = np.logaddexp(0.0, -low) - np.logaddexp(0.0, -high)
    slope = change / (high - low) if abs(high - low) > 1e-9 else 1.0 / (1.0 + np.exp(high))
    added: dict[str, float] = {}
    for sign, pair in zip((1.0, -1.0), pairs, strict=True):
        for term, values in pair.terms.items():
            label = term_label(term, pair.lang)
            added[label] = added.get(label, 0.0) + sign * slope * float(values[direction])
    left = float(change) - sum(added.values())  # terms sum to the logits but for float32
    largest = max(added, key=lambda label: abs(added[label]))
    added[largest] += left
    return added


def _ranked_log_ratio(
    model: Model, people: Population | None, viewer: Id, candidates: tuple[Id, Id]
) -> float | None:
    """Return the log ratio of what lists are ranked by, None where that is P(both like | both look)."""
    if model.looks() is None:
        return None
    ranking = model.ranking(people)
    i, *others = ranking.ids.rows(np.array([viewer, *candidates], dtype=object))
    there, back = ranking.logits([i, i], others), ranking.logits(others, [i, i])
    logs = -np.logaddexp(0.0, -there) - np.logaddexp(0.0, -back)
    return float(logs[0] - logs[1])
