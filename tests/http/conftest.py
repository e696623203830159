"""One publication for all tests of the service; each test has a store of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.served import Served, served
from tests.ranking.published_world import World


@pytest.fixture(scope="session")
def world() -> World:
    return World.small()


@pytest.fixture(scope="session")
def published(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    assert world.publish(folder).published
    return folder


@pytest.fixture
def service(world: World, published: Path) -> Iterator[Served]:
    with served(world, published) as found:
        yield found
