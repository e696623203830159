"""Implicit-feedback factors of the whole matrix, in which every unseen pair is a weak no."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.models.als import implicit_als
from recsys.models.factor_space import rows_at
from recsys.models.fold_in import EntriesByPerson, fold_in
from recsys.models.impressions import Impressions
from recsys.types import Float64Array, Int64Array, IntegerArray

_MOST_JUDGED: Final = 1000
"""Viewers whose held-out likes choose the settings; enough for the third digit of a mean."""
_MOST_RANKED: Final = 8192
"""Candidates among whom they are ranked, beside those they like."""
_MOST_TRIED: Final = 200_000
"""Decisions on which the settings are tried, those of as many viewers, drawn; others hardly change them."""
CHOOSING_ITERATIONS: Final = 8
_LEAST_BETTER: Final = 1.005
"""A setting is taken when it is better by so much: smaller differences are noise, and cost columns."""


class WholeMatrixSettings(NamedTuple):
    """Settings chosen inside `fit`: columns, ridge, and the confidence a decision adds to the 1 of a pair."""

    factors: int = 64
    regularization: float = 20.0
    alpha: float = 5.0


_STEPS: Final = {"factors": (31, 257), "regularization": (0.9, 200.0), "alpha": (0.5, 100.0)}
"""Between which values each setting is sought."""


@dataclass(frozen=True, eq=False)
class WholeMatrix:
    """Alternating least squares of one kind of decision against all other pairs, by person of the fit.

    taste, appeal: `(n_base, k)` reference factors; the rows of a person are solved given those of the
    other side, so that anybody can be folded in alone, and the same evidence gives the same rows.

    Source: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008.
    """

    settings: WholeMatrixSettings
    taste: Float64Array
    appeal: Float64Array

    @classmethod
    def learned(
        cls,
        decisions: Impressions,
        n_people: int,
        settings: WholeMatrixSettings,
        seed: int,
        iterations: int = 15,
    ) -> "WholeMatrix":
        """Learn from decisions among `n_people`; their labels say which pairs are wanted."""
        taste, appeal = implicit_als(
            decisions,
            n_people,
            factors=settings.factors,
            regularization=settings.regularization,
            alpha=settings.alpha,
            iterations=iterations,
            rng=np.random.default_rng(seed),
        )
        return cls(settings, taste, appeal)

    def folded(
        self, decisions: Impressions, n_people: int, base: IntegerArray
    ) -> tuple[Float64Array, Float64Array]:
        """Return taste and appeal of `n_people` from their decisions, `(n_people, k)`; 0 without one.

        base: `(n_people,)` rows of the people of the fit, -1 for newcomers, who stand nowhere for
        those who met them until the next fit.
        """
        taste, appeal = rows_at(self.taste, base), rows_at(self.appeal, base)
        given, received = decisions.grouped(n_people)
        return self._side(given, decisions, appeal), self._side(received, decisions, taste)

    def _side(self, evidence: EntriesByPerson, decisions: Impressions, others: Float64Array) -> Float64Array:
        """Return u of each person: `(V'V + lam I + sum (c - 1) v v') u = sum c p v`.

        With V'V + lam I = L L', it is the fold-in of `L^-1 v` around 0 with strength 1.
        """
        k = others.shape[1]
        whole = others.T @ others + self.settings.regularization * np.eye(k)
        lower = np.linalg.cholesky(whole)
        turned = np.linalg.solve(lower, others.T).T
        mean = float(decisions.weights.mean()) if len(decisions) else 1.0
        trust = np.maximum(self.settings.alpha * decisions.weights / mean, 1e-9)
        found = fold_in(
            np.zeros((len(evidence.indptr) - 1, k)),
            evidence,
            turned,
            trust=trust,
            targets=decisions.labels * (1.0 + trust) / trust,
            strength=1.0,
        )
        return np.asarray(np.linalg.solve(lower.T, found.T).T, np.float64)


def visits(decisions: Impressions) -> Impressions:
    """Return every decision as a yes: whom somebody came across at all, whatever they thought of them."""
    return replace(decisions, labels=np.ones(len(decisions)))


def choose_settings(
    splits: Sequence[tuple[Impressions, Impressions]], n_people: int, seed: int
) -> tuple[WholeMatrixSettings, list[WholeMatrix]]:
    """Return the settings that rank held-out likes best among unseen pairs, and the factors of each split.

    splits: what is known and what was held out, at least one; a small log needs several to tell settings
    apart. Confidence, ridge and columns are doubled or halved in turns for as long as that helps. The measure
    is the NDCG of held-out likes in their viewers' whole ranking, the mean over splits. Of more than 200,000
    decisions those of as many viewers are tried, drawn with `seed`.
    """
    fewer = [_some_viewers(known, held, np.random.default_rng(seed)) for known, held in splits]

    def tried(settings: WholeMatrixSettings) -> tuple[float, list[WholeMatrix]]:
        every = [
            WholeMatrix.learned(some, n_people, settings, seed, CHOOSING_ITERATIONS) for some, _ in fewer
        ]
        gains = [
            held_out_gain(one.taste, one.appeal, *split) for one, split in zip(every, fewer, strict=True)
        ]
        return float(np.mean(gains)), every

    best = WholeMatrixSettings()
    reached, factors = tried(best)
    for name in ("regularization", "alpha", "factors", "regularization", "alpha"):
        for ratio in (2.0, 0.5):
            better = False
            while _STEPS[name][0] < getattr(best, name) * ratio < _STEPS[name][1]:
                kind = type(getattr(best, name))
                settings = best._replace(**{name: kind(getattr(best, name) * ratio)})
                gain, other = tried(settings)
                if gain <= reached * _LEAST_BETTER:
                    break
                best, factors, reached, better = settings, other, gain, True
            if better:
                break
    for at, ((known, _), (some, _)) in enumerate(zip(splits, fewer, strict=True)):
        if len(some) < len(known):
            factors[at] = WholeMatrix.learned(known, n_people, best, seed, CHOOSING_ITERATIONS)
    return best, factors


def _some_viewers(
    known: Impressions, held: Impressions, rng: np.random.Generator
) -> tuple[Impressions, Impressions]:
    """Return the decisions of drawn viewers, at most `_MOST_TRIED` together, and those held out of theirs."""
    if len(known) <= _MOST_TRIED:
        return known, held
    viewers = rng.permutation(np.unique(known.viewers))
    count = np.bincount(known.viewers)[viewers]
    viewers = viewers[: max(int((np.cumsum(count) <= _MOST_TRIED).sum()), 1)]
    return known.take(np.isin(known.viewers, viewers)), held.take(np.isin(held.viewers, viewers))


def held_out_gain(
    taste: npt.NDArray[np.floating], appeal: npt.NDArray[np.floating], known: Impressions, held: Impressions
) -> float:
    """Return the NDCG of held-out likes, ranked among unseen candidates, the mean over their viewers.

    taste, appeal: `(n_people, k)`. Candidates are those anybody decided about; the others cannot be told
    apart. Of more than 1,000 viewers, or 8,192 candidates whom none of them likes, some at even distances
    in the order of the people count.
    """
    liked = held.take(held.labels > 0)
    viewers = np.unique(liked.viewers)
    viewers = viewers[evenly(len(viewers), _MOST_JUDGED)]
    liked = liked.take(np.isin(liked.viewers, viewers))
    others = np.setdiff1d(np.concatenate([known.candidates, held.candidates]), liked.candidates)
    candidates = np.union1d(liked.candidates, others[evenly(len(others), _MOST_RANKED)])
    column = np.full(len(taste), -1)
    column[candidates] = np.arange(len(candidates))
    total = 0.0
    for some in np.array_split(viewers, max(len(viewers) // 256, 1)):
        row = np.full(len(taste), -1)
        row[some] = np.arange(len(some))
        scores = taste[some].astype(np.float32) @ appeal[candidates].astype(np.float32).T
        seen = (row[known.viewers] >= 0) & (column[known.candidates] >= 0)
        scores[row[known.viewers[seen]], column[known.candidates[seen]]] = -np.inf
        own = row[liked.viewers] >= 0
        total += _summed_ndcg(scores, row[liked.viewers[own]], column[liked.candidates[own]])
    return total / max(len(viewers), 1)


def evenly(n: int, most: int) -> Int64Array:
    """Return at most `most` positions of `n`, at even distances."""
    return np.linspace(0, n - 1, min(n, most)).astype(np.int64)


def _summed_ndcg(
    scores: npt.NDArray[np.float32], at: npt.NDArray[np.int64], to: npt.NDArray[np.int64]
) -> float:
    """Return the sum over rows of the NDCG of their wanted entries; equals share the worse place."""
    n = scores.shape[1]
    ordered, total = np.sort(scores, axis=1), 0.0
    discount = 1.0 / np.log2(np.arange(2, n + 2))
    ideal = np.cumsum(discount)
    for viewer in np.unique(at):
        wanted = scores[viewer, to[at == viewer]]
        rank = n - np.searchsorted(ordered[viewer], wanted, side="left")
        total += float(discount[rank - 1].sum() / ideal[len(wanted) - 1])
    return total
