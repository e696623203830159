"""The application: routes, failures, numbers, and a service that is opened once a worker."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, FastAPI

import recsys
from recsys.http import day_routes, member_routes, monitoring
from recsys.http.access import OpenService, Permitted, Service
from recsys.http.failures import install_failures
from recsys.http.member_routes import REFUSALS
from recsys.http.request_bodies import BodyLimit

_ABOUT = """Pages of people for members of a companionship service, each after asking the safety store.

A token of `recsys token` goes into `Authorization: Bearer`. An unknown viewer gets an empty page, by design:
an answer of its own would tell who is a member."""
_operators = APIRouter(prefix="/v1/operators", tags=["operators"], responses=REFUSALS)


@_operators.get("/pairs/{viewer_id}/{candidate_id}")
async def pair(
    viewer_id: str,
    candidate_id: str,
    permission: Permitted,
    service: OpenService,
) -> dict[str, Any]:
    """Return everything known of a pair; each use is logged with the operator and the purpose."""
    audit = service.ranker.explain_for_operator
    found = await service.ask(lambda: audit(viewer_id, candidate_id, permission=permission))
    return asdict(found)


def create_app(
    open_service: Callable[[], Service], *, routers: Sequence[APIRouter] = (), documents: bool = True
) -> FastAPI:
    """Return the service as an ASGI application.

    open_service: called once a worker, after the fork; what it opens is closed with the worker.
    routers:      more routes; they take the service and the access rules of `recsys.http.access`:

        routes = APIRouter(prefix="/console")

        @routes.get("/queue")
        async def queue(permission: Permitted, service: OpenService) -> list[str]: ...

        app = create_app(open_service, routers=[routes])

    documents:    whether `/openapi.json` is answered.
    """

    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = open_service()
        yield
        app.state.service.ranker.close()

    app = FastAPI(
        title="recsys",
        version=recsys.__version__,
        description=_ABOUT,
        lifespan=opened,
        openapi_url="/openapi.json" if documents else None,
        docs_url=None,  # a page of documentation would load scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(BodyLimit)
    app.add_middleware(monitoring.CountRequests)  # counts what the one before it answers too
    install_failures(app)
    own = (member_routes.routes, day_routes.members, day_routes.backend, _operators)
    for one in (*own, monitoring.routes, *routers):
        app.include_router(one)
    return app
