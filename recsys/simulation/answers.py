"""Values become answers: an option, what is accepted of others, how much it matters."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import Question
from recsys.simulation.sampling import one_of, whole_numbers
from recsys.simulation.settings import ContentSettings
from recsys.types import BoolArray, Float64Array

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
    s: ContentSettings,
) -> pd.DataFrame:
    """Draw the answers of each person from their values `(n, n_scales)`.

    A sensitive question is answered by few, with consent, for matches only, and is never mandatory.
    """
    questions = list(catalogue.questions.values())
    options = _options(values, questions, catalogue, rng, s)
    person, question = np.nonzero(_answered(len(ids), questions, rng, s))
    option = options[person, question]
    importance = whole_numbers(one_of(s.importance, len(person), rng))
    sensitive = np.array([q.sensitive for q in questions], dtype=bool)[question]
    hidden = sensitive | (rng.random(len(person)) < s.match_only)
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
    s: ContentSettings,
) -> npt.NDArray[np.int64]:
    scales = list(catalogue.scales)
    signal = s.answer_signal
    chosen = np.empty((len(values), len(questions)), np.int64)
    for at, question in enumerate(questions):
        felt = np.sqrt(signal) * values[:, scales.index(question.scale)]
        felt += np.sqrt(1.0 - signal) * rng.standard_normal(len(values))
        scores = np.array([option.score for option in question.options])
        away = np.abs(np.tanh(felt)[:, None] - scores[None, :]) + 1e-6 * rng.random(
            (len(values), len(scores))
        )
        chosen[:, at] = away.argmin(axis=1)
    return chosen


def _answered(n: int, questions: list[Question], rng: np.random.Generator, s: ContentSettings) -> BoolArray:
    keen = rng.beta(s.answer_share * s.answer_spread, (1.0 - s.answer_share) * s.answer_spread, n)
    weight = np.where([q.sensitive for q in questions], s.sensitive_share, 1.0)
    answered = rng.random((n, len(questions))) < keen[:, None] * weight
    return answered & (np.cumsum(answered, axis=1) <= _AT_MOST)


def _mandatory(
    person: npt.NDArray[np.int64], possible: BoolArray, n: int, rng: np.random.Generator, s: ContentSettings
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
        for own, mine in enumerate(q.options):
            for level, tolerance in enumerate(_TOLERANCE.values()):
                near = [o.id for o in q.options if abs(o.score - mine.score) <= tolerance + 1e-9]
                table[at, own, level] = near
    return table[question, option, np.searchsorted(list(_TOLERANCE), importance)]
