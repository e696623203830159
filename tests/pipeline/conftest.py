"""One small night for all tests of this folder."""

import pytest

from tests.pipeline.small_night import Night, make_night


@pytest.fixture(scope="session")
def night() -> Night:
    return make_night()
