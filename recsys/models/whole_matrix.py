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
from recsys.types import Float64Array, IntegerArray

_MOST_JUDGED: Final = 1000
"""Viewers whose held-out likes choose the settings; enough for the third digit of a mean."""
_CHOOSING_ITERATIONS: Final = 8
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
    known: Impressions, held: Impressions, n_people: int, seed: int
) -> tuple[WholeMatrixSettings, WholeMatrix]:
    """Return the settings that rank held-out likes best among all unseen pairs, and their factors.

    Confidence, ridge and columns are doubled or halved in turns for as long as that helps. The measure is
    the NDCG of held-out likes in their viewers' whole ranking.
    """

    def tried(settings: WholeMatrixSettings) -> tuple[float, WholeMatrix]:
        one = WholeMatrix.learned(known, n_people, settings, seed, _CHOOSING_ITERATIONS)
        return held_out_gain(one.taste, one.appeal, known, held), one

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
    return best, factors


def held_out_gain(
    taste: npt.NDArray[np.floating], appeal: npt.NDArray[np.floating], known: Impressions, held: Impressions
) -> float:
    """Return the NDCG of held-out likes, ranked among unseen candidates, the mean over their viewers.

    taste, appeal: `(n_people, k)`. Candidates are those anybody decided about; the others cannot be told
    apart.
    """
    return held_out_gains([(taste, appeal)], [(1.0,)], known, held)[0]


def held_out_gains(
    factors: Sequence[tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]],
    weights: Sequence[Sequence[float]],
    known: Impressions,
    held: Impressions,
    *,
    places: int | None = None,
) -> list[float]:
    """Return `held_out_gain` of each weighted sum of scores, of which there is one by each pair of matrices.

    places: count only likes that reach so many first places; all of them when None.
    """
    n_people = len(factors[0][0])
    viewers = np.unique(held.viewers[held.labels > 0])
    viewers = viewers[np.linspace(0, len(viewers) - 1, min(len(viewers), _MOST_JUDGED)).astype(np.int64)]
    candidates = np.unique(np.concatenate([known.candidates, held.candidates]))
    column = np.full(n_people, -1)
    column[candidates] = np.arange(len(candidates))
    total, count = np.zeros(len(weights)), 0
    for some in np.array_split(viewers, max(len(viewers) // 256, 1)):
        row = np.full(n_people, -1)
        row[some] = np.arange(len(some))
        parts = [
            taste[some].astype(np.float32) @ appeal[candidates].astype(np.float32).T
            for taste, appeal in factors
        ]
        seen = row[known.viewers] >= 0
        seen_at = row[known.viewers[seen]], column[known.candidates[seen]]
        own = np.flatnonzero((row[held.viewers] >= 0) & (held.labels > 0))
        at, to = row[held.viewers[own]], column[held.candidates[own]]
        count += len(some)
        for which, weight in enumerate(weights):
            summed = sum(w * part for w, part in zip(weight, parts, strict=True))
            scores = np.array(summed, np.float32)
            scores[seen_at] = -np.inf
            total[which] += _summed_ndcg(scores, at, to, places)
    return [float(one / max(count, 1)) for one in total]


def _summed_ndcg(
    scores: npt.NDArray[np.float32],
    at: npt.NDArray[np.int64],
    to: npt.NDArray[np.int64],
    places: int | None,
) -> float:
    """Return the sum over rows of the NDCG of their wanted entries; equals share the worse place."""
    n = scores.shape[1]
    k = min(places or n, n)
    ordered, total = np.sort(np.partition(scores, n - k, axis=1)[:, n - k :], axis=1), 0.0
    discount = np.concatenate([1.0 / np.log2(np.arange(2, k + 2)), [0.0]])
    ideal = np.cumsum(discount)
    for viewer in np.unique(at):
        wanted = scores[viewer, to[at == viewer]]
        rank = k - np.searchsorted(ordered[viewer], wanted, side="left")
        last = ordered[viewer, 0]
        if (wanted == last).any() and np.count_nonzero(scores[viewer] >= last) > k:
            last = np.nextafter(last, np.float32(np.inf))
        reached = discount[rank - 1] * (wanted >= last)
        total += float(reached.sum() / ideal[min(len(wanted), k) - 1])
    return total
