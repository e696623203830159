"""Signing in to the console: who is at work, what for, their forms, and pages in their language.

Pages load nothing from elsewhere, are never kept by a browser, and work without a script.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlencode

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import Language
from recsys.errors import BusyError, InputError, NotPermittedError, PublicationError, SafetyUnavailable
from recsys.http.access import service_of
from recsys.http.access_tokens import ANY_VIEWER, AccessToken
from recsys.http.audit_log import AuditLog
from recsys.moderation import DECISIONS
from recsys.moderation.review_policy import load_policy

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
_OWN_ADDRESS: Final = re.compile(r"/console/[^/\\\s][^\\\s]*|/console/")
_templates = Environment(
    loader=PackageLoader("recsys.http", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Operator:
    """Who is signed in, what for, the language of their pages, and the address of this one."""

    name: str
    purpose: str
    lang: Language
    check: str
    here: str
    audit: AuditLog

    def opened(self, what: str, *people: str, detail: str = "") -> None:
        """Note in the audit log what was opened, or done."""
        entry = self.audit.add(self.name, self.purpose, what, [*people], detail=detail)
        _log.info("an operator looks", **asdict(entry))


def language_of(request: Request) -> Language:
    """Return the language of the pages: as asked for, as kept, or as the browser prefers."""
    asked = request.query_params.get("lang") or request.cookies.get(LANG_COOKIE)
    if asked in ("ja", "en"):
        return "ja" if asked == "ja" else "en"
    return "ja" if request.headers.get("accept-language", "").startswith("ja") else "en"


def form_check(token: str) -> str:
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
    audit: AuditLog = request.state.audit
    return Operator(token.operator, purpose, language_of(request), form_check(text), _here(request), audit)


def _here(request: Request) -> str:
    """Return the address of a page; of an answer to a form, that of the page with the form."""
    if request.method != "GET":
        return "/console/requests" if "/requests" in request.url.path else "/console/"
    query = [(name, value) for name, value in parse_qsl(request.url.query) if name not in ("lang", "message")]
    return request.url.path + (f"?{urlencode(query)}" if query else "")


class PageRoute(APIRoute):
    """A route of the console: what goes wrong is a page as well, in the language of the operator."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route."""
        answer = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await answer(request)
            except NotPermittedError:
                return back_to(
                    "/sign-in?message=session_ended" if request.cookies.get(COOKIE) else "/sign-in"
                )
            except (InputError, RequestValidationError):
                status, what = 404, "no_page"
            except (SafetyUnavailable, PublicationError, BusyError):
                status, what = 503, "try_again"
            try:
                operator = signed_in(request)
            except NotPermittedError:
                return back_to("/sign-in")
            return page_of("problem", operator, operator.lang, status, message=what)

        return handled


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    if len(body) > _LONGEST_BODY:
        raise InputError("a form is too long")
    return {name: values[-1].strip() for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


async def checked_form(request: Request) -> dict[str, str]:
    """Return a form of the session; raise NotPermittedError for one that another site made."""
    form = await _form(request)
    if not hmac.compare_digest(
        form.get("check", "").encode("utf-8", "replace"), form_check(request.cookies.get(COOKIE, "")).encode()
    ):
        raise NotPermittedError("not permitted")
    return form


SignedIn = Annotated[Operator, Depends(signed_in)]


def page_of(
    name: str, operator: Operator | None, lang: Language, status: int = 200, **values: Any
) -> Response:
    """Return one page of the console, with what its template shows."""
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

    def audit_detail(detail: str) -> str:
        return " ".join(
            t(f"step_did_{word}") if f"console.step_did_{word}" in words.texts else word
            for word in detail.split()
        )

    shown = {
        "audit_detail": audit_detail,
        "rule_label": rule_label,
        "hold_reason": hold_reason,
        "t": t,
        "lang": lang,
        "operator": operator,
        "page": name,
        "here": quote(operator.here if operator else "/console/sign-in", safe=""),
        "labels": labels,
        "message": "",
        "utc": lambda at: f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "–",
        **values,
    }
    html = _templates.get_template(f"{name}.html.j2").render(**shown)
    return Response(html, status, HEADERS, "text/html; charset=utf-8")


def back_to(path: str) -> Response:
    """Return an answer that leads to a page of the console."""
    return RedirectResponse(f"/console{path}", status_code=303, headers=HEADERS)


def session_routes(routes: APIRouter) -> None:
    """Add the routes of signing in and out, the style and the language."""

    @routes.get("/style.css")
    def style() -> Response:
        css = (files("recsys.http") / "templates" / "console.css").read_bytes()
        return Response(css, headers={**HEADERS, "Cache-Control": "max-age=3600"}, media_type="text/css")

    @routes.get("/sign-in")
    def sign_in_page(request: Request, message: str = "") -> Response:
        ended = "session_ended" if message == "session_ended" else ""
        return page_of("sign_in", None, language_of(request), message=ended)

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form, lang = await _form(request), language_of(request)
        try:
            token = AccessToken.read(form.get("token", ""), service_of(request).keys, datetime.now(UTC))
        except NotPermittedError:
            token = None
        if token is None or not token.permits("operators") or not form.get("purpose"):
            return page_of("sign_in", None, lang, 403, message="sign_in_failed")
        answer, secure = back_to("/"), request.url.scheme == "https"
        for name, value in ((COOKIE, form["token"]), (PURPOSE_COOKIE, quote(form["purpose"]))):
            answer.set_cookie(name, value, httponly=True, samesite="strict", secure=secure, path="/console")
        return answer

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        await checked_form(request)
        answer = back_to("/sign-in")
        for name in (COOKIE, PURPOSE_COOKIE):
            answer.delete_cookie(name, path="/console")
        return answer

    @routes.post("/purpose")
    async def purpose(request: Request, operator: SignedIn) -> Response:
        form, answer = await checked_form(request), back_to("/audit")
        if wanted := form.get("purpose", "")[:200]:
            operator.opened("purpose")
            secure = request.url.scheme == "https"
            answer.set_cookie(
                *(PURPOSE_COOKIE, quote(wanted)),
                httponly=True,
                samesite="strict",
                secure=secure,
                path="/console",
            )
        return answer

    @routes.get("/language/{lang}")
    def language(lang: str, to: str = "") -> Response:
        own = bool(_OWN_ADDRESS.fullmatch(to))
        answer = back_to(to.removeprefix("/console") if own else "/")
        answer.set_cookie(LANG_COOKIE, "ja" if lang == "ja" else "en", samesite="strict", path="/console")
        return answer
