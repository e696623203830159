"""A backend in one file: pages, blocks, impressions.

Once, before the first start, create the safety store; a missing one is an error, never an empty one:
python -c "from recsys.safety import SqliteSafety; SqliteSafety.create('data/safety.db')"

A viewer nobody knows gets 200 with an empty page, by design: an answer of its own would tell who is a member.

Two workers, with a key for receipts (openssl rand -hex 32):
RECSYS_KEY_FILE=recsys.key RECSYS_PUBLISHED=data/published RECSYS_SAFETY=sqlite:data/safety.db
uvicorn --app-dir docs/examples backend:app --workers 2
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from recsys import Ranker
from recsys.errors import InputError, SafetyUnavailable, StalePublicationError
from recsys.ranking.response_and_receipt import Receipt
from recsys.safety import open_safety


@asynccontextmanager
async def opened(app: FastAPI) -> AsyncIterator[None]:
    """Open once a worker, after the fork."""
    app.state.safety = open_safety(os.environ["RECSYS_SAFETY"])
    app.state.ranker = Ranker.open(
        os.environ["RECSYS_PUBLISHED"],
        safety=app.state.safety,
        max_staleness=timedelta(days=float(os.environ.get("RECSYS_MAX_STALENESS_DAYS", "7"))),
        poll_s=0.2,
    )
    yield
    app.state.ranker.close()


app = FastAPI(lifespan=opened)


class Pair(BaseModel):
    actor: str
    target: str


class Shown(BaseModel):
    viewer_id: str  # a real backend takes it from the session, never from the client
    receipt: str
    people: list[str]


@app.get("/people/{viewer_id}")
def people(viewer_id: str, request: Request, k: int = 10) -> dict[str, Any]:
    page = request.app.state.ranker.rank(viewer_id, k)
    items = [
        {
            "id": item.candidate_id,
            "reasons": item.reasons,
            "stage": item.stage,
            "opener": item.icebreaker_kind,
        }
        for item in page.items
    ]
    return {"items": items, "receipt": page.receipt.to_json(), "run": page.receipt.run_id}


@app.get("/people/{viewer_id}/{candidate_id}")
def person(viewer_id: str, candidate_id: str, request: Request) -> dict[str, Any]:
    item = request.app.state.ranker.look(viewer_id, candidate_id)
    if item is None:  # blocked, held, erased, unknown: one answer for all
        raise HTTPException(404)
    return {
        "id": item.candidate_id,
        "reasons": item.reasons,
        "stage": item.stage,
        "opener": item.icebreaker_kind,
    }


@app.post("/blocks", status_code=204)
def block(pair: Pair, request: Request) -> None:
    request.app.state.safety.block(pair.actor, pair.target)


@app.post("/impressions")
def impressions(shown: Shown, request: Request) -> int:
    record = request.app.state.ranker.record
    try:
        events = record(Receipt.from_json(shown.receipt), shown.people, viewer_id=shown.viewer_id)
    except InputError:  # forged, of somebody else, or too old: nothing was noted
        raise HTTPException(400) from None
    return len(events)  # a real backend appends them to its events table


@app.exception_handler(SafetyUnavailable)
@app.exception_handler(StalePublicationError)
def unavailable(request: Request, error: Exception) -> JSONResponse:
    """Show nobody rather than somebody who may not be shown."""
    return JSONResponse({"detail": "try again"}, status_code=503, headers={"Retry-After": "1"})
