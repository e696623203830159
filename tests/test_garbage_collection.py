"""Collections are paused and come back as they were."""

import gc

import pytest

from recsys.memory import paused_collection


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_left_as_it_was_even_after_an_error(was_on: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        with pytest.raises(KeyError), paused_collection(), paused_collection():
            raise KeyError(gc.isenabled())
        with paused_collection():
            assert not gc.isenabled()
        assert gc.isenabled() == was_on
    finally:
        (gc.enable if before else gc.disable)()
