"""One publication for all tests of the service; each test has a store of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.storage.publication import read_publication
from tests.http.served import Served, served
from tests.ranking.published_world import World, copied


@pytest.fixture(scope="session")
def world() -> World:
    return World.small()


@pytest.fixture(scope="session")
def published(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("published")
    assert world.publish(folder).published
    yield folder
    read_publication(folder)  # or a test wrote into the files that all copies have in common


@pytest.fixture
def service(world: World, published: Path, tmp_path: Path) -> Iterator[Served]:
    folder = copied(published, tmp_path / "published")  # an erasure is written beside publications
    with served(world, folder) as found:
        yield found
