"""Keyed random numbers and threads over ranges: what is drawn and computed never depends on the cutting."""

import numpy as np
import pytest

from recsys.errors import SettingsError
from recsys.parallel import in_ranges
from recsys.random import KeyedGenerator, edge_uniform, mix64


def test_a_number_depends_on_key_step_pair_and_repeat_alone() -> None:
    i, j = np.arange(1000), np.arange(1000)[::-1].copy()
    whole = KeyedGenerator(3).uniform(5, i, j, 2)
    parts = [KeyedGenerator(3).uniform(5, i[part], j[part], 2) for part in (slice(0, 7), slice(7, None))]
    assert np.array_equal(whole, np.concatenate(parts))
    others = [
        KeyedGenerator(4).uniform(5, i, j, 2),
        KeyedGenerator(3).uniform(6, i, j, 2),
        KeyedGenerator(3).uniform(5, j, i, 2),
        KeyedGenerator(3).uniform(5, i, j, 1),
    ]
    for other in others:
        assert abs(np.corrcoef(whole, other)[0, 1]) < 0.15


def test_keyed_numbers_are_uniform() -> None:
    drawn = np.sort(KeyedGenerator(11).uniform(0, np.arange(20_000), 5))
    assert np.abs(drawn - np.arange(20_000) / 20_000).max() < 0.015
    assert drawn[0] > 0.0
    assert drawn[-1] < 1.0


def test_the_compiled_generator_mixes_like_the_plain_one() -> None:
    golden, key, repeat, step, edge = 0x9E3779B97F4A7C15, 12345, 2, 3, 77
    x = key
    for part in (repeat, step, edge + 1):
        x = int(mix64(np.array([(x + part * golden) % 2**64], np.uint64))[0])
    assert edge_uniform(np.uint64(key), repeat, step, edge) == ((x >> 11) + 0.5) * 2.0**-53


@pytest.mark.parametrize("workers", [None, 1, 3, 50])
def test_every_person_is_worked_on_once(workers: int | None) -> None:
    lengths = np.random.default_rng(0).integers(0, 20_000, 40)
    lengths[5:15] = 0
    done = np.zeros(40, np.int64)

    def kernel(start: int, stop: int) -> None:
        done[start:stop] += 1

    in_ranges(kernel, np.append(0, np.cumsum(lengths)), workers)
    assert (done == 1).all()


def test_an_error_in_a_thread_is_raised() -> None:
    def kernel(start: int, stop: int) -> None:
        raise KeyError(start, stop)

    with pytest.raises(KeyError):
        in_ranges(kernel, np.arange(11), 2)


def test_no_threads_at_all_is_refused() -> None:
    with pytest.raises(SettingsError, match="workers"):
        in_ranges(lambda start, stop: None, np.arange(11), 0)
