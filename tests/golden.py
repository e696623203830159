"""One golden night for all tests that read what a night left."""

import pytest

from tests.pipeline.nights import Folder

PEOPLE = "people=150"


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("golden"))
    codes = folder.run(PEOPLE)
    assert set(codes.values()) == {0}
    return folder
