"""Signing in to the console: who is at work, what for, their forms, and pages in their language.

Pages load nothing from elsewhere, are never kept by a browser, and work without a script.
"""

import hmac
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlencode

import structlog
from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.entries import Language
from recsys.catalogue.text_folding import has_letters
from recsys.data.fail_closed import STOPPED
from recsys.errors import BusyError, InputError, NotPermittedError, PublicationError, SafetyUnavailable
from recsys.http.access import service_of
from recsys.http.access_tokens import ANY_VIEWER, AccessToken
from recsys.http.audit_log import AuditLog
from recsys.http.operator_sessions import OperatorSessions, form_check, session_of, token_text
from recsys.moderation import DECISIONS
from recsys.moderation.review_policy import load_policy
from recsys.report.localization import moment

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
_LONGEST_BODY: Final = 40_000
_WORDS: Final = ("purpose", "detail")
"""What an operator typed: it stands in the audit log alone."""
WORDS: Final = ("explanation", "note", "draft", "purpose")
"""Fields of forms that hold an operator's own words."""
_log = structlog.get_logger(__name__)
OWN_ADDRESS: Final = re.compile(r"/console/[^/\\\s][^\\\s]*|/console/")
_templates = Environment(
    loader=PackageLoader("recsys.http", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Operator:
    """Who is signed in, what for, the language of their pages, and the address of this one.

    until: when the session ends. session: its name. zone: in which times are written.
    """

    name: str
    purpose: str
    lang: Language
    check: str
    here: str
    audit: AuditLog
    until: str
    session: str
    zone: str

    def opened(self, what: str, *people: str, detail: str = "") -> None:
        """Note in the audit log what was opened, or done."""
        entry = self.audit.add(self.name, self.purpose, what, [*people], detail=detail)
        told = {name: value for name, value in asdict(entry).items() if name not in _WORDS}
        _log.info("an operator looks", **told)  # what an operator typed may name a member


def language_of(request: Request) -> Language:
    """Return the language of the pages: as asked for, as kept, or as the browser prefers."""
    asked = request.query_params.get("lang") or request.cookies.get(LANG_COOKIE)
    if asked in ("ja", "en"):
        return "ja" if asked == "ja" else "en"
    return "ja" if request.headers.get("accept-language", "").startswith("ja") else "en"


def signed_in(request: Request) -> Operator:
    """Return the operator of a request.

    Raises NotPermittedError without a session that goes on, of a token for operators that holds yet.
    """
    cookie, sessions = request.cookies.get(COOKIE, ""), sessions_of(request)
    token = AccessToken.read(token_text(cookie), service_of(request).keys, datetime.now(UTC))
    purpose = unquote(request.cookies.get(PURPOSE_COOKIE, ""))
    if not token.permits("operators") or token.viewer != ANY_VIEWER or not has_letters(purpose):
        raise NotPermittedError("not permitted")
    if not sessions.is_live(cookie):
        raise NotPermittedError("not permitted")
    return operator_of(request, token, cookie, purpose, _here(request))


def operator_of(request: Request, token: AccessToken, cookie: str, purpose: str, here: str) -> Operator:
    """Return the operator of a session, on the page `here`."""
    lang, audit, zone = language_of(request), request.state.audit, request.state.zone
    until, session = token.expires_at, session_of(cookie)
    return Operator(token.operator, purpose, lang, form_check(cookie), here, audit, until, session, zone)


def sessions_of(request: Request) -> OperatorSessions:
    """Return the sessions of the console."""
    found: OperatorSessions = request.state.sessions
    return found


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
                return await _to_sign_in(request)
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


async def _to_sign_in(request: Request) -> Response:
    """Return the sign-in page, with the words of a form whose session ended or is not of this browser now.

    Only a form that a session of this console was given is carried on, and nothing of it is kept here: the
    words travel in the page, and are shown again to the same operator before anything is done with them.
    """
    form, to = await form_of(request) if request.method == "POST" else {}, _here(request)
    began = sessions_of(request).of_check(form.get("check", "")) if form else None
    if began is not None and words_field(form, request.url.path):
        kept = {name: value for name, value in form.items() if name != "check"}
        by, action = began.operator, request.url.path
        return sign_in_page(request, "words_kept", by=by, to=to, action=action, kept=kept, status=403)
    if not request.cookies.get(COOKIE):
        return back_to("/sign-in")
    return back_to(f"/sign-in?{urlencode({'message': 'session_ended', 'to': to})}")


def words_field(form: Mapping[str, str], action: str) -> str:
    """Return the name of the field of a form that holds an operator's own words, "" without any."""
    names = ("reason",) if action == "/console/member/lift" else WORDS
    return next((name for name in names if form.get(name)), "")


def sign_in_page(
    request: Request,
    message: str = "",
    *,
    by: str = "",
    to: str = "",
    action: str = "",
    kept: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Return the sign-in page.

    by: whose session has ended. to: the page to go on with. action, kept: the form that came too late.
    """
    purpose = unquote(request.cookies.get(PURPOSE_COOKIE, ""))
    carried = {"by": by, "to": to, "action": action, "kept": kept or {}, "purpose": purpose}
    return page_of("sign_in", None, language_of(request), status, message=message, **carried)


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form; raise InputError for more than 40,000 bytes."""
    body = await request.body()
    if len(body) > _LONGEST_BODY:
        raise InputError("a form is too long")
    return {name: values[-1].strip() for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


async def checked_form(request: Request) -> dict[str, str]:
    """Return a form of the session; raise NotPermittedError for one that another site made."""
    form = await form_of(request)
    if not _is_of_session(form, request.cookies.get(COOKIE, "")):
        raise NotPermittedError("not permitted")
    return form


def _is_of_session(form: Mapping[str, str], cookie: str) -> bool:
    given = form.get("check", "").encode("utf-8", "replace")
    return hmac.compare_digest(given, form_check(cookie).encode())


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
        if reason in STOPPED:
            return words.label("account_state", reason, lang)
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
        "moment": lambda at: moment(at, operator.zone if operator else "UTC") if at else "–",
        **values,
    }
    html = _templates.get_template(f"{name}.html.j2").render(**shown)
    return Response(html, status, HEADERS, "text/html; charset=utf-8")


def back_to(path: str) -> Response:
    """Return an answer that leads to a page of the console."""
    return RedirectResponse(f"/console{path}", status_code=303, headers=HEADERS)
