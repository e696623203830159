"""Bodies that are answered with 422: what they say of safety counts, however strange the rest is."""

import json
from collections.abc import Callable
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.errors import InputError
from recsys.safety.day_log import DayEvent
from recsys.safety.store import ask_safety
from tests.http.served import Served

NOW = "2026-03-02T09:00:00+00:00"
STRANGE = {
    "many digits": "1" + "0" * 4_400,
    "nested lists": "[" * 3_000 + "]" * 3_000,
    "nested objects": '{"a":' * 3_000 + "0" + "}" * 3_000,
    "open brackets in a text": json.dumps('\\"' + "[{" * 3_000),
    "not a number": "NaN",
}
"""Values of a key that nobody knows."""
ROUTES: dict[str, tuple[str, str, str]] = {
    "a hide": ("POST", "/v1/members/{a}/events", '[{{"event_id":"e","type":"hide","person":"{b}","n":{n}}}]'),
    "a block": ("POST", "/v1/members/{a}/blocks", '{{"n":{n},"person":"{b}"}}'),
    "a report": ("POST", "/v1/members/{a}/reports", '{{"person":"{b}","category":"money","n":{n}}}'),
    "a hold": ("POST", "/v1/backend/holds", '{{"person":"{b}","n":{n}}}'),
    "an erasure": ("POST", "/v1/backend/erasures", '{{"n":{n},"person":"{b}"}}'),
    "an event": (
        "POST",
        "/v1/backend/events",
        '[{{"event_id":"e","type":"money_request","actor":"{a}","target":"{b}","at":"' + NOW + '","n":{n}}}]',
    ),
    "tables": (
        "PUT",
        "/v1/backend/members/{b}/tables",
        '{{"event_id":"e","tables":{{"profiles":[{{"user_id":"{b}","account_state":"banned","n":{n}}}]}}}}',
    ),
}


def pair(service: Served, at: int = 0) -> tuple[str, str]:
    """Return somebody with a list, another one for another number, and who stands first on their page."""
    viewer = str(service.world.lists[C.VIEWER].unique()[at])
    return viewer, service.page(viewer)[0]


def send(service: Served, route: str, value: str, *scopes: str) -> tuple[int, str, str]:
    a, b = pair(service)
    method, path, body = ROUTES[route]
    headers = service.headers(*scopes) | {"content-type": "application/json"}
    content = body.format(a=a, b=b, n=value).encode()
    answer = service.client.request(method, path.format(a=a, b=b), content=content, headers=headers)
    return answer.status_code, a, b


@pytest.mark.parametrize("value", STRANGE)
@pytest.mark.parametrize("route", ROUTES)
def test_a_body_restricts_whatever_stands_beside(service: Served, route: str, value: str) -> None:
    """Seen to fail: with a number or a depth that Python's reader of JSON gives up on nobody was apart."""
    status, a, b = send(service, route, STRANGE[value], "members", "backend")
    assert status == 422
    assert b not in service.page(a)


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_that_cannot_be_read_restricts_nobody_without_a_token_for_it(
    service: Served, route: str
) -> None:
    """Planted and seen caught: such a body is judged before the token of its request."""
    scope = "members" if "/backend/" in ROUTES[route][1] else "backend"
    _, a, b = send(service, route, STRANGE["nested lists"], scope)
    assert b in service.page(a)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("blocks", '{"person":null,"target":"%s"}'),
        ("blocks", '{"person":"","who":["%s"]}'),
        ("blocks", '{"%s":true}'),
        ("blocks", '[{"%s":{"x":1}}]'),
        ("events", '{"events":[{"event_id":"x","type":"hide","person":"%s"}]}'),
        ("events", '[[{"event_id":"x","type":"hide","person":"%s"}]]'),
        ("events", '[{"event_id":"x","type":"hide","person":{"id":"%s","name":"x"}}]'),
        ("events", '[{"event_id":"x","type":"hide","person":{"member":["%s"]}}]'),
        ("blocks", '{"person":{"user_id":"%s"}}'),
        ("events", '{"data":{"rows":[{"event_id":"x","type":"hide","person":"%s"}]}}'),
        ("events", '{"type":"batch","items":[{"event_id":"x","type":"hide","person":"%s"}]}'),
        ("events", '[{"type":"member.event","data":{"event_id":"x","type":"hide","person":"%s"}}]'),
    ],
)
def test_a_body_in_another_form_restricts_whom_it_names(service: Served, route: str, body: str) -> None:
    """Seen to fail: rows within an object, an id as a key, and one beside an empty `person` did nothing."""
    a, b = pair(service)
    headers = service.headers("members") | {"content-type": "application/json"}
    answer = service.client.post(f"/v1/members/{a}/{route}", content=body % b, headers=headers)
    assert answer.status_code == 422
    assert b not in service.page(a)


def as_texts(rows: list[dict[str, Any]]) -> str:
    return json.dumps(json.dumps([json.dumps(row) for row in rows]))


SENT: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "twice": lambda rows: json.dumps(json.dumps(rows)),
    "three times": as_texts,
    "texts in a list": lambda rows: json.dumps([json.dumps(row) for row in rows]),
    "an outbox": lambda rows: json.dumps([{"id": 7, "payload": json.dumps(row)} for row in rows]),
    "columns": lambda rows: json.dumps({name: [row[name] for row in rows] for name in rows[0]}),
    "columns by row": lambda rows: pd.DataFrame(rows).to_json(),
    "rows by number": lambda rows: pd.DataFrame(rows).to_json(orient="index"),
    "split": lambda rows: pd.DataFrame(rows).to_json(orient="split"),
    "schema": lambda rows: pd.DataFrame(rows).to_json(orient="table"),
    "rows under names": lambda rows: json.dumps([[*rows[0]], *([*row.values()] for row in rows)]),
    "lines": lambda rows: "\n".join(json.dumps(row) for row in [*rows, *rows]),
    "a key twice": lambda rows: json.dumps(rows[0]).replace("{", '{"n":1,"n":2,', 1),
    "each key twice": lambda rows: "{" + json.dumps(rows[0])[1:-1] + "," + json.dumps(rows[0])[1:],
}
"""Forms of JSON in which backends, queues and data frames send rows."""
BODIES: dict[str, dict[str, Any]] = {
    "/v1/backend/events": {
        "event_id": "e",
        "type": "end",
        "actor": "A",
        "target": "B",
        "detail": "unsafe",
        "at": NOW,
    },
    "/v1/members/A/events": {"event_id": "e", "type": "hide", "person": "B"},
    "/v1/members/A/blocks": {"person": "B"},
    "/v1/members/A/reports": {"person": "B", "category": "money"},
    "/v1/backend/holds": {"person": "B", "owner": "case-1", "reason": "x"},
    "/v1/backend/erasures": {"person": "B"},
}


@pytest.mark.parametrize("form", SENT)
@pytest.mark.parametrize("route", BODIES)
def test_a_body_restricts_in_every_form_of_json(service: Served, route: str, form: str) -> None:
    """Seen to fail: of JSON within a text of JSON, and of rows as columns, nobody was apart."""
    a, b = pair(service)
    row = {name: {"A": a, "B": b}.get(value, value) for name, value in BODIES[route].items()}
    headers = service.headers("members", "backend") | {"content-type": "application/json"}
    answer = service.client.post(route.replace("/A/", f"/{a}/"), content=SENT[form]([row]), headers=headers)
    assert answer.status_code == 422
    assert b not in service.page(a)


@pytest.mark.parametrize("place", [9_999, 10_000])
@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        (
            "/v1/members/{a}/events",
            '[{},{{"event_id":"e","type":"hide","person":"{b}"}}]',
            '{"type":"login"}',
        ),
        ("/v1/members/{a}/blocks", '{{"person":[{},"{b}"]}}', '"?"'),
        ("/v1/backend/holds", '{{"person":[{},"{b}"]}}', '"?"'),
    ],
)
def test_of_a_refused_body_the_first_ten_thousand_rows_or_people_count(
    service: Served, path: str, body: str, other: str, place: int
) -> None:
    a, b = pair(service)
    headers = service.headers("members", "backend") | {"content-type": "application/json"}
    content = body.format(",".join([other] * place), a=a, b=b).encode()
    answer = service.client.post(path.format(a=a), content=content, headers=headers)
    assert answer.status_code == 422
    assert (b in service.page(a)) == (place == 10_000)


AS_SENT: dict[str, Callable[[str], bytes]] = {
    "utf-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "two marks": lambda text: ("\ufeff" + text).encode("utf-8-sig"),
    "a mark after a blank": lambda text: ("\r\n\ufeff" + text).encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "utf-16-be with a mark": lambda text: ("\ufeff" + text).encode("utf-16-be"),
    "utf-32": lambda text: text.encode("utf-32"),
    "utf-16 and a byte": lambda text: text.encode("utf-16") + b"\n",
    "a null at the end": lambda text: text.encode() + b"\x00",
    "an end of file of DOS": lambda text: text.encode() + b"\r\n\x1a",
    "a sequence of texts": lambda text: b"\x1e" + text.encode() + b"\n\x1e" + text.encode() + b"\n",
    "cp932": lambda text: text.replace('"zz"', '"\u30bd\u8868"').encode("cp932"),
    "big5": lambda text: text.replace('"zz"', '"\u529f\u80fd"').encode("big5"),
    "gb18030": lambda text: text.replace('"zz"', '"\u82b1\u8272"').encode("gb18030"),
    "latin-1": lambda text: text.replace('"zz"', '"Z\xfcrich"').encode("latin-1"),
    "a text with a mark": lambda text: json.dumps("\ufeff" + text).encode(),
    "a text with a mark in an object": lambda text: json.dumps({"events": "\ufeff" + text}).encode(),
    "a mark before each name": lambda text: text.replace('{"', '{"\ufeff').encode(),
    "lines with marks": lambda text: ("\ufeff" + text + "\n\ufeff" + text).encode(),
}
"""How programs write the bytes of a text of JSON."""


@pytest.mark.parametrize("form", AS_SENT)
@pytest.mark.parametrize("route", BODIES)
def test_a_refused_body_restricts_in_whatever_bytes_it_comes(service: Served, route: str, form: str) -> None:
    """Seen to fail: with a byte order mark, which sound bodies may have, a refused one restricted nobody."""
    a, b = pair(service)
    row = {name: {"A": a, "B": b}.get(value, value) for name, value in BODIES[route].items()}
    headers = service.headers("members", "backend") | {"content-type": "application/json"}
    for order in (row, dict(reversed(row.items()))):
        content = AS_SENT[form](json.dumps({**order, "junk": "zz"}))
        answer = service.client.post(route.replace("/A/", f"/{a}/"), content=content, headers=headers)
        assert answer.status_code in {400, 422}
    assert b not in service.page(a)


@pytest.mark.parametrize("first", [True, False])
def test_a_key_given_twice_is_refused_by_its_name_and_restricts_by_each_value(
    service: Served, first: bool
) -> None:
    """Seen to fail: the last value counted, so that a block before a like was none."""
    a, b = pair(service)
    types = '"type":"hide","type":"like"' if first else '"type":"like","type":"hide"'
    body = f'[{{"event_id":"e","person":"{b}",{types}}}]'
    headers = service.headers("members") | {"content-type": "application/json"}
    answer = service.client.post(f"/v1/members/{a}/events", content=body, headers=headers)
    assert answer.status_code == 422
    assert "body.type: is given twice" in answer.json()["error"]["message"]
    assert b not in service.page(a)


@pytest.mark.parametrize("key", ["hanako", "u0000017", "harassed_by_kenji", "花子", "reasn", "persons"])
@pytest.mark.parametrize("path", ["/v1/backend/holds", "/v1/members/{}/blocks", "/v1/backend/events"])
@pytest.mark.parametrize("twice", [True, False])
def test_a_key_that_is_no_slip_of_a_known_one_is_not_repeated(
    service: Served, key: str, path: str, *, twice: bool
) -> None:
    """Seen to fail: a key of small letters was repeated, which may be the id of somebody."""
    body = {"person": pair(service)[1], key: 1}
    text = json.dumps(body).replace("{", f'{{"{key}":2,' if twice else "{")
    headers = service.headers("members", "backend") | {"content-type": "application/json"}
    content = f"[{text}]" if path.endswith("events") else text
    answer = service.client.post(path.format(pair(service)[0]), content=content, headers=headers)
    assert answer.status_code == 422
    assert (key in answer.text) == (key in {"reasn", "persons"})


def _run_together(rows: list[dict[str, Any]]) -> str:
    """Return rows as one object, as a missing `},{` makes it."""
    return "{" + ",".join(json.dumps(row)[1:-1] for row in rows) + "}"


@pytest.mark.parametrize("n_rows", [2, 3, 9])
@pytest.mark.parametrize("place", [0, -1])
@pytest.mark.parametrize("route", ["events", "profiles"])
def test_each_of_several_rows_in_one_object_restricts(
    service: Served, route: str, n_rows: int, place: int
) -> None:
    """Seen to fail: of two rows of seven keys, and of three of six, the last one restricted nobody."""
    a, b = pair(service)
    if route == "events":
        keys = ("actor", "target", "event_id", "type", "detail", "count", "at")
        path, method = "/v1/backend/events", "POST"
        told = dict(zip(keys, (a, b, "e1", "end", "unsafe", None, NOW), strict=True))
        rows = [{**told, "target": f"zz{at}", "event_id": f"e{at}", "at": f"{at}"} for at in range(n_rows)]
    else:
        path, method = f"/v1/backend/members/{b}/tables", "PUT"
        told = {C.USER: b, C.ACCOUNT_STATE: "banned", **{f"column{at}": "x" for at in range(9)}}
        rows = [{**told, C.ACCOUNT_STATE: "active", "column3": at} for at in range(n_rows)]
    rows[place] = told
    body = f"[{_run_together(rows)}]"
    if route == "profiles":
        body = f'{{"event_id":"t1","tables":{{"profiles":{body}}}}}'
    headers = service.headers("backend") | {"content-type": "application/json"}
    answer = service.client.request(method, path, content=body, headers=headers)
    assert answer.status_code == 422
    assert b not in service.page(a)


@pytest.mark.parametrize("route", ["/v1/backend/holds", "/v1/members/{}/blocks", "/v1/backend/erasures"])
@pytest.mark.parametrize("beside", ["", ',"owner":"x"', ',"owner":"x","owner":"y","n":1'])
@pytest.mark.parametrize("place", [0, 65, 129])
def test_each_of_many_values_of_one_key_restricts(
    service: Served, route: str, beside: str, place: int
) -> None:
    """Seen to fail: of a key given more than 64 times the last values named nobody."""
    a, b = pair(service)
    people = [f"zz{at}" for at in range(130)]
    people[place] = b
    body = "{" + ",".join(f'"person":"{one}"' for one in people) + beside + "}"
    headers = service.headers("members", "backend") | {"content-type": "application/json"}
    answer = service.client.post(route.format(a), content=body, headers=headers)
    assert answer.status_code == 422
    assert b not in service.page(a)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (3, 2, 4), (5, 4, 2, 3), (2, 3, 4)])
@pytest.mark.parametrize("kind", ["end", "block", "banned_again"])
def test_a_row_of_values_without_names_restricts(service: Served, kind: str, order: tuple[int, ...]) -> None:
    """Seen to fail: a tuple of an event's values was refused, and its two people were shown to each other."""
    a, b = pair(service)
    values = ("z1", NOW, a, b, kind, "unsafe")
    with pytest.raises(InputError):
        service.ranker.day.append([tuple(values[at] for at in order)])  # type: ignore[list-item]
    assert b not in service.page(a)


NAMES = (("actor", "person"), ("from", "to"), ("user_id", "other"), ("person", "target"), ("by", "member"))
"""Names under which somebody sends the two people of an event."""


@pytest.mark.parametrize("kind", ["end", "hide", "block", "money_request", "blocked_again"])
@pytest.mark.parametrize("door", ["backend", "member", "python"])
def test_an_event_under_other_names_is_refused_and_keeps_the_two_apart(
    service: Served, door: str, kind: str
) -> None:
    """Seen to fail: a backend's event with `person` for `target`, and a list of dicts, parted nobody."""
    for at, names in enumerate(NAMES):
        a, b = pair(service, at)
        row: dict[str, Any] = {names[0]: a, names[1]: b, "type": kind, "event_id": f"e{at}", "at": NOW}
        if door == "backend":
            assert service.ask("POST", "/v1/backend/events", "backend", body=[row]).status_code == 422
        elif door == "member":
            sent = {name: value for name, value in row.items() if name != names[0]} | {"kind": kind}
            assert service.ask("POST", f"/v1/members/{a}/events", "members", body=[sent]).status_code == 422
        else:
            with pytest.raises(InputError, match="list of DayEvent"):
                service.ranker.day.append([row])  # type: ignore[list-item]
        assert b not in service.page(a), names


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("is_row", [True, False])
def test_own_tables_under_other_names_are_refused(
    service: Served, names: tuple[str, str], *, is_row: bool
) -> None:
    """What they say is not guessed at."""
    a, b = pair(service)
    row = {names[0]: a, names[1]: b, "ts": NOW}
    with pytest.raises(InputError):
        service.ranker.day.append([DayEvent.of_tables("e1", a, {"blocks": row if is_row else [row]})])


class Word(Enum):
    """Types of events, as a backend may name them."""

    HIDE = "hide"
    END = "end"
    BANNED = "banned"
    PAUSE = "pause"
    AGAIN = "blocked_again"
    TERMS = "terms_accepted"


HANDED: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "frame": pd.DataFrame,
    "frame in a list": lambda rows: [pd.DataFrame(rows)],
    "series of rows": pd.Series,
    "row of a frame": lambda rows: pd.DataFrame(rows).iloc[-1],
    "columns": lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
    "arrow": pa.Table.from_pylist,
    "json": lambda rows: json.dumps(rows, default=str),
    "bytes": lambda rows: json.dumps(rows, default=str).encode(),
    "lines of json": lambda rows: [json.dumps(row, default=str) for row in rows],
    "one row": lambda rows: rows[-1],
    "around": lambda rows: {"events": rows, "source": "app"},
    "around a list": lambda rows: {"data": {"events": [rows]}},
    "lists within": lambda rows: [[rows]],
    "generator": iter,
    "objects": lambda rows: [SimpleNamespace(**row) for row in rows],
    "one object": lambda rows: SimpleNamespace(**rows[-1]),
    "people as the index": lambda rows: pd.DataFrame(rows).set_index(["actor", "target"]),
    "types of an enumeration": lambda rows: [{**row, "type": Word(row["type"])} for row in rows],
    "a view of bytes": lambda rows: memoryview(json.dumps(rows, default=str).encode()),
}
"""Forms in which a caller hands over events that are no list of `DayEvent`."""


@pytest.mark.parametrize("form", HANDED)
def test_events_handed_over_in_another_form_are_refused_and_restrict(service: Served, form: str) -> None:
    """Seen to fail: of a frame the names of its columns were read, so it restricted nobody."""
    for at, kind in enumerate(("hide", "end", "banned", "pause", "blocked_again")):
        a, b = pair(service, at)
        whom = {"actor": b, "target": None} if kind in {"banned", "pause"} else {"actor": a, "target": b}
        one = {"event_id": f"t{at}", "at": NOW, "actor": a, "target": None, "type": "terms_accepted"}
        rows = [one, {**one, **whom, "event_id": f"e{at}", "type": kind}]
        with pytest.raises(InputError, match="list of DayEvent"):
            service.ranker.day.append(HANDED[form](rows))
        assert b not in service.page(a), kind


@pytest.mark.parametrize("kind", ["pause", "ban", "leave", "hold"])
@pytest.mark.parametrize("key", ["person", "user_id", "member"])
def test_an_event_of_one_person_under_another_name_is_refused_and_takes_them_out(
    service: Served, kind: str, key: str
) -> None:
    a, b = pair(service)
    for row in ({key: b}, {"actor": b, "by": a}, {"target": b, "by": a}):
        body = [{**row, "type": kind, "event_id": f"e{len(row)}", "at": NOW}]
        assert service.ask("POST", "/v1/backend/events", "backend", body=body).status_code == 422
        assert b not in service.page(a), row
        for owner in ("member", "operator", "leave", "refused"):
            service.ranker.safety.lift(b, owner=owner)
        for one, other in ((a, b), (b, a)):
            service.ranker.safety.unblock(one, other)


@pytest.mark.parametrize("route", ["/v1/members/{a}/events", "/v1/backend/events"])
@pytest.mark.parametrize(
    "said",
    [
        *({"type": "verified", "detail": detail} for detail in ("none", "withdrawn", "expired", None)),
        *({"type": kind} for kind in ("ban", "pause", "leave", "hold", "erase", "verification_withdrawn")),
        *({"type": kind, "person": "{b}"} for kind in ("block", "report", "end", "hide", "money_request")),
    ],
    ids=lambda said: f"{said['type']} {said.get('detail', '')}",
)
def test_every_word_that_restricts_does_in_a_refused_event_of_every_route(
    service: Served, route: str, said: dict[str, str | None]
) -> None:
    """Seen to fail: on a member's route a proof that was taken back, and a report, restricted nobody."""
    a, b = pair(service)
    assert b in service.page(a)
    row = {key: b if value == "{b}" else value for key, value in said.items()} | {"event_id": "e", "n": 1}
    if route.startswith("/v1/backend"):
        row |= {"actor": a} | ({"target": row.pop("person")} if "person" in row else {})
    answer = service.ask("POST", route.format(a=a), "members", "backend", body=[row])
    assert answer.status_code == 422
    assert a not in service.page(b)
    assert b not in service.page(a)


@pytest.mark.parametrize("body", ['{"person":"%s"', '{"person":"%s",}', "[" * 60 + '"%s"'])
def test_what_is_no_json_restricts_nobody(service: Served, body: str) -> None:
    a, b = pair(service)
    headers = service.headers("members") | {"content-type": "application/json"}
    answer = service.client.post(f"/v1/members/{a}/blocks", content=body % b, headers=headers)
    assert answer.status_code == 422
    assert b in service.page(a)


@pytest.mark.parametrize("at", [0, 9_999, 10_000, 10_400])
def test_a_list_that_is_too_long_restricts_by_every_row(service: Served, at: int) -> None:
    """Seen to fail: what stood behind ten thousand likes was cut off."""
    a, b = pair(service)
    like: dict[str, Any] = {"actor": a, "target": b, "type": "like", "at": NOW}
    rows = [like | {"event_id": f"e{number}"} for number in range(10_500)]
    rows[at] |= {"type": "money_request"}
    assert service.ask("POST", "/v1/backend/events", "backend", body=rows).status_code == 422
    assert b not in service.page(a)
    assert ask_safety(service.ranker.safety.ledger.now).restricts
