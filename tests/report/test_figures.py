"""Figures of the pages: SVG of a page, without fonts, ids or colours of its own, the same every time."""

import re

import matplotlib as mpl
import numpy as np
import pytest

from recsys.plots.lists import length_histogram
from recsys.report.figures import Figure, calibration_figure, length_figure, trend_figure
from recsys.report.indicators import INDICATORS
from recsys.report.localization import Texts
from tests.report.nights import full_night, past
from tests.report.pages import Page

HISTOGRAM = length_histogram([0, 2, 2, 3])
NIGHT = full_night()
GINI = next(one for one in INDICATORS if one.name == "gini")


def figures() -> dict[str, Figure]:
    return {
        "lengths": length_figure(HISTOGRAM),
        "calibration": calibration_figure(NIGHT.reliability),
        "trend": trend_figure(GINI, NIGHT, NIGHT.history),
    }


@pytest.mark.parametrize("name", ["lengths", "calibration", "trend"])
def test_a_figure_takes_colours_and_fonts_from_the_page(name):
    svg = figures()[name].markup(Texts("ja"), "label")
    assert not re.search(r"#[0-9a-f]{3}|font|url\(|https?:|\sid=|clip", svg)
    assert "var(--series-0)" in svg
    assert "[[" not in svg
    assert Page(svg).broken == []
    assert {tag for tag, _ in Page(svg).elements} <= {"svg", "g", "path", "circle", "text", "title"}


@pytest.mark.parametrize("name", ["lengths", "calibration", "trend"])
def test_a_figure_is_the_same_whatever_matplotlib_is_set_to(name):
    before = figures()[name]
    with mpl.rc_context({"axes.grid": True, "font.size": 30, "lines.linewidth": 9, "svg.fonttype": "path"}):
        assert figures()[name] == before
    assert figures()[name] == before


def tips(figure: Figure) -> list[str]:
    return re.findall("<title>(.*?)</title>", figure.svg)


def test_every_bar_and_every_point_has_its_own_tip():
    assert re.findall("<title>(.*?)</title>", length_figure(HISTOGRAM).svg) == [
        "0: 1",
        "1: 0",
        "2: 2",
        "3: 1",
    ]
    points = re.findall("<title>(.*?)</title>", calibration_figure(NIGHT.reliability).svg)
    assert len(points) == len(NIGHT.reliability)


def test_a_taller_bar_is_drawn_for_more_people():
    bar = r'</title><path d="M ([\d.]+) ([\d.]+) L [\d.]+ [\d.]+ L [\d.]+ ([\d.]+)'
    paths = re.findall(bar, length_figure(HISTOGRAM).svg)
    heights = [float(floor) - float(top) for _, floor, top in paths]
    assert heights[0] == pytest.approx(heights[2] / 2, abs=0.2)
    assert heights[1] == 0.0


def test_the_line_of_a_trend_breaks_where_nothing_is_known():
    def stretches(gini: float) -> int:
        nights = [past(at, listed=4, gini=value) for at, value in enumerate((0.1, gini, 0.3))]
        svg = trend_figure(GINI, full_night(history=nights), nights).svg
        line = re.search(r'<g class="points"><path d="([^"]*)"', svg)
        return line[1].count("L") if line else 0

    assert stretches(0.2) == 2
    assert stretches(np.nan) == 0


def test_a_refused_night_has_a_ring():
    assert figures()["trend"].svg.count('class="refused"') == 1
    published = full_night(history=[past(at, listed=4, gini=0.1 * at) for at in range(3)])
    assert 'class="refused"' not in trend_figure(GINI, published, published.history).svg


def test_every_level_of_an_axis_is_written_out_as_its_indicator_is_read():
    svg = figures()["trend"].svg
    assert re.findall(r">(0\.\d+)</text>", svg) == ["0.400", "0.900"]
