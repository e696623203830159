"""Colours of series are told apart by the colour-blind and in grey print, in pictures and on the page."""

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest

from recsys.plots.style import DARK, DASHES, LIGHT
from recsys.report import list_explorer

LEAST = 20.0
"""How far two colours lie apart at least, in units of CIELAB; about 2 can just be seen side by side."""
LEAST_IN_GREY = 10.0
"""How far the lightness of the first four lies apart at least, of 100 from black to white."""

SIGHT = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""Linear RGB as it is seen.

G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A physiologically-based model for simulation of color
vision deficiency", IEEE Transactions on Visualization and Computer Graphics 15 (2009) 1291-1298, severity 1.
"""

TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""Linear sRGB to CIE XYZ, D65 (IEC 61966-2-1)."""


def linear(colour: str) -> np.ndarray:
    shares = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def cielab(colour: str, sight: str = "full") -> np.ndarray:
    seen = TO_XYZ @ np.clip(SIGHT[sight] @ linear(colour), 0, 1) / TO_XYZ.sum(axis=1)
    cube = np.where(seen > (6 / 29) ** 3, np.cbrt(seen), seen / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * cube[1] - 16, 500 * (cube[0] - cube[1]), 200 * (cube[1] - cube[2])])


def least_distance(colours: tuple[str, ...], sight: str) -> float:
    return min(np.linalg.norm(cielab(a, sight) - cielab(b, sight)) for a, b in combinations(colours, 2))


def on_page(side: int) -> tuple[str, ...]:
    """The colours of the page's series, by day (0) or by night (1)."""
    style = (files("recsys.report") / "style.css").read_text(encoding="utf-8")
    return tuple(
        re.search(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\)", style).groups()[side]
        for name in ("accent", *(f"series-{at}" for at in range(1, 6)))
    )


def test_known_colours_have_their_known_places():
    np.testing.assert_allclose(cielab("#ffffff"), [100, 0, 0], atol=0.01)
    np.testing.assert_allclose(cielab("#ff0000"), [53.24, 80.09, 67.20], atol=0.05)
    red, green = "#b04a32", "#5b7a1e"
    assert least_distance((red, green), "full") > 2.5 * least_distance((red, green), "deuteranopia")


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("colours", [LIGHT.series, DARK.series], ids=["light", "dark"])
def test_every_two_colours_are_told_apart(colours, sight):
    assert least_distance(colours, sight) >= LEAST


def test_the_first_four_are_told_apart_in_grey_print_and_every_line_by_its_dashes():
    lightness = sorted(cielab(colour)[0] for colour in LIGHT.series[:4])
    assert np.diff(lightness).min() >= LEAST_IN_GREY
    assert len(set(DASHES)) == len(DASHES) >= 6


def test_a_line_stands_out_on_paper():
    assert all(1.05 / (TO_XYZ[1] @ linear(colour) + 0.05) >= 3 for colour in LIGHT.series[:6])


def test_page_explorer_and_explanations_have_the_colours_of_pictures():
    assert on_page(0) == LIGHT.series[:6]
    assert f"--bar:{LIGHT.series[0]};--warm:{LIGHT.series[1]}" in list_explorer._STYLE
    assert f"--bar:{on_page(1)[0]};--warm:{on_page(1)[1]}" in list_explorer._DARK
    told = (files("recsys.models") / "explanation.py").read_text(encoding="utf-8")
    assert set(re.findall(r"#[0-9a-f]{6}", told)) <= set(LIGHT.series)
