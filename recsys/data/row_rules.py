"""Rules over the rows of a table: values that do not go together, limits, repeats, missing profiles.

Each rule yields the `Violation` of the rows that break it; the contracts in `tables` name the rules they use.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from recsys.catalogue.catalogue import Catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import SEVERAL
from recsys.catalogue.vocabulary import EVENT_DETAILS, PERSONAL_EVENTS, years_of_band
from recsys.data.contract import Rule, RuleContext, positions, positions_where
from recsys.data.fields.base import Violation
from recsys.data.ids import repeated
from recsys.data.no_answer_codes import is_no_consent
from recsys.data.shared_values import are_equal, factorize_shared
from recsys.errors import did_you_mean, explained


def proved_age(context: RuleContext) -> Iterator[Violation]:
    """Refuse profiles with an age band that nothing proves.

    Somebody who is not verified yet has a null age band, is accepted, and is not listed.
    """
    verification, band = context.sound_column(C.VERIFICATION), context.sound_column(C.AGE_BAND)
    unproved = band.notna() & (verification.isna() | verification.eq("none"))
    reason = explained(
        "an age band without verification",
        where=C.AGE_BAND,
        remedy="leave the age band null until the age is proved, or say how it was in 'verification'",
    )
    yield Violation(f"{C.AGE_BAND}.unproved", positions_where(band, unproved), reason)


def ages_agree(context: RuleContext) -> Iterator[Violation]:
    """Refuse profiles whose age lies outside their age band, or whose wished ages end before they begin."""
    band = context.sound_column(C.AGE_BAND)
    codes, bands = pd.factorize(band.to_numpy(object))
    ends = np.array([*map(years_of_band, bands), (np.nan, np.nan)])  # the last for no band
    first, last = ends[codes].T
    age, least, most = (
        context.sound_column(name).to_numpy(np.float64, na_value=np.nan)
        for name in (C.AGE_YEARS, C.MIN_AGE_YEARS, C.MAX_AGE_YEARS)
    )
    outside = positions_where(band, (age < first) | (age > last))
    reason = explained(
        "an age outside the age band", where=C.AGE_YEARS, remedy="make both from the same date of birth"
    )
    yield Violation(f"{C.AGE_YEARS}.outside_band", outside, reason)
    empty = positions_where(band, least > most)
    reason = explained("ages that end before they begin", where=C.MIN_AGE_YEARS, remedy="swap the two")
    yield Violation(f"{C.MIN_AGE_YEARS}.above_most", empty, reason)


@lru_cache(maxsize=8)
def answer_fits(catalogue: Catalogue) -> Callable[[str, object], bool]:
    """Return what says whether an answer, given or accepted, is one that its question has."""
    options = _options(catalogue)
    several = {name for name, question in catalogue.questions.items() if question.kind == "several"}

    def fits(question: str, answer: object) -> bool:
        given = answer.split(SEVERAL) if isinstance(answer, str) and question in several else _given(answer)
        return options[question].issuperset(given)

    return fits


def _options(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    return {name: frozenset(question.answers) for name, question in catalogue.questions.items()}


def fits_question(catalogue: Catalogue) -> Rule:
    """Return the rule that refuses answers, given or accepted, that their question does not have."""
    fits, options = answer_fits(catalogue), _options(catalogue)

    def rule(context: RuleContext) -> Iterator[Violation]:
        question = context.sound_column(C.QUESTION)
        asked, questions = pd.factorize(question.to_numpy(object))
        for column in (C.ANSWER, C.ACCEPTED):
            said, known = factorize_shared(context.sound_column(column).to_numpy(object))
            answers = [None, *known]
            pair, distinct = pd.factorize(asked * len(answers) + said + 1)
            parts = (divmod(int(one), len(answers)) for one in distinct)
            wrong = np.array([not fits(questions[q], answers[a]) for q, a in parts], bool)
            found = question[wrong[pair]]
            reasons = np.fromiter(
                (
                    explained("not an answer to its question", where=column, remedy=_choices(q, options[q]))
                    for q in found
                ),
                object,
                len(found),
            )
            at = positions_where(question, wrong[pair])
            yield Violation(f"{column}.not_an_option", at, reasons)

    return rule


def _given(answer: object) -> tuple[str, ...]:
    if isinstance(answer, tuple):
        return answer
    return (answer,) if isinstance(answer, str) else ()


_MOST_CHOICES_SHOWN: Final = 20


def _choices(question: str, options: frozenset[str]) -> str:
    words = sorted(options)
    more = ", ..." if len(words) > _MOST_CHOICES_SHOWN else ""
    return f"'{question}' has {', '.join(words[:_MOST_CHOICES_SHOWN])}{more}"


def fair_to_ask(catalogue: Catalogue) -> Rule:
    """Return the rule on answers that need consent, and on mandatory ones that are not public or open."""
    sensitive = frozenset(q.id for q in catalogue.questions.values() if q.sensitive)
    hidden = frozenset(q.id for q in catalogue.questions.values() if q.match_only)

    def rule(context: RuleContext) -> Iterator[Violation]:
        question, accepted = context.sound_column(C.QUESTION), context.sound_column(C.ACCEPTED)
        is_sensitive, consent = question.isin(sensitive), context.sound_column(C.CONSENT)
        told = consent[is_sensitive].dropna().unique()
        mandatory = context.sound_column(C.MANDATORY).astype(bool)
        private = context.sound_column(C.VISIBILITY).ne("public") | question.isin(hidden)
        for name, wrong, what, remedy in (
            (
                f"{C.CONSENT}.missing",
                is_sensitive & (consent.isna() | consent.isin([*filter(is_no_consent, told)])),
                "a sensitive question without consent",
                "give the consent_id of the person's consent, or leave the answer out",
            ),
            (
                f"{C.MANDATORY}.sensitive",
                mandatory & is_sensitive,
                "a sensitive question may not be mandatory",
                "set mandatory to false",
            ),
            (
                f"{C.MANDATORY}.private",
                mandatory & private,
                "only a public answer may be mandatory",
                "set visibility to public or mandatory to false",
            ),
            (
                f"{C.MANDATORY}.open",
                mandatory & accepted.isna(),
                "a mandatory question without accepted answers",
                "name the accepted answers",
            ),
        ):
            where = name.partition(".")[0]
            at = positions_where(question, wrong)
            yield Violation(name, at, explained(what, where=where, remedy=remedy))

    return rule


_TO_ANYBODY = ("optin",)
_MAY_BE_SILENT = ("report",)
"""It excludes the pair whatever its category, so an unknown one may stay null."""


def right_target(context: RuleContext) -> Iterator[Violation]:
    """Refuse events about one person that name another, and events between two that do not."""
    kind = context.sound_column(C.TYPE)
    personal, anybody = kind.isin(PERSONAL_EVENTS), kind.isin(_TO_ANYBODY)
    named = context.sound_column(C.TARGET).notna()
    yield Violation(
        f"{C.TARGET}.unexpected",
        positions_where(kind, personal & named),
        explained("this type of event is about one person", where=C.TARGET, remedy="leave target null"),
    )
    yield Violation(
        f"{C.TARGET}.missing",
        positions_where(kind, ~personal & ~anybody & ~named),
        explained("this type of event needs a target", where=C.TARGET, remedy="name the other person"),
    )


def right_detail(context: RuleContext) -> Iterator[Violation]:
    """Refuse details that their type of event does not have."""
    column, detail = context.sound_column(C.TYPE), context.sound_column(C.DETAIL)
    details = {kind: frozenset(words) for kind, words in EVENT_DETAILS.items()}
    said = detail.notna().to_numpy(bool)
    kinds, words = column[said].to_numpy(object), detail[said].to_numpy(object)
    known = np.fromiter(
        (word in details.get(kind, ()) for kind, word in zip(kinds, words, strict=True)), bool, len(words)
    )
    unknown = list(zip(kinds[~known], words[~known], strict=True))
    reasons: dict[tuple[str, str], str] = {}
    for kind, word in dict.fromkeys(unknown):
        remedy = did_you_mean(word, details[kind]) if kind in details else "leave it null"
        reasons[kind, word] = explained(f"not a detail of '{kind}'", where=C.DETAIL, got=word, remedy=remedy)
    yield Violation(
        f"{C.DETAIL}.unknown_word",
        positions_where(column, said)[~known],
        np.fromiter((reasons[pair] for pair in unknown), object, len(unknown)),
    )
    must = column.isin([kind for kind in details if kind not in _MAY_BE_SILENT])
    yield Violation(
        f"{C.DETAIL}.missing",
        positions_where(column, must & detail.isna()),
        explained("this type of event needs a detail", where=C.DETAIL, remedy="say which"),
    )


MOST_INTERESTS: Final = 30
MOST_MANDATORY: Final = 5


def at_most(limit: int, what: str, column: str) -> Rule:
    """Return the rule that keeps, for each person, the first `limit` different values of `column`.

    The order is the order of the table; later values of the same kind stay with the first.
    """

    def rule(context: RuleContext) -> Iterator[Violation]:
        if _most_rows(context.sound_column(C.USER)) > limit:
            yield _beyond(context.sound_columns(C.USER, column), limit, what, column)

    return rule


def at_most_mandatory(context: RuleContext) -> Iterator[Violation]:
    """Keep, for each person, the first five mandatory questions."""
    mandatory = context.sound_column(C.MANDATORY).astype(bool)
    if _most_rows(context.sound_column(C.USER)[mandatory]) > MOST_MANDATORY:
        rows = context.sound_columns(C.USER, C.QUESTION)[mandatory]
        yield _beyond(rows, MOST_MANDATORY, "mandatory answers", C.QUESTION, name=C.MANDATORY)


def _beyond(rows: pd.DataFrame, limit: int, what: str, column: str, *, name: str = "") -> Violation:
    first = rows[[C.USER, column]].drop_duplicates()
    over = first[first.groupby(C.USER, sort=False).cumcount() >= limit]
    beyond = pd.MultiIndex.from_frame(rows[[C.USER, column]]).isin(pd.MultiIndex.from_frame(over))
    at = positions(rows[beyond])
    remedy = f"at most {limit} a person; the first {limit} are kept"
    return Violation(
        f"{name or column}.too_many",
        at,
        explained(f"more than {limit} {what}", where=name or column, remedy=remedy),
    )


def _most_rows(users: pd.Series) -> int:
    """Return how many rows the person with the most has."""
    return int(np.bincount(pd.factorize(users.to_numpy(object))[0] + 1, minlength=2)[1:].max())


def has_profile(context: RuleContext) -> Iterator[Violation]:
    """Refuse rows of people without an accepted profile, when profiles are at hand."""
    if context.users is None:
        return
    user = context.sound_column(C.USER)
    reason = explained(
        "no accepted profile has this id", where=C.USER, remedy="add the person's profile or drop the row"
    )
    yield Violation(f"{C.USER}.orphan", positions_where(user, ~user.isin(context.users)), reason)


def two_people(context: RuleContext) -> Iterator[Violation]:
    """Refuse pairs of one person with themselves."""
    actor, target = context.sound_column(C.ACTOR), context.sound_column(C.TARGET)
    reason = explained("actor and target are one person", where=C.TARGET, remedy="name the other person")
    yield Violation(f"{C.TARGET}.self", positions_where(actor, are_equal(actor, target)), reason)


def once(*columns: str) -> Rule:
    """Return the rule that keeps the first of the rows equal in `columns` and refuses the others.

    A repeat that differs elsewhere is refused with a reason of its own: the first row counts.
    """

    def rule(context: RuleContext) -> Iterator[Violation]:
        group = context.sound_column(columns[0])
        alone = len(columns) == 1
        again = repeated(group) if alone else context.sound_columns(*columns).duplicated().to_numpy(bool)
        if not again.any():
            return
        # a row equal in every column is equal in these, so only rows of a repeated key are looked at
        at = np.flatnonzero(again)
        rows = context.rows.loc[group.index[group.isin(group.iloc[at]).to_numpy(bool)]]
        copies = rows.index[rows.duplicated()]
        again = np.isin(rows.index, group.index[at])
        same = rows.index[again].isin(copies)
        where, name = ", ".join(columns), columns[0]
        yield Violation(
            f"{name}.duplicate",
            positions(rows[again][same]),
            explained("a duplicate of an earlier row", where=where, remedy="it is counted once"),
        )
        yield Violation(
            f"{name}.conflict",
            positions(rows[again][~same]),
            explained(
                "an earlier row has the same key and says something else",
                where=where,
                remedy="the first counts",
            ),
        )

    return rule


def newest_or_none(context: RuleContext) -> Iterator[Violation]:
    """Refuse the rows of a person that are older than a refused row of theirs.

    The refused row is newer; falling back to the older one could bring back a boundary they
    tightened. A row that is only in the future does not count yet. A refused row whose time is not
    known may be the newest of all.
    """
    if context.sound.all():
        return
    refused = context.rows[~context.sound & context.rows[C.USER].notna().to_numpy(bool)]
    refused = refused[~refused.index.isin(context.only_future)]
    if refused.empty:
        return
    time = refused[C.VALID_FROM].fillna(pd.Timestamp.max.tz_localize("UTC").as_unit("us"))
    last = time.groupby(refused[C.USER].to_numpy(object)).max()
    rows = context.sound_rows
    until = rows[C.USER].map(last)
    earlier = until.notna() & (rows[C.VALID_FROM].isna() | (rows[C.VALID_FROM] <= until))
    yield Violation(
        f"{C.USER}.superseded",
        positions(rows[np.asarray(earlier, bool)]),
        explained(
            "a newer row of the same person was refused",
            where=C.USER,
            remedy="put that row right: their latest values are not known",
        ),
    )
