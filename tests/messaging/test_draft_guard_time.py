"""The draft guard takes work that grows with the draft, whatever is in it.

Planted and seen caught: a look-up of every run of digits in all that follow it.
"""

import sys
from types import FrameType
from typing import Any

import pytest

from recsys.messaging import draft_classifier
from recsys.messaging.draft_guard import LONGEST, Folded, check_draft, load_rules
from recsys.messaging.phone_numbers import MOST_CHECKS, phone_spans
from tests.messaging.drafts import load_drafts

SHORT, LONG = 250, 2000

HOSTILE = (
    "0",
    "5 ",
    "9,",
    "一",
    "いち",
    "ぜろ九",
    "+81",
    "a",
    "a@",
    "a.",
    "LINE ",
    "x1_",
    "区",
    "1-2-",
    "家は",
    "Aa ",
    "5.",
)


def steps(draft: str) -> int:
    """Return how many lines of Python are run for a draft; the patterns, run in C, are bounded below."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        check_draft(draft)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("stretch", HOSTILE)
def test_the_steps_grow_with_the_length_and_no_faster(stretch: str) -> None:
    load_rules()
    check_draft(stretch)  # what is read once is no step of a draft
    short, long = (steps((stretch * length)[:length]) for length in (SHORT, LONG))
    assert long <= LONG // SHORT * short


@pytest.mark.parametrize("sign", [chr(0xFDFA), chr(0xFDFB), "㍿", "㌖", "ﷰ"])
def test_a_sign_that_stands_for_many_letters_makes_no_text_longer_than_it_may_be(sign: str) -> None:
    """Planted and seen caught: 18 letters for one sign, ten thousand times."""
    assert len(Folded.of(sign * 1000).text) <= 6000


def test_no_pattern_repeats_without_an_end() -> None:
    rules = load_rules()
    patterns = [rule.pattern for rule in rules.rules] + [p for found in rules.unless.values() for p in found]
    assert len(patterns) > 100
    for pattern in patterns:
        assert "{60}" not in pattern.pattern
        assert _longest(pattern.pattern) < LONGEST, pattern.pattern


def _longest(pattern: str) -> int:
    """Return the longest match a pattern may have."""
    import re._parser as parser  # the standard library tells it nowhere else

    return int(parser.parse(pattern).getwidth()[1])


def test_a_number_behind_many_digits_is_still_found() -> None:
    junk = "".join(f"{number:09d} x " for number in range(1, 500))
    spans = list(phone_spans(junk + "call 090-1234-5678"))
    assert spans[-1][1] == len(junk) + len("call 090-1234-5678")


def test_look_ups_in_one_text_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(number: str, region: str | None) -> None:
        import phonenumbers

        asked.append(number)
        raise phonenumbers.NumberParseException(0, "")

    monkeypatch.setattr("phonenumbers.parse", counted)
    list(phone_spans("0 " * 5000))
    assert 0 < len(asked) <= MOST_CHECKS + 400


def test_what_a_text_is_not_searched_for_it_does_not_hold() -> None:
    """Planted and seen caught: a repeat that may be absent counted as needed."""
    texts = [Folded.of(draft.text) for draft in load_drafts("dev")[::3]]
    skipped = 0
    for rule in load_rules().rules:
        for text in (one.cased if rule.cased else one.text for one in texts):
            if any(frozenset(text).isdisjoint(one) for one in rule.needed):
                skipped += 1
                assert rule.pattern.search(text) is None, (rule.kind, rule.pattern.pattern[:60])
    assert skipped > len(texts) * len(load_rules().rules) / 4


def test_ends_of_sentences_without_letters_are_counted_once() -> None:
    """Planted and seen caught: the letters since the last sentence counted again at each end."""
    reads: list[int] = []

    class Counting:
        def findall(self, text: str, start: int, end: int) -> list[str]:
            reads.append(end - start)
            return [one for one in text[start:end] if one.isalpha()]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draft_classifier, "_LETTER", Counting())
        draft_classifier.sentences(" ." * 500)
    assert sum(reads) <= 1000
