"""What every safety store must do about people who were erased; part of `SafetyContract`."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from recsys.safety.day_log import DayEvent, StoreWithDay
from recsys.safety.shown_log import ShownLog
from recsys.safety.store import (
    SafetyExclusions,
    SafetyStore,
    StoreNamingPeople,
    StoreWithErasedIds,
    StoreWithHolds,
)

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
FREE = SafetyExclusions(viewer_excluded=False, excluded=frozenset())


class ErasureContract:
    """The part of `SafetyContract` about erasures; give `store` as there."""

    def test_an_erased_person_is_out_for_good(self, store: SafetyStore) -> None:
        store.hold("a", AT)
        store.erase("a", AT)
        store.lift("a")
        assert store.exclusions("b", ["a"]).excluded == {"a"}
        assert store.exclusions("a", ["b"]).viewer_excluded

    def test_nobody_erased_stands_in_tables_of_the_day(self, store: SafetyStore) -> None:
        """Seen to fail: a block of theirs, in tables that another member sent, kept the id."""
        if not isinstance(store, StoreWithDay):
            return
        rows = [{"actor": "other", "target": one, "note": "12"} for one in ("12", "120", ["12"], "12 ", "b")]
        changed = DayEvent.of_tables("own", "other", {"blocks": rows, "profiles": [{"user_id": "other"}]}, AT)
        more = replace(
            changed, event_id="more", payload='{"blocks": [{"target": "12", "row": 12}], "x": "12"}'
        )
        odd = replace(changed, event_id="odd", payload="12, no JSON")
        store.day.append([changed, more, odd])
        store.erase("12", AT)
        found = {
            one.event_id: one.payload or ""
            for one in store.day.events(AT - timedelta(days=1))
            if one.actor == "other"
        }
        assert found.pop("odd") == "12, no JSON"
        left = {name: json.loads(payload) for name, payload in found.items()}
        assert [row["target"] for row in left["own"]["blocks"]] == ["120", "b"]
        assert left["own"]["profiles"] == [{"user_id": "other"}]
        assert left["more"] == {"blocks": [], "x": "12"}

    @pytest.mark.parametrize("gone", ["u0000188", "9f8b6c1e-5d1a-4c39-8a7e-0242ac120002", "x_7-a", "zoë-1"])
    @pytest.mark.parametrize("form", ["{}", "club.{}", "walk with {}", "{}, {} and-others"])
    def test_an_erased_id_stands_in_no_name_in_tables_of_the_day(
        self, store: SafetyStore, form: str, gone: str
    ) -> None:
        """Seen to fail: circles and tags of somebody else, in tables of today, kept the id for good."""
        if not isinstance(store, StoreWithDay):
            return
        near, capitals = f"{gone}9", gone.upper() if gone.isascii() else gone
        named = {"communities": "community_id", "interests": "tag"}

        def tables(name: str) -> dict[str, list[dict[str, object]]]:
            rows = {table: [{"user_id": "other", column: name}] for table, column in named.items()}
            return {**rows, "profiles": [{"user_id": "other", "languages": [name, "ja"], "age_years": 30}]}

        spellings = (form.format(one, one) for one in (gone, capitals, near))
        changed = [
            DayEvent.of_tables(f"e{at}", "other", tables(name), AT) for at, name in enumerate(spellings)
        ]
        store.day.append(changed, arrived=AT)
        store.erase(gone, AT)
        events = {one.event_id: one for one in store.day.events(AT - timedelta(days=1))}
        assert events["e2"] == changed[2]
        for name in ("e0", "e1"):
            left = json.loads(events[name].payload or "")
            assert gone not in json.dumps(left, ensure_ascii=False).lower()
            told = left["interests"][0]["tag"]
            assert re.fullmatch(form.replace(".", "[.]").replace("{}", "id[.][0-9a-f]{16}"), told)
            assert left == tables(told)

    @pytest.mark.parametrize("spelled", ["u0000188", "U0000188"])
    @pytest.mark.parametrize("form", ["{}", "by-{}", "{}:money", "seen.by_{}.and-others"])
    def test_an_erased_id_stands_in_no_owner_reason_or_name_of_an_event(
        self, store: SafetyStore, form: str, spelled: str
    ) -> None:
        """Seen to fail: who was named by the words of a hold of somebody else stayed in them."""
        gone = "u0000188"
        word, near = form.format(spelled), form.format("u00001889")
        for one, words in (("x", (word, "r")), ("y", ("case-1", word)), ("z", (near, near))):
            store.hold(one, AT, owner=words[0], reason=words[1])
        if isinstance(store, StoreWithDay):
            names = (word, near, "e1")
            store.day.append([DayEvent(name, AT, "a", "b", "pass") for name in names], arrived=AT)
        store.erase(gone, AT)
        if isinstance(store, StoreWithHolds):
            said = {word for holds in store.all_holds().values() for hold in holds for word in hold}
            assert not any(gone in word.replace("u00001889", "").lower() for word in said)
            assert {near, "case-1", "r"} < said
        assert store.exclusions("a", ["x", "y", "z"]).excluded == {"x", "y", "z"}
        if isinstance(store, StoreWithDay):
            events = store.day.events(AT - timedelta(days=1))
            assert len(events) == 3
            assert {near, "e1"} < {one.event_id for one in events}
            assert word not in {one.event_id for one in events}

    def test_it_says_whom_it_names_until_they_are_erased(self, store: SafetyStore) -> None:
        """Seen to fail: an id in a row of tables of the day of somebody else was not found."""
        if not isinstance(store, StoreNamingPeople):
            pytest.skip("it does not say")
        store.hold("held", AT)
        store.block("blocking", "blocked", AT)
        store.report("reporting", "reported", AT)
        named = {"held", "blocking", "blocked", "reporting", "reported"}
        if isinstance(store, StoreWithDay):
            rows = [{"actor": "editing", "target": "in-a-row"}]
            changed = DayEvent.of_tables("own", "editing", {"blocks": rows}, AT)
            store.day.append([DayEvent("e1", AT, "passing", "passed", "pass"), changed])
            named |= {"passing", "passed", "editing", "in-a-row"}
        if isinstance(store, ShownLog):
            store.remember("looking", AT.date(), ["seen"])
            named |= {"looking", "seen"}
        assert named <= store.named_people()
        for one in named:
            store.erase(one, AT)
        assert not named & store.named_people()

    def test_the_ids_of_erased_people_are_dropped_when_told(self, store: SafetyStore) -> None:
        if not isinstance(store, StoreWithErasedIds):
            pytest.skip("it keeps them")
        for user in ("a", "b"):
            store.erase(user, AT)
        store.drop_erased(["a", "never erased"])
        assert store.erased_since(None) == {"b"}
        assert store.exclusions("b", ["a"]) == SafetyExclusions(viewer_excluded=True, excluded=frozenset())

    def test_who_was_erased_since_a_moment(self, store: SafetyStore) -> None:
        store.erase("a", AT)
        store.erase("b", AT + timedelta(hours=1))
        assert store.erased_since(None) == {"a", "b"}
        assert store.erased_since(AT) == {"a", "b"}
        assert store.erased_since(AT + timedelta(minutes=1)) == {"b"}
        store.erase("a", AT + timedelta(hours=2))  # the first time counts
        assert store.erased_since(AT + timedelta(minutes=1)) == {"b"}

    def test_erasing_drops_what_is_held_about_a_person(self, store: SafetyStore) -> None:
        store.block("a", "b", AT)
        store.block("a", "c", AT)
        store.erase("a", AT)
        assert store.exclusions("b", ["c"]) == FREE
        if isinstance(store, ShownLog):
            store.remember("b", AT.date(), ["d", "c"])
            store.erase("d", AT)
            assert store.shown("b", AT.date()) == {"c"}
