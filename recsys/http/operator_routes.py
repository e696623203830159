"""Routes for operators: a pair with everything that is known of it, for a stated purpose."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from recsys.http.access import OpenService, Permitted
from recsys.http.member_routes import REFUSALS

routes = APIRouter(prefix="/v1/operators", tags=["operators"], responses=REFUSALS)


@routes.get("/pairs/{viewer_id}/{candidate_id}")
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
