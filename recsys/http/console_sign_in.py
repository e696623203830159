"""Signing in to the console and out, purpose and language, and going on after the end of a session."""

import unicodedata
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from recsys.catalogue.text_folding import fold, has_letters
from recsys.errors import NotPermittedError
from recsys.http.access import service_of
from recsys.http.access_tokens import AccessToken
from recsys.http.console_session import (
    COOKIE,
    HEADERS,
    LANG_COOKIE,
    OWN_ADDRESS,
    PURPOSE_COOKIE,
    Operator,
    SignedIn,
    back_to,
    checked_form,
    form_of,
    operator_of,
    page_of,
    sessions_of,
    sign_in_page,
    words_field,
)
from recsys.http.operator_sessions import new_cookie

_KEPT: Final = "kept."
"""What the names of the fields begin with that the sign-in page carries on."""


def session_routes(routes: APIRouter) -> None:
    """Add the routes of signing in and out, who is signed in, the style and the language."""
    _session_list_routes(routes)

    @routes.get("/style.css")
    def style() -> Response:
        css = (files("recsys.http") / "templates" / "console.css").read_bytes()
        return Response(css, headers={**HEADERS, "Cache-Control": "max-age=3600"}, media_type="text/css")

    @routes.get("/sign-in")
    def page(request: Request, message: str = "", to: str = "") -> Response:
        return sign_in_page(request, message if message == "session_ended" else "", to=to)

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        form = await form_of(request)
        kept = {name.removeprefix(_KEPT): form[name] for name in form if name.startswith(_KEPT)}
        by, to, action = (form.get(name, "") for name in ("by", "to", "action"))
        form["token"] = _pasted(form.get("token", ""))
        token, refused = _operators_token(request, form["token"])
        if token is None or not has_letters(form.get("purpose", "")):
            message = refused or "no_purpose"
            return sign_in_page(request, message, by=by, to=to, action=action, kept=kept, status=403)
        cookie = new_cookie(form["token"])
        if OWN_ADDRESS.fullmatch(action) and words_field(kept, action) and by == token.operator:
            writer = operator_of(request, token, cookie, form["purpose"], "/console/")
            answer = _words_again(writer, action, kept)
        else:
            answer = back_to(to.removeprefix("/console") if OWN_ADDRESS.fullmatch(to) else "/")
        secure = request.url.scheme == "https"
        sessions_of(request).begin(cookie, token)
        for name, value in ((COOKIE, cookie), (PURPOSE_COOKIE, quote(form["purpose"]))):
            answer.set_cookie(name, value, httponly=True, samesite="strict", secure=secure, path="/console")
        return answer

    @routes.post("/sign-out")
    async def sign_out(request: Request, operator: SignedIn) -> Response:
        await checked_form(request)
        sessions_of(request).end(operator.session, by=operator.name)
        answer = back_to("/sign-in")
        for name in (COOKIE, PURPOSE_COOKIE):
            answer.delete_cookie(name, path="/console")
        return answer

    @routes.get("/language/{lang}")
    def language(lang: str, to: str = "") -> Response:
        own = bool(OWN_ADDRESS.fullmatch(to))
        answer = back_to(to.removeprefix("/console") if own else "/")
        answer.set_cookie(LANG_COOKIE, "ja" if lang == "ja" else "en", samesite="strict", path="/console")
        return answer


def _session_list_routes(routes: APIRouter) -> None:
    @routes.post("/purpose")
    async def purpose(request: Request, operator: SignedIn) -> Response:
        form, answer = await checked_form(request), back_to("/audit")
        if has_letters(wanted := form.get("purpose", "")[:200]):
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

    @routes.get("/sessions")
    def sessions(request: Request, operator: SignedIn, message: str = "") -> Response:
        operator.opened("sessions")
        live = sessions_of(request).live(datetime.now(UTC))
        shown = message if message in ("session_over", "all_over", "all_unsure", "all_unknown") else ""
        known = sorted(sessions_of(request).operators())
        return page_of("sessions", operator, operator.lang, live=live, known=known, message=shown)

    @routes.post("/sessions")
    async def end(request: Request, operator: SignedIn) -> Response:
        form, found = await checked_form(request), sessions_of(request)
        if session := form.get("session", ""):
            operator.opened("end_session", detail=form.get("of", ""))
            found.end(session, by=operator.name)
            return back_to("/sessions?message=session_over")
        name = form.get("operator", "")
        if not name or not form.get("sure"):
            return back_to("/sessions?message=all_unsure")
        known = {fold(one) for one in found.operators()}
        if fold(name) not in known and not form.get("sure_name"):
            return back_to("/sessions?message=all_unknown")
        operator.opened("end_session", detail=name)
        found.end_all(name, by=operator.name)
        return back_to("/sessions?message=all_over")


def _pasted(text: str) -> str:
    """Return a token as it was made: full-width characters become plain, and the word Bearer goes."""
    return unicodedata.normalize("NFKC", text).strip().removeprefix("Bearer ").strip()


def _operators_token(request: Request, text: str) -> tuple[AccessToken | None, str]:
    """Return the token of an operator that holds yet, or None and why not."""
    keys = service_of(request).keys
    try:
        token = AccessToken.read(text, keys, datetime.min.replace(tzinfo=UTC))
    except NotPermittedError:
        return None, "sign_in_failed"
    if not token.permits("operators"):
        return None, "sign_in_other_scope"
    try:
        held = AccessToken.read(text, keys, datetime.now(UTC))
    except NotPermittedError:
        return None, "sign_in_too_late"
    return (None, "sign_in_ended") if sessions_of(request).is_token_ended(held) else (held, "")


def _words_again(operator: Operator, action: str, kept: dict[str, str]) -> Response:
    """Return the form that came too late, with its words, for the operator to send."""
    field = words_field(kept, action)
    others = {name: value for name, value in kept.items() if name != field} | {"check": operator.check}
    values: dict[str, Any] = {"action": action, "kept": others, "field": field, "text": kept[field]}
    return page_of("words_again", operator, operator.lang, message="words_carried", named="", **values)
