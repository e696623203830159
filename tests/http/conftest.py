"""One publication for all tests of the service; each test has a store of its own."""

import shutil
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
def service(world: World, published: Path, tmp_path: Path) -> Iterator[Served]:
    shutil.copytree(published, tmp_path / "published")  # an erasure is written beside publications
    with served(world, tmp_path / "published") as found:
        yield found
