"""Who may ask what: tokens, scopes, the viewer a backend vouches for, and equal bytes for every refusal."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from recsys.errors import InputError
from recsys.http.access_tokens import AccessToken
from recsys.http.request_bodies import LARGEST_BODY
from recsys.safety.keys import Keys
from tests.http.served import KEYS, Served


def test_refusals_have_equal_bytes_whatever_is_wrong(service: Served) -> None:
    viewer, other = service.world.people.ids.values[[3, 4]]
    path = f"/v1/members/{viewer}/page"
    good = AccessToken.make(["members"], viewer=viewer).signed(KEYS)
    forged = good.replace(good.split(".")[1], _of_another_viewer(good, other))
    ended = AccessToken.make(["members"], now=datetime.now(UTC) - timedelta(hours=3)).signed(KEYS)
    foreign = AccessToken.make(["members"]).signed(Keys((b"another key, of no service at all",)))
    unknown = [
        None,
        "",
        "Bearer",
        "Bearer x",
        "Basic abc",
        f"Bearer {forged}",
        f"Bearer {ended}",
        f"Bearer {foreign}",
    ]
    answers = [service.client.get(path, headers={"authorization": one} if one else {}) for one in unknown]
    assert {answer.status_code for answer in answers} == {401}
    wrong = [
        service.client.get(path, headers=service.headers("members", viewer=other)),
        service.client.get(path, headers=service.headers("backend")),
        service.client.get(path, headers=service.headers("operators", operator="op-7")),
        service.client.get("/v1/operators/pairs/a/b", headers=service.headers("members")),
        service.client.get("/v1/operators/pairs/a/b", headers=service.headers("operators", operator="op-7")),
    ]
    assert {answer.status_code for answer in wrong} == {403}
    assert len({answer.content for answer in (*answers, *wrong)}) == 1
    assert service.client.get(path, headers={"authorization": f"Bearer {good}"}).status_code == 200


def _of_another_viewer(token: str, other: str) -> str:
    body = token.split(".")[1]
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | {"viewer": other}
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_an_operator_looks_into_a_pair_for_a_purpose(service: Served) -> None:
    viewer, other = service.world.people.ids.values[[3, 4]]
    path = f"/v1/operators/pairs/{viewer}/{other}"
    found = service.ask("GET", path, "operators", operator="op-7", **{"x-purpose": "appeal 31"})
    assert found.status_code == 200
    assert found.json()["known"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["everything"]},
        {"scopes": []},
        {"scopes": ["members"], "minutes": 0},
        {"scopes": ["members"], "viewer": ""},
        {"scopes": ["operators"]},
        {"scopes": ["operators"], "operator": " \u200b"},
        {"scopes": ["members"], "operator": "op-7"},
    ],
)
def test_a_token_that_means_nothing_is_not_made(wrong: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError):
        AccessToken.make(wrong.pop("scopes"), **wrong)


def test_a_body_is_not_read_without_a_token_and_no_further_than_its_largest_size(service: Served) -> None:
    viewer = service.world.people.ids.values[3]
    path, of_member = f"/v1/members/{viewer}/events", service.headers("members", viewer=viewer)
    large = b" " * (LARGEST_BODY + 1)
    refusal = service.client.get(f"/v1/members/{viewer}/page")
    for body in (large, b"[", b"\xff"):
        answer = service.client.post(path, content=body)
        assert (answer.status_code, answer.content) == (401, refusal.content)
    assert service.client.post(path, content=large, headers=of_member).status_code == 413
    parts = service.client.post(path, content=iter([large[:-2], b"    "]), headers=of_member)
    assert parts.status_code == 413
    wrong = service.client.post(path, content=b"[]", headers=of_member | {"content-length": "many"})
    assert wrong.status_code in (400, 413)


@pytest.mark.parametrize("body", [b"\xff\xfe[]", b"[" * 100_000, b"{", b""])
def test_a_body_that_is_no_json_is_told_so(service: Served, body: bytes) -> None:
    viewer = service.world.people.ids.values[3]
    headers = service.headers("members", viewer=viewer) | {"content-type": "application/json"}
    answer = service.client.post(f"/v1/members/{viewer}/events", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "bad_input"


@pytest.mark.parametrize("path", ["page", "inbox", "circles", "feeling-checks", "people/{other}"])
def test_a_request_waits_for_no_thread_and_its_token_is_read_once(
    service: Served, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async def refused(*_: object) -> None:
        raise AssertionError("a thread")

    viewer = service.world.people.ids.values[3]
    (other, *_), read, tokens = service.page(viewer), AccessToken.read, list[str]()
    for module in ("fastapi.routing", "fastapi.dependencies.utils"):
        monkeypatch.setattr(f"{module}.run_in_threadpool", refused)
    monkeypatch.setattr(AccessToken, "read", lambda text, *more: tokens.append(text) or read(text, *more))
    answer = service.ask("GET", f"/v1/members/{viewer}/{path.format(other=other)}")
    assert answer.status_code == 200
    assert len(tokens) == 1
