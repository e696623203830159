"""Bodies that do not fit: what they restrict is kept all the same, on every route that restricts."""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Literal, get_args

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from recsys.catalogue.text_folding import fold, plain
from recsys.data.given_rows import opened
from recsys.data.strict_json import RepeatedKeyError, strict_json
from recsys.errors import InputError, NotPermittedError
from recsys.http.access import bearer_token, service_of
from recsys.http.access_tokens import Scope
from recsys.http.query_parameters import unknown_parameters, unknown_parameters_error
from recsys.ranking.event_rows import rows_within
from recsys.ranking.ranker import Ranker
from recsys.safety.day_log import TABLES_CHANGED
from recsys.safety.hold_words import OPERATOR
from recsys.safety.store import LEAVER

OF_MEMBER: Final = "member:"
"""Before the ids that a member's client gives, so that it takes none that the backend gives."""
MemberType = Literal[
    "like",
    "pass",
    "hide",
    "undo",
    "message",
    "terms_accepted",
    "optin",
    "rules_agreed",
    "meet_planned",
    "meet_feedback",
    "feeling_check",
    "off_platform_request",
    "money_request",
    "end",
]
"""What a member's own client may say happened; a proof is said by the backend alone."""
MEMBER_TYPES: Final[tuple[str, ...]] = get_args(MemberType)
_OF_BACKEND: Final = frozenset(map(fold, ("impression", TABLES_CHANGED)))
"""Types of which a member's client says nothing that restricts."""
_OPENING: Final = frozenset({"impression", "like", "message"})
_MOST_KEPT: Final = 10_000
_UNREAD: Final = 400
"""The status under which a body comes that the usual reader of JSON gives up on, valid as it may be."""
_PERSON: Final = "person"
_WORDS: Final = ("owner", "reason", "category", "event_id", "lang", "answer")
"""Keys of bodies whose values name nobody."""
_OF_EVENTS: Final = frozenset({_PERSON, "event_id", "actor", "target", "type", "detail", "count", "at"})


class KeepsRestrictions(APIRoute):
    """A route whose refused bodies restrict all the same; what they would open, they do not.

    Access was checked before: a body is judged once a token permits the route.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route, which keeps what it can of a refused body."""
        handle = super().get_route_handler()
        path = self.path_format
        keep = _KEPT.get(path.rpartition("/")[2])

        async def kept(request: Request) -> Response:
            try:
                unknown = unknown_parameters(request, path)
                if unknown and _is_permitted(request):
                    raise unknown_parameters_error(unknown)
                await _require_keys_once(request)
                return await handle(request)
            except (RequestValidationError, HTTPException) as error:
                # of a body that fits, whoever is asked keeps what it restricts
                of_body = isinstance(error, RequestValidationError) or error.status_code == _UNREAD
                if keep is not None and of_body and _is_permitted(request):
                    body, service = opened(await request.body()), service_of(request)
                    if not isinstance(body, bytes):  # what is no JSON says nothing
                        await service.ask(partial(keep, service.ranker, request, body))
                raise

        return kept


async def _require_keys_once(request: Request) -> None:
    """Raise RequestValidationError for a body of JSON with a key twice."""
    try:
        with suppress(ValueError, RecursionError):  # whoever reads it next says what is wrong with it
            strict_json(await request.body())
    except RepeatedKeyError as error:
        raise RequestValidationError([{"type": "key_given_twice", "loc": ("body", error.key)}]) from error


def _is_permitted(request: Request) -> bool:
    """Say whether the token of a request permits its route; a body that cannot be read comes before that."""
    scope: Scope = "backend" if request.url.path.startswith("/v1/backend/") else "members"
    try:
        return bearer_token(request).permits(scope, _viewer(request))
    except NotPermittedError:
        return False


def _viewer(request: Request) -> Any:
    return request.path_params.get("viewer_id")


def _keep_events(ranker: Ranker, request: Request, body: Any) -> None:
    viewer = _viewer(request)
    rows = (row for row in rows_within(body) if isinstance(row, Mapping))
    found = [row for row in rows if "type" in row and not _opens(row)][:_MOST_KEPT]
    ranker.day.keep_refused(
        [_as_sent(row, viewer) for row in found if viewer is None or _may_be_said_by_members(row)]
    )


def _opens(row: Mapping[str, Any]) -> bool:
    """Say whether a row is of a type that restricts nobody, of which there may be many."""
    kind = row.get("type")
    return isinstance(kind, str) and kind in _OPENING


def _may_be_said_by_members(row: Mapping[str, Any]) -> bool:
    """Say whether a row is not of a type that the backend alone says, such as that tables changed."""
    kind = row.get("type")
    return not isinstance(kind, str) or fold(plain(kind)[:64]) not in _OF_BACKEND


def _as_sent(row: Mapping[str, Any], viewer: str | None) -> dict[str, Any]:
    """Return a row of a refused body with the names of an event; of a member, whoever it says did it."""
    known = {name: row[name] for name in ("event_id", "type", "detail") if name in row}
    others = {name: value for name, value in row.items() if name not in _OF_EVENTS}
    sent: dict[str, Any] = {**others, **known, "at": datetime.now(UTC)}
    if viewer is None:
        return {**sent, **{name: row[name] for name in (_PERSON, "actor", "target") if name in row}}
    event_id = row.get("event_id")
    sent["event_id"] = f"{OF_MEMBER}{event_id}" if isinstance(event_id, str) else event_id
    named = row.get(_PERSON) or row.get("target")
    return {**sent, "actor": viewer} | ({} if named is None else {"target": named})


def _keep_answer(ranker: Ranker, request: Request, body: Any) -> None:
    about = request.path_params.get(_PERSON)
    for one in _objects_in(body):
        row = {"type": "feeling_check", _PERSON: about, "detail": one.get("answer")}
        ranker.day.keep_refused([_as_sent(row, _viewer(request))])


def _keep_tables(ranker: Ranker, request: Request, body: Any) -> None:
    ranker.day.keep_refused_tables(_viewer(request), body)


def _keep_profile(ranker: Ranker, request: Request, body: Any) -> None:
    """Keep what a profile restricts, when a backend sends it."""
    if bearer_token(request).permits("backend", _viewer(request)):
        ranker.day.keep_refused_tables(_viewer(request), body)


def _keep_blocks(ranker: Ranker, request: Request, body: Any) -> None:
    for one in _people_in(ranker, body):
        with suppress(InputError):
            ranker.safety.block(_viewer(request), one)


def _keep_reports(ranker: Ranker, request: Request, body: Any) -> None:
    category = _word_in(body, "category", "other")
    for one in _people_in(ranker, body):
        with suppress(InputError):
            ranker.day.report(_viewer(request), one, category)


def _keep_holds(ranker: Ranker, request: Request, body: Any) -> None:  # noqa: ARG001 - one form of all
    given = {"owner": _word_in(body, "owner", OPERATOR), "reason": _word_in(body, "reason", "")}
    for one in _people_in(ranker, body):
        with suppress(InputError):
            ranker.safety.hold(one, **given)


def _keep_erasures(ranker: Ranker, request: Request, body: Any) -> None:  # noqa: ARG001 - one form of all
    """Hold whom a refused request would erase: an erasure cannot be taken back."""
    for one in _people_in(ranker, body):
        with suppress(InputError):
            ranker.safety.hold(one, owner=LEAVER)


def _people_in(ranker: Ranker, body: Any) -> list[Any]:
    """Return whom a body may name: under `person`, else whoever is known among all it holds, keys as well."""
    named = [one for found in _objects_in(body) for one in _values(found.get(_PERSON)) if one != ""]
    if named:
        return named[:_MOST_KEPT]
    known = ranker.safety.accounts.known
    return [one for one in _values(body) if known(one) is not None][:_MOST_KEPT]


def _objects_in(body: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object of a body, those within others and within lists too."""
    if isinstance(body, dict):
        yield body
    for one in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from _objects_in(one)


def _word_in(body: Any, name: str, usual: str) -> Any:
    """Return the value of a key of a body, the usual one where it has none."""
    return next((one[name] for one in _objects_in(body) if name in one), usual)


def _values(given: Any) -> Iterator[Any]:
    if isinstance(given, dict):
        for key, value in given.items():
            yield from () if key in _WORDS else [*_values(value), *([] if key in _OF_EVENTS else [key])]
    elif isinstance(given, list):
        for value in given:
            yield from _values(value)
    elif isinstance(given, str | int | float) and not isinstance(given, bool):
        yield given


_KEPT: Final[Mapping[str, Callable[[Ranker, Request, Any], None]]] = {
    "events": _keep_events,
    "tables": _keep_tables,
    "page": _keep_profile,
    "feeling-check": _keep_answer,
    "blocks": _keep_blocks,
    "reports": _keep_reports,
    "holds": _keep_holds,
    "erasures": _keep_erasures,
}
"""What keeps the restrictions of a refused body, by the last part of a route's path."""
