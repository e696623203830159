"""The console: nothing without signing in, all in the audit log, cases and requests worked to their end."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from recsys.http.access import Service
from recsys.http.access_tokens import AccessToken
from recsys.http.app import create_app
from recsys.http.audit_log import AuditLog
from recsys.http.console import console_routes
from recsys.http.console_pages import Console
from recsys.http.console_tables import ReportShown
from recsys.http.operator_sessions import form_check, new_cookie
from recsys.moderation.case_people import naming
from recsys.moderation.case_states import STATES, Case
from recsys.pipeline.gates.proposal import GateResult, Level
from recsys.pipeline.history import gates_bytes
from recsys.pipeline.lock import writer_lock
from recsys.pipeline.paths import NightPaths
from recsys.ranking.pair_audit import OperatorGate
from recsys.ranking.ranker import Ranker
from recsys.report.localization import moment
from recsys.safety import MemorySafety
from recsys.safety.day_log import DayEvent
from recsys.safety.keys import Keys
from tests.http.served import KEYS
from tests.ranking.published_world import World, copied

PAGES = tuple(
    f"/console/{name}"
    for name in ("", "member", "pair", "cases", "holds", "today", "requests", "guard", "audit", "sessions")
)


_WITHOUT_VERSION = tuple(
    f"/console/{name}" for name in ("requests", "purpose", "guard", "sign-out", "sessions")
)


class Desk:
    """An operator's browser, and what stands behind it."""

    def __init__(self, client: TestClient, store: MemorySafety, console: Console, world: World) -> None:
        self.client, self.store, self.console, self.world = client, store, console, world

    def sign_in(self, name: str = "op-1", purpose: str = "通報 31", scope: str = "operators") -> int:
        operator = name if scope == "operators" else ""
        token = AccessToken.make([scope], operator=operator).signed(KEYS)
        answer = self.client.post("/console/sign-in", data={"token": token, "purpose": purpose})
        return answer.status_code

    def page(self, path: str, **query: str) -> str:
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
        return answer.text

    def send(self, path: str, **form: str) -> Any:
        check = re.search(r'name="check" value="([0-9a-f]+)"', self.page("/console/requests"))
        assert check is not None
        if "version" not in form and not path.startswith(_WITHOUT_VERSION):  # as the page shows it now
            shown = {"/console/cases": "member", "/console/member/lift": "member"}.get(path)
            user = form.get("person", form.get("user", ""))
            page = self.page("/console/member", user=user) if shown else self.page(path)
            before = page.partition('<form method="post" action="' + path + '"')[2]
            form["version"] = (re.findall(r'name="version" value="([0-9a-f]+)"', before) or [""])[0]
        return self.client.post(path, data={"check": check[1], **form})


@pytest.fixture
def desk(world: World, published: Path, tmp_path: Path) -> Iterator[Desk]:
    store, gate = MemorySafety(), OperatorGate()
    folder = copied(published, tmp_path / "published")
    ranker = Ranker.open(folder, safety=store, poll_s=0, max_staleness=None, keys=KEYS, operators=gate)
    folders = (tmp_path / name for name in ("published", "work", "tracking", "cases"))
    console = Console(*folders, ranker.safety)
    app = create_app(
        lambda: Service(ranker, KEYS, gate, sessions=console.sessions), routers=[console_routes(console)]
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Desk(client, store, console, world)


@pytest.fixture
def at_work(desk: Desk) -> Desk:
    assert desk.sign_in() == 200
    return desk


@pytest.mark.parametrize("path", [*PAGES, "/console/cases/case-1", "/console/member?user=a"])
def test_nothing_is_shown_before_signing_in(desk: Desk, path: str) -> None:
    answer = desk.client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")


def test_only_a_token_for_operators_and_a_purpose_sign_in(desk: Desk) -> None:
    assert desk.sign_in(scope="members") == 403
    assert desk.sign_in(scope="backend") == 403
    for nothing in (" ", "\u200b\u3000", "--"):
        assert desk.sign_in(purpose=nothing) == 403
    pasted = AccessToken.make(["operators"], operator="aki").signed(KEYS).replace(".", "．")
    signed = desk.client.post("/console/sign-in", data={"token": f"Bearer {pasted}", "purpose": "x"})
    assert signed.status_code == 200
    desk.client.cookies.clear()
    assert desk.client.post("/console/sign-in", data={"token": "nonsense", "purpose": "x"}).status_code == 403
    assert desk.sign_in() == 200


def test_a_key_before_signs_nobody_in_and_a_rotation_ends_the_sessions_of_its_tokens(
    world: World, published: Path, tmp_path: Path
) -> None:
    old, new = Keys((b"o" * 32,)), Keys((b"n" * 32,))
    ranker = Ranker.open(published, safety=MemorySafety(), poll_s=0, max_staleness=None, keys=new)
    folders = (tmp_path / name for name in ("published", "work", "tracking", "cases"))
    console = Console(*folders, ranker.safety)
    keys = [old]
    app = create_app(
        lambda: Service(ranker, keys[-1], OperatorGate(), sessions=console.sessions),
        routers=[console_routes(console)],
    )

    def sign_in(client: TestClient, key: Keys) -> int:
        token = AccessToken.make(["operators"], operator="aki").signed(key)
        return client.post("/console/sign-in", data={"token": token, "purpose": "x"}).status_code

    with TestClient(app, raise_server_exceptions=False) as client:
        assert sign_in(client, old) == 200
        assert client.get("/console/cases", follow_redirects=False).status_code == 200
    keys.append(Keys(new.secrets + old.secrets))
    with TestClient(app, raise_server_exceptions=False, cookies=dict(client.cookies)) as client:
        assert client.get("/console/cases", follow_redirects=False).status_code == 303
        assert sign_in(client, old) == 403
        assert sign_in(client, new) == 200


def test_what_was_written_when_a_session_ended_is_sent_after_signing_in_again(at_work: Desk) -> None:
    """The words go on with every field of the form, to the same operator alone; nothing is done unseen."""
    user, cookies = str(at_work.world.people.ids.values[2]), at_work.client.cookies
    name = at_work.console.cases.open_case(user, "report.money", by="review").case
    page = at_work.page(f"/console/cases/{name}")
    words = 'lent <三> people & "one" more'
    token = AccessToken.make(["operators"], operator="op-1", now=datetime(2026, 1, 5, tzinfo=UTC))
    ended = new_cookie(token.signed(KEYS))
    at_work.console.sessions.begin(ended, token)
    cookies.set("recsys_console", ended, domain="testserver.local", path="/console")
    fields = dict(re.findall(r'name="(version|step)" value="(\w+)"', page.partition("<textarea")[0]))
    form = {**fields, "decision": "warn", "reason": "report.money", "explanation": words}
    forged = at_work.client.post(f"/console/cases/{name}", data={**form, "check": "0" * 64})
    assert "lent" not in forged.text
    late = at_work.client.post(f"/console/cases/{name}", data={**form, "check": form_check(ended)})
    assert late.status_code == 403
    carried = {key: html.unescape(value) for key, value in _hidden(late.text).items()}
    assert carried["kept.explanation"] == words
    again = AccessToken.make(["operators"], operator="op-1").signed(KEYS)
    other = AccessToken.make(["operators"], operator="op-2").signed(KEYS)
    failed = at_work.client.post(
        "/console/sign-in", data={**carried, "token": token.signed(KEYS), "purpose": "x"}
    )
    assert _hidden(failed.text) == _hidden(late.text)  # a mistake in signing in loses nothing
    theirs = at_work.client.post("/console/sign-in", data={**carried, "token": other, "purpose": "x"})
    assert "lent" not in theirs.text
    shown = at_work.client.post("/console/sign-in", data={**carried, "token": again, "purpose": "x"})
    assert "lent &lt;三&gt; people &amp; " in shown.text
    assert at_work.console.cases.of(name).state == "open"
    fields = {key: html.unescape(value) for key, value in _hidden(shown.text).items()}
    assert (
        at_work.client.post(f"/console/cases/{name}", data={**fields, "explanation": words}).status_code
        == 200
    )
    done = at_work.console.cases.of(name)
    assert (done.decision, [*done.explanations.values()]) == ("warn", [words])
    cookies.set("recsys_console", ended, domain="testserver.local", path="/console")
    back = at_work.client.get("/console/member", params={"user": user})
    assert f'name="to" value="/console/member?user={user}"' in back.text


def _hidden(page: str) -> dict[str, str]:
    main = page.partition("<main")[2]
    return dict(re.findall(r'<input type="hidden" name="([\w.]+)" value="([^"]*)">', main))


def test_a_form_of_another_site_does_nothing(at_work: Desk) -> None:
    for path in ("/console/cases", "/console/requests/erasure", "/console/sign-out"):
        form = {"person": "u1", "kind": "report.money", "user": "u1", "again": "u1", "check": "0" * 64}
        answer = at_work.client.post(path, data=form, follow_redirects=False)
        assert answer.headers["location"].partition("?")[0] == "/console/sign-in"
        form["check"] = "٣" * 64  # no digit of a check
        answer = at_work.client.post(path, data=form, follow_redirects=False)
        assert answer.headers["location"].partition("?")[0] == "/console/sign-in"
    assert at_work.console.cases.cases() == {}


def test_signing_out_ends_the_session_and_not_the_token(desk: Desk) -> None:
    token = AccessToken.make(["operators"], operator="aki").signed(KEYS)
    signing = {"token": token, "purpose": "x"}
    desk.client.post("/console/sign-in", data=signing)
    cookie = desk.client.cookies["recsys_console"]
    assert desk.send("/console/sign-out").status_code == 200
    assert "recsys_console" not in desk.client.cookies
    desk.client.cookies.set("recsys_console", cookie, domain="testserver.local", path="/console")
    kept = desk.client.get("/console/holds", follow_redirects=False)
    assert (kept.status_code, kept.headers["location"].partition("?")[0]) == (303, "/console/sign-in")
    assert desk.client.post("/console/sign-in", data=signing).status_code == 200
    assert desk.client.get("/console/holds", follow_redirects=False).status_code == 200
    assert token not in (desk.console.cases.folder / "sessions.jsonl").read_text()


def test_an_operator_ends_a_session_or_every_token_of_a_name(desk: Desk) -> None:
    unused = AccessToken.make(["operators"], operator="aki").signed(KEYS)
    desk.sign_in("aki")
    aki = desk.client.cookies["recsys_console"]
    desk.client.cookies.clear()
    desk.sign_in("ren")
    page = desk.page("/console/sessions")
    assert [name for name in ("aki", "ren") if f">{name}" in page] == ["aki", "ren"]
    assert "まで" in page or "until" in page
    (theirs,) = (one for one in desk.console.sessions.live(datetime.now(UTC)) if one.operator == "aki")
    desk.send("/console/sessions", session=theirs.session, of="aki")
    desk.send("/console/sessions", operator="aki")  # without the tick
    ren = desk.client.cookies["recsys_console"]
    desk.client.cookies.set("recsys_console", aki, domain="testserver.local", path="/console")
    assert desk.client.get("/console/", follow_redirects=False).status_code == 303
    bearer = {"Authorization": f"Bearer {unused}", "X-Purpose": "31"}
    pair = f"/v1/operators/pairs/{'/'.join(map(str, desk.world.people.ids.values[:2]))}"
    assert desk.client.get(pair, headers=bearer).status_code == 200
    desk.client.cookies.set("recsys_console", ren, domain="testserver.local", path="/console")
    assert "nobody of that name" in desk.send("/console/sessions", operator="akki", sure="yes").text
    assert desk.client.get(pair, headers=bearer).status_code == 200
    desk.send("/console/sessions", operator="Aki", sure="yes")
    assert desk.client.get(pair, headers=bearer).status_code == 401
    refused = desk.client.post("/console/sign-in", data={"token": unused, "purpose": "x"})
    assert (refused.status_code, "ended this token" in refused.text) == (403, True)
    assert desk.sign_in("aki") == 200  # a token that was made afterwards
    assert [one.what for one in desk.console.audit.newest(operator="ren")].count("end_session") == 2


def test_a_token_that_was_ended_is_none_on_every_route(desk: Desk) -> None:
    """Seen to fail: the routes of backend and members took a token of an operator whose all was ended."""
    for name in ("aki", "ren"):
        desk.sign_in(name)
    token = AccessToken.make(["operators", "backend", "members"], operator="aki").signed(KEYS)
    user = str(desk.world.people.ids.values[2])
    desk.send("/console/sessions", operator="aki", sure="yes")
    desk.client.cookies.clear()
    routes = [
        (method, re.sub(r"\{[^}]*\}", user, path))
        for path, methods in desk.client.get("/openapi.json").json()["paths"].items()
        for method in methods
        if path.startswith("/v1/")
    ]
    assert len(routes) > 20
    told: list[tuple[Any, ...]] = []
    for headers in ({}, {"Authorization": f"Bearer {token}", "X-Purpose": "31"}):
        answers = [desk.client.request(method, path, json={}, headers=headers) for method, path in routes]
        told.append(tuple((one.status_code, one.content) for one in answers))
    assert {status for status, _ in told[0]} == {401}
    assert told[1] == told[0]


def test_words_of_one_operator_wait_when_another_signs_in_in_the_same_browser(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    name = at_work.console.cases.open_case(user, "report.money", by="review").case
    check = form_check(at_work.client.cookies["recsys_console"])
    assert at_work.sign_in("ren") == 200
    form = {"check": check, "step": "decide", "decision": "warn", "reason": "report.money"}
    late = at_work.client.post(f"/console/cases/{name}", data={**form, "explanation": "asked for 3,000"})
    assert (late.status_code, "op-1" in late.text, "asked for 3,000" in late.text) == (403, True, True)
    assert at_work.console.cases.of(name).state == "open"


def test_every_look_is_logged_with_operator_and_purpose_and_no_id(at_work: Desk) -> None:
    user = at_work.world.people.ids.values[0]
    with capture_logs() as lines:
        for path in PAGES:
            at_work.page(path)
        at_work.page("/console/member", user=user)
    looks = [line for line in lines if line["event"] == "an operator looks"]
    assert len(looks) == len(PAGES) + 1
    assert {one["operator"] for one in looks} == {"op-1"}
    assert "通報 31" not in json.dumps(looks, default=str, ensure_ascii=False)  # words may name a member
    assert {one.purpose for one in at_work.console.audit._all()} == {"通報 31"}
    assert user not in json.dumps(lines, default=str)


def test_a_member_is_shown_with_list_and_cases_and_without_probabilities(at_work: Desk) -> None:
    lists = at_work.console._lists()
    user = str(lists["viewer_id"].iloc[0])
    at_work.console.cases.open_case(user, "report.money", by="op-1")
    page = at_work.page("/console/member", user=user)
    assert str(lists[lists["viewer_id"] == user]["candidate_id"].iloc[0]) in page
    assert "case-1" in page
    assert not re.search(r"0\.\d{3}", page)
    assert "p_like" not in page


def test_a_morning_of_work(at_work: Desk) -> None:
    """A case from opening to appeal, then access and erasure: with the pages alone."""
    user = str(at_work.world.people.ids.values[1])
    at_work.send("/console/cases", person=user, kind="report.threat", note="saw it")
    case = "/console/cases/case-1"
    assert "saw it" in at_work.page(case)
    unknown = at_work.send(case, step="assign", to="op-2")
    assert (unknown.status_code, 'value="op-2"' in unknown.text) == (409, True)  # asked about before
    assert at_work.console.cases.of("case-1").assigned == ""
    at_work.send(case, step="assign", to="op-2", sure_name="yes")
    at_work.send(case, step="decide", decision="hold", reason="report.threat")
    assert at_work.store.exclusions(user, []).viewer_excluded
    assert "op-2" in at_work.page("/console/cases", state="decided")
    at_work.send(case, step="appeal")
    refused = at_work.send(case, step="answer", answer="granted")
    assert refused.status_code == 409
    assert at_work.store.exclusions(user, []).viewer_excluded
    assert at_work.sign_in("op-3") == 200
    at_work.send(case, step="answer", answer="granted")
    assert not at_work.store.exclusions(user, []).viewer_excluded
    at_work.send(case, step="close")
    assert "case-1" not in at_work.page("/console/cases")
    shown = at_work.send("/console/requests/access", user=user).text
    assert user in shown
    taken = at_work.send("/console/requests/access", user=user, **{"as": "json"})
    assert json.loads(taken.text)["user_id"] == user
    at_work.send("/console/requests/erasure", user=user, again="somebody else")
    nobody = at_work.send("/console/requests/erasure", user="u-nobody", again="u-nobody")
    assert "Nothing was erased" in nobody.text or "消去していません" in nobody.text
    assert not at_work.store.exclusions(user, []).viewer_excluded
    unsure = at_work.send("/console/requests/erasure", user=user, again=user)  # there is a case
    assert 'name="sure"' in unsure.text
    assert not at_work.store.exclusions(user, []).viewer_excluded
    at_work.send("/console/requests/erasure", user=user, again=user, sure="yes")
    assert at_work.store.exclusions(user, []).viewer_excluded
    assert at_work.console.cases.of("case-1").person == ""
    ended = at_work.page("/console/cases/case-1", lang="en")
    assert "The member was erased" in ended
    assert "holds the member" not in ended
    gone = at_work.page("/console/member", user=user, lang="en")
    assert "This member was erased" in gone
    assert "<dd>–</dd>" in gone  # no stage, as if somebody were there
    assert 'action="/console/cases"' not in gone


def test_another_spelling_of_an_id_is_the_same_member(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    wide = "".join(chr(ord(one) + 0xFEE0) if one.isascii() and one.isalnum() else one for one in user)
    for spelling in (f" {user} ", user.upper(), wide):
        at_work.send("/console/cases", person=spelling, kind="report.money")
    assert {case.person for case in at_work.console.cases.cases().values()} == {user}


def test_no_case_is_opened_about_nobody_by_mistake(at_work: Desk) -> None:
    page = at_work.page("/console/member", user="u-nobody", lang="en")
    assert "No member" in page
    user = str(at_work.world.people.ids.values[2])
    for slip in (user[:-1], user + "x", user.replace("0", "O", 1), user[1] + user[0] + user[2:]):
        if slip != user:
            assert f'href="/console/member?user={user}"' in at_work.page(
                "/console/member", user=slip, lang="en"
            )
    at_work.send("/console/cases", person="u-nobody", kind="report.money")
    assert at_work.console.cases.cases() == {}
    at_work.send("/console/cases", person="u-nobody", kind="report.money", sure="yes")
    assert len(at_work.console.cases.cases()) == 1


@pytest.mark.parametrize("spelling", [str.upper, lambda user: f" {user}\u200b", lambda user: f"'{user}'"])
def test_every_door_finds_the_one_member_a_spelling_means(at_work: Desk, spelling: Any) -> None:
    user, other = (str(one) for one in at_work.world.people.ids.values[2:4])
    given = spelling(user)
    at_work.store.hold(user)
    assert "Yes (holds: 1)" in at_work.page("/console/member", user=given, lang="en")
    pair = at_work.page("/console/pair", viewer=given, candidate=other, lang="en")
    assert f'value="{user}"' in pair
    assert "One of the ids is not" not in pair
    assert user in at_work.send("/console/requests/access", user=given).text
    at_work.send("/console/member/lift", user=given, sure="yes", reason="a mistake")
    assert at_work.store.restrictions_of(user).holds == ()
    at_work.send("/console/cases", person=given, kind="report.minor")
    at_work.send("/console/cases/case-1", step="decide", decision="hold", reason="report.minor")
    assert at_work.store.exclusions(user, []).viewer_excluded
    assert "holds the member" in at_work.page("/console/cases/case-1", lang="en")
    at_work.send("/console/requests/erasure", user=given, again=user, sure="yes")
    assert at_work.console.is_erased(user)


def test_a_decision_that_holds_nobody_is_not_taken(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    for person in (user.upper(), "u-nobody"):
        case = at_work.console.cases.open_case(person, "report.minor", by="queue").case
        form = {"step": "decide", "decision": "hold", "reason": "report.minor"}
        refused = at_work.send(f"/console/cases/{case}", **form)
        assert refused.url.params["message"] == "holds_nobody"
        assert at_work.console.cases.of(case).state == "open"
        at_work.send(f"/console/cases/{case}", **form, sure="yes")
    assert at_work.console.cases.of("case-1").state == "open"  # it is another's id in another spelling
    newcomer = at_work.page("/console/cases/case-2", lang="en")
    assert "holds this id" in newcomer
    assert "holds the member" not in newcomer + at_work.page("/console/cases", lang="en", state="holding")


def test_a_held_member_is_told_as_serving_gives_them(at_work: Desk) -> None:
    lists = at_work.console._lists()
    user = str(lists["candidate_id"].iloc[0])
    page = at_work.page("/console/member", user=user, lang="en")
    assert re.search(r"Shown now</dt><dd>Yes", page)
    assert "shown there no more" not in page
    for owner in ("case-7", "case-8"):
        at_work.store.hold(user, owner=owner)
    page = at_work.page("/console/member", user=user, lang="en")
    assert re.search(r"Shown now</dt><dd>No", page)
    assert page.index("until every hold ends") < page.index("<h2>State</h2>")
    assert page.count("until every hold ends") == 2  # and as the reason of a short list
    assert re.search(r"stand on</dt><dd>\d+ \(as of the night; shown there no more\)", page)


def test_undoing_one_hold_says_that_another_stays(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    for kind in ("report.money", "report.minor"):
        name = at_work.console.cases.open_case(user, kind, by="op-1").case
        at_work.console.cases.decide(name, "hold", reason=kind, by="op-1")
    form = {"step": "decide", "decision": "restore", "reason": "report.money"}
    assert at_work.send("/console/cases/case-1", **form).url.params["message"] == "still_held"
    assert at_work.send("/console/cases/case-2", **form).url.params["message"] == "done"


def test_every_page_has_a_title_of_its_own(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    at_work.console.cases.open_case(user, "report.money", by="op-1")
    pages = [at_work.page(path) for path in (*PAGES, "/console/cases/case-1", "/console/sign-in")]
    pages.append(at_work.page("/console/member", user=user))
    titles = [re.search("<title>(.*?)</title>", page) for page in pages]
    assert len({one[1] for one in titles if one}) == len(pages)


def test_a_hold_that_is_not_there_is_not_ended(at_work: Desk) -> None:
    case = at_work.console.cases.open_case("u9", "report.money", by="op-1").case
    at_work.send(f"/console/cases/{case}", step="decide", decision="restore", reason="report.money")
    assert at_work.console.cases.of(case).state == "open"


@pytest.mark.parametrize("decision", ["hold", "ban"])
def test_what_is_decided_here_stands_in_the_safety_ledger(at_work: Desk, decision: str) -> None:
    """Seen to fail: with another store, whom people had banned in the console was shown to everybody."""
    lists = at_work.console._lists()
    user, other = str(lists["candidate_id"].iloc[0]), str(lists["viewer_id"].iloc[0])
    name = at_work.console.cases.open_case(user, "report.minor", by="op-1").case
    at_work.console.cases.decide(name, decision, reason="report.minor", by="op-1")

    def shown_with_another_store() -> bool:
        opened = Ranker.open(at_work.console.published, safety=MemorySafety(), max_staleness=None, keys=KEYS)
        with closing(opened) as ranker:
            return user not in ranker.safety.exclusions(other, [user]).excluded

    assert not shown_with_another_store()
    at_work.send(f"/console/cases/{name}", step="decide", decision="restore", reason="report.minor")
    assert shown_with_another_store()


def test_a_hold_that_a_backend_set_is_lifted_here_for_good(at_work: Desk) -> None:
    """Seen to fail: the page said so, and the safety ledger kept the member out."""
    lists = at_work.console._lists()
    user, other = str(lists["candidate_id"].iloc[0]), str(lists["viewer_id"].iloc[0])
    safety = at_work.console._acting
    safety.hold(user, reason="call")
    assert user in safety.exclusions(other, [user]).excluded
    lift = {"user": user, "sure": "yes", "reason": "her sister called"}
    assert at_work.send("/console/member/lift", **lift).url.params["message"] == "lifted"
    assert user not in safety.exclusions(other, [user]).excluded


def test_the_id_of_another_member_in_words_is_asked_about_first(at_work: Desk) -> None:
    lists = at_work.console._lists()
    user, other = str(lists["viewer_id"].iloc[0]), str(lists["candidate_id"].iloc[0])
    asked = at_work.send(
        "/console/cases", person=user, kind="report.money", note=f"call of {other.upper()}さん"
    )
    assert asked.status_code == 409
    assert other in asked.text
    assert f"call of {other.upper()}" in asked.text  # nothing written is lost
    assert at_work.console.cases.cases() == {}
    at_work.send("/console/cases", person=user, kind="report.money", note=f"{user}: a call", version="0")
    step = {"step": "decide", "decision": "hold", "reason": "report.money", "explanation": f"hit {other}"}
    assert at_work.send("/console/cases/case-1", **step).status_code == 409
    assert not at_work.store.restrictions_of(user).holds
    assert at_work.send("/console/cases/case-1", **step, named="yes").status_code == 200
    assert at_work.store.restrictions_of(user).holds
    at_work.store.hold(user, reason="call")
    lift = {"user": user, "sure": "yes", "reason": f"{user} called"}  # the audit log keeps it for good
    assert at_work.send("/console/member/lift", **lift).status_code == 409


def test_every_hold_is_named_and_only_those_outside_of_cases_are_lifted_there(at_work: Desk) -> None:
    user = str(at_work.console._lists()["viewer_id"].iloc[0])
    name = at_work.console.cases.open_case(user, "report.money", by="op-1").case
    at_work.console.cases.decide(name, "hold", reason="report.money", by="op-1")
    at_work.store.hold(user, reason="phone_call")
    at_work.store.hold(user, owner="member", reason="pause")
    page = at_work.page("/console/member", user=user, lang="en")
    assert all(words in page for words in ("Yes (holds: 3)", "phone_call", "The member", "Listed"))
    assert at_work.send("/console/member/lift", user=user).status_code == 200
    unexplained = at_work.send("/console/member/lift", user=user, sure="yes", reason=" ")
    assert unexplained.url.params["message"] == "lift_needs_reason"
    assert len(at_work.store.restrictions_of(user).holds) == 3  # not without a tick, nor without a reason
    stale = at_work.console.member(user).holds_version
    at_work.store.hold(user, reason="letter")
    changed = at_work.send("/console/member/lift", user=user, sure="yes", version=stale, lang="en")
    assert changed.url.params["message"] == "holds_changed"
    assert len(at_work.store.restrictions_of(user).holds) == 4
    lifted = at_work.send("/console/member/lift", user=user, sure="yes", reason="her sister called")
    assert lifted.url.params["message"] == "lifted_still_held"
    assert "her sister called" in at_work.page("/console/audit", user=user, lang="en")
    assert [hold.owner for hold in at_work.store.restrictions_of(user).holds] == ["case-1", "member"]


def test_the_stages_of_a_member_are_those_of_the_publication(at_work: Desk) -> None:
    gate = OperatorGate()
    folder = at_work.console.published
    ranker = Ranker.open(folder, safety=MemorySafety(), poll_s=0, max_staleness=None, operators=gate)
    ids = [str(one) for one in at_work.world.people.ids.values]
    audits = [
        ranker.explain_member_for_operator(one, permission=gate.permit("op-1", purpose="x")) for one in ids
    ]
    assert any(audit.listed for audit in audits)
    for user, audit in zip(ids, audits, strict=True):
        assert audit.known
        for stage, others in audit.stages.items():
            assert all(user in audits[ids.index(other)].stages[stage] for other in others)
    nobody = ranker.explain_member_for_operator("u-nobody", permission=gate.permit("op-1", purpose="x"))
    assert (nobody.known, nobody.listed, dict(nobody.stages)) == (False, False, {})
    assert at_work.client.get("/console/member", params={"user": "u-nobody"}).status_code == 200


def test_nights_that_were_refused_are_shown_with_what_moved(at_work: Desk) -> None:
    night = at_work.console.night()
    assert night is not None
    (last,) = night.history
    refused = replace(
        last,
        run_id="0" + last.run_id,
        published=False,
        rows=1,
        levels={**last.levels, "rows": "BLOCK"},
    )
    earlier = replace(last, run_id="00" + last.run_id, rows=7)
    lines = [json.dumps(asdict(one)) + "\n" for one in (earlier, refused, last)]
    (at_work.console.published / "history.jsonl").write_text("".join(lines))
    page = at_work.page("/console/", lang="en")
    assert "Refused" in page
    assert "<polyline" in page
    assert re.search(r'Suggestions</th><td class="n"[^>]*>7</td>', page)
    assert f">{last.rows - 7:+,}</td>" in page  # beside the last publication, not the night that was refused


def test_a_refused_night_says_against_which_limit_and_where_its_files_are(at_work: Desk) -> None:
    console = at_work.console
    served = console.night()
    assert served is not None
    run = "9" + served.run_id[1:]
    levels = {"lengths": "BLOCK"}
    refused = replace(served.history[0], run_id=run, published=False, levels=levels)
    lines = [json.dumps(asdict(one)) + "\n" for one in (*served.history, refused)]
    (console.published / "history.jsonl").write_text("".join(lines))
    folder = console.published / "refused" / run
    folder.mkdir(parents=True)
    numbers = {"short": 0.839, "mean": 1.5, "listed": 160}
    (folder / "gates.json").write_bytes(gates_bytes([GateResult("lengths", Level.BLOCK, "", numbers)]))
    chosen = {"publish": {"gates": {"block_short_lists": 0.6}}}
    console.work.mkdir()
    (console.work / "settings.yaml").write_text(json.dumps(chosen))
    (console.work / "report.html").write_text("<p>")
    for lang, limit, below in (
        ("en", "The limit is 60% (publish.gates.block_short_lists).", "Gates of what is served: "),
        ("ja", "限度は 60% です（設定 publish.gates.block_short_lists）。", "公開前の検査（公開中の "),
    ):
        page = at_work.page("/console/", lang=lang)
        said, table = page.split('role="alert"')[1].split("</div>")[0], page.split("</div>", 1)[1]
        assert f"{limit}<br>" in said
        assert str(folder / "gates.json") in said
        assert str(console.work / "report.html") in said
        assert f"<h2>{below}{served.run_id}" in table


class _CountedText(str):
    """A text that counts how often it is compared or hashed."""

    uses = 0
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        _CountedText.uses += 1
        return str.__eq__(self, other) is True

    def __hash__(self) -> int:
        _CountedText.uses += 1
        return str.__hash__(self)


@pytest.mark.parametrize("state", ["", "late", "holding", *STATES])
def test_listing_cases_takes_work_in_proportion_to_them(
    desk: Desk, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def uses(n: int) -> int:
        rows = {
            f"case-{at}": Case(
                *(f"case-{at}", "report.money", 3, "v", "decided", "2026-01-05", None),
                person=_CountedText(f"u{at % (n // 2)}"),
                held=True,
            )
            for at in range(n)
        }
        monkeypatch.setattr(desk.console.cases, "cases", lambda: rows)
        _CountedText.uses = 0
        desk.console.listed_cases(state)
        return _CountedText.uses

    assert uses(400) <= 5 * uses(100) + 50


def test_what_goes_wrong_is_a_page_of_its_language(at_work: Desk) -> None:
    for path in ("/console/cases/nope", "/console/nope", "/console/cases/case-1/more"):
        answer = at_work.client.get(path, params={"lang": "ja"})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "ありません" in answer.text
        assert 'href="/console/cases"' in answer.text


def test_another_language_is_that_of_the_same_page_and_of_no_other_site(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    found = at_work.page("/console/member", user=user, message="done", lang="en")
    (link,) = re.findall(r'href="(/console/language/ja[^"]*)"', found)
    answer = at_work.client.get(link)
    assert f'value="{user}"' in answer.text
    assert '<html lang="ja">' in answer.text
    for elsewhere in (
        "//evil.example",
        "https://evil.example/console/",
        "/console//evil",
        "/console/a\\b",
        "/v1",
    ):
        answer = at_work.client.get("/console/language/en", params={"to": elsewhere}, follow_redirects=False)
        assert answer.headers["location"] == "/console/"


def test_a_decision_is_explained_and_the_words_go_with_the_member(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    name = at_work.console.cases.open_case(user, "report.money", by="review").case
    form = {"step": "decide", "decision": "warn", "reason": "report.money"}
    at_work.send(f"/console/cases/{name}", **form, explanation="asked 三 people for a loan")
    assert "asked 三 people" in at_work.page(f"/console/cases/{name}")
    assert "loan" not in (at_work.console.cases.folder / "cases.jsonl").read_text()
    assert "loan" not in at_work.send("/console/requests/access", user=user).text
    kept = at_work.console.cases.folder / "people.json"
    as_written = kept.read_text()
    kept.write_text(as_written.replace("loan", "gift"))
    changed = at_work.page(f"/console/cases/{name}", lang="en")
    assert "was changed" in changed
    assert "gift" not in changed
    kept.write_text(as_written)
    at_work.console.erase(user, by="op-1")
    assert "went with the member" in at_work.page(f"/console/cases/{name}", lang="en")


def test_the_hold_of_a_closed_case_ends_without_an_appeal(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    cases = at_work.console.cases
    name = cases.open_case(user, "report.money", by="op-1").case
    cases.decide(name, "ban", reason="report.money", by="op-1")
    cases.close(name, by="op-1")
    form = {"step": "decide", "decision": "dismiss", "reason": "report.money"}
    at_work.send(f"/console/cases/{name}", **form)
    assert cases.of(name).state == "closed"
    assert 'value="restore"' in at_work.page(f"/console/cases/{name}")
    at_work.send(f"/console/cases/{name}", **{**form, "decision": "restore"})
    assert not at_work.store.exclusions(user, []).viewer_excluded


def test_each_tile_tells_the_times_of_what_it_counts(at_work: Desk) -> None:
    """An appeal stood as the oldest of no case at all that waits for a decision."""
    cases, users = at_work.console.cases, [str(one) for one in at_work.world.people.ids.values[3:5]]
    name = cases.open_case(users[0], "report.money", by="op-1").case
    cases.decide(name, "hold", reason="report.money", by="op-1")
    decided = at_work.console.counts()
    assert [decided[one] for one in ("undecided", "oldest", "next_due", "appeal_due")] == [
        0,
        None,
        None,
        None,
    ]
    appealed_at = cases.appeal(name, by="op-1")
    counts = at_work.console.counts()
    assert [counts[one] for one in ("undecided", "oldest", "next_due")] == [0, None, None]
    assert counts["appeal_due"] == appealed_at.due
    waits = cases.open_case(users[1], "report.threat", by="op-1")
    counts = at_work.console.counts()
    assert (counts["undecided"], counts["oldest"], counts["next_due"]) == (1, waits.opened, waits.due)


def test_the_audit_log_is_read_by_whom_they_were_about_and_no_member_is_told(at_work: Desk) -> None:
    user, other = (str(one) for one in at_work.world.people.ids.values[2:4])
    at_work.page("/console/member", user=user)
    at_work.page("/console/cases")
    assert len(at_work.console.audit.newest(user=user)) == 1
    assert at_work.console.audit.newest(user=other) == []
    about = at_work.page("/console/audit", user=user, lang="en")
    assert about.count("通報 31") >= 2
    assert user not in (at_work.console.cases.folder / "audit.jsonl").read_text()
    assert "通報 31" not in at_work.console.access(user).as_json()
    at_work.send("/console/purpose", purpose="appeal")
    at_work.page("/console/cases")
    assert at_work.console.audit.newest()[0].purpose == "appeal"


def test_a_draft_is_tried_and_kept_nowhere(at_work: Desk) -> None:
    with capture_logs() as lines:
        tried = at_work.send("/console/guard", draft="続きは LINE で話しませんか", lang="en").text
    assert re.search(r"<strong>[^<]+</strong>: .*LINE", tried)
    assert "LINE" not in json.dumps(lines, default=str, ensure_ascii=False)
    assert "LINE" not in (at_work.console.cases.folder / "audit.jsonl").read_text()


def test_whoever_is_held_is_listed_with_the_owners_of_each_hold(at_work: Desk) -> None:
    """Cases, operators, the member and the tables: whoever has two of any is held twice."""
    tables = at_work.console.work / "tables"
    tables.mkdir(parents=True)
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 1, 2)]
    rows = {"user_id": ["u9", "u6", "u6"], "ts": days, "state": ["active", "active", "lifted"]}
    pq.write_table(pa.table(rows), tables / "holds.parquet")
    name = at_work.console.cases.open_case("u9", "report.money", by="op-1").case
    at_work.console.cases.decide(name, "hold", reason="report.money", by="op-1")
    at_work.store.hold("u8", reason="phone_call")
    at_work.store.hold("u8", owner="member", reason="pause")
    at_work.store.hold("u7")
    assert set(at_work.console.held()) == {"u7", "u8", "u9"}
    twice = at_work.page("/console/holds", twice="1", lang="en")
    assert [user in twice for user in ("u7", "u8", "u9")] == [False, True, True]
    assert all(words in twice for words in ("case-1", "phone_call", "The member", "tables of the service"))
    assert "<b>3</b>" in at_work.page("/console/", lang="en")
    assert "holds?twice=1" in at_work.page("/console/cases")


def test_who_is_banned_is_told_from_who_is_held_in_the_list(at_work: Desk) -> None:
    """Seen to fail: a ban and a hold of the tables looked alike."""
    tables = at_work.console.work / "tables"
    tables.mkdir(parents=True)
    day = datetime(2026, 1, 1, tzinfo=UTC)
    states = {"u1": "banned", "u2": "hold", "u3": "active", "u4": "paused"}
    rows = {"user_id": [*states], "valid_from": [day] * 4, "account_state": [*states.values()]}
    pq.write_table(pa.table(rows), tables / "profiles.parquet")
    assert {user: hold.reason for user, (hold,) in at_work.console.held().items()} == {
        "u1": "banned",
        "u2": "hold",
    }
    for lang, word in (("en", "Banned"), ("ja", "利用停止")):
        listed = at_work.page("/console/holds", lang=lang)
        row = next(one for one in listed.split("<tr>") if ">u1<" in one)
        assert word in row
        assert word not in next(one for one in listed.split("<tr>") if ">u2<" in one)
        assert word in at_work.page("/console/member", user="u1", lang=lang)


def test_two_operators_at_once_do_not_overwrite_each_other(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    case = f"/console/cases/{at_work.console.cases.open_case(user, 'report.money', by='op-1').case}"
    form = {"step": "decide", "reason": "report.money", "version": "1"}
    at_work.send(case, decision="hold", **form)
    at_work.sign_in("op-2")
    before = len(at_work.console.cases.steps())
    late = at_work.send(case, decision="warn", explanation="a word of mine", **form)
    assert (late.status_code, len(at_work.console.cases.steps())) == (409, before)
    assert "この案件は" in at_work.send(f"{case}?lang=ja", decision="warn", **form).text
    assert all(words in late.text for words in ("has changed", "a word of mine", "holds the member"))
    assert 'value="dismiss"' not in late.text  # it holds
    refused = at_work.send(case, step="decide", decision="dismiss", reason="report.money")
    assert (refused.status_code, at_work.console.cases.of("case-1").decision) == (409, "hold")
    stays = at_work.send(case, step="decide", decision="warn", reason="report.money")
    assert "goes on" in stays.text
    opened = {"person": user, "kind": "report.minor", "version": "1"}
    for _ in range(2):
        at_work.send("/console/cases", **opened)
    assert len(at_work.console.cases.cases()) == 2
    newest = at_work.console.audit.newest(user=user)
    assert "case-1 decide warn" in [one.detail for one in newest if one.operator == "op-2"]


def test_no_decider_of_a_case_is_given_the_appeal_to_answer(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    cases = at_work.console.cases
    case = f"/console/cases/{cases.open_case(user, 'report.money', by='op-1').case}"
    cases.decide("case-1", "hold", reason="report.money", by="op-1")
    cases.decide("case-1", "warn", reason="report.money", by="op-2")
    at_work.send(case, step="appeal", explanation="it was not me")
    for name in ("op-1", "op-2", "OP-1"):
        at_work.sign_in(name)
        assert 'name="answer"' not in at_work.page(case)
        assert at_work.send(case, step="answer", answer="upheld").status_code == 409
    assert cases.of("case-1").state == "appealed"
    at_work.sign_in("op-3")
    page = at_work.page(case, lang="en")
    assert "it was not me" in page
    assert '<select id="answer" name="answer" required><option value="">' in page
    at_work.send(case, step="answer", answer="upheld", explanation="the messages say so")
    assert "the messages say so" in at_work.page(case)


def test_reports_by_a_member_are_seen_and_are_the_evidence_of_a_case_about_them(at_work: Desk) -> None:
    lists = at_work.console._lists()
    user, other, third = (str(one) for one in lists["viewer_id"].unique()[:3])
    tables = at_work.console.work / "tables"
    tables.mkdir(parents=True)
    rows = {
        "event_id": ["e0", "e1", "e2", "e3", "e4"],
        "ts": [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6)],
        "actor": [user, user, user, other, third],
        "target": [None, other, third, user, other],
        "type": ["terms_accepted", "report", "report", "money_request", "report"],
        "detail": [None, "money", "threat", None, "money"],
    }
    pq.write_table(pa.table(rows), tables / "events.parquet")
    at_work.console.cases.open_case(other, "report.money", by="review", evidence=("e1", "e4"))
    at_work.console.cases.decide("case-1", "warn", reason="report.money", by="op-1")
    page = at_work.page("/console/member", user=user, lang="en")
    assert "Reports: 2, about 2 people; 1 led to" in page
    assert all(words in page for words in ("identity not verified", "a new account", "never talked"))
    case = at_work.page("/console/cases/case-1", lang="en")
    assert "People it comes from: 2" in case
    at_work.send("/console/cases", person=user, kind="false_report")
    assert at_work.console.cases.of("case-2").evidence == ("e1", "e2")
    assert "case-1" in at_work.page("/console/cases/case-2")
    assert at_work.console.audit.newest(user=user)[0].what == "case"


def test_a_hold_that_was_let_go_is_told_as_such_of_the_report(at_work: Desk) -> None:
    cases = at_work.console.cases
    cases.open_case("a", "report.money", by="op-1", evidence=("e1",))
    outcomes = []
    for decision in ("hold", "restore"):
        cases.decide("case-1", decision, reason="report.money", by="op-1")
        told = (*("e1", "2026-01-01", "report.money", "b", "a"), True, True, True, 1, (cases.of("case-1"),))
        outcomes.append(ReportShown(*told).outcome)
    assert outcomes == ["upheld", "lifted"]


def test_a_ban_needs_words_and_a_tick_and_keeps_what_was_written(at_work: Desk) -> None:
    user = str(at_work.world.people.ids.values[2])
    case = f"/console/cases/{at_work.console.cases.open_case(user, 'report.money', by='op-1').case}"
    form = {"step": "decide", "decision": "ban", "reason": "report.money"}
    for missing in ({}, {"explanation": "he sold shares"}, {"sure_ban": "yes"}):
        unsure = at_work.send(case, **form, **missing)
        assert unsure.status_code == 409
        assert missing.get("explanation", "") in unsure.text
        assert '<option value="ban" selected>' in unsure.text
    assert at_work.console.cases.of("case-1").state == "open"
    at_work.send(case, **form, explanation="he sold shares", sure_ban="yes")
    assert "bans the member" in at_work.page("/console/cases", state="holding", lang="en")


def test_what_members_report_by_day_is_seen_before_the_next_night(at_work: Desk) -> None:
    user, other = (str(one) for one in at_work.world.people.ids.values[2:4])
    now = datetime.now(UTC)
    at_work.store.day.append(
        [
            DayEvent("e1", now, user, other, "report", "threat"),
            DayEvent("e2", now, other, user, "feeling_check", "pressured"),
            DayEvent("e3", now, other, user, "feeling_check", "drifting"),
        ]
    )
    assert "<b>2</b> reports since" in at_work.page("/console/", lang="en")
    page = at_work.page("/console/today", lang="en")
    assert page.index("gravity 4 of 4") < page.index("I feel pressured · gravity 3 of 4")
    assert page.index("A threat") < page.index("I feel pressured")
    due = moment((now + timedelta(days=1)).isoformat(), at_work.console.time_zone)
    assert due in page
    assert f"next due: {due}" in at_work.page("/console/", lang="en")
    assert page.count(f'user={user}"') == 2
    assert "by or about this member: 2" in at_work.page("/console/member", user=other, lang="en")
    at_work.send("/console/cases", person=other, kind="report.threat")
    assert at_work.console.cases.of("case-1").evidence == ("e1",)
    assert at_work.page("/console/today", lang="en").count('href="/console/cases/case-1"') == 1
    unsure = at_work.send("/console/requests/erasure", user=user, again=user)
    assert 'name="sure"' in unsure.text  # the report would be lost
    assert not at_work.console.is_erased(user)
    assert "about them: 1." in at_work.page("/console/requests", user=user, lang="en")
    at_work.send("/console/cases", person=user, kind="feeling_check.pressured")
    now_cases = at_work.page("/console/requests", user=user, lang="en")
    assert "None is a case yet" not in now_cases  # what the page asked for was done
    assert "by this member" not in at_work.page(
        "/console/requests", user=str(at_work.world.people.ids.values[5])
    )
    at_work.console.work.mkdir()
    NightPaths(at_work.console.work).settings.write_text("{}")
    told = at_work.send("/console/requests/erasure", user=user, again=user, sure="yes").text
    assert at_work.console.is_erased(user)
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d JST[)）]", told)


@pytest.mark.parametrize("n_calls", [0, 1])
def test_every_page_opens_on_a_quiet_day_beside_the_tables_of_a_night(at_work: Desk, n_calls: int) -> None:
    """A night has read whatever came before, and perhaps nobody said anything since."""
    users, now = [str(one) for one in at_work.world.people.ids.values[2:5]], datetime.now(UTC)
    paths = NightPaths(at_work.console.work)
    paths.tables.mkdir(parents=True)
    names = ("event_id", "ts", "actor", "target", "type", "detail")
    row = ("member:check-1", now, users[0], users[1], "feeling_check", "pressured")
    pq.write_table(
        pa.table({name: [value] for name, value in zip(names, row, strict=True)}),
        paths.tables / "events.parquet",
    )
    paths.settings.write_text("{}")
    paths.validation.write_text("{}")
    calls = [DayEvent("member:check-1", now, users[2], users[1], "feeling_check", "pressured")]
    at_work.store.day.append(calls[:n_calls])
    for path in PAGES:
        assert at_work.client.get(path, params={"lang": "en"}).status_code == 200, path
    assert len(at_work.console.today()) == n_calls
    for one in at_work.console.today():  # the other member's check of the same id is no word on this one
        assert one.event.event_id not in {"member:check-1"}
        assert not one.cases


def test_a_report_that_the_tables_of_a_later_night_lack_is_told(at_work: Desk) -> None:
    """No night makes a case of it; one that the tables have, or that has a case, waits for nothing."""
    users = [str(one) for one in at_work.world.people.ids.values[2:6]]
    before, paths = datetime.now(UTC) - timedelta(minutes=3), NightPaths(at_work.console.work)
    events = [DayEvent(f"r{n}", before, users[0], one, "report", "minor") for n, one in enumerate(users[1:])]
    at_work.store.day.append(events)
    assert "not in the tables" not in at_work.page("/console/", lang="en")  # no night has begun after them
    paths.tables.mkdir(parents=True)
    rows = [("copied", before, users[0], users[1], "report", "minor")]
    names = ("event_id", "ts", "actor", "target", "type", "detail")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), paths.tables / "events.parquet")
    paths.settings.write_text("{}")
    paths.validation.write_text("{}")
    at_work.console.open_case(users[2], "report.minor", by="op-1", note="")
    assert [one.person for one in at_work.console.today() if one.missed] == [users[3]]
    assert "not in the tables of the night: 1" in at_work.page("/console/", lang="en")
    page = at_work.page("/console/today", lang="ja")
    assert "うち 1 件は、前回の夜間処理より前に届いたのに" in page
    assert page.count('class="late"') == 1


def test_a_night_that_runs_is_said_and_no_letter_goes_out_with_half_of_the_tables(at_work: Desk) -> None:
    tables, user = at_work.console.work / "tables", str(at_work.world.people.ids.values[2])
    tables.mkdir(parents=True)
    held = {"user_id": [user], "ts": [datetime(2026, 1, 1, tzinfo=UTC)], "state": ["active"]}
    pq.write_table(pa.table(held), tables / "holds.parquet")
    assert user in at_work.console.held()
    with writer_lock(at_work.console.work):
        shutil.rmtree(tables)
        page = at_work.page("/console/holds", lang="en")
        assert user in page
        assert "A night is running" in page
        assert at_work.send("/console/requests/access", user=user).status_code == 503
    assert "A night is running" not in at_work.page("/console/holds", lang="en")
    assert at_work.send("/console/requests/access", user=user).status_code == 200


class _Checker(HTMLParser):
    """Collects what a page must have for keyboard and reader, and what it must not load."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.urls: list[str] = []
        self.headings: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.urls += [found[name] or "" for name in ("href", "src", "action") if name in found]
        self.scripts += tag == "script"
        self.scripts += sum(name.startswith("on") for name in found)
        if tag == "label":
            self.labels.add(found.get("for") or "")
        if tag in ("input", "select", "textarea") and found.get("type") != "hidden":
            self.fields.append(found)
        if tag in ("h1", "h2"):
            self.headings.append(tag)


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_pages_are_whole_for_keyboard_and_reader_and_load_nothing_else(at_work: Desk, lang: str) -> None:
    at_work.client.get(f"/console/language/{lang}")
    user = str(at_work.console._lists()["viewer_id"].iloc[0])
    at_work.console.cases.open_case(user, "report.money", by="op-1")
    paths = [*PAGES, "/console/cases/case-1", f"/console/member?user={user}"]
    for path in paths:
        text = at_work.page(path)
        page = _Checker()
        page.feed(text)
        assert f'<html lang="{lang}">' in text
        assert page.headings.count("h1") == 1, path
        assert all(field.get("id") in page.labels for field in page.fields), path
        assert all(url.startswith(("/console", "#", "data:,")) for url in page.urls), page.urls
        assert page.scripts == 0
        answer = at_work.client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def _contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_are_read_in_light_and_dark() -> None:
    css = (Path(__file__).parents[2] / "recsys/http/templates/console.css").read_text()
    colours = {
        name: (light, dark)
        for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", css)
    }
    for name in ("ink", "soft", "accent", "bad", "good", "warn"):
        for ground in ("paper", "card"):
            for mode in (0, 1):
                assert _contrast(colours[name][mode], colours[ground][mode]) >= 4.5, (name, ground, mode)
    assert min(_contrast(colours["on-accent"][m], colours["accent"][m]) for m in (0, 1)) >= 4.5


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [390, 1100])
def test_chromium_shows_the_pages_without_an_error(at_work: Desk, tmp_path: Path, width: int) -> None:
    css = (Path(__file__).parents[2] / "recsys/http/templates/console.css").as_uri()
    at_work.console.cases.open_case("u9", "report.threat", by="op-1", note="<script>alert(1)</script>")
    for number, path in enumerate(("/console/", "/console/cases/case-1")):
        html = tmp_path / f"{number}.html"
        html.write_text(at_work.page(path).replace("/console/style.css", css), "utf-8")
        shot = tmp_path / f"{number}.png"
        done = subprocess.run(
            [
                *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
                *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
                *("--disable-sync", "--enable-logging=stderr", "--hide-scrollbars"),
                *(f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},1600"),
                *("--host-resolver-rules=MAP * ~NOTFOUND", f"--screenshot={shot}", html.as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert shot.stat().st_size > 5_000
        assert "CONSOLE" not in done.stderr


def test_the_audit_log_names_nobody_without_the_key_and_goes_on_when_it_is_rotated(
    tmp_path: Path,
) -> None:
    old, new = b"o" * 32, b"n" * 32
    AuditLog(tmp_path, Keys((old,))).add("aki", "report 31", "member", ["u7", ""])
    AuditLog(tmp_path, Keys((new, old))).add("ren", "appeal", "member", ["u7", "u8"])
    found = AuditLog(tmp_path, Keys((new, old)))
    assert [entry.operator for entry in found.newest(user="u7")] == ["ren", "aki"]
    assert [entry.operator for entry in found.newest(user="u8")] == ["ren"]
    assert len(found.newest()) == 2
    found.add("aki", "u9さんの件、u99 ではない", "member", ["u9"])
    found.redact("u9")
    found.add("aki", "later", "night", [])
    assert [one.purpose for one in found.newest()[:2]] == ["later", "(eさんの件、u99 ではない"]
    assert len(found.newest(user="u9")) == 1  # still found by who has the id
    for keys in (Keys(), Keys((b"x" * 32,))):
        assert AuditLog(tmp_path, keys).newest(user="u7") == []


_IDS = [
    "12",
    "31",
    "at",
    "what",
    "people",
    "purpose",
    "detail",
    "operator",
    "member",
    "aki",
    "n",
    "u",
    "t",
    "0",
    "2026",
]
_PARTS = [*'nut \n\t"\\', "purpose", "12", "at", '": "', "aki", "ＡＴ"]
_TEXTS = st.lists(st.sampled_from(_PARTS), max_size=10).map("".join)


@settings(max_examples=60)
@example(user="t", written=[("ＡＴt", "")])
@given(user=st.sampled_from(_IDS), written=st.lists(st.tuples(_TEXTS, _TEXTS), min_size=1, max_size=4))
def test_an_erasure_changes_nothing_of_the_audit_log_but_what_operators_wrote(
    user: str, written: list[tuple[str, str]]
) -> None:
    """Seen to fail: an id that is a number took minutes from times, and one that is a word the keys."""
    with TemporaryDirectory() as name:
        log = AuditLog(Path(name), Keys((b"k" * 32,)))
        before = [
            log.add("aki", purpose, "member", [user, "u7"], detail=detail) for purpose, detail in written
        ]
        log.redact(user)
        after = log.newest()[::-1]
        blank = {"purpose": "", "detail": ""}
        assert [replace(one, **blank) for one in after] == [replace(one, **blank) for one in before]
        for one, old in zip(after, before, strict=True):
            for new, was in ((one.purpose, old.purpose), (one.detail, old.detail)):
                assert not naming(user).search(new)
                assert new == was or naming(user).search(was)
