"""Access: what every route needs of a request, the open service and a token that permits the route."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Query, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from recsys.catalogue.entries import Language
from recsys.errors import NotPermittedError
from recsys.http.access_tokens import ANY_VIEWER, AccessToken, Scope
from recsys.http.operator_sessions import OperatorSessions
from recsys.messaging.draft_guard import is_mail_alone
from recsys.ranking.pair_audit import OperatorGate, OperatorPermission
from recsys.ranking.ranker import Ranker
from recsys.safety.keys import Keys

Answer = TypeVar("Answer")

PURPOSE: Final = "x-purpose"
"""The header in which an operator says what for."""
Bearer = Annotated[Any, Depends(HTTPBearer(auto_error=False, description="A token of `recsys token`."))]


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
    """Return the open service; a dependency of routes."""
    found: Service = request.app.state.service
    return found


OpenService = Annotated[Service, Depends(service_of)]
"""What a route writes to get the service."""


def asked_language(
    service: OpenService,
    lang: Annotated[Language | None, Query(description="Of texts; that of the service by default.")] = None,
) -> Language:
    """Return the language that a request asks for, else that of the service; a dependency of routes."""
    return lang or service.lang


AskedLanguage = Annotated[Language, Depends(asked_language)]
"""What a route writes to get the language of its texts."""


def permits(scope: Scope) -> Callable[..., Awaitable[AccessToken]]:
    """Return a dependency: the token of a request, which permits `scope`, for the `viewer_id` of its path.

    Without it the answer is 401, with one for something else 403, of equal bytes.
    """

    async def checked(request: Request, _: Bearer) -> AccessToken:
        token = bearer_token(request)
        viewer = request.path_params.get("viewer_id")
        if not token.permits(scope, viewer):
            raise NotPermittedError("not permitted")
        return token

    return checked


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


async def operator(request: Request, _: Bearer) -> OperatorPermission:
    """Return the permission of an operator's request: a token for operators, and a purpose in its header.

    A dependency of routes for operators.
    """
    token, purpose = bearer_token(request), request.headers.get(PURPOSE, "").strip()
    if not token.permits("operators") or token.viewer != ANY_VIEWER or not purpose:
        raise NotPermittedError("not permitted")
    return service_of(request).operators.permit(token.operator, purpose=purpose, minutes=1)


Permitted = Annotated[OperatorPermission, Depends(operator)]
"""What a route for operators writes to be one."""
