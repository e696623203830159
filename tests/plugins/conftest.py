"""The package of docs/how-to/extend.md, installed where these tests look."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.features import FittedBlock
from tests.plugins.documented_plugins import install


def _forget() -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] in {"ours", "broken_one"}]:
        del sys.modules[module]
    FittedBlock.registered.pop("weekends", None)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the folder of the package, which can be imported and whose names are known."""
    folder = install(tmp_path_factory.mktemp("ours"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield folder
    _forget()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a folder where a test may install packages of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    _forget()
