"""Baselines of two plain matrices, calibrated on pairs left out."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from recsys.arguments import checked_arguments
from recsys.config import Section
from recsys.data.events import Events
from recsys.data.ids import IdIndex, hashed_strings
from recsys.data.population import Population
from recsys.data.unseen_pairs import UnseenPairs
from recsys.features.feature_map import FeatureMap
from recsys.models.als import explicit_als, implicit_als
from recsys.models.base import Model
from recsys.models.behaviour_parameters import BehaviourConfig
from recsys.models.directed import Directed
from recsys.models.evidence_calibration import EvidenceFactors, EvidenceLine, fit_evidence_line
from recsys.models.explanation import FACTORS, LEVEL, NOISE, POPULARITY, SELECTIVITY, LogitTerm, LogitTerms
from recsys.models.factor_space import rows_at
from recsys.models.impressions import Impressions
from recsys.models.negative_sampling import (
    PASSES_PER_LIKE,
    level_beside,
    only_likes,
    warn_of_few_likes,
    with_sampled_negatives,
    with_some_passes,
)
from recsys.models.stacking import KnownCandidates
from recsys.models.temporal_calibration import (
    EarlyFit,
    candidates_at_the_end,
    earlier_ends,
    latest_held_out,
    line_at_the_end,
    line_beside_unseen,
)
from recsys.random import GOLDEN, mix64
from recsys.types import Float64Array, Int32Array, ObjectArray

if TYPE_CHECKING:
    from typing import Unpack

    from scipy.sparse import csr_array

    from recsys.models.keyword_settings import (
        BehaviourSettings,
        LFRRSettings,
        RandomSettings,
        RCFSettings,
        RECONSettings,
    )


_FOLDS = 20
_FEW_PEOPLE = 2000
"""Up to so many people a fit takes a second or less, so that many parts can be left out in turn."""
_ENOUGH_HELD_OUT, _MOST_SPLITS = 10_000, _FOLDS
"""Answers that tell the line well, among few people: its level has a standard error of .005 or less."""
_ENOUGH_OF_MANY, _MOST_SPLITS_OF_MANY = 1000, 4
"""Among more people, where a fit may take many seconds: a standard error of .016 or less."""
_OF_UNKNOWN = 0.01
"""Logits between candidates nobody and all decided about, for a viewer without a score."""


class CalibratedFactors(Model):
    """A score that is an inner product, turned into a probability by a line and by what is known of both.

    The line is fitted on answers which the matrices it is fitted for have not seen, a twentieth at a time,
    because scores of clearly fewer answers are smaller ones; then the matrices are learned from all. Of up to
    10,000 answers among up to 2,000 people every one is left out once, so that the line hardly depends on the
    seed. Where the log has times, it goes to what held at their end, and so much of a change of the rate as
    lasted before, and late pairs say what being known adds to a candidate and how much of a viewer's
    selectivity counts about a new one, as in the hybrid.
    Its level is that of a like given a look: exposures without an answer count by the chance that they were
    looked at. Where nobody ever said no, passes are drawn among
    unseen pairs, and the chance is that of a like beside such a pair. Lists are in the order of the score
    itself, and of how many decided about the candidate for a viewer without one. Subclasses give the matrices
    of the people of the fit; people never seen have rows of zeros.
    """

    reads_passes: ClassVar[bool] = False
    """Whether the matrices learn from passes, drawn ones where there are no others."""
    ids_: IdIndex
    taste_: Float64Array
    appeal_: Float64Array
    known_: Float64Array
    line_: EvidenceLine
    late_: KnownCandidates

    @abstractmethod
    def _factors(
        self, people: Population, answers: Impressions, rng: Generator
    ) -> tuple[Float64Array, Float64Array]:
        """Return taste and appeal, `(n_people, n_factors)` each."""

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:
        impressions = Impressions.from_events(people, events)
        answers = impressions.take(impressions.answered)
        warn_of_few_likes(answers)
        self.ids_, self.late_ = people.ids, KnownCandidates()
        fold, known, scores, held_out = answers.random_pair_folds(_FOLDS, rng), [], [], []
        silent = impressions.take(~impressions.answered)
        silent_fold = silent.random_pair_folds(_FOLDS, rng) if len(silent) else np.empty(0, np.int64)
        decided = silent.same_pairs(answers)
        likes_alone = only_likes(answers)
        pairs = UnseenPairs.of(answers.viewers, answers.candidates) if likes_alone else None
        rows_an_answer = 1.0 + PASSES_PER_LIKE * likes_alone
        for number in range(_n_splits(round(rows_an_answer * len(answers)), len(people))):
            held = answers.take(fold == number)
            factors = self._known_from(people, answers.take(~answers.same_pairs(held)), rng)
            if likes_alone:  # by themselves, so that passes of what is known tell nothing of likes left out
                held = with_sampled_negatives(held, PASSES_PER_LIKE, rng, unseen=pairs)
            for some in (
                held,
                silent.take(np.where(decided, silent.same_pairs(held), silent_fold == number)),
            ):
                held_out.append(some)
                scores.append(factors.scores(some))
                known.append(factors.known_of(some))
        looks, score, evidence = Impressions.joined(held_out), np.concatenate(scores), np.concatenate(known)
        said = looks.answered
        line = fit_evidence_line(score[said], evidence[said], looks.labels[said])
        # passes that were drawn are none of the log's looks
        shown = ~said | (looks.labels > 0) if likes_alone else np.ones(len(looks), bool)
        logits = line.logits(score, evidence)
        self.line_ = line.then(looks.take(shown).look_line(logits[shown]))
        if only_likes(impressions):
            self.line_ = self.line_.then(level_beside(looks.labels, PASSES_PER_LIKE))
        if impressions.answered.all():
            self._calibrate_at_the_end(people, answers, rng)
        found = self._known_from(people, answers, rng)
        self.taste_, self.appeal_, self.known_ = found.taste, found.appeal, found.known

    def _known_from(self, people: Population, answers: Impressions, rng: Generator) -> EvidenceFactors:
        """Return what is learned from some answers, of likes alone beside passes drawn for them."""
        learned = with_some_passes(answers, rng) if self.reads_passes else answers
        return EvidenceFactors.of(self._factors(people, learned, rng), learned)

    def _calibrate_at_the_end(self, people: Population, answers: Impressions, rng: Generator) -> None:
        """Move the line to what held at the end of the log, if it has times; see `line_at_the_end`."""

        def before(known: Impressions) -> EarlyFit:
            found = self._known_from(people, known, rng)
            return EarlyFit(found.calibrated(people, self.line_), self._selectivity(found))

        latest = latest_held_out(answers, before)
        if only_likes(answers):
            self.line_ = self.line_.then(line_beside_unseen(latest, answers, PASSES_PER_LIKE, rng))
            return
        line = line_at_the_end(latest)
        self.late_ = candidates_at_the_end(latest, line, earlier_ends(latest, before))
        self.line_ = self.line_.then(line)

    def _selectivity(self, rows: EvidenceFactors) -> Float64Array | None:
        """Return what the selectivity of viewers adds to the logits of their pairs, None for nothing."""
        columns = self._column_parts().get(SELECTIVITY)
        return None if columns is None else self.line_.platt.slope * rows.taste[:, columns].sum(axis=1)

    def _rows(self, people_ids: ObjectArray) -> EvidenceFactors:
        rows = self.ids_.find(people_ids)
        return EvidenceFactors(*(rows_at(one, rows) for one in (self.taste_, self.appeal_, self.known_)))

    def _apply(self, people: Population) -> Directed:
        rows = self._rows(people.ids.values)
        return rows.calibrated(people, self.line_, self.late_, self._selectivity(rows))

    @checked_arguments
    def ranking(self, people: Population | None = None) -> Directed:
        """Return the matrices lists are ranked by: of the score alone, as the method was published.

        A viewer who has no score at all gets those about whom most was decided, not an order of ids.
        They lie within a hundredth of a logit: as a candidate, such a viewer is no likelier to like back.
        """
        directed = self.directed(people)
        rows, line = self._rows(directed.ids.values), self.line_.platt
        unknown = ~rows.taste.any(axis=1)
        taste, appeal = (
            np.column_stack([rows.taste, unknown]),
            np.column_stack([rows.appeal, _OF_UNKNOWN / line.slope * rows.known[:, 1]]),
        )
        score = Directed.of(directed.ids, taste=taste, appeal=appeal, cell=directed.cell)
        return score.scaled(line.slope, line.intercept)

    def _column_parts(self) -> dict[LogitTerm, slice]:
        """Return which columns of the matrices make which part."""
        return {FACTORS: slice(None)}

    def _logit_terms(self, pair: Population, i: Int32Array, j: Int32Array) -> LogitTerms:
        rows, line = self._rows(pair.ids.values), self.line_
        scores = rows.taste[i] * rows.appeal[j] * line.platt.slope
        parts = {part: scores[:, columns].sum(axis=1) for part, columns in self._column_parts().items()}
        known = rows.known[j, 1]
        level = line.platt.intercept + line.of_viewer(rows.known[i, 0]) + line.of_candidate(known)
        selectivity = self._selectivity(rows)
        if selectivity is not None:
            parts[SELECTIVITY] += self.late_.of_viewer(selectivity)[i] * (1.0 - known)
        return {LEVEL: level + self.late_.of_candidate(known), **parts}


def _n_splits(n_answers: int, n_people: int) -> int:
    """Return how many of the parts are left out, one after the other."""
    few = n_people <= _FEW_PEOPLE
    enough, most = (_ENOUGH_HELD_OUT, _MOST_SPLITS) if few else (_ENOUGH_OF_MANY, _MOST_SPLITS_OF_MANY)
    return min(-(-enough * _FOLDS // max(n_answers, 1)), most)


class LFRRConfig(Section):
    """Settings of the factorisation.

    n_factors:      latent columns beside the two biases.
    regularization: ridge on every factor and bias.
    iterations:     alternations.

    >>> LFRRConfig(n_factors=8).n_factors
    8
    """

    n_factors: PositiveInt = 16
    regularization: PositiveFloat = 3.0
    iterations: PositiveInt = 10


class LFRR(CalibratedFactors):
    """Factorises explicit likes and passes with biases, in both directions; a baseline.

    The rating of i for j is `mean + b_i + c_j + u_i v_j`, fitted to 1 for a like and 0 for a pass by
    alternating ridge regressions (the paper uses gradient descent on the same loss). The paper
    combines the directions by the harmonic mean: pass `combiner="harmonic"`.

    Source: Neve and Palomares, "Latent factor models and aggregation operators for collaborative
    filtering in reciprocal recommender systems", RecSys 2019.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = LFRR(LFRRConfig(n_factors=4)).fit(people, events, rng=np.random.default_rng(1))
    >>> model.taste_.shape
    (40, 6)
    """

    name = "lfrr"
    reads_passes = True
    config_type = LFRRConfig
    config: LFRRConfig

    if TYPE_CHECKING:

        def __init__(self, config: LFRRConfig | None = None, **settings: Unpack[LFRRSettings]) -> None: ...

    def _factors(
        self, people: Population, answers: Impressions, rng: Generator
    ) -> tuple[Float64Array, Float64Array]:
        return explicit_als(
            answers,
            len(people),
            n_factors=self.config.n_factors,
            regularization=self.config.regularization,
            iterations=self.config.iterations,
            rng=rng,
        )

    def _column_parts(self) -> dict[LogitTerm, slice]:
        k = self.config.n_factors
        return {FACTORS: slice(k), SELECTIVITY: slice(k, k + 1), POPULARITY: slice(k + 1, k + 2)}


class OneSidedALS(CalibratedFactors):
    """Implicit-feedback factorisation of who liked whom; a baseline.

    Rank by p_like to use it as it is meant; p_mutual combines its two directions as for any model.

    Source: Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets",
    ICDM 2008.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = OneSidedALS(BehaviourConfig(factors=4)).fit(people, events, rng=np.random.default_rng(1))
    >>> model.taste_.shape
    (40, 4)
    """

    name = "one_sided_als"
    config_type = BehaviourConfig

    if TYPE_CHECKING:

        def __init__(
            self, config: BehaviourConfig | None = None, **settings: Unpack[BehaviourSettings]
        ) -> None: ...

    def _factors(
        self, people: Population, answers: Impressions, rng: Generator
    ) -> tuple[Float64Array, Float64Array]:
        config = self.config
        return implicit_als(
            answers,
            len(people),
            factors=config.factors,
            alpha=config.alpha,
            regularization=config.regularization,
            iterations=config.iterations,
            rng=rng,
        )


class RCFConfig(Section):
    """Settings of the similarities.

    max_factors: columns kept; up to so many people the form is exact, above it the similarities are
                 reduced to their leading singular directions, so that memory stays linear.

    >>> RCFConfig().max_factors
    2048
    """

    max_factors: PositiveInt = 2048


class RCF(CalibratedFactors):
    """Averages, over those who liked j, how similar their likes are to i's; a baseline.

    s(i, j) = mean over the likers k of j of `|likes_i & likes_k| / |likes_i | likes_k|`. With S the
    similarities and L the likes divided by their column sums, it is `S @ L`: taste is S, appeal the
    transpose of L. The paper combines the directions by the harmonic mean: pass
    `combiner="harmonic"`.

    Source: Xia, Liu, Sun and Chen, "Reciprocal recommendation system for online dating", ASONAM 2015.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = RCF().fit(people, events, rng=np.random.default_rng(1))
    >>> model.taste_.shape
    (40, 40)
    """

    name = "rcf"
    config_type = RCFConfig
    config: RCFConfig

    if TYPE_CHECKING:

        def __init__(self, config: RCFConfig | None = None, **settings: Unpack[RCFSettings]) -> None: ...

    def _factors(
        self, people: Population, answers: Impressions, rng: Generator
    ) -> tuple[Float64Array, Float64Array]:
        from scipy.sparse import csr_array

        n_people, liked = len(people), answers.likes(len(people))
        similar = _jaccard(liked)
        shared = csr_array(liked.T / np.maximum(np.asarray(liked.sum(axis=0)), 1.0)[:, None])
        if n_people <= self.config.max_factors:
            return np.asarray(similar.toarray()), np.asarray(shared.toarray())
        from scipy.sparse.linalg import svds

        start = rng.normal(size=n_people)
        left, values, right = svds(similar, k=self.config.max_factors // 8, v0=start)
        return np.asarray(left * values, np.float64), np.asarray(shared @ right.T, np.float64)


def _jaccard(liked: "csr_array[Any]") -> "csr_array[Any]":
    """Return how similar the likes of any two people are, themselves left out."""
    both = (liked @ liked.T).tocoo()
    given = np.asarray(liked.sum(axis=1))
    row, column = both.coords
    value = both.data / (given[row] + given[column] - both.data)
    other = row != column
    from scipy.sparse import csr_array

    return csr_array((value[other], (row[other], column[other])), shape=both.shape)


class RECONConfig(Section):
    """Settings of the histograms.

    n_bins: values each profile column is cut into, at equally filled places.

    >>> RECONConfig(n_bins=6).n_bins
    6
    """

    n_bins: PositiveInt = 4


class RECON(CalibratedFactors):
    """Compares each candidate with the histogram of those the viewer liked; a baseline.

    The preference of i for value v of attribute a is the share of v among the people i liked, and
    the compatibility of i with j the mean over attributes of the preference for j's value: the inner
    product of i's histogram (taste) and j's values as zeros and ones (appeal), so two matrices hold
    it exactly. Attributes are the columns that say what a person is, cut into values. The paper
    combines the directions by the harmonic mean: pass `combiner="harmonic"`.

    Source: Pizzato, Rej, Chung, Koprinska and Kay, "RECON: a reciprocal recommender for online
    dating", RecSys 2010.

    >>> import recsys
    >>> town = recsys.make_town(40, np.random.default_rng(7))
    >>> people, events = recsys.load_population(town.tables), recsys.load_events(town.tables)
    >>> model = RECON().fit(people, events, rng=np.random.default_rng(1))
    >>> len(model.fitted)
    40
    """

    name = "recon"
    config_type = RECONConfig
    config: RECONConfig

    if TYPE_CHECKING:

        def __init__(self, config: RECONConfig | None = None, **settings: Unpack[RECONSettings]) -> None: ...

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:
        self._values = _values(FeatureMap.fit(people).concatenated(people).attributes, self.config.n_bins)
        super()._learn(people, events, rng)
        del self._values

    def _factors(
        self,
        people: Population,
        answers: Impressions,
        rng: Generator,  # noqa: ARG002
    ) -> tuple[Float64Array, Float64Array]:
        values = self._values
        liked = answers.likes(len(people))
        count = np.maximum(np.asarray(liked.sum(axis=1)), 1)
        n_attributes = max(values.shape[1] // self.config.n_bins, 1)
        return np.asarray(liked @ values) / (count[:, None] * n_attributes), values

    def _column_parts(self) -> dict[LogitTerm, slice]:
        return {LogitTerm("answers", "liked_profiles"): slice(None)}


def _values(columns: npt.NDArray[np.float32], n_bins: int) -> Float64Array:
    """Return every column cut into `n_bins` values as zeros and ones, `(n_people, n_columns * n_bins)`."""
    if not columns.size:
        return np.zeros((len(columns), 0))
    edges = np.quantile(columns, np.linspace(0, 1, n_bins + 1)[1:-1], axis=0)
    value = (columns[None, :, :] > edges[:, None, :]).sum(axis=0)
    spread = value[:, :, None] == np.arange(n_bins)[None, None, :]
    return spread.reshape(len(columns), -1).astype(np.float64)


class RandomConfig(Section):
    """How the random scores spread.

    n_factors: columns of noise; more make two candidates' scores closer to independent.
    spread:    standard deviation of a logit.

    >>> RandomConfig().n_factors
    16
    """

    n_factors: PositiveInt = 16
    spread: NonNegativeFloat = 1.0


class RandomModel(Model):
    """Scores every directed pair by noise that depends on the seed and the two ids alone.

    The same two people get the same score in any population, whoever else is there.

    >>> people = Population.of_ids(["a", "b", "c"], as_of="2026-01-05")
    >>> model = RandomModel().fit(people, Events.none(), rng=np.random.default_rng(1))
    >>> again = model.directed(Population.of_ids(["c", "a"], as_of="2026-01-05"))
    >>> float(model.fitted.logits([0], [2])[0]) == float(again.logits([0], [1])[0])
    True
    """

    name = "random"
    config_type = RandomConfig
    seed_: int

    if TYPE_CHECKING:

        def __init__(
            self, config: RandomConfig | None = None, **settings: Unpack[RandomSettings]
        ) -> None: ...

    def _learn(self, people: Population, events: Events, rng: Generator) -> None:  # noqa: ARG002
        self.seed_ = int(rng.integers(2**63))

    def _apply(self, people: Population) -> Directed:
        ids = hashed_strings(people.ids.values.tolist(), salt="random-model")
        scale = np.float32(3.0 * self.config.spread / np.sqrt(self.config.n_factors))
        taste, appeal = self._noise(ids, 0), self._noise(ids, 1)
        return Directed.of(people.ids, taste=taste * scale, appeal=appeal, cell=people.cells)

    def _noise(self, ids: npt.NDArray[np.uint64], side: int) -> npt.NDArray[np.float32]:
        """Return uniform numbers in [-1, 1), `(n_people, n_factors)`, one stream for each id."""
        columns = np.arange(self.config.n_factors, dtype=np.uint64) * np.uint64(2) + np.uint64(side)
        steps = mix64(columns * GOLDEN + np.uint64(self.seed_))
        bits = mix64(ids[:, None] ^ steps[None, :])
        return ((bits >> np.uint64(40)).astype(np.float32) / np.float32(2**23)) - np.float32(1.0)

    def _logit_terms(self, pair: Population, i: Int32Array, j: Int32Array) -> LogitTerms:
        return {NOISE: self._apply(pair).logits(i, j)}
