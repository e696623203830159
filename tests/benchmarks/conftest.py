"""Benchmarks are programs and set their own key: their tests give the environment back."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _environment_of_before() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
