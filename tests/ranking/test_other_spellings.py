"""Ids in another spelling by day: whoever is meant is restricted, however members' own ids are spelled.

Planted and seen caught: no index of ids that are not their own plainest spelling, newcomers left out of it,
one list of events of two spellings, links over spellings where these tell people apart.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.id_spellings import Spellings
from recsys.data.ids import IdIndex
from recsys.errors import InputError
from recsys.ranking.ranker import Ranker
from recsys.ranking.snapshot import SnapshotIds, packed_ids
from recsys.safety import MemorySafety
from recsys.safety.day_log import DayEvent
from recsys.testing.people import make_listed_people
from tests.ranking.published_world import NOW, World


def _hyphened(one: str) -> str:
    return "-".join((one[:8], one[8:12], one[12:16], one[16:20], one[20:]))


def _md5(at: int) -> str:
    return hashlib.md5(str(at).encode(), usedforsecurity=False).hexdigest()


_UUIDS = [_md5(at) for at in range(8)]
_STRANGER = "0123456789abcdef" * 2
SPELLED: dict[str, tuple[list[str], Callable[[str], str]]] = {
    "mixed capitals": ([f"Taro{at:04d}x" for at in range(8)], str.lower),
    "all capitals": ([f"B{at:02d}-KZ" for at in range(8)], str.lower),
    "leading zeros": ([f"{at:06d}" for at in range(100, 108)], lambda one: one.lstrip("0")),
    "UUID without hyphens": (_UUIDS, _hyphened),
    "UUID in capitals": ([_hyphened(_md5(at + 8)).upper() for at in range(8)], str.lower),
    "UUID with hyphens": ([_hyphened(one[::-1]) for one in _UUIDS], lambda one: one.replace("-", "")),
}
"""By how members' ids are spelled: some ids, and another spelling of each."""
DISTORTED: tuple[Callable[[str], str], ...] = ("#{}".format, "{};".format, "{}.0".format, "'{}\u0301'".format)
"""Further spellings of any id."""
TWINS = [form(f"ab{at:02d}") for at in range(20) for form in (str.lower, str.upper)]
"""Ids of a community in which capitals tell people apart."""

RESTRICTING: dict[str, Callable[[Ranker, str, str], object]] = {
    "block": lambda ranker, one, other: ranker.safety.block(one, other),
    "report": lambda ranker, one, other: ranker.day.report(one, other, "harassment"),
    "hold": lambda ranker, _, other: ranker.safety.hold(other, owner="case-1", reason="x"),
    "pause": lambda ranker, _, other: ranker.day.pause(other),
    "leave": lambda ranker, _, other: ranker.day.leave(other),
    "money": lambda ranker, one, other: ranker.day.append([_event(one, other, "money_request")]),
    "hide": lambda ranker, one, other: ranker.day.append([_event(one, other, "hide")]),
    "proof": lambda ranker, _, other: ranker.day.append([_event(other, None, "verified", "none")]),
    "tables": lambda ranker, _, other: ranker.day.append([_tables(other, account_state="banned")]),
    "separate": lambda ranker, one, other: ranker.safety.separate([(one, other)]),
    "own rows": lambda ranker, one, other: ranker.safety.note_own_rows(one, {"blocks": [_block(one, other)]}),
    "erase": lambda ranker, _, other: ranker.safety.erase(other),
    "end": lambda ranker, one, other: ranker.day.append([_event(one, other, "end", "unsafe")]),
    "by": lambda ranker, one, other: ranker.safety.block(other, one),
}
"""What takes somebody out of a viewer's sight, under the id given."""


def _event(actor: str, target: str | None, kind: str, detail: str | None = None) -> DayEvent:
    return DayEvent(f"{kind}-{actor}-{target}", NOW, actor, target, kind, detail)


def _tables(user: str, **profile: str) -> DayEvent:
    return DayEvent.of_tables(f"t-{user}", user, {"profiles": [{"user_id": user, **profile}]}, NOW)


def _block(actor: str, target: str) -> dict[str, str]:
    return {"block_id": "b1", "actor": actor, "target": target, "ts": NOW.isoformat()}


def world_of(ids: list[str]) -> World:
    people = make_listed_people(len(ids), np.random.default_rng(11))
    return World.of(replace(people, ids=IdIndex(sorted(ids))))


@pytest.fixture(scope="module")
def world() -> World:
    return world_of([one for ids, _ in SPELLED.values() for one in ids])


@pytest.fixture
def ranker(world: World, tmp_path: Path) -> Iterator[Ranker]:
    yield from opened(world, tmp_path)


def opened(world: World, folder: Path) -> Iterator[Ranker]:
    assert world.publish(folder).published
    made = Ranker.open(folder, safety=MemorySafety(), poll_s=0, max_staleness=None)
    yield made
    made.close()


def sees(ranker: Ranker, viewer: str, other: str) -> bool:
    return ranker.look(viewer, other, NOW) is not None


_FORMS = [*(one for ids, _ in SPELLED.values() for one in ids[:2]), "7", "07", "u1", "U1", "a-1", "A-1"]


@given(st.lists(st.sampled_from(_FORMS), unique=True, min_size=1), st.sampled_from(_FORMS), st.data())
def test_who_is_meant_is_whom_the_spellings_of_a_night_mean(
    known: list[str], near: str, data: st.DataObject
) -> None:
    spell = data.draw(
        st.sampled_from(
            [
                str,
                str.upper,
                str.lower,
                "00{}".format,
                " {} ".format,
                "#{}\u200b".format,
                "\u2013{}".format,
                "\u2010".join,
            ]
        )
    )
    ids = SnapshotIds(packed_ids(sorted(known)))
    assert ids.whom(spell(near)) == Spellings(known).whom(spell(near))


_ID = st.text("abcXYZ123-_", min_size=1, max_size=9).filter(lambda one: one.strip("-_0"))


@given(st.lists(_ID, min_size=2, max_size=9, unique_by=str.lower), st.data())
def test_two_ids_in_one_cell_mean_neither_of_the_two(known: list[str], data: st.DataObject) -> None:
    one, other = data.draw(st.permutations(known))[:2]
    apart = data.draw(st.sampled_from([",", ";", " ", "|", "/", " and ", "\n", "\t", "\u3001", "&"]))
    for given_cell in (f"{one}{apart}{other}", [one, other], (one, other), f'["{one}", "{other}"]'):
        assert Spellings(known).whom(given_cell) not in {one, other}, given_cell


@pytest.mark.parametrize("door", RESTRICTING)
def test_whatever_names_a_member_in_another_spelling_restricts_the_one_meant(
    world: World, ranker: Ranker, door: str
) -> None:
    """Seen to fail: where members' ids have capitals or leading zeros, such calls restricted nobody."""
    pairs = sorted(world.may_be_shown())
    for ids, spelled in SPELLED.values():
        free = list(ids)
        for spell in (spelled, *DISTORTED):
            viewer, member = next(pair for pair in pairs if pair[1] in free and sees(ranker, *pair))
            free.remove(member)
            other = spell(member)
            assert other != member
            with suppress(InputError):
                RESTRICTING[door](ranker, viewer, other)
            assert not sees(ranker, viewer, member), other


@pytest.mark.parametrize("door", RESTRICTING)
def test_an_id_as_the_profiles_have_it_is_taken(world: World, ranker: Ranker, door: str) -> None:
    """Seen to fail: no call took a UUID in capitals, which tables, nights and pages took."""
    pairs = sorted(world.may_be_shown())
    for ids, _ in SPELLED.values():
        viewer, member = next(pair for pair in pairs if pair[1] in ids and sees(ranker, *pair))
        RESTRICTING[door](ranker, viewer, member)
        assert not sees(ranker, viewer, member), member


@pytest.mark.parametrize("door", [one for one in RESTRICTING if one not in ("tables", "own rows")])
def test_what_can_be_no_id_is_refused(ranker: Ranker, door: str) -> None:
    """Seen to fail: it was kept, restricted nobody, and was answered as done."""
    viewer = str(ranker._reloader.now.snapshot.ids.at([0])[0])
    for no_id in ("N° 1051 ", "No. 1051", "nobody at all!", "a/b", "a\u00b0"):
        with pytest.raises(InputError, match=r"canonical|event has an id"):
            RESTRICTING[door](ranker, viewer, no_id)


def test_a_safety_row_by_day_means_whoever_comes_later(ranker: Ranker) -> None:
    """An id that is nobody's yet is kept without the signs around it."""
    with pytest.raises(InputError, match="canonical"):
        ranker.safety.hold("#u-later;")
    assert ranker.safety.store.exclusions("x", ["u-later"]).excluded == {"u-later"}


@pytest.mark.parametrize("order", [("tables", "terms", "proof"), ("proof", "terms", "tables")])
def test_a_newcomer_whose_id_is_a_members_but_spelled_is_refused(
    ranker: Ranker, order: tuple[str, ...]
) -> None:
    """Seen to fail: beside members' ids with capitals or leading zeros such a newcomer was shown."""
    for ids, spelled in SPELLED.values():
        other = spelled(ids[4])
        said = {
            "tables": _tables(other),
            "terms": _event(other, None, "terms_accepted"),
            "proof": _event(other, None, "verified", "id"),
        }
        for step in order:
            with pytest.raises(InputError, match="canonical"):
                ranker.day.append([said[step]])
        assert ranker.safety.whom(other) == ids[4]


@pytest.mark.parametrize("pair", [("kk1", "KK1"), ("077", "77"), (_STRANGER, _hyphened(_STRANGER))])
def test_of_two_spellings_in_one_list_of_events_neither_is_kept(
    ranker: Ranker, pair: tuple[str, str]
) -> None:
    """Seen to fail: both became members of the day, and a block of one left the other in sight."""
    with pytest.raises(InputError, match="canonical"):
        ranker.day.append([_tables(pair[0]), _tables(pair[1])])
    assert ranker.day.append([_tables(pair[0]), _event(pair[0], None, "terms_accepted")]) == 2
    with pytest.raises(InputError, match="canonical"):
        ranker.day.append([_event(pair[1], None, "terms_accepted")])


@pytest.fixture
def told_apart(tmp_path: Path) -> Iterator[Ranker]:
    yield from opened(world_of(TWINS), tmp_path)


def test_where_capitals_tell_people_apart_nothing_said_of_one_is_said_of_the_other(
    told_apart: Ranker,
) -> None:
    """Seen to fail: a pause, a hold or a block of one linked the two for good."""
    ranker = told_apart
    shown = [(v, m) for v in TWINS for m in TWINS if {v.lower(), m.lower()}.isdisjoint({"ab06", "ab09"})]
    viewer = shown[0][0]
    one, twin = next(
        (m, m.swapcase()) for m in TWINS if sees(ranker, viewer, m) and sees(ranker, viewer, m.swapcase())
    )
    ranker.safety.hold(one, owner="case-1", reason="x")
    assert sees(ranker, viewer, twin)
    ranker.day.pause(twin)
    assert not sees(ranker, viewer, twin)
    ranker.day.resume(twin)
    assert sees(ranker, viewer, twin)
    assert not sees(ranker, viewer, one)
    ranker.safety.lift(one, owner="case-1")
    ranker.safety.block(viewer, one)
    ranker.safety.block(viewer, twin)
    ranker.safety.unblock(viewer, twin)
    assert (sees(ranker, viewer, one), sees(ranker, viewer, twin)) == (False, True)
    assert ranker.day.append([_tables("aB07"), _event("aB07", None, "terms_accepted")]) == 2  # somebody else


@pytest.mark.parametrize("kind", ["block", "hold", "pause", "hide"])
def test_where_capitals_tell_people_apart_signs_around_an_id_do_not(told_apart: Ranker, kind: str) -> None:
    """Seen to fail: `#AB07` might have been ab07 too, so it was nobody."""
    ranker = told_apart
    named = {
        distort(one): one for one in TWINS for distort in (*DISTORTED, "[{}]".format, " {}\u200b".format)
    }
    assert all(Spellings(TWINS).whom(given) == one for given, one in named.items())
    assert all(ranker.safety.whom(given) == one for given, one in named.items())
    viewer, members = max(
        ((v, [m for m in TWINS if sees(ranker, v, m) and sees(ranker, v, m.swapcase())]) for v in TWINS),
        key=lambda found: len(found[1]),
    )
    for member, distort in zip({m.lower(): m for m in members}.values(), DISTORTED, strict=False):
        with suppress(InputError):
            RESTRICTING[kind](ranker, viewer, distort(member))
        assert not sees(ranker, viewer, member)
        assert sees(ranker, viewer, member.swapcase())


def test_few_ids_that_differ_in_spelling_are_taken_for_one_person(tmp_path: Path) -> None:
    ids = [f"m{at:03d}" for at in range(30)]
    for ranker in opened(world_of([*ids, "M003"]), tmp_path):
        with pytest.raises(InputError, match="canonical"):
            ranker.day.append([_tables("M004")])
        assert not ranker.safety.ledger.now().are_told_apart


TWIN_OF: dict[str, tuple[str, str, str]] = {
    "capitals": ("tw01", "TW01", "Tw01"),
    "leading zeros": ("101", "0101", "00101"),
    "UUID": (_hyphened(_STRANGER), _STRANGER, _STRANGER.upper()),
}


@pytest.mark.parametrize("twins", sorted(TWIN_OF))
@pytest.mark.parametrize("kind", ["block", "hold", "pause", "hide"])
def test_a_third_spelling_restricts_both_of_two_that_are_one_person(
    tmp_path: Path, twins: str, kind: str
) -> None:
    """Seen to fail: two can be meant, so nobody was."""
    one, other, third = TWIN_OF[twins]
    ids = [f"m{at:03d}" for at in range(24)]
    world = world_of([*ids, one, other])
    rows = world.people.ids.rows([one, other])  # a night gives each the tokens of the other
    tokens = world.people.person_tokens.copy()
    tokens[rows] = "hmac1:" + "5" * 64
    for ranker in opened(World.of(replace(world.people, person_tokens=tokens)), tmp_path):
        seen = [(v, m) for v in ids for m in (one, other) if sees(ranker, v, m)]
        assert seen
        viewer = seen[0][0]
        with suppress(InputError):
            RESTRICTING[kind](ranker, viewer, third)
        assert not sees(ranker, viewer, one)
        assert not sees(ranker, viewer, other)


_FORGIVEN: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    str.title,
    " {}\t".format,
    "\ufeff{}\0".format,
    "#{}".format,
    "{};".format,
    "'{}'".format,
    "[{}]".format,
    lambda one: "".join(chr(ord(c) + 0xFEE0) for c in one),
)
_LOST: tuple[Callable[[str, str], str], ...] = (
    "{}@example.org{}".format,
    "{} {}".format,
    "{};{}".format,
    "{}\n{}".format,
    "https://example.org/{}?{}".format,
    "{}: {}".format,
)


@settings(max_examples=200)
@given(st.sampled_from([*SPELLED, "numbers", "random"]), st.integers(0, 7), st.data())
def test_an_id_of_somebody_who_left_is_of_no_odd_form_as_people_write_it(
    kind: str, left: int, data: st.DataObject
) -> None:
    """Seen to fail: `m-00113` of a member who left stopped the night. Planted and seen caught: inner blanks.

    Two ids in a cell, mail and addresses stay odd: with these somebody's block is lost.
    """
    more = {"numbers": [str(at) for at in range(101, 109)], "random": [f"kX{one[:7]}-_q" for one in _UUIDS]}
    ids = more[kind] if kind in more else SPELLED[kind][0]
    spellings = Spellings([one for at, one in enumerate(ids) if at != left])
    spell = data.draw(st.sampled_from(_FORGIVEN))
    assert Spellings(ids).whom(spell(ids[left])) == ids[left]
    assert spellings.is_nobody(spell(ids[left]))
    assert not spellings.is_odd(spell(ids[left]))
    lost = data.draw(st.sampled_from(_LOST))(ids[left], ids[left - 1])
    assert spellings.is_odd(spell(lost))


@given(st.sampled_from(["12", "034", "99"]), st.sampled_from(["M-{}", "user{}", "{}x", "m_{}"]))
def test_a_number_with_a_word_of_another_form_is_odd(number: str, form: str) -> None:
    """Members are numbers, and somebody writes their numbers with a word, or the other way round."""
    numbers = [str(at) for at in range(200, 240)]
    assert Spellings(numbers).is_odd(form.format(number))
    assert Spellings([form.format(one) for one in numbers]).is_odd(number)
