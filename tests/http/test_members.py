"""What a member's backend asks: pages in words, one person, what was shown, blocks, the guard; what fails."""

import json
from typing import Any

import numpy as np
import pytest

from recsys.safety import MemorySafety
from recsys.safety.day_log import NEVER
from recsys.testing.people import EASY_TO_LIST, make_tables
from tests.http.served import Served


def test_a_page_is_the_rankers_page_in_words(service: Served) -> None:
    viewer = service.world.people.ids.values[3]
    for lang in ("ja", "en"):
        answer = service.ask("GET", f"/v1/members/{viewer}/page?k=5&lang={lang}").json()
        assert [one["id"] for one in answer["people"]] == service.world.listed(viewer)[:5]
        reasons = [reason for one in answer["people"] for reason in one["reasons"]]
        assert reasons
        assert all(reason["text"].isascii() == (lang == "en") for reason in reasons)
        assert not {"p_like", "score", "distance"} & answer["people"][0].keys()


def test_an_unknown_viewer_gets_the_same_empty_page_as_one_who_is_held(service: Served) -> None:
    viewer = service.world.people.ids.values[3]
    service.store.hold(viewer)
    assert service.page(viewer) == service.page("nobody-at-all") == []


def test_who_was_shown_is_noted_and_skipped(service: Served) -> None:
    viewer = service.world.people.ids.values[3]
    page = service.ask("GET", f"/v1/members/{viewer}/page?k=4").json()
    first = [one["id"] for one in page["people"]]
    body = {"receipt": page["receipt"], "people": first[:2]}
    assert service.ask("POST", f"/v1/members/{viewer}/shown", body=body).json() == {"shown": 2}
    assert not set(service.page(viewer, k=4)) & set(first[:2])
    forged = {"receipt": page["receipt"].replace(first[0], "x"), "people": first[:1]}
    assert service.ask("POST", f"/v1/members/{viewer}/shown", body=forged).status_code == 422


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("genders=woman", "?"),
        ("within_km=5&k=3", "?"),
        ("langs=en", "langs"),
        ("K=3", "?"),
        ("m0000012", "?"),
    ],
)
def test_a_parameter_that_would_be_passed_over_is_an_error(service: Served, asked: str, told: str) -> None:
    viewer = service.world.people.ids.values[3]
    answer = service.ask("GET", f"/v1/members/{viewer}/page?{asked}")
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(f"query.{told}: is unknown")
    assert service.ask("GET", f"/v1/members/{viewer}/page?k=3&lang=en").status_code == 200


def test_a_block_with_an_unknown_parameter_is_refused_and_restricts(service: Served) -> None:
    viewer = service.world.people.ids.values[3]
    other = service.page(viewer)[0]
    answer = service.ask("POST", f"/v1/members/{viewer}/blocks?notify=no", body={"person": other})
    assert answer.status_code == 422
    assert other not in service.page(viewer, k=40)


def test_a_block_is_absent_both_ways_on_the_next_page(service: Served) -> None:
    viewer = service.world.people.ids.values[3]
    other = service.page(viewer)[0]
    assert service.ask("GET", f"/v1/members/{viewer}/people/{other}").status_code == 200
    assert service.ask("POST", f"/v1/members/{viewer}/blocks", body={"person": other}).status_code == 204
    assert other not in service.page(viewer, k=40)
    assert viewer not in service.page(other, k=40)
    for door, word in (("blocks", {}), ("unblock", {}), ("reports", {"category": "other"})):
        for one in (other.upper(), "NOBODY"):  # a refusal would tell that somebody is here
            body = {"person": one} | word
            assert service.ask("POST", f"/v1/members/{viewer}/{door}", body=body).status_code == 204
        refused = [
            service.ask("POST", f"/v1/members/{viewer}/{door}", body={"person": one} | word)
            for one in (f"#{other}", f"{other}.0", f"N° {other}", "#nobody", "nobody.0", "N° nobody")
        ]  # what can be no id is refused, whoever is here
        assert {one.status_code for one in refused} == {422}
        assert len({one.content for one in refused}) == 1
    assert other not in service.page(viewer, k=40)
    blocked, nobody = (service.ask("GET", f"/v1/members/{viewer}/people/{one}") for one in (other, "nobody"))
    assert blocked.status_code == nobody.status_code == 404
    assert blocked.content == nobody.content
    for end in ("%00", "%00x", "%0A", ".0"):
        for one in (other, "nobody"):
            assert service.ask("GET", f"/v1/members/{viewer}/people/{one}{end}").content == nobody.content
    for number, one in enumerate((other.upper(), f"{other}.0", f"#{other}", "NOBODY", "#nobody")):
        row = {"event_id": f"e{number}", "type": "end", "person": one, "detail": "amicable"}
        status = 422 if {"#", "."} & {*one} else 200
        assert service.ask("POST", f"/v1/members/{viewer}/events", body=[row]).status_code == status


@pytest.mark.parametrize("door", ["blocks", "reports"])
@pytest.mark.parametrize("spelled", ["#{}", "{}.0", "{};", "'{}\u0301'"])
def test_what_can_be_no_id_is_refused_and_restricts_whom_it_means(
    service: Served, door: str, spelled: str
) -> None:
    viewer = str(service.world.people.ids.values[3])
    other = service.page(viewer)[0]
    body = {"person": spelled.format(other)} | ({"category": "other"} if door == "reports" else {})
    assert service.ask("POST", f"/v1/members/{viewer}/{door}", body=body).status_code == 422
    assert other not in service.page(viewer, k=40)


def test_a_draft_is_looked_at(service: Served) -> None:
    body = {"text": "call me on 090-1234-5678"}
    found = service.ask("POST", "/v1/members/u1/draft", body=body).json()
    assert "contact" in [one["kind"] for one in found]
    body = {"text": "My husband hits me and I am afraid.", "lang": "en"}
    (harm,) = service.ask("POST", "/v1/members/u1/draft", body=body).json()
    assert (harm["kind"], "0120-279-889" in harm["advice"]) == ("violence", True)


def test_a_store_that_is_away_is_a_refusal_to_try_again(
    service: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ConnectionResetError("secret of the store")

    assert service.client.get("/ready").status_code == 200
    monkeypatch.setattr(MemorySafety, "exclusions", broken)
    for path in ("/v1/members/u1/page", "/v1/members/u1/people/u2", "/ready"):
        answer = service.ask("GET", path)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert "secret" not in answer.text
    assert service.client.get("/live").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "page?k=SECRET", None),
        ("GET", "page?k=0", None),
        ("GET", "page?lang=SECRET", None),
        ("POST", "blocks", {"person": ["SECRET", "x"]}),
        ("POST", "blocks", {"SECRET": "x"}),
        ("POST", "blocks", ["SECRET"]),
        ("POST", "shown", {"receipt": "SECRET", "people": []}),
        ("POST", "shown", {"receipt": "[" * 100_000, "people": []}),
        ("POST", "draft", {"text": 5}),
    ],
)
def test_input_is_answered_by_what_is_wrong_and_never_repeated(
    service: Served, method: str, path: str, body: object
) -> None:
    answer = service.ask(method, f"/v1/members/u1/{path}", body=body)
    assert answer.status_code == 422
    assert "SECRET" not in answer.text
    assert answer.json()["error"]["code"] == "bad_input"


def test_a_profile_of_today_is_the_word_of_the_backend(service: Served) -> None:
    """It says how somebody was verified and that nothing stops them: no client says that of itself."""
    body, path = {"profile": {"profiles": [{"user_id": "new"}]}}, "/v1/members/new/page"
    headers = service.headers("members", viewer="new")
    assert service.client.request("POST", path, json=body, headers=headers).status_code == 403
    assert service.client.request("POST", path, json={}, headers=headers).status_code == 200
    assert service.ask("POST", path, body=body).status_code != 403


def test_the_log_names_nobody_and_repeats_nothing_that_was_sent(
    service: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = pair_of(service)
    path = f"/v1/members/{a}"
    assert service.ask("GET", f"{path}/page").status_code == 200
    assert service.ask("POST", f"{path}/draft", body={"text": "SECRET 090-1234-5678"}).status_code == 200
    profile = {"profiles": [{"user_id": a, "gender": "SECRET"}]}
    assert service.ask("POST", f"{path}/page", body={"profile": profile}).status_code == 422
    purpose = {"x-purpose": "appeal 31"}
    audit = service.ask("GET", f"/v1/operators/pairs/{a}/{b}", "operators", operator="op-7", **purpose)
    assert audit.status_code == 200

    def broken(*_: object, **__: object) -> None:
        raise ValueError(f"SECRET of {a}")

    monkeypatch.setattr(service.ranker, "rank", broken)
    answer = service.ask("GET", f"{path}/page")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "broken"
    assert 'status="500"' in service.client.get("/metrics").text
    told = "".join(capsys.readouterr())
    assert "op-7" in told
    assert "broken:" in told
    assert "ValueError" in told
    assert "SECRET" not in told + answer.text
    assert a not in told
    assert b not in told


def test_numbers_name_routes_and_nobody(service: Served) -> None:
    viewer = service.world.people.ids.values[3]
    service.page(viewer)
    text = service.client.get("/metrics").text
    assert 'route="/v1/members/{viewer_id}/page"' in text
    assert viewer not in text


def test_a_reason_without_words_does_not_cost_the_page(service: Served) -> None:
    from recsys.http.page_models import Reason

    catalogue = service.ranker.catalogue
    assert Reason.of("interest:of-another-catalogue", "ja", catalogue) == []
    assert Reason.of("near", "ja", catalogue)[0].text


def pair_of(service: Served) -> tuple[str, str]:
    pairs = service.world.may_be_offered()
    return next(pair for pair in sorted(pairs) if pair[::-1] in pairs)


def test_a_like_is_in_the_inbox_of_the_other_and_replaying_it_does_nothing(service: Served) -> None:
    a, b = pair_of(service)
    like = [{"event_id": "e1", "type": "like", "person": b}]
    assert [service.ask("POST", f"/v1/members/{a}/events", body=like).json() for _ in "12"] == [
        {"new": 1},
        {"new": 0},
    ]
    inbox = service.ask("GET", f"/v1/members/{b}/inbox").json()["people"]
    assert a in [one["id"] for one in inbox]
    assert b not in service.page(a, k=60)
    assert service.ask("GET", f"/v1/members/{b}/people/{a}/icebreaker?lang=en").json()["text"]
    assert service.ask("GET", f"/v1/members/{b}/people/nobody/icebreaker").status_code == 404
    other = [{"event_id": "e1", "type": "undo", "person": b}]
    assert service.ask("POST", f"/v1/members/{a}/events", body=other).status_code == 422


def test_who_pauses_is_out_of_sight_until_they_resume(service: Served) -> None:
    a, b = pair_of(service)
    assert service.ask("POST", f"/v1/members/{b}/pause").status_code == 204
    assert b not in service.page(a, k=60)
    assert service.page(b) == []
    assert service.ask("POST", f"/v1/members/{b}/resume").status_code == 204
    assert b in service.page(a, k=60)


def test_nobody_is_due_for_a_feeling_check_without_a_history(service: Served) -> None:
    for viewer in (pair_of(service)[0], "nobody"):
        answer = service.ask("GET", f"/v1/members/{viewer}/feeling-checks")
        assert (answer.status_code, answer.json()) == (200, {"people": []})


def test_filters_and_the_next_page(service: Served) -> None:
    viewer = service.world.people.ids.ids([3])[0]
    whole, found, after = service.page(viewer, k=60), list[str](), None
    while True:
        body = {"k": 7, "after": after, "where": {"genders": []}}
        page = service.ask("POST", f"/v1/members/{viewer}/page", body=body).json()
        found += [one["id"] for one in page["people"]]
        after = page["next"]
        if after is None:
            break
    assert found == whole
    chosen = {"among": whole[2:4]}
    page = service.ask("POST", f"/v1/members/{viewer}/page", body=chosen).json()
    assert [one["id"] for one in page["people"]] == whole[2:4]
    wrong = {"where": {"genders": ["SECRET"]}}
    answer = service.ask("POST", f"/v1/members/{viewer}/page", body=wrong)
    assert answer.status_code == 422
    assert "SECRET" not in answer.text


def test_a_backend_writes_of_anybody_and_asks_for_many(service: Served) -> None:
    a, b = pair_of(service)
    event = {
        "event_id": "p1",
        "actor": b,
        "type": "verified",
        "detail": "none",
        "at": "2026-03-02T12:00:00+09:00",
    }
    assert service.ask("POST", "/v1/backend/events", body=[event]).json() == {"new": 1}
    assert b not in service.page(a, k=60)
    assert service.ask("POST", "/v1/backend/holds", body={"person": a, "owner": "case-1"}).status_code == 204
    assert service.page(a) == []
    lifted = service.ask("POST", "/v1/backend/holds/lift", body={"person": a, "owner": "case-1"})
    assert lifted.status_code == 204
    many = service.ask("POST", "/v1/backend/pages", body={"viewers": [a, "nobody"], "k": 4}).json()
    assert [one["id"] for one in many[0]["page"]["people"]] == service.page(a, k=4)
    assert many[1]["page"]["people"] == []
    assert service.ask("POST", "/v1/backend/erasures", body={"person": a}).status_code == 204
    assert service.page(a) == []
    members = service.client.post("/v1/backend/events", json=[event], headers=service.headers("members"))
    assert members.status_code == 403


def test_the_document_describes_every_route_without_a_persons_value(service: Served) -> None:
    document = service.client.get("/openapi.json").json()
    assert "/v1/members/{viewer_id}/inbox" in document["paths"]
    text = str(document)
    assert not [one for one in service.world.people.ids.values if f"'{one}'" in text]
    for path, methods in document["paths"].items():
        for what in methods.values():
            assert what["summary"], path
            if path.startswith("/v1"):
                assert {"401", "403", "422", "503"} <= what["responses"].keys(), path


@pytest.mark.parametrize(
    "wrong",
    [
        {"event_id": "2", "type": "like", "person": "x", "at": "2026-03-02T09:00:00"},
        {"event_id": "", "type": "like", "person": "x"},
        {"event_id": "2", "type": "like", "person": "x", "salary": 3},
        {"event_id": "2", "type": "verified", "detail": "id"},
        "no row",
    ],
)
def test_a_body_that_does_not_fit_hides_no_restriction(service: Served, wrong: object) -> None:
    viewer = next(one for one in service.world.people.ids.values if service.page(one))
    other = service.page(viewer)[0]
    row = {"event_id": "1", "type": "end", "person": other, "detail": "unsafe", "at": "yesterday"}
    answer = service.ask("POST", f"/v1/members/{viewer}/events", "members", viewer=viewer, body=[wrong, row])
    assert answer.status_code == 422
    assert service.page(viewer, k=50)
    assert other not in service.page(viewer, k=50)


AT = "2026-03-02T00:00:00Z"
_RESTRICTING = {
    "blocks": lambda one, more: ("POST", "members/{me}/blocks", {"person": one} | more),
    "reports": lambda one, more: (
        "POST",
        "members/{me}/reports",
        {"person": one, "category": "threat"} | more,
    ),
    "end": lambda one, more: (
        *("POST", "members/{me}/events"),
        [{"event_id": "e", "type": "end", "person": one, "detail": "unsafe"} | more],
    ),
    "feeling-check": lambda one, more: (
        *("POST", f"members/{{me}}/people/{one}/feeling-check"),
        {"event_id": "f", "answer": "pressured"} | more,
    ),
    "holds": lambda one, more: ("POST", "backend/holds", {"person": one, "owner": "case-1"} | more),
    "erasures": lambda one, more: ("POST", "backend/erasures", {"person": one} | more),
    "proof": lambda one, more: (
        *("POST", "backend/events"),
        [
            {
                "event_id": "p",
                "actor": one,
                "type": "verified",
                "detail": "none",
                "at": "2026-03-02T00:00:00Z",
            }
            | more
        ],
    ),
    "ban": lambda one, more: (
        *("PUT", f"backend/members/{one}/tables"),
        {"event_id": "t", "tables": {"profiles": [{"user_id": one, "account_state": "banned"}]}} | more,
    ),
    "profile": lambda one, more: (
        *("POST", f"members/{one}/page"),
        {"profile": {"profiles": [{"user_id": one, "account_state": "banned"}]}} | more,
    ),
}
_SPELLED = {"full width": lambda one: one.replace("u", "\uff55"), "list": lambda one: [one]}
_OTHER_KEYS = {"person": "target", "actor": "user_id", "profile": "tables", "tables": "profile"}
"""What each route is asked by which somebody is out of another's sight, with something more in the body."""
_WRONG = {
    "unknown key": {"note": "SECRET"},
    "no number": {"k": -1, "count": "many"},
    "no word": {"lang": "xx", "reason": "SECRET words, and many of them", "where": {"ages": ["x"]}},
}


@pytest.mark.parametrize("route", _RESTRICTING)
def test_whatever_is_wrong_beside_it_every_route_that_restricts_does(service: Served, route: str) -> None:
    ids = [one for one in service.world.people.ids.values if service.page(one, k=60)]
    me = ids[0]
    others = service.page(me, k=60)
    faults = [(name, lambda one: one, more) for name, more in _WRONG.items()]
    if route not in {"ban", "profile", "feeling-check"}:
        faults += [(name, spelled, {}) for name, spelled in _SPELLED.items()]
    for (name, spelled, more), other in zip(faults, others, strict=False):
        method, path, body = _RESTRICTING[route](spelled(other), more)
        answer = service.ask(method, f"/v1/{path.format(me=me)}", body=body)
        assert other not in service.page(me, k=60), (route, name, answer.status_code)
        assert "SECRET" not in answer.text
    for other in others[len(faults) : len(faults) + 1]:
        method, path, body = _RESTRICTING[route](other, {})
        rows = [{_OTHER_KEYS.get(key, key): value for key, value in one.items()} for one in _each(body)]
        service.ask(method, f"/v1/{path.format(me=me)}", body=rows if isinstance(body, list) else rows[0])
        assert other not in service.page(me, k=60), (route, rows)
    assert service.page(me, k=60), "somebody is left to be seen"


def _each(body: Any) -> list[dict[str, Any]]:
    return body if isinstance(body, list) else [body]


def test_a_report_keeps_its_category_and_separates_whatever_it_says(service: Served) -> None:
    a, b, c = service.world.people.ids.values[:3].tolist()
    for person, category, status in ((b, "threat", 204), (b, "threat", 204), (c, "zebra-7", 422)):
        answer = service.ask(
            "POST", f"/v1/members/{a}/reports", body={"person": person, "category": category}
        )
        assert answer.status_code == status
        assert "zebra-7" not in answer.text
        assert person in service.store.exclusions(a, [b, c]).excluded
    kept = [one for one in service.store.day.events(NEVER) if one.type == "report" and one.actor == a]
    assert [(one.target, one.detail) for one in kept] == [(b, "threat"), (c, "other")]


def test_tables_that_cannot_be_used_are_told_to_the_backend_that_gave_them(service: Served) -> None:
    """Planted and seen caught: an answer of tables that are kept and show nobody, without a word of it."""
    one = str(service.world.people.ids.values[3])
    rows = {"profiles": [{"user_id": one, "account_state": "active"}]}
    body = {"event_id": "told", "tables": rows}
    answer = service.ask("PUT", f"/v1/backend/members/{one}/tables", body=body)
    assert answer.status_code == 200
    assert "profiles.verification is missing" in answer.json()["unusable"]
    tables = make_tables(1, np.random.default_rng(5), unknown=0.0, **EASY_TO_LIST)
    kept = {name: tables[name].assign(user_id=one) for name in ("profiles", "boundaries")}
    rows = {
        name: json.loads(frame.to_json(orient="records", date_format="iso")) for name, frame in kept.items()
    }
    own = {"event_id": "told-2", "tables": rows}
    answer = service.ask("PUT", f"/v1/backend/members/{one}/tables", body=own)
    assert answer.json()["unusable"] == ""
