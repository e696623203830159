"""What a member's backend asks: pages in words, one person, what was shown, blocks, the guard; what fails."""

import pytest

from recsys.safety import MemorySafety
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


def test_a_block_is_absent_both_ways_on_the_next_page(service: Served) -> None:
    viewer = service.world.people.ids.values[3]
    other = service.page(viewer)[0]
    assert service.ask("GET", f"/v1/members/{viewer}/people/{other}").status_code == 200
    assert service.ask("POST", f"/v1/members/{viewer}/blocks", body={"person": other}).status_code == 204
    assert other not in service.page(viewer, k=40)
    assert viewer not in service.page(other, k=40)
    blocked, nobody = (service.ask("GET", f"/v1/members/{viewer}/people/{one}") for one in (other, "nobody"))
    assert blocked.status_code == nobody.status_code == 404
    assert blocked.content == nobody.content


def test_a_draft_is_looked_at(service: Served) -> None:
    body = {"text": "call me on 090-1234-5678"}
    found = service.ask("POST", "/v1/members/u1/draft", body=body).json()
    assert "contact" in [one["kind"] for one in found]


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
        ("POST", "blocks", {"person": " SECRET "}),
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


def test_numbers_name_routes_and_nobody(service: Served) -> None:
    viewer = service.world.people.ids.values[3]
    service.page(viewer)
    text = service.client.get("/metrics").text
    assert 'route="/v1/members/{viewer_id}/page"' in text
    assert viewer not in text
