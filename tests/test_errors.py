"""Messages that name what is missing."""

import pytest

from recsys.errors import MissingExtraError, RecsysError, imported


def test_a_missing_package_names_the_extra_that_brings_it():
    with pytest.raises(MissingExtraError, match=r"nowhere is not installed; .*recsys\[report\]") as caught:
        imported("nowhere.at.all", extra="report")
    assert caught.value.extra == "report"
    assert isinstance(caught.value, RecsysError)
    assert isinstance(caught.value, ImportError)


def test_a_package_that_lacks_something_itself_says_so(tmp_path, monkeypatch):
    (tmp_path / "half_there.py").write_text("import something_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_it_needs") as caught:
        imported("half_there", extra="report")
    assert not isinstance(caught.value, MissingExtraError)
