"""No answer, log line or number of any route repeats what was sent, whatever is wrong with it and where."""

import copy
import json
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import pytest

from recsys.catalogue.vocabulary import EVENT_DETAILS
from recsys.http.app import create_app
from recsys.http.refused_bodies import MEMBER_TYPES
from recsys.safety import SqliteSafety
from recsys.safety.day_log import PERSONAL, TYPES
from recsys.testing.people import make_tables
from tests.http.served import Served, served
from tests.ranking.published_world import World, copied

MARKS: Final = ("zitherplay", "0901234567", "hana.sato", "花子")
"""A word of a profile, a phone, a mailbox and a name; some stand in every value that is sent."""
PERSON: Final = "zitherplay 090-1234-5678 0901234567 hana.sato@mail.example 花子"
TEXTS: Final = (
    PERSON,
    "zitherplay",
    f"{PERSON}; {PERSON}",
    f"'{PERSON}'; \"{PERSON}\": got {PERSON}",
    f"\n{PERSON}\r\n{PERSON}\x00",
)
VALUES: Final[tuple[Any, ...]] = (
    *TEXTS,
    [PERSON],
    {PERSON: PERSON},
    [[{PERSON: [PERSON]}]],
    9012345670901234567,
    0.9012345670901234567e300,
)
DOCUMENT: Final = create_app(lambda: None).openapi()  # type: ignore[arg-type,return-value]
OPERATIONS: Final = [
    (method, path) for path, methods in DOCUMENT["paths"].items() for method in methods
]  # of the application itself: a new route is in the law
MANY: Final = 20
"""Places in a body from which on each has three of the values in turn."""
EXAMPLE: Final = "m0000012"
TABLES: Final = {
    name: json.loads(frame.assign(user_id=EXAMPLE).head(1).to_json(orient="records", date_format="iso"))
    for name, frame in make_tables(1, np.random.default_rng(3), unknown=0.0).items()
    if "user_id" in frame
}
TABLES["profiles"][0]["person_token"] = f"hmac1:{7:064x}"
"""A member's tables of today, whole."""
_TO_RETURN: Final = re.compile(r'"(receipt|next)":"(\\.|[^"\\])*"')
"""What a page gives its viewer to send back, which says who that is."""


def sound(schema: Any) -> Any:
    """Return a value of a schema of the document, with every key it may have."""
    if "$ref" in schema:
        return sound(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "examples" in schema or "enum" in schema:
        return (schema.get("examples") or schema["enum"])[0]
    if "anyOf" in schema:
        return sound(schema["anyOf"][0])
    if schema.get("type") == "array":
        return [sound(schema["items"])]
    if "properties" in schema:
        return {name: sound(one) for name, one in schema["properties"].items()}
    if schema.get("type") == "object":
        return TABLES
    plain = {"integer": 1, "number": 1.0, "boolean": True}
    return "2026-01-05T03:00:00Z" if schema.get("format") else plain.get(schema["type"], EXAMPLE)


def places(body: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value within a body."""
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in parts:
        yield (*at, key)
        yield from places(value, (*at, key))


def wrong_bodies(body: Any) -> Iterator[Any]:
    """Yield a body with one value in each place in turn, and with one under a key that nobody knows."""
    yield from VALUES
    found, values = list(places(body)), cycle(VALUES)
    for *around, last in found:
        for value in VALUES if len(found) < MANY else islice(values, 3):
            other = copy.deepcopy(body)
            within(other, around)[last] = value
            yield other
    for path in [(), *places(body)]:
        other = copy.deepcopy(body)
        if isinstance(found := within(other, path), dict):
            yield other if found.update({PERSON: PERSON}) is None else None


def within(body: Any, path: Any) -> Any:
    for part in path:
        body = body[part]
    return body


def requests_of(method: str, path: str) -> Iterator[dict[str, Any]]:
    """Yield requests to a route with a value in each place: path, query, header, body, key, form, method."""
    operation = DOCUMENT["paths"][path][method]
    content = operation.get("requestBody", {}).get("content", {})
    body = sound(content["application/json"]["schema"]) if content else None
    usual = {"method": method, "url": re.sub(r"{\w+}", EXAMPLE, path), "json": body}
    yield usual
    for value in TEXTS:
        for one in operation.get("parameters", ()):
            if one["in"] == "path":
                url = path.replace(f"{{{one['name']}}}", quote(value, safe=""))
                yield usual | {"url": re.sub(r"{\w+}", EXAMPLE, url)}
            else:
                yield usual | {"params": {one["name"]: value}}
        yield usual | {"params": {value: value}}
        yield usual | {"url": f"{usual['url']}/{quote(value, safe='')}"}
        for raw in (value, f'{{"{value}', f'{{"{value}": 1, "{value}": 2}}'):
            yield usual | {"content": raw.encode(), "json": None}
        yield usual | {"content": value.encode("utf-16"), "json": None}
    yield usual | {"method": MARKS[0]}
    yield usual | {"data": {PERSON: PERSON}, "json": None}
    for header in ("content-type", "accept-language", "cookie", "authorization", "referer", "user-agent"):
        yield usual | {"headers": {header: "Bearer zitherplay hana.sato@mail.example 0901234567"}}
    for wrong in wrong_bodies(body) if content else ():
        yield usual | {"json": wrong}


def repeated(text: str, marks: tuple[str, ...]) -> list[str]:
    """Return which marks stand in a text, as they are or in an escape of JSON, in capitals or not."""
    folded = text.casefold()
    return [mark for mark in marks if mark in folded or json.dumps(mark)[1:-1] in folded]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_route_repeats_what_was_sent(
    service: Served, method: str, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = tuple(service.world.people.ids.values[[3, 7]])
    for request, member in zip(requests_of(method, path), cycle(ids), strict=False):
        given = {**request, "url": request["url"].replace(EXAMPLE, member)}
        if "content" not in given:
            given["json"] = json.loads(json.dumps(given["json"]).replace(EXAMPLE, member))
        more = {"x-purpose": "appeal 31", **given.pop("headers", {})}
        headers = service.headers("members", "backend", "operators", operator="op-1") | more
        capfd.readouterr()
        answer = service.client.request(**given, headers=headers, follow_redirects=False)
        logs = "".join(capfd.readouterr())
        assert answer.status_code < 500, (request, logs)
        assert not repeated(_TO_RETURN.sub("", answer.text), MARKS), (request, answer.text)
        assert answer.status_code < 300 or not repeated(answer.text, ids), (request, answer.text)
        assert not repeated(logs, (*MARKS, *ids)), (request, logs)
    numbers = service.client.get("/metrics").text
    assert not repeated(numbers, (*MARKS, *ids)), [one for one in numbers.split("\n") if repeated(one, MARKS)]


def bodies_naming(method: str, path: str, member: str, other: str) -> list[Any]:
    """Return sound bodies of a route, of each type of event, in which somebody names somebody else."""
    content = DOCUMENT["paths"][path][method].get("requestBody", {}).get("content", {})
    if not content:
        return [None]
    (body,) = [json.loads(json.dumps(sound(content["application/json"]["schema"])).replace(EXAMPLE, other))]
    if path.endswith("/tables"):
        blocks = [{"actor": member, "target": other, "ts": "2026-01-05T03:00:00Z"}]
        own = json.loads(json.dumps(TABLES).replace(EXAMPLE, member)) | {"blocks": blocks}
        return [{"event_id": f"tables-{other}", "tables": own}]
    if not path.endswith("/events"):
        return [{**body, **({"event_id": f"check-{other}"} if "event_id" in body else {})}]
    events = []
    for kind in TYPES if "backend" in path else MEMBER_TYPES:
        one = dict.fromkeys(body[0]) | {"type": kind, "event_id": f"{kind}-{other}-{member}"}
        pair = kind not in PERSONAL and kind != "optin"
        one |= {"person": other if pair else None} if "person" in one else {}
        one |= {"actor": member, "target": other if pair else None} if "actor" in one else {}
        one |= {"detail": next(iter(EVENT_DETAILS.get(kind, (None,)))), "at": "2026-01-05T03:00:00Z"}
        events.append([one])
    return events


def spelled(user_id: str) -> tuple[str, str]:
    """Return an id as it is known and in capitals, as a client may send it."""
    return user_id, user_id.upper()


def told_about_erased(service: Served, method: str, path: str) -> dict[str, list[tuple[int, str]]]:
    """Return what a route answers about somebody who is erased, `gone`, and about an id that nobody has."""
    member, gone = service.world.people.ids.values[[3, 7]]
    service.ranker.safety.erase(gone)
    answers: dict[str, list[tuple[int, str]]] = {"gone": [], "stranger": []}
    for who, other in (("gone", gone), ("stranger", "n" + gone[1:])):
        _, capitals = spelled(other)
        pairs = ((member, other), (other, member), (member, other), (member, capitals), (capitals, member))
        for actor, target in pairs:
            for body in bodies_naming(method, path, actor, target):
                url = path.replace("{viewer_id}", actor).replace("{person}", target)
                answer = service.ask(method.upper(), url, body=body)
                text = _TO_RETURN.sub("", answer.text).replace(other, "?")
                if capitals not in (actor, target):  # until a night, publications know the one in capitals
                    answers[who].append((answer.status_code, text))
    return answers


WRITES: Final = [one for one in OPERATIONS if one[0] != "get"]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_no_route_brings_the_id_of_somebody_erased_back(
    world: World, published: Path, tmp_path: Path, method: str, path: str
) -> None:
    """Seen to fail: a like, a block, a hold and tables kept the id in clear. Answers are as of anybody."""
    store = SqliteSafety.create(tmp_path / "safety.db")
    with served(world, copied(published, tmp_path / "published"), store=store) as service:
        told = told_about_erased(service, method, path)
    files = b"".join(one.read_bytes() for one in tmp_path.glob("safety.db*"))
    assert not any(one.encode() in files for one in spelled(world.people.ids.values[7]))
    assert path.endswith(("/page", "/pages")) or told["gone"] == told["stranger"]  # pages tell their time


def test_no_route_brings_the_id_of_somebody_erased_back_into_postgresql(
    world: World, published: Path, tmp_path: Path, postgres: str
) -> None:
    import psycopg

    from recsys.safety.postgres_store import PostgresSafety

    with (
        closing(PostgresSafety.create(postgres, timeout_s=30)) as store,
        served(world, copied(published, tmp_path / "published"), store=store) as service,
    ):
        for method, path in WRITES:
            told_about_erased(service, method, path)
    gone = world.people.ids.values[7]
    with psycopg.connect(postgres) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in tables:
            rows = connection.execute(f"SELECT t::text FROM {name} t").fetchall()  # type: ignore[arg-type]
            texts = "".join(one for (one,) in rows)
            assert name == "recsys_erased_people" or not any(one in texts for one in spelled(gone)), name
