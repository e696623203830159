"""What every safety store must do; a test of a new store subclasses this and gives `store`."""

import threading
import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from recsys.errors import InputError
from recsys.safety.day_log import DayEvent, StoreWithDay
from recsys.safety.shown_log import ShownLog
from recsys.safety.store import MEMBER, SafetyExclusions, SafetyStore, StoreForMany, StoreWithHolds
from recsys.testing.erasure_contract import AT, FREE, ErasureContract

UUID_OF_ONE = uuid.UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
NOT_CANONICAL: tuple[Any, ...] = (
    *(None, b"u1", 1, 1.0, UUID_OF_ONE, "", " "),
    *("u1 ", " u1", "u1\n", "ｕ１", "u\u200b1", "u1\ufeff", "u1\u3000", "u1\0", "e\u0301"),
)

IN_OTHER_SPELLINGS = (
    *(("U1", "u1"), ("u1", "U1"), ("Ab", "aB"), ("1.0", "1"), ("0012", "12"), ("12", "0012")),
    *(("#u1", "u1"), ("u1\u0332", "u1"), (UUID_OF_ONE.hex, str(UUID_OF_ONE))),
    *((str(UUID_OF_ONE).upper(), str(UUID_OF_ONE)), (str(UUID_OF_ONE), str(UUID_OF_ONE).upper())),
)


def _spelled_by(wrong: Any) -> set[str]:
    """Return the letters and digits of an id in a wrong spelling, full-width ones as usual."""
    text = wrong.decode() if isinstance(wrong, bytes) else str(wrong)
    return {"".join(one for one in text.translate({0xFF55: "u", 0xFF11: "1"}) if one in "u1")}


class SafetyContract(ErasureContract):
    """Subclass it and add a fixture `store` that gives an empty store."""

    def test_nobody_is_out_at_first(self, store: SafetyStore) -> None:
        assert store.exclusions("a", ["b", "c"]) == FREE
        assert store.exclusions("a", []) == FREE
        assert store.erased_since(None) == frozenset()

    @pytest.mark.parametrize("what", ["block", "report"])
    def test_two_are_kept_apart_both_ways(self, store: SafetyStore, what: str) -> None:
        getattr(store, what)("a", "b", AT)
        assert store.exclusions("a", ["b", "c"]).excluded == {"b"}
        assert store.exclusions("b", ["c", "a"]).excluded == {"a"}
        assert store.exclusions("c", ["a", "b"]) == FREE
        assert not store.exclusions("a", ["b"]).viewer_excluded

    def test_saying_it_twice_changes_nothing(self, store: SafetyStore) -> None:
        for _ in range(2):
            store.block("a", "b", AT)
            store.report("b", "a", AT)
            store.hold("c", AT)
        assert store.exclusions("a", ["b", "c"]).excluded == {"b", "c"}

    def test_a_hold_lasts_until_it_is_lifted(self, store: SafetyStore) -> None:
        store.hold("a", AT)
        assert store.exclusions("b", ["a"]).excluded == {"a"}
        assert store.exclusions("a", ["b"]) == SafetyExclusions(viewer_excluded=True, excluded=frozenset())
        store.lift("a")
        store.lift("never held")
        assert store.exclusions("b", ["a"]) == FREE

    def test_every_hold_has_an_owner_and_a_reason_and_one_lift_ends_no_other(
        self, store: SafetyStore
    ) -> None:
        held = SafetyExclusions(viewer_excluded=False, excluded=frozenset({"a"}))
        store.hold("a", AT, owner="case-1", reason="money")
        store.hold("a", AT, owner="case-1", reason="threat")
        store.hold("a", AT, owner=MEMBER, reason="pause")
        if isinstance(store, StoreWithHolds):
            own, *_ = found = store.all_holds()["a"]
            assert [hold.owner for hold in found] == ["case-1", "case-1", MEMBER]
            assert (own.reason, set(store.all_holds())) == ("money", {"a"})
        store.hold("a", AT)
        for lift in (
            lambda: store.lift("a", owner=MEMBER, reason="other"),
            lambda: store.lift("a", owner=MEMBER),
            lambda: store.lift("a", owner="case-2"),
            lambda: store.lift("a", owner="case-1", reason="money"),
            lambda: store.lift("a"),
        ):
            lift()
            assert store.exclusions("b", ["a"]) == held
        store.lift("a", owner="case-1")
        assert store.exclusions("b", ["a"]) == FREE

    @pytest.mark.parametrize("wrong", ["two words", "", "-", "é", "a" * 65, None, 3, "a\n"], ids=repr)
    def test_the_owner_of_a_hold_is_a_word(self, store: SafetyStore, wrong: Any) -> None:
        with pytest.raises(InputError):
            store.lift("a", owner=wrong)
        with pytest.raises(InputError):
            store.hold("a", owner=wrong)
        assert store.exclusions("b", ["a"]).excluded == {"a"}
        with pytest.raises(InputError):
            store.lift("a", owner=wrong)
        assert store.exclusions("b", ["a"]).excluded == {"a"}
        store.lift("a")
        assert store.exclusions("b", ["a"]) == FREE

    def test_a_block_is_taken_back_by_whoever_made_it(self, store: SafetyStore) -> None:
        store.block("a", "b", AT)
        store.unblock("b", "a")
        store.unblock("a", "c")
        assert store.exclusions("b", ["a"]).excluded == {"a"}
        store.block("b", "a", AT)
        store.unblock("a", "b")
        assert store.exclusions("a", ["b"]).excluded == {"b"}
        store.unblock("b", "a")
        assert store.exclusions("a", ["b"]) == store.exclusions("b", ["a"]) == FREE

    def test_no_report_is_taken_back(self, store: SafetyStore) -> None:
        store.block("a", "b", AT)
        store.report("a", "b", AT)
        store.unblock("a", "b")
        assert store.exclusions("a", ["b"]).excluded == {"b"}
        assert store.exclusions("b", ["a"]).excluded == {"a"}

    def test_a_viewer_among_the_candidates_is_no_reason(self, store: SafetyStore) -> None:
        store.hold("a", AT)
        assert store.exclusions("a", ["a"]).viewer_excluded

    def test_hostile_ids_are_only_ids(self, store: SafetyStore) -> None:
        hostile = ["'; DROP TABLE apart; --", "%s", "ユーザー", "a" * 300, '"[]{}']
        for user in hostile:
            store.block(user, "b", AT)
        assert store.exclusions("b", [*hostile, "c"]).excluded == set(hostile)

    @pytest.mark.parametrize("end", ["\0", "\0x", "\n", "\ud800", "\x01"], ids=repr)
    def test_what_is_no_id_is_asked_about_as_nobody(self, store: SafetyStore, end: str) -> None:
        """Seen to fail: a database ended the text at a null byte and told of the id before it."""
        store.block("a", "b", AT)
        store.hold("held", AT)
        store.erase("gone", AT)
        for user in ("b", "held", "gone", "free"):
            for odd in (user + end, end + user):
                assert store.exclusions("a", [odd, "b"]).excluded == {"b"}
                assert store.exclusions(odd, ["a", "b"]) == FREE
                if isinstance(store, StoreForMany):
                    assert store.standing([odd, "a"], [odd]) == ({odd: set(), "a": {"b"}}, set())
                if isinstance(store, StoreWithDay):
                    store.day.append([DayEvent(f"like-{user}", AT, user, "c", "like")])
                    assert store.day.read([odd], AT - timedelta(days=1)).pairs == ()

    @pytest.mark.parametrize("wrong", NOT_CANONICAL, ids=repr)
    def test_an_id_that_is_not_canonical_is_refused_and_restricts_whom_it_means(
        self, store: SafetyStore, wrong: Any
    ) -> None:
        """Planted and seen caught: a store that only refuses."""
        meant = {str(UUID_OF_ONE)} if "8fad" in str(wrong).lower() else {"u1"} & _spelled_by(wrong)
        for writes, apart in (
            ((store.lift,), set[str]()),
            ((lambda one: store.block(one, "b", AT),), meant),
            ((lambda one: store.unblock(one, "b"), lambda one: store.unblock("b", one)), meant),
            ((lambda one: store.report("c", one, AT), lambda one: store.block("d", one, AT)), meant),
        ):
            for write in writes:
                with pytest.raises(InputError):
                    write(wrong)
            assert store.exclusions("b", ["u1", str(UUID_OF_ONE)]) == SafetyExclusions(
                False, frozenset(apart)
            )
        for one in "cd":
            assert store.exclusions(one, ["u1", str(UUID_OF_ONE)]).excluded == meant
        with pytest.raises(InputError):
            store.hold(wrong, AT, owner="case-1")
        assert store.exclusions("x", ["u1", str(UUID_OF_ONE)]).excluded == meant
        for one in meant:
            store.lift(one, owner="case-1")
        assert store.exclusions("x", ["u1", str(UUID_OF_ONE)]) == FREE
        with pytest.raises(InputError):
            store.erase(wrong, AT)
        assert store.exclusions("x", ["u1", str(UUID_OF_ONE)]).excluded == meant
        assert store.erased_since(None) == frozenset()

    @pytest.mark.parametrize(("given", "meant"), IN_OTHER_SPELLINGS)
    def test_what_restricts_counts_for_an_id_in_every_spelling(
        self, store: SafetyStore, given: str, meant: str
    ) -> None:
        store.block(given, "b", AT)
        store.report("c", given, AT)
        assert store.exclusions(meant, ["b", "c", "d"]).excluded == {"b", "c"}
        assert store.exclusions("b", [meant, "c"]).excluded == {meant}
        assert store.exclusions("d", [meant, "b", "c"]) == FREE
        store.unblock(given, "b")
        assert store.exclusions(meant, ["b", "c"]).excluded == {"c"}
        store.hold(given, AT)
        assert store.exclusions(meant, []).viewer_excluded
        store.lift(given)
        assert store.exclusions("d", [meant]) == FREE
        store.erase(given, AT)
        assert store.exclusions("d", [meant, "b"]).excluded == {meant}
        assert store.erased_since(None) == {given}

    def test_a_lift_and_an_unblock_of_one_spelling_free_no_other_account(self, store: SafetyStore) -> None:
        for user in ("Ab", "aB"):
            store.hold(user, AT)
            store.block(user, "c", AT)
        store.lift("Ab")
        store.unblock("Ab", "c")
        assert store.exclusions("aB", []).viewer_excluded
        assert store.exclusions("c", ["aB"]).excluded == {"aB"}

    def test_a_pair_is_two_people(self, store: SafetyStore) -> None:
        for separate in (store.block, store.report):
            with pytest.raises(InputError):
                separate("a", "a", AT)

    def test_a_time_needs_a_zone(self, store: SafetyStore) -> None:
        for number, at in enumerate((AT.replace(tzinfo=None), "yesterday", 5)):
            for write in (
                lambda one, at: store.block(f"a{one}", "b", at),
                lambda one, at: store.hold(f"a{one}", at),
                lambda one, at: store.erase(f"c{one}", at),
            ):
                with pytest.raises(InputError):
                    write(number, at)
            out = {f"a{number}", f"c{number}"}
            assert store.exclusions("b", [f"a{number}", f"c{number}", "d"]).excluded == out
            assert store.erased_since(None) == frozenset()

    def test_threads_may_share_it(self, store: SafetyStore) -> None:
        seen: list[bool] = []

        def work(number: int) -> None:
            for step in range(5):
                store.block(f"a{number}", f"b{step}", AT)
                seen.append(store.exclusions(f"b{step}", [f"a{number}"]).excluded == {f"a{number}"})

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 20
        assert all(seen)


class ShownContract:
    """The same for what remembers who was shown; `log` gives an empty one."""

    def test_a_day_is_remembered(self, log: ShownLog) -> None:
        today = date(2026, 3, 2)
        log.remember("a", today, ["b", "c"])
        log.remember("a", today, ["c", "d"])
        assert log.shown("a", today) == {"b", "c", "d"}
        assert log.shown("b", today) == frozenset()
        assert log.shown("a", today + timedelta(days=1)) == frozenset()

    def test_old_days_are_forgotten(self, log: ShownLog) -> None:
        today = date(2026, 3, 2)
        for ahead in range(3):
            log.remember("a", today + timedelta(days=ahead), ["b"])
        assert log.shown("a", today) == frozenset()
        assert log.shown("a", today + timedelta(days=2)) == {"b"}

    def test_no_more_than_the_most_are_noted_however_many_ask_at_once(self, log: ShownLog) -> None:
        today, most = date(2026, 3, 2), 5
        log.remember("a", today, ["x"])
        assert log.remember_at_most("a", today, ["b", "x", "c", "b"], 2) == {"b", "x"}
        assert log.remember_at_most("a", today, ["c", "x"], 2) == {"x"}
        assert log.remember_at_most("a", today, ["c"], 3) == {"c"}
        start, granted = threading.Barrier(4), list[str]()

        def work(number: int) -> None:
            start.wait()
            for step in range(3):
                granted.extend(log.remember_at_most("b", today, [f"{number}-{step}"], most))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(granted) == most
        assert log.shown("b", today) == set(granted)
