"""Implicit-feedback factors of the whole matrix, in which every unseen pair is a weak no."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from recsys.models.als import implicit_als
from recsys.models.directed import pair_dots
from recsys.models.factor_space import rows_at
from recsys.models.fold_in import EntriesByPerson, fold_in
from recsys.models.impressions import Impressions
from recsys.types import Float64Array, IntegerArray

_MOST_JUDGED: Final = 2000
"""Viewers whose held-out likes choose the settings; enough for the third digit of a mean."""
_CHOOSING_ITERATIONS: Final = 8
_LEAST_BETTER: Final = 1.005
"""A setting is taken when it is better by so much: smaller differences are noise, and cost columns."""


class WholeMatrixSettings(NamedTuple):
    """Settings chosen inside `fit`: columns, ridge, and the confidence a decision adds to the 1 of a pair."""

    factors: int = 64
    regularization: float = 10.0
    alpha: float = 10.0


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

    Confidence, ridge and columns are tried one after another, each at a lower and a higher value. The
    measure is the mean of `1 / log2(1 + rank)` of a held-out like in its viewer's whole ranking.
    """
    best = WholeMatrixSettings()
    factors = WholeMatrix.learned(known, n_people, best, seed, _CHOOSING_ITERATIONS)
    reached = held_out_gain(factors, known, held, n_people)
    for name in ("alpha", "regularization", "factors"):
        for tried in _around(best, name):
            other = WholeMatrix.learned(known, n_people, tried, seed, _CHOOSING_ITERATIONS)
            gain = held_out_gain(other, known, held, n_people)
            if gain > reached * _LEAST_BETTER:
                best, factors, reached = tried, other, gain
                break
    return best, factors


def _around(settings: WholeMatrixSettings, name: str) -> Iterator[WholeMatrixSettings]:
    ratio = 2 if name == "factors" else 4
    for value in (getattr(settings, name) / ratio, getattr(settings, name) * ratio):
        kind = type(getattr(settings, name))
        yield settings._replace(**{name: kind(value)})


def held_out_gain(
    factors: WholeMatrix, known: Impressions, held: Impressions, n_people: int, *, places: int | None = None
) -> float:
    """Return the mean of `1 / log2(1 + rank)` over held-out likes, ranked among unseen candidates.

    places: count only likes that reach so many first places; all of them when None.

    Candidates are those anybody decided about; the others cannot be told apart.
    """
    viewers = np.unique(held.viewers[held.labels > 0])
    viewers = viewers[np.linspace(0, len(viewers) - 1, min(len(viewers), _MOST_JUDGED)).astype(np.int64)]
    candidates = np.unique(np.concatenate([known.candidates, held.candidates]))
    column = np.full(n_people, -1)
    column[candidates] = np.arange(len(candidates))
    total, count = 0.0, 0
    for some in np.array_split(viewers, max(len(viewers) // 256, 1)):
        row = np.full(n_people, -1)
        row[some] = np.arange(len(some))
        scores = factors.taste[some] @ factors.appeal[candidates].T
        seen = row[known.viewers] >= 0
        scores[row[known.viewers[seen]], column[known.candidates[seen]]] = -np.inf
        own = np.flatnonzero((row[held.viewers] >= 0) & (held.labels > 0))
        at, to = row[held.viewers[own]], column[held.candidates[own]]
        ordered = np.sort(scores, axis=1)
        for viewer in np.unique(at):
            wanted = scores[viewer, to[at == viewer]]
            # places from the end of an ascending row; equal scores share the worse place
            rank = len(candidates) - np.searchsorted(ordered[viewer], wanted, side="left")
            gain = 1.0 / np.log2(1.0 + rank) * (rank <= (places or len(candidates)))
            total, count = total + float(gain.sum()), count + len(rank)
    return total / max(count, 1)


def scores(rows: tuple[Float64Array, Float64Array], i: IntegerArray, j: IntegerArray) -> Float64Array:
    """Return the scores of aligned pairs, about 0 for an unseen and 1 for a wanted pair."""
    return pair_dots(rows[0], rows[1], i, j)
