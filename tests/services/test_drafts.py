"""A drafted mapping runs as it is, guesses most needed columns and repeats no personal value."""

from pathlib import Path

import pytest

from recsys.errors import SettingsError
from recsys.mapping.draft import read_for_draft
from tests.datasets import needs
from tests.services.needed import NEEDED, DraftResult, draft_of, personal_columns, source_of
from tests.services.test_services import DATA, SERVICES, checked

pytestmark = needs("services")
_DRAFTS: dict[str, DraftResult] = {}


@pytest.fixture
def drafts(tmp_path_factory: pytest.TempPathFactory):
    def of(name: str) -> DraftResult:
        if name not in _DRAFTS:
            folder = tmp_path_factory.mktemp("draft") / name
            _DRAFTS[name] = draft_of(DATA, name, folder, checked(name))
        return _DRAFTS[name]

    return of


@pytest.mark.parametrize("name", SERVICES)
def test_most_needed_columns_are_guessed_right(name: str, drafts) -> None:
    found = drafts(name)
    assert len(found.right) >= 0.8 * len(NEEDED[name]), set(NEEDED[name]) - found.right


@pytest.mark.parametrize("name", SERVICES)
def test_a_draft_runs_as_it_is(name: str, drafts) -> None:
    check = drafts(name).check
    counts = check.loaded.counts.set_index("table")
    assert counts.loc["profiles", "accepted"] == counts.loc["profiles", "rows_in"] > 0
    assert not len(check.loaded.quarantine.query("table in ('profiles', 'boundaries')"))


@pytest.mark.parametrize("name", SERVICES)
def test_check_flags_every_guess_that_nobody_confirmed(name: str, drafts) -> None:
    found = drafts(name)
    guessed = sum(one.sql is not None for one in found.draft.columns) + 1
    rows = found.check.drafted
    assert rows.loc[["profiles.sql", "boundaries.sql"], "guesses"].sum() >= guessed if found.wrong else True
    assert not found.unflagged
    assert "GUESS" in found.check.report("en")


@pytest.mark.parametrize("name", SERVICES)
def test_a_draft_lists_nobody_who_must_not_be(name: str, drafts) -> None:
    import json

    want = json.loads((DATA / name / "expected.json").read_text(encoding="utf-8"))
    never = {str(one) for ids in want["never_listed"].values() for one in ids}
    assert not never & set(drafts(name).check.listed)


@pytest.mark.parametrize("name", SERVICES)
def test_no_personal_value_stands_in_a_draft(name: str, drafts) -> None:
    text = "".join(drafts(name).draft.files.values()).casefold()
    tables = read_for_draft(str(source_of(DATA, name)), Path()).tables
    for table, column in personal_columns()[name]:
        for value in {str(one) for one in tables[table].column(column).to_pylist() if one is not None}:
            if len(value) >= 5:
                assert value.casefold() not in text, column


def test_a_draft_never_takes_the_place_of_a_mapping(drafts, tmp_path: Path) -> None:
    draft = drafts("commonground").draft
    draft.write(tmp_path / "mapping")
    with pytest.raises(SettingsError, match="a mapping is there already"):
        draft.write(tmp_path / "mapping")
