"""The contract of every table: its columns, its key, the rules of its rows, and what a refused row restricts.

`check_table` holds a table to its contract.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import pandas as pd

from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.catalogue.vocabulary import AMOUNTS, ENUMERATIONS, HOLD_STATES, RANGES, REPORT_CATEGORIES
from recsys.data.answer_reading import answers_reader, avoided_topics_reader, topics_reader
from recsys.data.contract import CheckedTable, Contract
from recsys.data.event_ids import with_distinct_ids
from recsys.data.fail_closed import (
    exclude_after_events,
    exclude_pairs,
    hold_mandatory,
    hold_respelled,
    hold_stopped,
    hold_unless_lifted,
    hold_unless_without_token,
    in_circles,
)
from recsys.data.fields.base import Field
from recsys.data.fields.enumeration import Choice, LanguageSet, Word, WordSet
from recsys.data.fields.number import Flag, Real, Whole
from recsys.data.fields.text import AnyId, Cell, FreeText, PersonId, Tag, Token, Zone
from recsys.data.fields.time import Time
from recsys.data.row_rules import (
    MOST_INTERESTS,
    ages_agree,
    at_most,
    at_most_mandatory,
    fair_to_ask,
    fits_question,
    has_profile,
    newest_or_none,
    once,
    proved_age,
    right_detail,
    right_target,
    two_people,
)
from recsys.errors import InputError, did_you_mean, explained

_ROMANCE: Final = (
    *("roman", "affair", "dating", "lover", "sex", "hookup", "flirt", "intimate", "intimacy", "marriage"),
    *("恋", "不倫", "浮気", "愛人", "結婚", "婚活"),
)
_NO_ROMANCE: Final = "a romance or affair intent is refused: this is no such service"

_HINTS: Final = MappingProxyType(
    {
        C.LANGUAGES: "use BCP 47 tags, such as ja, pt-BR or yue",
        C.CONTACT_WINDOWS: "join a day and a part of the day, such as mon_evening",
    }
)


def _word(name: str, *, nullable: bool = True, catalogue: Catalogue | None = None) -> Field:
    kind = LanguageSet if name == C.LANGUAGES else WordSet if ENUMERATIONS[name].many else Word
    return kind(
        name=name,
        words=ENUMERATIONS[name].words if catalogue is None else catalogue.vocabulary(name),
        nullable=nullable,
        hint=_HINTS.get(name, ""),
        forbidden=_ROMANCE if name == C.INTENTS else (),
        because=_NO_ROMANCE if name == C.INTENTS else "",
    )


def _amount(name: str, *, nullable: bool = True) -> Field:
    return Whole(name=name, allowed=AMOUNTS[name], nullable=nullable)


def _any_of(name: str, *, needed: bool = True) -> Field:
    least, most = RANGES[name]
    return Whole(name=name, least=least, most=most, nullable=True, needed=needed)


def _words(*names: str, catalogue: Catalogue | None = None) -> tuple[Field, ...]:
    return tuple(_word(name, catalogue=catalogue) for name in names)


_USER: Final = PersonId(name=C.USER)
_VALID_FROM: Final = Time(name=C.VALID_FROM, needed=False, nullable=True)


_TOPIC_HINT: Final = "use a topic of the catalogue"
_BOTH: Final = (AnyId(name=C.ACTOR), AnyId(name=C.TARGET), Time(name=C.TS))


def _profiles(catalogue: Catalogue) -> Contract:
    return Contract(
        table=T.PROFILES,
        fields=(
            _USER,
            _VALID_FROM,
            Token(name=C.PERSON_TOKEN, needed=False),
            *_words(
                C.AGE_BAND,
                C.ACCEPTS_AGE_BANDS,
                C.VERIFICATION,
                C.ACCOUNT_STATE,
                C.ACTIVITY,
                C.GENDER,
                C.MEETS_GENDERS,
                C.HOUSEHOLD_STATUS,
                C.ACCEPTS_HOUSEHOLD_STATUS,
                C.INTENTS,
                C.LANGUAGES,
                catalogue=catalogue,
            ),
            Cell(name=C.CELL),
            Zone(name=C.TZ),
            *(_any_of(name, needed=False) for name in (C.AGE_YEARS, C.MIN_AGE_YEARS, C.MAX_AGE_YEARS)),
            *(_any_of(name) for name in (C.MAX_DISTANCE_KM, C.MIN_DISTANCE_KM)),
            _word(C.DISCRETION),
            _amount(C.MAX_COMPANIONS),
        ),
        key=(C.USER, C.VALID_FROM),
        rules=(proved_age, ages_agree, newest_or_none),
        restrictions=hold_stopped,
    )


def _boundaries(catalogue: Catalogue) -> Contract:
    return Contract(
        table=T.BOUNDARIES,
        fields=(
            _USER,
            _VALID_FROM,
            *_words(
                C.CONTACT_FREQUENCY,
                C.CHANNELS,
                C.CONTACT_WINDOWS,
                C.MEETING_SETTINGS,
                C.ROMANCE_LINE,
                C.PHYSICAL_LINE,
                C.FINANCIAL_LINE,
                C.DISCLOSURE,
            ),
            WordSet(name=C.TOPICS_AVOID, words=tuple(catalogue.topics), hint=_TOPIC_HINT),
        ),
        key=(C.USER, C.VALID_FROM),
        rules=(newest_or_none, has_profile),
        restrictions=hold_respelled,
        prepare=avoided_topics_reader(catalogue),
    )


def _interests(catalogue: Catalogue) -> Contract:
    return Contract(
        table=T.INTERESTS,
        fields=(
            _USER,
            _VALID_FROM,
            Tag(name=C.TAG, catalogue=catalogue),
            _amount(C.LEVEL, nullable=False),
            _word(C.SHARE_MODE, nullable=False),
        ),
        rules=(once(C.USER, C.TAG), at_most(MOST_INTERESTS, "interests", C.TAG), has_profile),
    )


def _talk_topics(catalogue: Catalogue) -> Contract:
    return Contract(
        table=T.TALK_TOPICS,
        fields=(
            _USER,
            _VALID_FROM,
            Word(name=C.TOPIC, words=tuple(catalogue.topics), hint=_TOPIC_HINT, nullable=False),
            _word(C.ROLE, nullable=False),
            _amount(C.WEIGHT, nullable=False),
        ),
        key=(C.USER, C.TOPIC, C.ROLE),
        rules=(has_profile,),
        prepare=topics_reader(catalogue),
    )


def _answers(catalogue: Catalogue) -> Contract:
    questions = tuple(catalogue.questions)
    options = tuple(dict.fromkeys(answer for q in catalogue.questions.values() for answer in q.answers))
    chosen = Choice if any(q.kind == "several" for q in catalogue.questions.values()) else Word
    weights = tuple(sorted({*AMOUNTS[C.IMPORTANCE], *catalogue.importance.values()}))
    return Contract(
        table=T.ANSWERS,
        fields=(
            _USER,
            _VALID_FROM,
            Word(name=C.QUESTION, words=questions, hint="use a question of the catalogue", nullable=False),
            chosen(name=C.ANSWER, words=options, hint="use an option of the question", nullable=False),
            WordSet(name=C.ACCEPTED, words=options, hint="use options of the question"),
            Whole(name=C.IMPORTANCE, allowed=weights, nullable=False),
            Flag(name=C.MANDATORY),
            _word(C.VISIBILITY, nullable=False),
            FreeText(name=C.CONSENT, needed=False, longest=128),
        ),
        key=(C.USER, C.QUESTION, C.VALID_FROM),
        rules=(
            fits_question(catalogue),
            fair_to_ask(catalogue),
            at_most(catalogue.most_answers, "answers", C.QUESTION),
            at_most_mandatory,
            has_profile,
        ),
        restrictions=hold_mandatory,
        prepare=answers_reader(catalogue),
    )


_COMMUNITIES: Final = Contract(
    table=T.COMMUNITIES,
    fields=(FreeText(name=C.COMMUNITY, nullable=False, longest=128), _USER, _VALID_FROM),
    rules=(once(C.COMMUNITY, C.USER), has_profile),
    restrictions=in_circles,
)

_EVENTS: Final = Contract(
    table=T.EVENTS,
    fields=(
        AnyId(name=C.EVENT, packed=True),
        Time(name=C.TS),
        AnyId(name=C.ACTOR),
        AnyId(name=C.TARGET, nullable=True),
        _word(C.TYPE, nullable=False),
        FreeText(name=C.SURFACE, needed=False),
        Whole(name=C.POSITION, needed=False),
        Real(name=C.PROPENSITY, needed=False, least=0, most=1, above=True),
        FreeText(name=C.MODEL_VERSION, needed=False, longest=128),
        FreeText(name=C.DETAIL, needed=False),
        Whole(name=C.COUNT, needed=False),
        Real(name=C.REPLY_LAG_H, needed=False, least=0),
    ),
    rules=(right_target, right_detail, two_people, once(C.EVENT)),
    repair=with_distinct_ids,
    restrictions=exclude_after_events,
)

_BLOCKS: Final = Contract(
    table=T.BLOCKS,
    fields=_BOTH,
    rules=(two_people, once(C.ACTOR, C.TARGET, C.TS)),
    restrictions=exclude_pairs,
)

_REPORTS: Final = Contract(
    table=T.REPORTS,
    fields=(
        *_BOTH,
        Word(name=C.CATEGORY, words=REPORT_CATEGORIES),
    ),
    rules=(two_people, once(C.ACTOR, C.TARGET, C.TS, C.CATEGORY)),
    restrictions=exclude_pairs,
)

_HOLDS: Final = Contract(
    table=T.HOLDS,
    fields=(
        AnyId(name=C.USER),
        Time(name=C.TS),
        Word(name=C.STATE, words=HOLD_STATES, nullable=False),
        FreeText(name=C.OWNER, needed=False),
    ),
    key=(C.USER, C.TS, C.OWNER),
    restrictions=hold_unless_lifted,
)

_TOKENS: Final = Contract(
    table=T.TOKENS,
    fields=(
        _USER,
        _word(C.NAMESPACE, nullable=False),
        _word(C.KIND, nullable=False),
        Token(name=C.HMAC, nullable=False),
    ),
    rules=(once(C.USER, C.NAMESPACE, C.KIND, C.HMAC), has_profile),
    restrictions=hold_unless_without_token,
)


@lru_cache(maxsize=8)
def contracts_of(catalogue: Catalogue) -> Mapping[str, Contract]:
    """Return the contract of each table by name; words, answers, topics and interests are the catalogue's."""
    contracts = (
        _profiles(catalogue),
        _boundaries(catalogue),
        _interests(catalogue),
        _talk_topics(catalogue),
        _answers(catalogue),
        _COMMUNITIES,
        _EVENTS,
        _BLOCKS,
        _REPORTS,
        _HOLDS,
        _TOKENS,
    )
    return MappingProxyType({contract.table: contract for contract in contracts})


class _PackageContracts(Mapping[str, Contract]):
    """The contracts under the catalogue of the package, which is read when the first is asked for."""

    def __getitem__(self, name: str) -> Contract:
        return contracts_of(load_catalogue())[name]

    def __iter__(self) -> Iterator[str]:
        return iter(contracts_of(load_catalogue()))

    def __len__(self) -> int:
        return len(contracts_of(load_catalogue()))


CONTRACTS: Final = _PackageContracts()
"""The contract of each table under the catalogue of the package; the columns are the same under any."""


def check_table(
    name: str,
    frame: pd.DataFrame,
    *,
    as_of: pd.Timestamp | None = None,
    users: frozenset[str] | None = None,
    catalogue: Catalogue | None = None,
) -> CheckedTable:
    """Split one table into accepted and quarantined rows.

    as_of: rows with a later time are quarantined as future; None takes any time.
    users: the ids of accepted profiles; rows of others are quarantined as orphans. None checks no one.
    catalogue: the questions, topics and interests there are; those of the package when None.

    Raises InputError for an unknown table, TableError with every problem of a broken one.

    >>> blocks = pd.DataFrame({"actor": ["a", "b"], "target": ["b", "b"], "ts": ["2026-01-05T00:00Z"] * 2})
    >>> checked = check_table("blocks", blocks)
    >>> len(checked.accepted), checked.quarantined.reason[0]
    (1, 'actor and target are one person in target; name the other person')
    """
    return read_and_check(name, lambda: frame, as_of=as_of, users=users, catalogue=catalogue)


def read_and_check(
    name: str,
    read: Callable[[], pd.DataFrame],
    *,
    as_of: pd.Timestamp | None = None,
    users: frozenset[str] | None = None,
    catalogue: Catalogue | None = None,
    past: bool = False,
    coded: bool = False,
) -> CheckedTable:
    """Split the table that `read` returns as `check_table` does; a large one is in memory as short as can be.

    past: of rows that were merely not there yet at `as_of` little is repeated, see `Quarantine.frame`.
    coded: texts of accepted rows are categories.

    Raises what `check_table` raises, and what `read` does.
    """
    if name not in CONTRACTS:
        raise InputError(explained("unknown table", got=name, remedy=did_you_mean(name, CONTRACTS)))
    return contracts_of(catalogue or load_catalogue())[name].check_read(
        read, as_of=as_of, users=users, past=past, coded=coded
    )
