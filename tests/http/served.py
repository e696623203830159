"""A small service under test: a publication, a store, a client and tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from recsys.http.access import Service
from recsys.http.access_tokens import AccessToken
from recsys.http.app import create_app
from recsys.ranking.pair_audit import OperatorGate
from recsys.ranking.ranker import Ranker
from recsys.safety import MemorySafety
from recsys.safety.keys import Keys
from tests.ranking.published_world import World

KEYS = Keys((b"the key of the tests, of no service",))


@dataclass
class Served:
    """A running application and what stands behind it."""

    client: TestClient
    world: World
    store: MemorySafety
    ranker: Ranker

    def headers(self, *scopes: str, viewer: str = "*", operator: str = "", **more: str) -> dict[str, str]:
        token = AccessToken.make(scopes, viewer=viewer, operator=operator).signed(KEYS)
        return {"authorization": f"Bearer {token}", **more}

    def ask(self, method: str, path: str, *scopes: str, body: Any = None, **more: str) -> Any:
        headers = self.headers(*(scopes or ("members", "backend")), **more)
        return self.client.request(method, path, json=body, headers=headers)

    def page(self, viewer: str, **query: Any) -> list[str]:
        answer = self.client.get(
            f"/v1/members/{viewer}/page", params=query, headers=self.headers("members", viewer=viewer)
        )
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["people"]]


@contextmanager
def served(world: World, published: Path, **options: Any) -> Iterator[Served]:
    store, gate = options.pop("store", None) or MemorySafety(), OperatorGate()
    ranker = Ranker.open(
        published, safety=store, poll_s=0, max_staleness=None, keys=KEYS, operators=gate, **options
    )
    app = create_app(lambda: Service(ranker, KEYS, gate))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Served(client, world, store, ranker)
