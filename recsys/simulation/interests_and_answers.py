"""Interests, talk topics, communities and answers of the town, drawn from latent traits."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.catalogue import FREE, Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import Question
from recsys.simulation.sampling import one_of, sample_without_replacement, whole_numbers
from recsys.simulation.settings import InterestAndAnswerSettings
from recsys.types import BoolArray, Float64Array, Int64Array, ObjectArray

_FREE_TAGS = (
    "近所の猫の写真集め",
    "路線図をながめること",
    "ベランダの小さな菜園",
    "古い団地めぐり",
    "喫茶店のマッチ箱",
    "letterpress evenings",
    "lighthouse postcards",
    "slow radio",
)


TRAITS_WITHOUT_SCALES = 6
"""Traits behind the answers to questions that name no scale."""


def make_interests(
    ids: np.ndarray,
    hobbies: Float64Array,
    catalogue: Catalogue,
    rng: np.random.Generator,
    s: InterestAndAnswerSettings,
) -> pd.DataFrame:
    """Draw the interests of each person from their hobby factors `(n, hobby_factors)`.

    An interest lies near its parent in factor space, so people of one group share tags. A tag may be
    written as a label or synonym, or be a free text no catalogue holds.
    """
    tags = list(catalogue.interests)
    n = len(ids)
    affinity = hobbies @ _loadings(catalogue, tags, s, rng).T * s.interest_signal
    affinity += s.interest_popularity * rng.standard_normal(len(tags))
    counts = np.minimum(rng.poisson(s.interests_per_person, n), min(len(tags), s.max_interests - 1))
    counts[rng.random(n) < s.no_interests] = 0
    person, tag = np.nonzero(sample_without_replacement(affinity, counts, rng))
    liking = affinity[person, tag] + rng.gumbel(size=len(person))
    level = 1 + np.searchsorted(np.quantile(liking, [0.1, 0.3, 0.6, 0.85]) if len(liking) else [], liking)
    named = pd.DataFrame(
        {
            C.USER: ids[person],
            C.TAG: _spelled(tag, tags, catalogue, rng, s),
            C.LEVEL: level.astype(np.int64),
        }
    )
    free = np.flatnonzero((rng.random(n) < s.free_tag) & (counts > 0))
    texts = np.array([t for t in _FREE_TAGS if catalogue.fold_tag(t).startswith(FREE)], dtype=object)
    own_words = pd.DataFrame(
        {
            C.USER: ids[free],
            C.TAG: texts[rng.integers(0, len(texts), len(free))],
            C.LEVEL: rng.integers(3, 6, len(free)),
        }
    )
    frame = pd.concat([named, own_words], ignore_index=True)
    frame[C.SHARE_MODE] = one_of(s.share_mode, len(frame), rng)
    return frame.sort_values(C.USER, kind="stable", ignore_index=True)


def _loadings(
    catalogue: Catalogue, tags: list[str], s: InterestAndAnswerSettings, rng: np.random.Generator
) -> Float64Array:
    families = {tag: (catalogue.ancestors(tag) or (tag,))[-1] for tag in tags}
    roots = {root: rng.standard_normal(s.hobby_factors) for root in dict.fromkeys(families.values())}
    base = np.array([roots[families[tag]] for tag in tags])
    loadings = base + 0.7 * rng.standard_normal(base.shape)
    return loadings / np.linalg.norm(loadings, axis=1, keepdims=True)


def _spelled(
    tag: np.ndarray,
    tags: list[str],
    catalogue: Catalogue,
    rng: np.random.Generator,
    s: InterestAndAnswerSettings,
) -> np.ndarray:
    texts = np.array(tags, dtype=object)[tag]
    otherwise = np.flatnonzero(rng.random(len(tag)) < s.synonym)
    pick = rng.random(len(otherwise))
    spellings = [_other_words(catalogue, t) for t in tags]
    for at, share in zip(otherwise.tolist(), pick.tolist(), strict=True):
        words = spellings[tag[at]]
        texts[at] = words[int(share * len(words))]
    return texts


def _other_words(catalogue: Catalogue, tag: str) -> list[str]:
    interest = catalogue.interests[tag]
    words = [interest.label.ja, interest.label.en, *interest.synonyms]
    return [word for word in words if catalogue.fold_tag(word) == tag] or [tag]


@dataclass(frozen=True, eq=False)
class TopicWeights:
    """Weights 0 to 3, `(n, n_topics)`: `needs` to talk about, `listens` gladly to."""

    needs: Int64Array
    listens: Int64Array

    @property
    def busy(self) -> BoolArray:
        """Topics a person has something to do with, `(n, n_topics)` bool."""
        return (self.needs > 0) | (self.listens > 0)

    def table(self, ids: np.ndarray, topics: tuple[str, ...]) -> pd.DataFrame:
        """Return the talk topics as a table, one row for each person, topic and role."""
        names = np.array(topics, dtype=object)
        parts = []
        for role, weights in (("talks", self.needs), ("listens", self.listens)):
            person, topic = np.nonzero(weights)
            parts.append(
                pd.DataFrame(
                    {
                        C.USER: ids[person],
                        C.TOPIC: names[topic],
                        C.ROLE: role,
                        C.WEIGHT: weights[person, topic],
                    }
                )
            )
        return pd.concat(parts).sort_values(C.USER, kind="stable", ignore_index=True)


def make_talk_topics(
    themes: Float64Array, topics: tuple[str, ...], rng: np.random.Generator, s: InterestAndAnswerSettings
) -> TopicWeights:
    """Draw needs and listening from the themes `(n, 3)` that weigh on each person.

    Who has lived through something can listen to it, so listening leans on the same themes, less.
    """
    n, loadings = len(themes), rng.standard_normal((3, len(topics)))
    loadings /= np.linalg.norm(loadings, axis=0)
    base = 0.5 * rng.standard_normal((2, len(topics)))
    silent = rng.random(n) < s.no_topics
    weights = []
    for at, (lean, mean) in enumerate(((1.0, s.needs_per_person), (0.5, s.listens_per_person))):
        scores = base[at] + lean * s.topic_signal * (themes @ loadings)
        counts = np.minimum(rng.poisson(mean, n), len(topics))
        counts[silent] = 0
        weights.append(sample_without_replacement(scores, counts, rng) * rng.integers(1, 4, scores.shape))
    return TopicWeights(needs=weights[0], listens=weights[1])


def make_communities(
    interests: pd.DataFrame,
    region: ObjectArray,
    ids: ObjectArray,
    *,
    catalogue: Catalogue,
    rng: np.random.Generator,
    s: InterestAndAnswerSettings,
) -> pd.DataFrame:
    """Let some interests of people have led to a circle; `region` `(n,)` is where each person lives."""
    joined = interests[rng.random(len(interests)) < s.joins_circle]
    folded = {tag: catalogue.fold_tag(tag) for tag in joined[C.TAG].unique()}
    tag = joined[C.TAG].map(folded)
    known = tag.isin(list(catalogue.interests)).to_numpy(bool)
    joined, tag = joined[known], tag[known]
    place = pd.Series(region, index=ids).reindex(joined[C.USER]).to_numpy(object)
    place = np.where(rng.random(len(joined)) < s.online_circle, "online", place)
    frame = pd.DataFrame(
        {
            C.COMMUNITY: [f"{p}-{t}" for p, t in zip(place, tag, strict=True)],
            C.USER: joined[C.USER].to_numpy(),
        }
    )
    frame = frame.astype({C.COMMUNITY: object, C.USER: object})
    return frame.drop_duplicates().sort_values([C.COMMUNITY, C.USER], ignore_index=True)


_AT_MOST = 60
_TOLERANCE = {0: 2.0, 1: 1.3, 10: 0.8, 50: 0.55}
"""How far, on the scale from -1 to 1, an accepted answer may lie from one's own, by importance."""


def make_answers(
    ids: np.ndarray,
    joined: pd.Series,
    values: Float64Array,
    *,
    catalogue: Catalogue,
    rng: np.random.Generator,
    s: InterestAndAnswerSettings,
) -> pd.DataFrame:
    """Draw the answers of each person from their values `(n, n_scales)`.

    A sensitive question is answered by few, with consent, for matches only, and is never mandatory.
    """
    questions = [question for question in catalogue.questions.values() if not question.retired]
    options = _options(values, questions, catalogue, rng, s)
    person, question = np.nonzero(_answered(len(ids), questions, rng, s))
    option = options[person, question]
    importance = whole_numbers(one_of(s.importance, len(person), rng))
    sensitive = np.array([q.sensitive for q in questions], dtype=bool)[question]
    private = sensitive | np.array([q.match_only for q in questions], dtype=bool)[question]
    hidden = private | (rng.random(len(person)) < s.match_only)
    mandatory = _mandatory(person, ~hidden & (importance >= 10), len(ids), rng, s)
    accepted = _accepted(questions, question, option, importance)
    names = np.array([q.id for q in questions], dtype=object)
    words = _padded([q.answers for q in questions])
    consents = np.full(len(person), None, dtype=object)
    consents[sensitive] = [f"consent-{row}" for row in person[sensitive].tolist()]
    return pd.DataFrame(
        {
            C.USER: ids[person],
            C.VALID_FROM: joined.to_numpy()[person],
            C.QUESTION: names[question],
            C.ANSWER: words[question, option],
            C.ACCEPTED: accepted,
            C.IMPORTANCE: importance,
            C.MANDATORY: mandatory,
            C.VISIBILITY: np.where(hidden, "match_only", "public").astype(object),
            C.CONSENT: consents,
        }
    )


def _padded(options: list[tuple[str, ...]]) -> npt.NDArray[np.object_]:
    table = np.full((len(options), max(map(len, options))), None, dtype=object)
    for row, words in enumerate(options):
        table[row, : len(words)] = words
    return table


def _options(
    values: Float64Array,
    questions: list[Question],
    catalogue: Catalogue,
    rng: np.random.Generator,
    s: InterestAndAnswerSettings,
) -> npt.NDArray[np.int64]:
    scales = list(catalogue.scales)
    signal = s.answer_signal
    chosen = np.empty((len(values), len(questions)), np.int64)
    for at, question in enumerate(questions):
        trait = at % values.shape[1] if question.scale is None else scales.index(question.scale)
        felt = np.sqrt(signal) * values[:, trait]
        felt += np.sqrt(1.0 - signal) * rng.standard_normal(len(values))
        scores = np.array(_places(question))
        away = np.abs(np.tanh(felt)[:, None] - scores[None, :]) + 1e-6 * rng.random(
            (len(values), len(scores))
        )
        chosen[:, at] = away.argmin(axis=1)
    return chosen


def _places(question: Question) -> list[float]:
    """Return where each option stands, -1 to 1: its score, or its place in the order."""
    last = max(len(question.options) - 1, 1)
    return [
        2.0 * at / last - 1.0 if option.score is None else option.score
        for at, option in enumerate(question.options)
    ]


def _answered(
    n: int, questions: list[Question], rng: np.random.Generator, s: InterestAndAnswerSettings
) -> BoolArray:
    keen = rng.beta(s.answer_share * s.answer_spread, (1.0 - s.answer_share) * s.answer_spread, n)
    weight = np.where([q.sensitive for q in questions], s.sensitive_share, 1.0)
    answered = rng.random((n, len(questions))) < keen[:, None] * weight
    return answered & (np.cumsum(answered, axis=1) <= max(_AT_MOST, len(questions)))


def _mandatory(
    person: npt.NDArray[np.int64],
    possible: BoolArray,
    n: int,
    rng: np.random.Generator,
    s: InterestAndAnswerSettings,
) -> BoolArray:
    strict = rng.random(n) < s.strict
    allowed = rng.integers(1, 3, n)
    wanted = possible & strict[person]
    running = np.cumsum(wanted)
    first = np.searchsorted(person, person, side="left")
    before: npt.NDArray[np.int64] = running[first] - wanted[first]
    return wanted & (running - before <= allowed[person])


def _accepted(
    questions: list[Question],
    question: npt.NDArray[np.int64],
    option: npt.NDArray[np.int64],
    importance: npt.NDArray[np.int64],
) -> npt.NDArray[np.object_]:
    """Return the accepted answers of each row; equal rows share one list."""
    most = max(len(q.options) for q in questions)
    table = np.empty((len(questions), most, len(_TOLERANCE)), dtype=object)
    for at, q in enumerate(questions):
        places = _places(q)
        for own, mine in enumerate(places):
            for level, tolerance in enumerate(_TOLERANCE.values()):
                close = [abs(other - mine) <= tolerance + 1e-9 for other in places]
                near = [o.id for o, fits in zip(q.options, close, strict=True) if fits]
                table[at, own, level] = near
    return table[question, option, np.searchsorted(list(_TOLERANCE), importance)]
