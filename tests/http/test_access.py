"""Who may ask what: tokens, scopes, the viewer a backend vouches for, and equal bytes for every refusal."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from recsys.errors import InputError
from recsys.http.access_tokens import AccessToken
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
        {"scopes": ["members"], "operator": "op-7"},
    ],
)
def test_a_token_that_means_nothing_is_not_made(wrong: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError):
        AccessToken.make(wrong.pop("scopes"), **wrong)
