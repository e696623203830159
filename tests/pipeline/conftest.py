"""One small night, and one published town, for all tests of this folder."""

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.small_night import Night, make_night

if TYPE_CHECKING:
    from tests.safety.restriction_doors import Published


@pytest.fixture(scope="session")
def night() -> Night:
    return make_night()


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> "Published":
    from tests.safety.restriction_doors import Published  # few tests need what it makes when it is imported

    return Published(tmp_path_factory.mktemp("town"))
