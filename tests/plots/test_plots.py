"""Pictures say what their tables say."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recsys
from recsys import plots
from recsys.data.ids import IdIndex
from recsys.data.population import Population
from recsys.errors import InputError
from recsys.evaluation import lorenz_curve
from recsys.models.directed import Directed
from recsys.plots.people import cell_table, principal_plane

IDS = [f"p{number:02d}" for number in range(12)]


@pytest.fixture
def directed():
    draw = np.random.default_rng(3)
    return Directed.of(IdIndex(IDS), taste=draw.normal(size=(12, 5)), appeal=draw.normal(size=(12, 5)))


@pytest.fixture
def judged():
    rows = [
        {"slice": part, "model": model, "metric": "ndcg@5", "value": value, "lo": value - 0.1}
        | {"hi": value + 0.1, "n": 40, "random": 0.2}
        for part, values in {"all": (0.5, 0.3), "0": (0.3, 0.3), "1-5": (0.4, 0.3)}.items()
        for model, value in zip(("hybrid", "content"), values, strict=True)
    ]
    return pd.DataFrame(rows)


def test_the_lorenz_curve_of_equal_amounts_is_the_diagonal():
    people, share = lorenz_curve(np.full(9, 2.0))
    np.testing.assert_allclose(share, people)


def test_the_lorenz_curve_of_all_on_one_stays_on_the_floor():
    _, share = lorenz_curve([0.0, 0.0, 0.0, 5.0])
    assert share.tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_the_area_under_the_curve_is_half_of_what_the_gini_leaves():
    from recsys.evaluation import gini

    amounts = np.random.default_rng(5).exponential(size=400)
    people, share = lorenz_curve(amounts)
    assert 1 - 2 * np.trapezoid(share, people) == pytest.approx(gini(amounts), abs=1e-9)


def test_lists_are_drawn_by_name_over_the_same_people():
    one = pd.DataFrame({"viewer_id": ["a", "b"], "candidate_id": ["c", "c"], "rank": [1, 1]})
    other = one.assign(candidate_id=["b", "a"])
    axes = plots.lorenz({"all on one": one, "shared": other}, ["a", "b", "c"])
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["all on one (Gini 0.67)", "shared (Gini 0.33)", "equal exposure"]


def test_the_principal_plane_keeps_distances_of_a_plane():
    flat = np.random.default_rng(1).normal(size=(30, 2)) @ np.random.default_rng(2).normal(size=(2, 6))
    plane = principal_plane(flat)
    before = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    after = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    np.testing.assert_allclose(after, before, atol=1e-9)


def test_the_map_colours_numbers_words_and_the_unknown(directed):
    numbers = pd.Series(np.linspace(0, 1, 11), index=IDS[:11], name="calm")
    axes = plots.embedding_map(directed, numbers)
    assert [len(points.get_offsets()) for points in axes.collections] == [1, 11]
    words = pd.Series(["young", "old"] * 6, index=IDS, name="age")
    assert plots.embedding_map(directed, words).get_legend_handles_labels()[1] == [
        "old, n = 6",
        "young, n = 6",
    ]
    some = pd.Series(pd.Categorical(["young", "old"], ["young", "old"]), index=IDS[:2], name="age")
    labels = plots.embedding_map(directed, some).get_legend_handles_labels()[1]
    assert labels == ["unknown, n = 10", "young, n = 1", "old, n = 1"]
    levels = pd.Series(pd.Categorical(list("abc") * 4, list("cab"), ordered=True), index=IDS)
    light = [
        points.get_facecolor()[0][:3].sum() for points in plots.embedding_map(directed, levels).collections
    ]
    assert light == sorted(light)


def test_the_map_refuses_more_categories_than_can_be_told_apart(directed):
    with pytest.raises(InputError, match=r"12 categories.*group them"):
        plots.embedding_map(directed, pd.Series(IDS, index=IDS))


@pytest.mark.parametrize(
    ("colour", "message"),
    [
        (
            pd.Series(range(12), name="age"),
            r"no id of colour is one of the people: got 0; index it by user_id",
        ),
        ({"nobody": 1.0}, r"no id of colour .*'nobody'.*such as 'p00'"),
        (pd.Series(np.nan, index=IDS), r"colour has a value of nobody"),
        ({}, r"colour has a value of nobody"),
        (pd.Series([1.0, 2.0], index=["p03", "p03"]), r"a person stands twice in colour: got 'p03'"),
    ],
)
def test_the_map_refuses_a_colour_of_none_of_the_people(directed, colour, message):
    with pytest.raises(InputError, match=message):
        plots.embedding_map(directed, colour)


@given(order=st.permutations(range(12)), n=st.integers(1, 12))
@settings(max_examples=6)
def test_the_map_finds_people_by_their_ids_in_any_order(order, n):
    """Law: each drawn person has their own colour, whatever order the values come in."""
    two = Directed.of(IdIndex(IDS), taste=np.eye(12)[:, :5], appeal=np.eye(12)[:, :5])
    chosen = order[:n]
    values = pd.Series([float(at) for at in chosen], index=[IDS[at] for at in chosen])
    coloured = plots.embedding_map(two, values).collections[-1]
    assert coloured.get_array().tolist() == sorted(values)


def test_the_map_refuses_a_third_side(directed):
    with pytest.raises(InputError, match=r"unknown side.*taste or appeal"):
        plots.embedding_map(directed, side="both")


def test_an_estimate_that_the_log_contradicts_is_told_from_the_others():
    rows = {"value": 0.2, "lo": 0.1, "hi": 0.3, "n": 40}
    table = pd.DataFrame(
        [{"estimator": "dr", "reason": ""} | rows, {"estimator": "dips", "reason": "no"} | rows]
    )
    axes = plots.estimators(table)
    assert axes.get_legend_handles_labels()[1] == ["contradicted by the log"]
    assert plots.estimators(table.head(1)).get_legend() is None


def test_counts_of_scenarios_are_written_out():
    table = pd.DataFrame({"scenario": list("abc"), "listed": 9, "pairs": [26_258, 5_042, 12.5]})
    assert [text.get_text() for text in plots.policies(table, "pairs").texts] == [
        " 26,258",
        " 5,042",
        " 12.5",
    ]


def test_scenarios_of_different_people_say_how_many_each():
    table = pd.DataFrame({"scenario": ["today", "50 km"], "listed": [9, 12], "candidates": [2.0, 3.0]})
    axes = plots.policies(table)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["today\nn = 9", "50 km\nn = 12"]
    assert axes.get_title() == "Candidates of the median viewer (n: listed people)"


def test_models_stand_best_first_beside_random(judged):
    axes = plots.models(judged, "ndcg@5")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["hybrid", "content"]
    assert "random order" in axes.get_legend_handles_labels()[1]
    assert axes.get_title() == "NDCG@5 by model, all viewers, n = 40 viewers"
    assert plots.models(judged, "ndcg@5", slice_name="1-5").get_title().startswith("NDCG@5 by model, 1-5, n")
    alone = plots.models(judged[judged["slice"] == "all"], "ndcg@5")
    assert alone.get_title() == "NDCG@5 by model, n = 40 viewers"
    errors = judged.assign(metric="brier")
    axes = plots.models(errors, "brier")
    assert "overall rate" in axes.get_legend_handles_labels()[1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["content", "hybrid"]


def test_an_unknown_metric_is_named_with_the_nearest(judged):
    with pytest.raises(InputError, match=r"did you mean 'ndcg@5'"):
        plots.models(judged, "ndgc@5")


def test_evidence_is_drawn_in_the_order_of_evidence(judged):
    axes = plots.evidence_curve(judged, "ndcg@5")
    hybrid = axes.lines[0]
    assert hybrid.get_label() == "hybrid"
    assert hybrid.get_ydata().tolist() == [0.3, 0.4]


def test_the_funnel_leaves_out_what_removes_nobody():
    steps = pd.DataFrame({"constraint": ["ages", "languages", "apart"], "removed_in_order": [4, 0, 1]})
    axes = plots.funnel(steps.assign(left=[6, 6, 5]))
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["all pairs", "ages", "apart"]
    assert [bar.get_width() for bar in axes.patches] == [10, 10, 10, 10, 6, 5]


def test_lists_of_nobody_are_counted():
    lists = pd.DataFrame({"viewer_id": ["a", "a", "b"], "candidate_id": ["b", "c", "a"]})
    axes = plots.list_lengths(lists, ["a", "b", "c", "d"])
    assert [bar.get_height() for bar in axes.patches] == [2, 1, 1]


def test_reliability_names_several_tables():
    from recsys.evaluation import reliability_table

    table = reliability_table([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], n_bins=2)
    assert plots.reliability({"like": table, "mutual": table}).get_legend_handles_labels()[1] == [
        "like (n = 4)",
        "mutual (n = 4)",
    ]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.lorenz({}),
        lambda: plots.reliability({}),
        lambda: plots.funnel(pd.DataFrame({"constraint": [], "removed_in_order": [], "left": []})),
        lambda: plots.list_lengths(pd.DataFrame({"viewer_id": [], "candidate_id": []})),
        lambda: plots.cell_map(Population.of_ids(["a"], as_of="2026-01-05")),
    ],
)
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(InputError, match="in the figure"):
        draw()


def test_a_cell_of_few_is_left_out_and_the_rest_is_counted():
    import h3

    near, far = (h3.str_to_int(h3.latlng_to_cell(lat, lng, 6)) for lat, lng in ((35.7, 139.7), (34.7, 135.5)))
    cells = np.array([near] * 7 + [far] * 4 + [0], np.uint64)
    people = replace(Population.of_ids(IDS, as_of="2026-01-05"), cells=cells)
    table = cell_table(people)
    assert table["people"].tolist() == [7]
    assert table["value"].tolist() == [7.0]
    means = cell_table(people, pd.Series(np.arange(12.0), index=IDS), least=4)
    assert sorted(means["value"]) == [3.0, 8.5]
    axes = plots.cell_map(people, least=4)
    hexagons, land = axes.collections
    assert len(hexagons.get_paths()) == 2
    assert land.get_gid() == "land"
    tokyo = [path for path in land.get_paths() if path.contains_point((139.7, 35.7))]
    assert len(tokyo) == 1
    assert not any(path.contains_point((137.0, 33.5)) for path in land.get_paths())
    with pytest.raises(InputError, match="0 to 6"):
        cell_table(people, resolution=9)
    with pytest.raises(InputError, match=r"no id of values is one of the people: got 0"):
        cell_table(people, pd.Series(np.ones(12)))


def test_the_ends_of_a_ranking_are_not_cut(judged):
    low, high = sorted(plots.models(judged, "ndcg@5").get_ylim())
    assert low < -0.2
    assert high > 1.2


def test_intervals_of_models_stand_beside_each_other(judged):
    axes = plots.evidence_curve(judged, "ndcg@5")
    lines = [line for line in axes.lines if line.get_label() in ("hybrid", "content")]
    assert (lines[0].get_xdata() != lines[1].get_xdata()).all()


def test_cells_of_many_and_few_are_told_apart_on_a_logarithm():
    import h3

    near, far = (h3.str_to_int(h3.latlng_to_cell(lat, lng, 6)) for lat, lng in ((35.7, 139.7), (34.7, 135.5)))
    people = Population.of_ids([f"p{at:03d}" for at in range(105)], as_of="2026-01-05")
    uneven = replace(people, cells=np.array([near] * 100 + [far] * 5, np.uint64))
    shades = plots.cell_map(uneven).collections[0]
    assert shades.norm(np.sqrt(5 * 100)) == pytest.approx(0.5)
    even = replace(people, cells=np.array([near] * 60 + [far] * 45, np.uint64))
    assert plots.cell_map(even).collections[0].norm(52.5) == pytest.approx(0.5)


def test_japanese_is_written_in_letters_not_in_boxes(judged, tmp_path):
    from recsys.plots.style import families

    if len(families()) < 2:
        pytest.skip("no Japanese font here")
    named = judged.assign(model=judged["model"].map({"hybrid": "複合", "content": "内容"}))
    for axes in (plots.models(named, "ndcg@5"), plots.evidence_curve(named, "ndcg@5")):
        axes.set(title="確率の当たり具合", xlabel="人数")
        axes.figure.savefig(tmp_path / "picture.png")  # a missing letter is a warning, and so an error


_FONTS = """
import sys
from matplotlib import font_manager
from recsys.plots.style import families
font_manager.get_font_names = list  # as where no Japanese font is installed
started = []
sys.addaudithook(lambda event, facts: started.append(facts[0]) if event == "subprocess.Popen" else None)
families()
sys.exit(f"started {started}" if started else 0)
"""


def test_fonts_are_found_without_starting_another_program():
    assert subprocess.run([sys.executable, "-c", _FONTS], check=False).returncode == 0


def test_the_style_is_that_of_the_pictures():
    import matplotlib as mpl

    with mpl.rc_context():
        plots.use_style()
        assert mpl.rcParams["axes.spines.top"] is False
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"][0] == "#2c6468"


def _contrast(colour, background):
    """Return the contrast ratio of two opaque colours, 1 to 21 (WCAG 2.2)."""
    from matplotlib.colors import to_rgb

    shares = np.array([to_rgb(colour), to_rgb(background)])
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    low, high = sorted(linear @ (0.2126, 0.7152, 0.0722) + 0.05)
    return high / low


def _town_of(people):
    import h3

    cells = [h3.str_to_int(h3.latlng_to_cell(35.7, 139.7 - 0.5 * (at % 3), 6)) for at in range(people)]
    crowd = Population.of_ids([f"p{at:03d}" for at in range(people)], as_of="2026-01-05")
    return replace(crowd, cells=np.array(cells, np.uint64))


ORDER = recsys.models.OrderExplanation(
    *"vab",
    "content",
    np.array([0.2, 0.1]),
    pd.DataFrame({"term": ["関心"], "viewer_likes": 0.4, "likes_back": 0.3, "contribution": 0.7}),
    np.log(2.0),
    "ja",
)
DRAWN = {
    "models": lambda _, judged: plots.models(judged, "ndcg@5"),
    "evidence": lambda _, judged: plots.evidence_curve(judged, "ndcg@5"),
    "numbers": lambda directed, _: plots.embedding_map(directed, dict.fromkeys(IDS[:5], 1.0)),
    "words": lambda directed, _: plots.embedding_map(directed, dict(zip(IDS, "abcdefgh", strict=False))),
    "cells": lambda *_: plots.cell_map(_town_of(40), least=2),
    "order": lambda *_: plots.order(ORDER),
    "estimators": lambda *_: plots.estimators(
        pd.DataFrame(
            [{"estimator": "dm", "value": np.nan, "lo": np.nan, "hi": np.nan, "n": 4, "reason": "no"}]
        )
    ),
    "scenarios": lambda *_: plots.policies(
        pd.DataFrame([{"scenario": "now", "listed": 9, "pairs": 7}]), "pairs"
    ),
    "funnel": lambda *_: plots.funnel(
        pd.DataFrame({"constraint": ["ages"], "removed_in_order": [6], "left": [4]})
    ),
}


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")  # a machine without a Japanese font
@pytest.mark.parametrize("style", ["default", "dark_background", "dark axes"])
@pytest.mark.parametrize("drawn", DRAWN)
def test_texts_and_marks_stand_out_from_a_light_and_a_dark_background(drawn, style, directed, judged):
    """Also in fonts of both languages: any text may hold a word of the user."""
    from matplotlib import pyplot
    from matplotlib.text import Text

    with pyplot.rc_context():
        plots.use_style()  # a notebook may have called it before it took another style
        with pyplot.style.context("dark_background" if style == "dark_background" else "default"):
            if style == "dark axes":
                pyplot.rcParams.update({"figure.facecolor": "#14181a", "axes.facecolor": "#14181a"})
            axes = DRAWN[drawn](directed, judged)
            axes.figure.canvas.draw()
    paper = axes.figure.get_facecolor()
    written = [one for one in axes.figure.findobj(Text) if one.get_text().strip() and one.get_visible()]
    assert min(_contrast(one.get_color(), paper) for one in written) >= 4.5
    assert {tuple(one.get_fontfamily()) for one in written} == {plots.style.families()}
    marks = [line.get_color() for line in axes.lines]
    marks += [
        face for points in axes.collections if points.get_gid() != "land" for face in points.get_facecolor()
    ]
    assert min((_contrast(colour, paper) for colour in marks), default=21.0) >= 1.25
