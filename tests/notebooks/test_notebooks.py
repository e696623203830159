"""The notebooks run, define nothing, and are the same as their text."""

import ast
import re
from pathlib import Path

import jupytext
import numpy as np
import pytest

from tests.datasets import VARIABLE, data_folder, needs

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
