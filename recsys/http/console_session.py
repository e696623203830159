"""Signing in to the console: who is at work, what for, their forms, and pages in their language.

Pages load nothing from elsewhere, are never kept by a browser, and work without a script.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, quote, unquote

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import Language
from recsys.errors import InputError, NotPermittedError
from recsys.http.access import service_of
from recsys.http.access_tokens import ANY_VIEWER, AccessToken
from recsys.moderation import DECISIONS
from recsys.moderation.review_policy import load_policy
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
    return Operator(token.operator, purpose, language_of(request), form_check(text))


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    if len(body) > _LONGEST_BODY:
        raise InputError("a form is too long")
    return {name: values[-1].strip() for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


async def checked_form(request: Request) -> dict[str, str]:
    """Return a form of the session; raise NotPermittedError for one that another site made."""
    form = await _form(request)
    if not hmac.compare_digest(form.get("check", ""), form_check(request.cookies.get(COOKIE, ""))):
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
    def sign_in_page(request: Request) -> Response:
        return page_of("sign_in", None, language_of(request))

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

    @routes.get("/language/{lang}")
    def language(lang: str) -> Response:
        answer = back_to("/")
        answer.set_cookie(LANG_COOKIE, "ja" if lang == "ja" else "en", samesite="strict", path="/console")
        return answer
