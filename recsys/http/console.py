"""The console: pages for operators, rendered on the server, in Japanese and English.

`recsys serve --console` adds it to the service. An operator signs in with a token of
`recsys token --scope operators` and a purpose; every look is logged with both. Pages load nothing from
elsewhere, are never kept by a browser, and work without a script.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, quote, unquote

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import Language
from recsys.data.ids import canonical_spelling
from recsys.errors import InputError, NotPermittedError
from recsys.http.access import OpenService, Service, service_of
from recsys.http.access_tokens import ANY_VIEWER, AccessToken
from recsys.http.console_pages import Console
from recsys.moderation import ANSWERS, DECISIONS
from recsys.moderation.cases import DECIDED, ERASED, HOLDING
from recsys.moderation.review_policy import load_policy
from recsys.report.gate_messages import gate_advice, gate_message
from recsys.report.indicators import level_of
from recsys.report.localization import Texts
from recsys.safety.erasure_list import person_hash

COOKIE: Final = "recsys_console"
PURPOSE_COOKIE: Final = "recsys_purpose"
LANG_COOKIE: Final = "recsys_lang"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_LONGEST_BODY: Final = 20_000
_log = structlog.get_logger(__name__)
_templates = Environment(
    loader=PackageLoader("recsys.http", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Operator:
    """Who is signed in, what for, and the language of their pages."""

    name: str
    purpose: str
    lang: Language
    check: str

    def look(self, what: str, *people: str) -> None:
        """Log one look."""
        _log.info(
            "an operator looks",
            operator=self.name,
            purpose=self.purpose,
            what=what,
            people=[person_hash(user) for user in people if user],
        )


def _language(request: Request) -> Language:
    asked = request.query_params.get("lang") or request.cookies.get(LANG_COOKIE)
    if asked in ("ja", "en"):
        return "ja" if asked == "ja" else "en"
    return "ja" if request.headers.get("accept-language", "").startswith("ja") else "en"


def _form_check(token: str) -> str:
    """Return what every form of a session carries, so that another site cannot send one."""
    return hmac.digest(token.encode(), b"form", hashlib.sha256).hex()


def signed_in(request: Request) -> Operator:
    """Return the operator of a request.

    Raises NotPermittedError without a token for operators that holds yet.
    """
    text = request.cookies.get(COOKIE, "")
    token = AccessToken.read(text, service_of(request).keys, datetime.now(UTC))
    purpose = unquote(request.cookies.get(PURPOSE_COOKIE, ""))
    if not token.permits("operators") or token.viewer != ANY_VIEWER or not purpose:
        raise NotPermittedError("not permitted")
    return Operator(token.operator, purpose, _language(request), _form_check(text))


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    if len(body) > _LONGEST_BODY:
        raise InputError("a form is too long")
    return {name: values[-1].strip() for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


async def _checked_form(request: Request) -> dict[str, str]:
    form = await _form(request)
    if not hmac.compare_digest(form.get("check", ""), _form_check(request.cookies.get(COOKIE, ""))):
        raise NotPermittedError("not permitted")
    return form


SignedIn = Annotated[Operator, Depends(signed_in)]


def _page(name: str, operator: Operator | None, lang: Language, status: int = 200, **values: Any) -> Response:
    words = load_catalogue()

    def t(key: str, **filled: object) -> str:
        return words.text(f"console.{key}", lang, **filled)

    labels = {kind: one.label.text(lang) for kind, one in load_policy().kinds.items()}

    def rule_label(name: str) -> str:
        return words.text(f"funnel.{name}", lang) if f"funnel.{name}" in words.texts else name

    def hold_reason(reason: str) -> str:
        decision, _, kind = reason.partition(":")
        if decision in DECISIONS:
            return f"{t(f'decision_{decision}')} ({labels.get(kind, kind)})"
        return t("paused") if reason == "pause" else reason

    shown = {
        "rule_label": rule_label,
        "hold_reason": hold_reason,
        "t": t,
        "lang": lang,
        "operator": operator,
        "labels": labels,
        "message": "",
        **values,
    }
    html = _templates.get_template(f"{name}.html.j2").render(**shown)
    return Response(html, status, HEADERS, "text/html; charset=utf-8")


def _back(path: str) -> Response:
    return RedirectResponse(f"/console{path}", status_code=303, headers=HEADERS)


def console_routes(console: Console) -> APIRouter:
    """Return the routes of the console.

    console: where publications, cases and files are.
    """
    routes = APIRouter(prefix="/console", include_in_schema=False)
    _session_routes(routes)
    _look_routes(routes, console)
    _case_routes(routes, console)
    _request_routes(routes, console)
    return routes


def _session_routes(routes: APIRouter) -> None:
    @routes.get("/style.css")
    def style() -> Response:
        css = (files("recsys.http") / "templates" / "console.css").read_bytes()
        return Response(css, headers={**HEADERS, "Cache-Control": "max-age=3600"}, media_type="text/css")

    @routes.get("/sign-in")
    def sign_in_page(request: Request) -> Response:
        return _page("sign_in", None, _language(request))

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form, lang = await _form(request), _language(request)
        try:
            token = AccessToken.read(form.get("token", ""), service_of(request).keys, datetime.now(UTC))
        except NotPermittedError:
            token = None
        if token is None or not token.permits("operators") or not form.get("purpose"):
            return _page("sign_in", None, lang, 403, message="sign_in_failed")
        answer, secure = _back("/"), request.url.scheme == "https"
        for name, value in ((COOKIE, form["token"]), (PURPOSE_COOKIE, quote(form["purpose"]))):
            answer.set_cookie(name, value, httponly=True, samesite="strict", secure=secure, path="/console")
        return answer

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await _checked_form(request)
        answer = _back("/sign-in")
        for name in (COOKIE, PURPOSE_COOKIE):
            answer.delete_cookie(name, path="/console")
        return answer

    @routes.get("/language/{lang}")
    def language(lang: str) -> Response:
        answer = _back("/")
        answer.set_cookie(LANG_COOKIE, "ja" if lang == "ja" else "en", samesite="strict", path="/console")
        return answer


def _look_routes(routes: APIRouter, console: Console) -> None:
    meant = partial(_meant, console)

    @routes.get("/")
    def tonight(operator: SignedIn) -> Response:
        operator.look("night")
        texts = Texts(operator.lang)
        shown: dict[str, Any] = {
            "gate_says": partial(gate_message, texts=texts),
            "gate_do": partial(gate_advice, texts=texts),
        }
        return _page(
            "night",
            operator,
            operator.lang,
            night=console.night(),
            counts=console.counts(),
            label=texts.label,
            level_of=level_of,
            gate_texts=texts.catalogue.texts,
            **shown,
        )

    @routes.get("/member")
    def member(operator: SignedIn, service: OpenService, user: str = "") -> Response:
        operator.look("member", user)
        found: dict[str, Any] = {"found": None}
        user = meant(service, user)
        if user:
            permission = service.operators.permit(operator.name, purpose=operator.purpose, minutes=1)
            audit = service.ranker.explain_member_for_operator(user, permission=permission)
            found = {"found": console.member(user), "audit": audit, "erased": console.is_erased(user)}
        stages = load_catalogue().stages
        return _page(
            "member",
            operator,
            operator.lang,
            user=user,
            words=_reason_words(operator.lang),
            stage_label=lambda name: stages.label(name, operator.lang),
            **found,
        )

    @routes.post("/member/lift")
    async def lift(request: Request, operator: SignedIn, service: OpenService) -> Response:
        form = await _checked_form(request)
        user = meant(service, form.get("user", ""))
        operator.look("lift", user)
        console.lift(user)
        return _back(f"/member?user={quote(user)}")

    @routes.get("/pair")
    def pair(operator: SignedIn, service: OpenService, viewer: str = "", candidate: str = "") -> Response:
        operator.look("pair", viewer, candidate)
        found: Mapping[str, Any] = {}
        viewer, candidate = meant(service, viewer), meant(service, candidate)
        if viewer and candidate:
            permission = service.operators.permit(operator.name, purpose=operator.purpose, minutes=1)
            found = asdict(service.ranker.explain_for_operator(viewer, candidate, permission=permission))
        stages = load_catalogue().stages
        return _page(
            "pair",
            operator,
            operator.lang,
            viewer=viewer,
            candidate=candidate,
            found=found,
            why=[one.text.text(operator.lang) for one in console.why_not(viewer, candidate)],
            stage_label=lambda name: stages.label(name, operator.lang),
        )


def _meant(console: Console, service: Service, user: str) -> str:
    """Return the one known person an id means in any spelling: of the publication, else of a case.

    An id that is nobody's is returned in its canonical spelling.
    """
    if not (bare := canonical_spelling(user)):
        return ""
    return service.ranker.whom(bare) or console.whom(bare) or bare


def _case_routes(routes: APIRouter, console: Console) -> None:
    meant = partial(_meant, console)

    @routes.get("/cases")
    def cases(operator: SignedIn, service: OpenService, state: str = "") -> Response:
        operator.look("cases")
        found, knows = console.listed_cases(state), service.ranker.knows
        return _page("cases", operator, operator.lang, state=state, found=found, knows=knows)

    @routes.get("/cases/{name}")
    def case(operator: SignedIn, service: OpenService, name: str, message: str = "") -> Response:
        found = console.cases.of(name)
        operator.look("case", found.person)
        steps = [step for step in console.cases.steps() if step.case == name]
        decided = [step.by for step in steps if step.step == DECIDED]
        choices: dict[str, Any] = {
            "decisions": DECISIONS,
            "answers": ANSWERS,
            "kinds": [kind for kind in load_policy().kinds if kind != "hold"],
            "evidence": console.evidence(found),
            "about": console.member(found.person) if found.person else None,
            "known": service.ranker.knows(found.person),
            "erased": any(step.step == ERASED for step in steps),
            "mine": bool(decided) and decided[-1] == operator.name,
            "event_word": lambda column, word: load_catalogue().label(column, word, operator.lang),
        }
        message = message if message in ("done", "still_held", "refused", "holds_nobody") else ""
        return _page("case", operator, operator.lang, case=found, steps=steps, message=message, **choices)

    @routes.post("/cases")
    async def open_case(request: Request, operator: SignedIn, service: OpenService) -> Response:
        form = await _checked_form(request)
        person = meant(service, form.get("person", ""))
        if not person or not (service.ranker.knows(person) or form.get("sure")):
            return _back(f"/member?user={quote(person)}")
        made = console.cases.open_case(
            person, form.get("kind", ""), by=operator.name, note=form.get("note", "")
        )
        return _back(f"/cases/{made.case}")

    @routes.post("/cases/{name}")
    async def step(request: Request, operator: SignedIn, service: OpenService, name: str) -> Response:
        form = await _checked_form(request)
        before = console.cases.of(name)
        holds = form.get("step") == "decide" and form.get("decision") in HOLDING
        spelled = meant(service, before.person) == before.person
        if holds and not (service.ranker.knows(before.person) or (spelled and form.get("sure"))):
            return _back(f"/cases/{name}?message=holds_nobody")
        try:
            console.take_step(name, form, by=operator.name)
        except InputError:
            return _back(f"/cases/{name}?message=refused")
        ended = before.held and not console.cases.of(name).held
        message = "still_held" if ended and console.member(before.person).holds else "done"
        return _back(f"/cases/{name}?message={message}")


def _request_routes(routes: APIRouter, console: Console) -> None:
    meant = partial(_meant, console)

    def page(operator: Operator, user: str, done: str = "", data: str | None = None) -> Response:
        about = console.member(user) if user and done != "erased" else None
        at = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
        shown: dict[str, Any] = {"user": user, "done": done, "at": at, "about": about, "data": data}
        return _page("requests", operator, operator.lang, **shown)

    @routes.get("/requests")
    def requests(operator: SignedIn, service: OpenService, user: str = "", done: str = "") -> Response:
        operator.look("requests", user)
        return page(operator, meant(service, user), done if done in ("erased", "refused", "unsure") else "")

    @routes.post("/requests/access")
    async def access(request: Request, operator: SignedIn, service: OpenService) -> Response:
        form = await _checked_form(request)
        user = meant(service, form.get("user", ""))
        operator.look("access", user)
        data = console.access(user)
        if not data.shown:
            return page(operator, user, "nobody")
        if form.get("as") == "json":
            safe = re.sub(r"[^A-Za-z0-9._-]", "", user)[:64] or person_hash(user)[:8]
            name = f"access-{safe}-{datetime.now(UTC):%Y-%m-%d}.json"
            headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
            return Response(data.as_json(), headers=headers, media_type="application/json")
        return page(operator, user, data=data.as_text(operator.lang))

    @routes.post("/requests/erasure")
    async def erasure(request: Request, operator: SignedIn, service: OpenService) -> Response:
        form = await _checked_form(request)
        user, again = meant(service, form.get("user", "")), meant(service, form.get("again", ""))
        if not user or again != user or not (service.ranker.knows(user) or console.whom(user)):
            return _back(f"/requests?user={quote(user)}&done=refused")
        about = console.member(user)
        if (about.cases or about.holds) and not form.get("sure"):
            return _back(f"/requests?user={quote(user)}&done=unsure")
        operator.look("erasure", user)
        console.erase(user, by=operator.name)
        return _back(f"/requests?user={quote(user)}&done=erased")


def _reason_words(lang: Language) -> Any:
    from recsys.messaging.reasons import reason_text

    def words(codes: Any) -> str:
        return " / ".join(reason_text(code, lang) for code in codes)

    return words
