"""The console: pages for operators, rendered on the server, in Japanese and English.

`recsys serve --console` adds it to the service. An operator signs in with a token of
`recsys token --scope operators` and a purpose; every page that is opened stands in the audit log
with both. Pages load nothing from elsewhere, are never kept by a browser, and work without a script.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import Language
from recsys.http.access import OpenService, Service
from recsys.http.audit_log import FEW_ENTRIES, MOST_ENTRIES
from recsys.http.console_cases import asked_again, case_routes, meant_by, nearest_ids
from recsys.http.console_pages import Console
from recsys.http.console_session import (
    HEADERS,
    Operator,
    PageRoute,
    SignedIn,
    back_to,
    checked_form,
    page_of,
)
from recsys.http.console_sign_in import session_routes
from recsys.messaging.draft_guard import GUARD_KINDS, advice, check_draft, load_rules
from recsys.pipeline.subject_access_letter import access_letter
from recsys.report.gate_messages import gate_advice, gate_limit, gate_message
from recsys.report.indicators import level_of
from recsys.report.localization import Texts, moment
from recsys.safety.day_log import DayEvent
from recsys.safety.erasure_list import person_hash

LONGEST_DRAFT: Final = 2000
_FILES: Final = {"json": "application/json", "txt": "text/plain; charset=utf-8"}
_MEMBER_MESSAGES: Final = (
    "holds_changed",
    "lifted",
    "lifted_still_held",
    "lift_needs_reason",
    "cases_changed",
)
_ERASURE_ANSWERS: Final = ("erased", "refused", "differ", "unsure")
_WORDS_OF: Final = {"report": "category"} | {n: n for n in ("feeling_check", "meet_feedback", "end")}
"""The vocabulary of the detail of an event."""
_LONGEST_REASON: Final = 500
"""Characters of the reason for which a hold ends."""


def console_routes(console: Console) -> APIRouter:
    """Return the routes of the console.

    console: where publications, cases and files are.
    """

    def with_audit_log(request: Request) -> None:
        request.state.audit, request.state.sessions = console.audit, console.sessions
        request.state.zone = console.time_zone

    routes = APIRouter(
        prefix="/console",
        include_in_schema=False,
        route_class=PageRoute,
        dependencies=[Depends(with_audit_log)],
    )
    session_routes(routes)
    _night_routes(routes, console)
    _member_routes(routes, console)
    _pair_routes(routes, console)
    case_routes(routes, console)
    _request_routes(routes, console)
    _guard_routes(routes)
    _log_routes(routes, console)

    @routes.get("/{address:path}")
    def nowhere(operator: SignedIn) -> Response:
        return page_of("problem", operator, operator.lang, 404, message="no_page")

    return routes


def _night_routes(routes: APIRouter, console: Console) -> None:
    @routes.get("/")
    def tonight(operator: SignedIn, service: OpenService) -> Response:
        operator.opened("night")
        texts = Texts(operator.lang)
        shown: dict[str, Any] = {
            "gate_says": partial(gate_message, texts=texts, time_zone=operator.zone),
            "gate_do": partial(gate_advice, texts=texts),
            "gate_limit": partial(gate_limit, limits=console.gate_limits(), texts=texts),
        }
        return page_of(
            "night",
            operator,
            operator.lang,
            night=console.night(),
            tables_state=console.tables_state(),
            counts=console.counts(),
            no_support=not service.support,
            label=texts.label,
            level_of=level_of,
            gate_texts=texts.catalogue.texts,
            **shown,
        )

    @routes.get("/today")
    def today(operator: SignedIn) -> Response:
        found = console.today()
        operator.opened("today", *dict.fromkeys(one.event.actor for one in found))
        words, lang = load_catalogue(), operator.lang

        def what(one: DayEvent) -> str:
            column = _WORDS_OF.get(one.type, "detail")
            detail = f" · {words.label(column, one.detail, lang)}" if one.detail else ""
            return words.label("type", one.type, lang) + detail

        missed, now = sum(one.missed for one in found), datetime.now(UTC)
        return page_of("today", operator, lang, found=found, what=what, missed=missed, now=now)

    @routes.get("/holds")
    def holds(operator: SignedIn, twice: str = "") -> Response:
        operator.opened("holds")
        found = {user: all_ for user, all_ in console.held().items() if not twice or len(all_) > 1}
        shown: dict[str, Any] = {"twice": bool(twice), "found": found, "tables_state": console.tables_state()}
        return page_of("holds", operator, operator.lang, **shown)


def _member_routes(routes: APIRouter, console: Console) -> None:
    meant = partial(meant_by, console)

    @routes.get("/member")
    def member(operator: SignedIn, service: OpenService, user: str = "", message: str = "") -> Response:
        operator.opened("member", user)
        found: dict[str, Any] = {"found": None}
        user = meant(service, user)
        if user:
            permission = service.operators.permit(operator.name, purpose=operator.purpose, minutes=1)
            audit = service.ranker.explain_member_for_operator(user, permission=permission)
            found = {"found": console.member(user), "audit": audit, "erased": console.is_erased(user)}
        stages = load_catalogue().stages
        return page_of(
            "member",
            operator,
            operator.lang,
            user=user,
            words=_reason_words(operator.lang),
            stage_label=lambda name: stages.label(name, operator.lang),
            account_word=lambda word: load_catalogue().label("account_state", word, operator.lang),
            message=message if message in _MEMBER_MESSAGES else "",
            tables_state=console.tables_state(),
            near=nearest_ids(user, service.ranker.known_ids()) if user else (),
            **found,
        )

    @routes.post("/member/lift")
    async def lift(request: Request, operator: SignedIn, service: OpenService) -> Response:
        form = await checked_form(request)
        user = meant(service, form.get("user", ""))
        if form.get("version") != console.member(user).holds_version:
            return back_to(f"/member?user={quote(user)}&message=holds_changed")
        reason = form.get("reason", "").strip()
        if not form.get("sure") or not reason:
            return back_to(f"/member?user={quote(user)}&message=lift_needs_reason")
        if again := asked_again(service, operator, form, "reason", person="", action="/console/member/lift"):
            return again
        operator.opened("lift", user, detail=reason[:_LONGEST_REASON])
        console.lift(user)
        left = "lifted_still_held" if console.member(user).holds else "lifted"
        return back_to(f"/member?user={quote(user)}&message={left}")


def _pair_routes(routes: APIRouter, console: Console) -> None:
    meant = partial(meant_by, console)

    @routes.get("/pair")
    def pair(operator: SignedIn, service: OpenService, viewer: str = "", candidate: str = "") -> Response:
        operator.opened("pair", viewer, candidate)
        found: Mapping[str, Any] = {}
        viewer, candidate = meant(service, viewer), meant(service, candidate)
        if viewer and candidate:
            permission = service.operators.permit(operator.name, purpose=operator.purpose, minutes=1)
            found = asdict(service.ranker.explain_for_operator(viewer, candidate, permission=permission))
        stages = load_catalogue().stages
        return page_of(
            "pair",
            operator,
            operator.lang,
            viewer=viewer,
            candidate=candidate,
            found=found,
            tables_state=console.tables_state(),
            why=[(one.text.text(operator.lang), one.direction) for one in console.why_not(viewer, candidate)],
            stage_label=lambda name: stages.label(name, operator.lang),
        )


def _request_routes(routes: APIRouter, console: Console) -> None:
    meant = partial(meant_by, console)

    def page(operator: Operator, user: str, done: str = "", data: str | None = None) -> Response:
        about = console.member(user) if user and done != "erased" else None
        at = moment(datetime.now(UTC).isoformat(), operator.zone)
        shown: dict[str, Any] = {"user": user, "done": done, "at": at, "about": about, "data": data}
        return page_of("requests", operator, operator.lang, **shown)

    @routes.get("/requests")
    def requests(operator: SignedIn, service: OpenService, user: str = "", done: str = "") -> Response:
        operator.opened("requests", user)
        return page(operator, meant(service, user), done if done in _ERASURE_ANSWERS else "")

    @routes.post("/requests/access")
    async def access(request: Request, operator: SignedIn, service: OpenService) -> Response:
        form = await checked_form(request)
        user = meant(service, form.get("user", ""))
        operator.opened("access", user)
        if console.is_erased(user):
            return page(operator, user, "was_erased")
        data = console.access(user)
        if not data.shown:
            return page(operator, user, "nobody")
        letter = access_letter(data, operator.lang, time_zone=console.time_zone)
        if (kind := form.get("as", "")) not in _FILES:
            return page(operator, user, data=letter)
        safe = re.sub(r"[^A-Za-z0-9._-]", "", user)[:64] or person_hash(user)[:8]
        name = f"access-{safe}-{datetime.now(UTC):%Y-%m-%d}.{kind}"
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
        text = data.as_json() if kind == "json" else letter
        return Response(text, headers=headers, media_type=_FILES[kind])

    @routes.post("/requests/erasure")
    async def erasure(request: Request, operator: SignedIn, service: OpenService) -> Response:
        form = await checked_form(request)
        user, again = meant(service, form.get("user", "")), meant(service, form.get("again", ""))
        if again != user:
            return back_to(f"/requests?user={quote(user)}&done=differ")
        if not user or not (user in service.ranker.known_ids() or console.whom(user)):
            return back_to(f"/requests?user={quote(user)}&done=refused")
        about = console.member(user)
        if about.asks_before_erasure and not form.get("sure"):
            return back_to(f"/requests?user={quote(user)}&done=unsure")
        operator.opened("erasure", user)
        console.erase(user, by=operator.name)
        return back_to(f"/requests?user={quote(user)}&done=erased")


def _guard_routes(routes: APIRouter) -> None:
    def page(operator: Operator, service: Service, draft: str = "") -> Response:
        found = check_draft(draft) if draft.strip() else None
        lines = [(draft[one.start : one.end], load_rules().labels[one.kind]) for one in found or ()]
        lang, support = operator.lang, service.support_words(operator.lang)
        answers = {kind: advice(kind, lang, support=support) for kind in GUARD_KINDS}
        told = [answers[kind] for kind in dict.fromkeys(one.kind for one in found or ())]
        shown: dict[str, Any] = {"draft": draft, "found": found, "lines": lines, "told": told}
        return page_of("guard", operator, lang, rules=load_rules(), answers=answers, **shown)

    @routes.get("/guard")
    def guard(operator: SignedIn, service: OpenService) -> Response:
        operator.opened("guard")
        return page(operator, service)

    @routes.post("/guard")
    async def tried(request: Request, operator: SignedIn, service: OpenService) -> Response:
        form = await checked_form(request)
        operator.opened("guard")
        return page(operator, service, form.get("draft", "")[:LONGEST_DRAFT])


def _log_routes(routes: APIRouter, console: Console) -> None:
    @routes.get("/audit")
    def audit(request: Request, operator: SignedIn, service: OpenService, user: str = "") -> Response:
        user = meant_by(console, service, user)
        operator.opened("audit", user)
        by, day, more = (request.query_params.get(name, "") for name in ("by", "day", "more"))
        most = MOST_ENTRIES if more else FEW_ENTRIES
        found = console.audit.newest(user=user, operator=by, day=day, zone=operator.zone, most=most)
        shown: dict[str, Any] = {"user": user, "by": by, "day": day, "more": more, "few": FEW_ENTRIES}
        return page_of("audit", operator, operator.lang, found=found, **shown)


def _reason_words(lang: Language) -> Any:
    from recsys.messaging.reasons import reason_text

    def words(codes: Any) -> str:
        return " / ".join(reason_text(code, lang) for code in codes)

    return words
