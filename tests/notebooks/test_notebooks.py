"""The notebooks run, define nothing, and are the same as their text."""

import ast
import re
from pathlib import Path

import jupytext
import numpy as np
import pytest

from tests.datasets import VARIABLE, data_folder, needs
from tests.notebooks.changed import changed_numbers, differences

FOLDER = Path(__file__).parents[2] / "notebooks"
TEXTS = sorted(FOLDER.glob("*.py"))
SMALL = {"N_PEOPLE": "400", "N_RESAMPLES": "20", "N_NIGHTS": "2"}


def code_of(text: Path) -> str:
    return "\n".join(cell.source for cell in jupytext.read(text).cells if cell.cell_type == "code")


def made_small(code: str) -> str:
    """The same code with the sizes of its parameters cell made small."""
    for name, value in SMALL.items():
        code = re.sub(rf"^{name} = .*$", f"{name} = {value}", code, flags=re.MULTILINE)
    return code


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_a_notebook_is_the_same_as_its_text(text):
    cells = [jupytext.read(path).cells for path in (text, text.with_suffix(".ipynb"))]
    here, there = ([(cell.cell_type, cell.source) for cell in side] for side in cells)
    assert here == there, "make notebooks"


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_a_notebook_defines_nothing(text):
    tree = ast.parse(code_of(text))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    assert not [node for node in ast.walk(tree) if isinstance(node, kinds)]


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_a_notebook_was_run_from_top_to_bottom(text):
    cells = [cell for cell in jupytext.read(text.with_suffix(".ipynb")).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    said = [out for cell in cells for out in cell.outputs]
    assert not [out for out in said if out.output_type == "error" or out.get("name") == "stderr"]


@pytest.fixture
def run(request):
    """Run a notebook's code on few people; give back its names."""

    def _run(name: str) -> dict:
        names: dict = {"__name__": name}
        exec(compile(made_small(code_of(FOLDER / f"{name}.py")), name, "exec"), names)  # noqa: S102
        return names

    return _run


def test_the_first_tour_ends_in_lists(run):
    names = run("01_first_tour")
    lists = names["lists"]
    assert len(lists) > 100
    assert lists["p_mutual"].between(0, 1).all()
    np.testing.assert_allclose(lists["p_mutual"], lists["p_like"] * lists["p_liked_back"], rtol=1e-5)


def test_the_town_is_uneven(run):
    names = run("02_the_town")
    steps = names["steps"]
    assert steps["looked at"] > steps["liked"] > steps["liked by both"] > steps["met"] > 0


def test_features_are_steady_enough_to_draw(run):
    names = run("03_features")
    assert names["reliability"].between(-1, 1).all()
    assert names["reliability"].iloc[-1] > 0.3
    assert names["scores"].abs().max().max() <= 1 + 1e-5


def test_models_are_beside_random(run):
    names = run("04_models")
    table = names["table"].query("slice == 'all' and metric == 'ndcg@10'").set_index("model")
    assert set(table.index) == {"popularity", "content", "hybrid"}
    assert table["random"].between(0, 1).all()
    assert (table["lo"] <= table["value"]).all()
    assert (table["value"] <= table["hi"]).all()
    liked, both = names["liked"], names["both"]  # what the words below the picture say of it
    assert liked["label"].mean() > liked["p_like"].mean() + 0.1
    assert abs(both["label"].mean() - both["p_mutual"].mean()) < 0.05


def test_the_funnel_only_narrows(run):
    names = run("05_constraint_funnel")
    assert (np.diff(names["table"]["left"]) <= 0).all()
    assert all(more >= 0 for more in names["cost"].values())


@needs("speed_dating")
def test_real_people_are_drawn_when_they_are_there(run, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(data_folder()))
    names = run("07_real_people")
    assert names["found"]["random"].notna().all()


def test_a_questionnaire_is_found_by_its_traits(run):
    names = run("09_a_questionnaire")
    assert names["agreement"].max(axis=1).min() > 0.7  # "each trait has a factor that goes along with it"
    alike, other = names["alike"], names["other"]
    assert alike.mean() > other.mean() + 0.3


def test_a_log_without_profiles_is_judged_beside_random(run):
    names = run("10_a_log_without_profiles")
    auc = names["table"].query("metric == 'auc'").set_index("model")
    assert auc.loc["hybrid", "more_lo"] > 0  # more than random order, on the same pairs
    assert auc.loc["random", "lo"] < 0.5 < auc.loc["random", "hi"]
    assert names["same"] > 1 / 12


def test_mapped_tables_list_whom_nothing_forbids(run):
    names = run("11_mapped_tables")
    check, members = names["check"], names["members"]
    assert len(check.listed) == (members.checked == "yes").sum()
    unproved = set(members.no[members.checked == "no"])
    lists = names["lists"]
    assert len(lists) > 100
    assert not unproved & (set(lists.viewer_id) | set(lists.candidate_id))
    assert not ((lists.viewer_id == "0001") & (lists.candidate_id == "0002")).any()


def test_a_changed_number_is_noticed():
    cells = jupytext.read(FOLDER / "09_a_questionnaire.ipynb")
    again = jupytext.read(FOLDER / "09_a_questionnaire.ipynb")
    assert not list(differences(cells, again))
    [table] = [cell for cell in again.cells if cell.source.startswith("found = block")]
    data = table.outputs[0].data
    data["text/plain"] = re.sub(r"0\.8\d", "0.61", data["text/plain"], count=1)
    [line] = differences(cells, again)
    assert "is now 0.61" in line


@pytest.mark.slow
def test_the_numbers_of_a_committed_notebook_are_those_of_this_code():
    assert changed_numbers(FOLDER / "09_a_questionnaire.ipynb") == []
