"""Access: what every route needs of a request, the open service and a token that permits the route."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Query, Request
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool

from recsys.catalogue.entries import Language
from recsys.catalogue.text_folding import has_letters
from recsys.errors import NotPermittedError
from recsys.http.access_tokens import AccessToken, Scope
from recsys.http.operator_sessions import OperatorSessions
from recsys.messaging.draft_guard import is_mail_alone
from recsys.ranking.pair_audit import OperatorGate, OperatorPermission
from recsys.ranking.ranker import Ranker
from recsys.safety.keys import Keys

Answer = TypeVar("Answer")

PURPOSE: Final = "x-purpose"
"""The header in which an operator says what for."""
_SCHEME: Final = HTTPBearer(auto_error=False, description="A token of `recsys token`.")
Bearer = Annotated[Any, Depends(_SCHEME)]


_SUPPORT: Final = {
    "ja": "アプリやサイトの「お問い合わせ」のページ",
    "en": "the page “Contact us” of the app or site",
}


@dataclass(frozen=True, eq=False)
class Service:
    """What routes answer from: the ranker, the keys of tokens, and the gate of operators.

    waits: whether the safety store is asked over a network; then a call runs in a thread of its own, so that
    a store that hangs holds up nobody else. support: how members reach the people of the service, in words.
    lang: of texts for members where a request asks for none. sessions: of operators in the console, where
    tokens are ended before their time; None where none is.
    """

    ranker: Ranker
    keys: Keys
    operators: OperatorGate = field(default_factory=OperatorGate)
    waits: bool = False
    support: str = ""
    lang: Language = "ja"
    sessions: OperatorSessions | None = None

    def support_words(self, lang: Language) -> str:
        """Return how members in danger reach the people of the service, in words of a language.

        A mail address alone is no answer to them; without another it is the page "Contact us".
        """
        return _SUPPORT[lang] if not self.support or is_mail_alone(self.support) else self.support

    async def ask(self, call: Callable[[], Answer]) -> Answer:
        """Return what a quick call to the ranker returns."""
        return await run_in_threadpool(call) if self.waits else call()


def service_of(request: Request) -> Service:
    """Return the open service."""
    found: Service = request.app.state.service
    return found


async def _open_service(request: Request) -> Service:
    """Return the open service, for routes: by a coroutine, for each other dependency waits for a thread."""
    return service_of(request)


OpenService = Annotated[Service, Depends(_open_service)]
"""What a route writes to get the service."""


AskedLanguage = Annotated[Language | None, Query(description="Of texts; that of the service by default.")]
"""What a route writes to let a request ask for a language: `lang or service.lang` is the one to answer in."""


class Permits(SecurityBase):
    """A dependency: the token of a request, which permits a scope, for the `viewer_id` of its path.

    Without it the answer is 401, with one for something else 403, of equal bytes. It is its own security
    scheme of the OpenAPI document: a request pays for each dependency, and most need no more than this one.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope, self.model, self.scheme_name = scope, _SCHEME.model, _SCHEME.scheme_name

    async def __call__(self, request: Request) -> AccessToken:
        """Return the token."""
        token = bearer_token(request)
        if not token.permits(self.scope, request.path_params.get("viewer_id")):
            raise NotPermittedError("not permitted")
        return token


PERMITS_MEMBERS: Final = Permits("members")
PERMITS_BACKEND: Final = Permits("backend")
"""One of each, so that a token is read once a request."""


class NoTokenError(NotPermittedError):
    """A request brought no token that was signed here and has not ended, by its time or by an operator."""


def bearer_token(request: Request) -> AccessToken:
    """Return the token of a request.

    Raises NoTokenError when there is none that holds.
    """
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    given = text.strip() if kind.lower() == "bearer" else ""
    try:
        token = AccessToken.read(given, service_of(request).keys, datetime.now(UTC))
    except NotPermittedError:
        raise NoTokenError("not permitted") from None
    sessions = service_of(request).sessions
    if token.operator and sessions is not None and sessions.is_token_ended(token):
        raise NoTokenError("not permitted")
    return token


def _as_written(header: str) -> str:
    """Return the words of a header, which a client writes in UTF-8 and a server reads as Latin-1."""
    try:
        return header.encode("latin-1").decode().strip()
    except UnicodeError:
        return header.strip()


async def operator(request: Request, _: Bearer) -> OperatorPermission:
    """Return the permission of an operator's request: a token for operators, and a purpose in its header.

    A dependency of routes for operators.
    """
    token, purpose = bearer_token(request), _as_written(request.headers.get(PURPOSE, ""))
    if not token.permits("operators") or not has_letters(purpose):
        raise NotPermittedError("not permitted")
    return service_of(request).operators.permit(token.operator, purpose=purpose, minutes=1)


Permitted = Annotated[OperatorPermission, Depends(operator)]
"""What a route for operators writes to be one."""
