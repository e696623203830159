"""What each table may hold, row by row."""

from dataclasses import replace
from typing import Any

import h3
import numpy as np
import pandas as pd
import pytest

from recsys.catalogue import load_catalogue
from recsys.catalogue.catalogue import MOST_ANSWERS
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.data.contact_tokens import make_token
from recsys.data.contract import CheckedTable
from recsys.data.row_rules import MOST_INTERESTS, MOST_MANDATORY, at_most
from recsys.data.tables import CONTRACTS, check_table
from recsys.data.times import as_utc
from recsys.errors import InputError
from recsys.testing.people import AS_OF, CELLS, make_tables

DAY = "2026-01-05T00:00:00Z"
QUESTIONS = load_catalogue().questions
PUBLIC = next(q for q in QUESTIONS.values() if not q.sensitive)
SENSITIVE = next(q for q in QUESTIONS.values() if q.sensitive)


def profile(**values: Any) -> pd.DataFrame:
    """One valid profile with some values changed."""
    frame = make_tables(1, np.random.default_rng(0), unknown=0.0)[T.PROFILES].astype(object)
    for column, value in values.items():
        frame[column] = pd.Series([value], dtype=object)
    return frame


def boundary(**values: Any) -> pd.DataFrame:
    frame = make_tables(1, np.random.default_rng(0), unknown=0.0)[T.BOUNDARIES].astype(object)
    for column, value in values.items():
        frame[column] = pd.Series([value], dtype=object)
    return frame


def answer(**values: Any) -> dict[str, Any]:
    plain = {
        C.USER: "a",
        C.QUESTION: PUBLIC.id,
        C.ANSWER: PUBLIC.answers[0],
        C.ACCEPTED: list(PUBLIC.answers[:2]),
        C.IMPORTANCE: 10,
        C.MANDATORY: False,
        C.VISIBILITY: "public",
        C.CONSENT: None,
    }
    return plain | values


def event(**values: Any) -> dict[str, Any]:
    plain = {C.EVENT: "e1", C.TS: DAY, C.ACTOR: "a", C.TARGET: "b", C.TYPE: "like", C.DETAIL: None}
    return plain | values


def check(name: str, *rows: dict[str, Any], **options: Any) -> CheckedTable:
    frame = pd.DataFrame({c: pd.Series([row[c] for row in rows], dtype=object) for c in rows[0]})
    return check_table(name, frame, **options)


def codes(checked: CheckedTable) -> list[str]:
    return checked.quarantined["codes"].tolist()


def only_code(checked: CheckedTable) -> str:
    assert len(checked.accepted) == 0
    (code,) = codes(checked)
    return code


def test_valid_tables_are_accepted_whole() -> None:
    for name, table in make_tables(60, np.random.default_rng(2)).items():
        checked = check_table(name, table, as_of=AS_OF)
        assert checked.quarantined["reason"].tolist() == []
        assert len(checked.accepted) == len(table)


def test_canonical_forms() -> None:
    frame = profile(
        languages=np.array(["ja", "en", "ja"]),
        intents="hobby_companion|emotional_support",
        accepts_age_bands=[],
        meets_genders="|",
        accepts_household_status={"single", "married"},
        max_distance_km="50",
        min_distance_km=5.0,
        max_companions=float("nan"),
        valid_from="2026-01-01T09:00:00+09:00",
        cell=CELLS[0].upper(),
    )
    row = check_table(T.PROFILES, frame).accepted.iloc[0]
    assert row[C.LANGUAGES] == ("en", "ja")
    assert row[C.INTENTS] == ("emotional_support", "hobby_companion")
    assert row[C.ACCEPTS_AGE_BANDS] == row[C.MEETS_GENDERS] == ()
    assert row[C.ACCEPTS_HOUSEHOLD_STATUS] == ("married", "single")
    assert (row[C.MAX_DISTANCE_KM], row[C.MIN_DISTANCE_KM]) == (50, 5)
    assert row[C.MAX_COMPANIONS] is pd.NA
    assert row[C.VALID_FROM] == as_utc("2026-01-01")
    assert row[C.CELL] == CELLS[0]


@pytest.mark.parametrize("user", ["", "a b", "a.b", "x" * 65, "ユーザー", "a\n", None, 5])
def test_a_person_id_has_a_strict_form(user: Any) -> None:
    assert only_code(check_table(T.PROFILES, profile(user_id=user))).startswith("user_id.")


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        (C.GENDER, "wmoan", "gender.unknown_word"),
        (C.GENDER, "Woman", "gender.unknown_word"),
        (C.AGE_BAND, "13-17", "age_band.unknown_word"),
        (C.LANGUAGES, ["ja", "xx"], "languages.unknown_word"),
        (C.LANGUAGES, ["ja", None], "languages.unknown_member"),
        (C.LANGUAGES, {"ja": 1}, "languages.not_a_set"),
        (C.LANGUAGES, ["ja"] * 1000, "languages.too_long"),
        (C.TZ, "Asia/Tokio", "tz.unknown_zone"),
        (C.TZ, "../../etc/passwd", "tz.unknown_zone"),
        (C.MAX_DISTANCE_KM, 0, "max_distance_km.out_of_range"),
        (C.MAX_DISTANCE_KM, 10.5, "max_distance_km.not_whole"),
        (C.MAX_DISTANCE_KM, float("inf"), "max_distance_km.not_finite"),
        (C.MAX_DISTANCE_KM, 10**400, "max_distance_km.not_finite"),
        (C.MAX_DISTANCE_KM, "ten", "max_distance_km.not_a_number"),
        (C.MAX_DISTANCE_KM, True, "max_distance_km.not_a_number"),
        (C.VALID_FROM, "2026-01-01", "valid_from.naive"),
        (C.VALID_FROM, "yesterday", "valid_from.not_a_time"),
        (C.VALID_FROM, "2026-02-31T00:00Z", "valid_from.not_a_time"),
        (C.VALID_FROM, pd.Timestamp("2026-01-01"), "valid_from.naive"),
        (C.PERSON_TOKEN, "0" * 64, "person_token.plain_hash"),
        (C.PERSON_TOKEN, "somebody", "person_token.not_a_token"),
        (C.CELL, "35.68,139.76", "cell.not_a_cell"),
        (C.CELL, "862f5a37fffffff0", "cell.not_a_cell"),
    ],
)
def test_invalid_profile_values_are_refused(column: str, value: Any, code: str) -> None:
    checked = check_table(T.PROFILES, profile(**{column: value}))
    assert only_code(checked) == code
    reason = checked.quarantined["reason"].iloc[0]
    assert column in reason
    assert ";" in reason


def test_a_misspelt_word_gets_a_hint() -> None:
    checked = check_table(T.PROFILES, profile(gender="wmoan"))
    assert checked.quarantined["reason"][0] == "unknown word in gender: got 'wmoan'; did you mean 'woman'?"


@pytest.mark.parametrize("finer", range(7, 16))
def test_a_cell_finer_than_six_is_refused(finer: int) -> None:
    cell = h3.latlng_to_cell(35.68, 139.76, finer)
    checked = check_table(T.PROFILES, profile(cell=cell))
    assert only_code(checked) == "cell.too_precise"
    assert cell not in checked.quarantined.to_csv()
    assert f"a cell of resolution {finer} is too precise" in checked.quarantined["reason"][0]


@pytest.mark.parametrize("coarse", range(7))
def test_a_cell_of_six_or_coarser_is_taken(coarse: int) -> None:
    cell = h3.latlng_to_cell(35.68, 139.76, coarse)
    assert check_table(T.PROFILES, profile(cell=cell)).accepted[C.CELL].tolist() == [cell]


@pytest.mark.parametrize(
    "intent",
    [
        "romance",
        "affair",
        "Romantic_Partner",
        "extramarital affair",
        "ＡＦＦＡＩＲ",
        "不倫",
        "恋愛",
        "dating",
    ],
)
@pytest.mark.parametrize("beside", [[], ["emotional_support"], ["zzz"]])
def test_a_romance_or_affair_intent_never_enters(intent: str, beside: list[str]) -> None:
    for given in ([intent, *beside], "|".join([*beside, intent])):
        checked = check_table(T.PROFILES, profile(intents=given))
        assert only_code(checked) == "intents.forbidden"
        assert "a romance or affair intent is refused" in checked.quarantined["reason"][0]


def test_no_word_of_the_vocabulary_is_taken_for_romance() -> None:
    field = next(field for field in CONTRACTS[T.PROFILES].fields if field.name == C.INTENTS)
    for word in field.words:  # type: ignore[attr-defined]
        assert check_table(T.PROFILES, profile(intents=[word])).accepted[C.INTENTS][0] == (word,)


@pytest.mark.parametrize("verification", [None, "none"])
def test_an_age_band_needs_a_proof(verification: str | None) -> None:
    claimed = profile(age_band="35-44", verification=verification)
    assert only_code(check_table(T.PROFILES, claimed)) == "age_band.unproved"
    unsaid = profile(age_band=None, verification=verification)
    assert len(check_table(T.PROFILES, unsaid).accepted) == 1


def test_a_refused_profile_takes_the_older_ones_with_it() -> None:
    first, second, third = (f"2026-01-0{day}T00:00Z" for day in (1, 2, 3))
    rows = [profile(valid_from=time) for time in (first, second, third)]
    rows[1][C.GENDER] = "?"
    checked = check_table(T.PROFILES, pd.concat(rows))
    assert codes(checked) == ["user_id.superseded", "gender.unknown_word"]
    assert checked.accepted[C.VALID_FROM].tolist() == [as_utc(third)]


def test_a_refused_profile_of_unknown_time_takes_all_with_it() -> None:
    rows = pd.concat([profile(valid_from=DAY), profile(valid_from="2026-01-09")])
    assert codes(check_table(T.PROFILES, rows)) == ["user_id.superseded", "valid_from.naive"]


def test_a_profile_of_the_future_leaves_the_present_one() -> None:
    rows = pd.concat([profile(valid_from=DAY), profile(valid_from="2026-01-09T00:00Z")])
    checked = check_table(T.PROFILES, rows, as_of=as_utc("2026-01-06"))
    assert codes(checked) == ["valid_from.future"]
    assert len(checked.accepted) == 1


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        (C.MEETING_SETTINGS, ["private_room"], "meeting_settings.unknown_word"),
        (C.MEETING_SETTINGS, "cafe_night", "meeting_settings.unknown_word"),
        (C.CONTACT_WINDOWS, ["monday"], "contact_windows.unknown_word"),
        (C.PHYSICAL_LINE, "some", "physical_line.unknown_word"),
        (C.FINANCIAL_LINE, "pays", "financial_line.unknown_word"),
        (C.TOPICS_AVOID, ["no such topic"], "topics_avoid.unknown_word"),
    ],
)
def test_invalid_boundaries_are_refused(column: str, value: Any, code: str) -> None:
    assert only_code(check_table(T.BOUNDARIES, boundary(**{column: value}))) == code


def interests(tags: list[Any], user: str = "a", level: Any = 3) -> pd.DataFrame:
    frame = pd.DataFrame({C.USER: user, C.TAG: pd.Series(tags, dtype=object)})
    return frame.assign(**{C.LEVEL: level, C.SHARE_MODE: "both"})


def test_spellings_of_one_interest_meet_and_count_once() -> None:
    checked = check_table(T.INTERESTS, interests(["カメラ", "camera", "wine", "lace knots"]))
    assert checked.accepted[C.TAG].tolist()[0] == "photography"
    assert checked.accepted[C.TAG].tolist()[-1] == "free:lace knots"
    assert codes(checked) == ["user_id.duplicate"]


def test_a_second_row_of_one_interest_is_a_conflict() -> None:
    frame = interests(["camera", "camera"]).assign(**{C.LEVEL: [3, 5]})
    checked = check_table(T.INTERESTS, frame)
    assert codes(checked) == ["user_id.conflict"]
    assert checked.accepted[C.LEVEL].tolist() == [3]


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("a\u202eb", "tag.unsafe"),
        ("a\x00b", "tag.unsafe"),
        ("<script>alert(1)</script>", "tag.unsafe"),
        ("line\nbreak", "tag.unsafe"),
        ("x" * 65, "tag.too_long"),
        ("  ", "tag.empty"),
        (None, "tag.missing"),
        (5, "tag.not_text"),
    ],
)
def test_invalid_tags_are_refused(tag: Any, code: str) -> None:
    assert codes(check_table(T.INTERESTS, interests([tag, "tea"]))) == [code]


def test_the_first_thirty_interests_stay() -> None:
    frame = pd.concat([interests([f"hobby {n:02d}" for n in range(33)]), interests(["tea"], user="b")])
    checked = check_table(T.INTERESTS, frame)
    assert codes(checked) == ["tag.too_many"] * 3
    assert checked.quarantined["row_number"].tolist() == [30, 31, 32]
    assert checked.quarantined["reason"][0].startswith("more than 30 interests in tag")
    assert checked.accepted.groupby(C.USER).size().to_dict() == {"a": 30, "b": 1}


@pytest.mark.parametrize("level", [0, 6, 2.5, float("nan"), float("inf"), None])
def test_an_interest_has_a_level_from_one_to_five(level: Any) -> None:
    frame = interests(["tea", "wine"], level=pd.Series([level, 3], dtype=object))
    assert codes(check_table(T.INTERESTS, frame))[0].startswith("level.")


def test_rows_of_people_without_a_profile_are_orphans() -> None:
    frame = pd.concat([interests(["tea"], user="a"), interests(["tea"], user="b")])
    checked = check_table(T.INTERESTS, frame, users=frozenset({"b"}))
    assert codes(checked) == ["user_id.orphan"]
    assert checked.accepted[C.USER].tolist() == ["b"]
    assert len(check_table(T.INTERESTS, frame).accepted) == 2


@pytest.mark.parametrize(
    "name", [T.BOUNDARIES, T.INTERESTS, T.TALK_TOPICS, T.ANSWERS, T.COMMUNITIES, T.TOKENS]
)
def test_every_member_table_quarantines_orphans(name: str) -> None:
    table = make_tables(20, np.random.default_rng(0))[name]
    checked = check_table(name, table, users=frozenset())
    assert set(codes(checked)) == {"user_id.orphan"}
    assert len(checked.accepted) == 0
    # a boundary or a required answer may be the tighter word of somebody whose id it is in another spelling
    tighter = table[table[C.MANDATORY]] if name == T.ANSWERS else table
    restricts = name in {T.BOUNDARIES, T.TOKENS, T.ANSWERS}
    assert checked.restrictions.respelled == (set(tighter[C.USER]) if restricts else frozenset())
    assert checked.restrictions.people == frozenset()


def test_answers_must_fit_their_question() -> None:
    assert only_code(check(T.ANSWERS, answer(question_id="nobody asks"))) == "question_id.unknown_word"
    other = next(a for q in QUESTIONS.values() for a in q.answers if a not in PUBLIC.answers)
    assert only_code(check(T.ANSWERS, answer(answer=other))) == "answer.not_an_option"
    assert only_code(check(T.ANSWERS, answer(accepted=[other]))) == "accepted.not_an_option"
    assert only_code(check(T.ANSWERS, answer(importance=7))) == "importance.unknown_amount"
    assert only_code(check(T.ANSWERS, answer(mandatory="maybe"))) == "mandatory.not_a_flag"


@pytest.mark.parametrize(
    ("given", "meant"), [("true", True), ("False", False), (1, True), (np.False_, False)]
)
def test_flags_in_other_spellings(given: Any, meant: bool) -> None:
    accepted = check(T.ANSWERS, answer(mandatory=given), answer(question_id=SENSITIVE.id)).accepted
    assert accepted[C.MANDATORY].tolist()[:1] == [meant]


def test_sensitive_answers_need_consent_and_are_never_mandatory() -> None:
    said = {C.QUESTION: SENSITIVE.id, C.ANSWER: SENSITIVE.answers[0], C.ACCEPTED: [SENSITIVE.answers[0]]}
    assert only_code(check(T.ANSWERS, answer(**said))) == "consent_id.missing"
    assert len(check(T.ANSWERS, answer(**said, consent_id="c1")).accepted) == 1
    for none in (" NULL", "\\N", "#N/A", "none", "False", "0", "なし", "withdrawn", "撤回", "N/A", "no", "-"):
        assert only_code(check(T.ANSWERS, answer(**said, consent_id=none))) == "consent_id.missing", none
    mandatory = check(T.ANSWERS, answer(**said, consent_id="c1", mandatory=True))
    assert only_code(mandatory) == "mandatory.sensitive"
    assert mandatory.restrictions.people == {"a"}


def test_mandatory_answers_are_public_and_say_what_they_accept() -> None:
    assert only_code(check(T.ANSWERS, answer(mandatory=True, visibility="match_only"))) == "mandatory.private"
    assert only_code(check(T.ANSWERS, answer(mandatory=True, accepted=None))) == "mandatory.open"
    assert len(check(T.ANSWERS, answer(mandatory=True)).accepted) == 1


def test_at_most_five_mandatory_answers_and_their_person_is_held() -> None:
    public = [q for q in QUESTIONS.values() if not q.sensitive][:7]
    rows = [
        answer(question_id=q.id, answer=q.answers[0], accepted=[q.answers[0]], mandatory=True) for q in public
    ]
    checked = check(T.ANSWERS, *rows)
    assert codes(checked) == ["mandatory.too_many"] * 2
    assert checked.accepted[C.QUESTION].tolist() == [q.id for q in public[:5]]
    assert checked.restrictions.people == {"a"}


def test_the_limit_counts_questions_not_changed_answers() -> None:
    rows = pd.DataFrame(
        [
            answer(question_id=q.id, answer=q.answers[0], accepted=None, valid_from=time)
            for q in [q for q in QUESTIONS.values() if not q.sensitive][:6]
            for time in ("2026-01-01T00:00Z", "2026-01-02T00:00Z")
        ]
    )
    tight = replace(CONTRACTS[T.ANSWERS], rules=(at_most(4, "answers", C.QUESTION),))
    checked = tight.check(rows)
    assert codes(checked) == ["question_id.too_many"] * 4
    assert checked.quarantined["row_number"].tolist() == [8, 9, 10, 11]
    assert len(check_table(T.ANSWERS, rows).accepted) == 12


def test_sixty_answers_and_thirty_interests_are_the_limits() -> None:
    assert (MOST_ANSWERS, MOST_INTERESTS, MOST_MANDATORY) == (60, 30, 5)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({C.TS: "2026-01-05T00:00:00"}, "ts.naive"),
        ({C.TS: "2026-01-07T00:00:00Z"}, "ts.future"),
        ({C.TS: None}, "ts.missing"),
        ({C.TYPE: "dislike"}, "type.unknown_word"),
        ({C.TARGET: "a"}, "target.self"),
        ({C.TARGET: None}, "target.missing"),
        ({C.TYPE: "erase"}, "target.unexpected"),
        ({C.ACTOR: "a\u202eb"}, "actor.not_an_id"),
        ({C.ACTOR: "a\x00b"}, "actor.not_an_id"),
        ({C.ACTOR: ""}, "actor.not_an_id"),
        ({C.ACTOR: "x" * 257}, "actor.too_long"),
        ({C.DETAIL: "photo"}, "detail.unknown_word"),
        ({C.TYPE: "optin"}, "detail.missing"),
        ({C.TYPE: "end"}, "detail.missing"),
        ({C.TYPE: "verified", C.TARGET: None, C.DETAIL: "passport"}, "detail.unknown_word"),
        ({C.POSITION: -1}, "position.out_of_range"),
        ({C.POSITION: float("inf")}, "position.not_finite"),
        ({C.PROPENSITY: 0.0}, "propensity.out_of_range"),
        ({C.PROPENSITY: 1.5}, "propensity.out_of_range"),
        ({C.REPLY_LAG_H: float("-inf")}, "reply_lag_h.not_finite"),
        ({C.SURFACE: "<b>"}, "surface.unsafe"),
    ],
)
def test_invalid_events_are_refused(values: dict[str, Any], code: str) -> None:
    checked = check(T.EVENTS, event(**values), as_of=as_utc("2026-01-06"))
    assert only_code(checked) == code


@pytest.mark.parametrize("actor", ["😀", "a b", "a.b@c", "x" * 256, "42", "日本"])
def test_ids_in_events_may_be_any_text(actor: str) -> None:
    assert check(T.EVENTS, event(actor=actor)).accepted[C.ACTOR].tolist() == [actor]


@pytest.mark.parametrize(
    "values",
    [
        {C.TYPE: "erase", C.TARGET: None},
        {C.TYPE: "optin", C.TARGET: None, C.DETAIL: "suggestion"},
        {C.TYPE: "optin", C.DETAIL: "photo"},
        {C.TYPE: "report"},
        {C.TYPE: "report", C.DETAIL: "harassment"},
        {C.TYPE: "meet_planned", C.DETAIL: "cafe_day/day"},
        {C.PROPENSITY: float("nan")},
        {C.PROPENSITY: 1},
    ],
)
def test_valid_events_are_accepted(values: dict[str, Any]) -> None:
    assert len(check(T.EVENTS, event(**values)).accepted) == 1


def test_a_repeated_event_counts_once() -> None:
    later = event(ts=pd.Timestamp(DAY) - pd.Timedelta("1h"))
    checked = check(T.EVENTS, event(), event(), later, event(type="pass"), event(event_id="e2"))
    assert codes(checked) == ["event_id.duplicate", "event_id.conflict"]
    assert checked.accepted[C.TYPE].tolist() == ["like", "pass", "like"]  # a pass is another event


def test_a_naive_column_is_quarantined_whole() -> None:
    frame = pd.DataFrame([event(), event(event_id="e2")])
    frame[C.TS] = pd.to_datetime(["2026-01-01", None])
    assert codes(check_table(T.EVENTS, frame)) == ["ts.naive", "ts.missing"]


def test_safety_tables_count_a_repeat_once() -> None:
    block = {C.ACTOR: "a", C.TARGET: "b", C.TS: DAY}
    assert codes(check(T.BLOCKS, block, block)) == ["actor.duplicate"]
    report = block | {C.CATEGORY: "money"}
    assert len(check(T.REPORTS, report, report | {C.CATEGORY: None}).accepted) == 2
    assert only_code(check(T.REPORTS, report | {C.CATEGORY: "ugly"})) == "category.unknown_word"


def test_tokens_are_keyed() -> None:
    token = make_token("phone", "+81 3 0000 0000", b"secret of sixteen bytes")
    row = {C.USER: "a", C.NAMESPACE: "phone", C.KIND: "self", C.HMAC: token}
    assert len(check(T.TOKENS, row).accepted) == 1
    plain = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
    checked = check(T.TOKENS, row | {C.HMAC: plain})
    assert only_code(checked) == "hmac.plain_hash"
    assert plain not in checked.quarantined.to_csv()
    assert checked.restrictions.people == {"a"}, "whom they exclude is not known, so nobody is shown to them"


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(InputError, match="unknown table: got 'profile'; did you mean 'profiles'"):
        check_table("profile", pd.DataFrame())
