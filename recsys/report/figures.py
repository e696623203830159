"""Figures of the pages: matplotlib draws them as SVG whose colours and texts the page decides.

A figure is drawn once for all languages and themes. A text `[[key]]` in it is a key of the catalogue and
is filled in by `Texts.filled`; colours of the palette become variables of the style sheet.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import pandas as pd
from markupsafe import Markup

from recsys.pipeline.gates.proposal import Level
from recsys.pipeline.history import PastNight
from recsys.plots import lists as list_plots
from recsys.plots import metrics as metric_plots
from recsys.plots.style import LIGHT, percent
from recsys.report.indicators import Indicator, day, level_of
from recsys.report.localization import Texts, count, share
from recsys.report.night_summary import NightSummary
from recsys.simulation.policy_summary import NightsSummary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VARIABLES: Final = {
    LIGHT.ink: "ink",
    LIGHT.line: "line",
    LIGHT.refused: "bad",
    LIGHT.soft: "soft",
    "#5b656c": "soft",
} | {colour: f"series-{at}" for at, colour in enumerate(LIGHT.series[:6])}
_SOFT_TEXT: Final = "#5b656c"
_POINTS_PER_INCH: Final = 72
_TEXT_SIZE: Final = 11
"""As in the style sheet, so that labels keep their distance."""
_CLASSES: Final = ("bars", "curve", "points", "refused")
"""Ids that `recsys.plots` gives to marks; on a page they are classes, other ids are dropped."""


@dataclass(frozen=True)
class Figure:
    """A drawing as SVG in which texts are still keys of the catalogue."""

    svg: str

    def markup(self, texts: Texts, label: str) -> Markup:
        """Return the drawing in one language; `label` says in words what it shows."""
        head = Markup('<svg viewBox="{}" role="img" aria-label="{}">')
        view, _, inner = self.svg.partition("|")
        return head.format(view, label) + texts.filled(inner) + Markup("</svg>")


def length_figure(histogram: pd.DataFrame) -> Figure:
    """Draw the histogram of list lengths."""
    with _axes(360, 280, left=54, bottom=46) as axes:
        list_plots.draw_lengths(histogram, ax=axes)
        axes.set(xlabel="[[report.lengths_axis]]", ylabel="[[report.lengths_people]]")
        tips = [f"{row['length']}: {count(row['viewers'])}" for row in histogram.to_dict("records")]
        return _figure(axes, {"bars": tips})


def calibration_figure(bins: pd.DataFrame) -> Figure:
    """Draw the reliability diagram of one direction."""
    with _axes(360, 320, left=58, bottom=48) as axes:
        metric_plots.reliability(bins, ax=axes)
        axes.set(xlabel="[[report.calibration_said]]", ylabel="[[report.calibration_happened]]")
        tips = [
            f"{share(row['said'])} → {share(row['happened'])} ({share(row['lo'])} – {share(row['hi'])})"
            for row in bins.to_dict("records")
        ]
        return _figure(axes, {"points": tips})


def trend_figure(indicator: Indicator, night: NightSummary, nights: Sequence[PastNight]) -> Figure:
    """Draw an indicator night over night; at least one value must be known."""
    values = [indicator.value(night, past) for past in nights]
    refused = [level_of(past) is Level.BLOCK for past in nights]
    with _axes(240, 112, left=52, right=10, bottom=24, grid="") as axes:
        days = [day(past)[5:] for past in nights]
        intervals = [indicator.interval(past) for past in nights]
        list_plots.trend(
            values, days, intervals=intervals, refused=refused, from_zero=indicator.from_zero, ax=axes
        )
        axes.set_yticks(axes.get_yticks(), [indicator.text(float(at)) for at in axes.get_yticks()])
        axes.grid(visible=True, axis="y", color=LIGHT.line, linewidth=1)
        first, last = axes.get_xticklabels()
        first.set_horizontalalignment("left")
        last.set_horizontalalignment("right")
        tips = [
            f"{day(past)}: {indicator.shown(night, past)}"
            + (f" ([[report.status_{Level.BLOCK.name}]])" if is_refused else "")
            for past, value, is_refused in zip(nights, values, refused, strict=True)
            if value is not None
        ]
        return _figure(axes, {"points": tips})


def policy_figure(summary: NightsSummary, measure: str, as_share: bool) -> Figure:
    """Draw one measure of simulated nights, one line a policy."""
    with _axes(360, 280, left=54, bottom=46) as axes:
        metric_plots.policy_curves(summary.curves, measure, ax=axes)
        axes.set(xlabel="[[report.nights_axis]]", ylabel="")
        axes.yaxis.set_major_formatter(percent if as_share else "{x:g}")
        return _figure(axes, {})


def lorenz_figure(summary: NightsSummary) -> Figure:
    """Draw the Lorenz curves of exposure, one a policy."""
    curves = {
        name: (rows["people"], rows["exposure"])
        for name, rows in summary.lorenz.groupby("policy", sort=False)
    }
    with _axes(360, 320, left=58, bottom=48) as axes:
        list_plots.draw_lorenz({name: curves[name] for name in summary.policies}, ax=axes)
        axes.set(xlabel="[[report.nights_lorenz_people]]", ylabel="[[report.nights_lorenz_exposure]]")
        return _figure(axes, {})


@contextmanager
def _axes(
    width: int, height: int, *, left: int, bottom: int, right: int = 12, top: int = 12, grid: str = "y"
) -> Iterator["Axes"]:
    """Give axes on a drawing of `width` x `height` units with margins, whatever matplotlib is set to."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    with mpl.rc_context(_defaults()):
        inches = (width / _POINTS_PER_INCH, height / _POINTS_PER_INCH)
        axes = Canvas(inches).add_axes(
            (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
        )
        if grid:
            axes.grid(visible=True, axis="y", color=LIGHT.line, linewidth=1)
        yield axes


@cache
def _defaults() -> Any:
    """Return matplotlib's own settings, and those that make SVG small and the same every time."""
    import matplotlib as mpl

    fixed = {
        "svg.fonttype": "none",
        "svg.hashsalt": "recsys",
        "text.parse_math": False,
        "axes.axisbelow": True,
    }
    kept = {
        key: value for key, value in mpl.rcParamsDefault.items() if not key.startswith(("backend", "date"))
    }
    return kept | fixed


def _figure(axes: "Axes", tips: Mapping[str, Sequence[str]]) -> Figure:
    """Return the drawing without title, legend and frame; `tips` are told about marks, by gid."""
    axes.set_title("")
    if (legend := axes.get_legend()) is not None:
        legend.remove()
    axes.set_aspect("auto")
    axes.patch.set_visible(False)
    canvas: Any = axes.figure
    canvas.patch.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, pad=6, labelcolor=_SOFT_TEXT, labelsize=_TEXT_SIZE)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_fontsize(_TEXT_SIZE)
    written = StringIO()
    canvas.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    root = ET.fromstring(written.getvalue())  # noqa: S314 matplotlib wrote it a line above
    return Figure(f"{root.get('viewBox')}|{_page_svg(root, tips)}")


def _page_svg(root: ET.Element, tips: Mapping[str, Sequence[str]]) -> str:
    """Return the content of an SVG for a page: no ids, clipping or fonts, and colours as variables."""
    for part in root.iter():
        part.tag = part.tag.rpartition("}")[2]
    shapes = {path.get("id"): path for path in root.iter("path") if path.get("id")}
    for part in root.iter():
        _clean(part, shapes)
    for name, told in tips.items():
        _tell(root, name, told)
    return "".join(ET.tostring(part, encoding="unicode") for part in _flat(root))


def _clean(part: ET.Element, shapes: Mapping[str | None, ET.Element]) -> None:
    """Make one element fit for a page."""
    given = dict(part.attrib)
    part.attrib.clear()
    name, style = given.pop("id", ""), given.pop("style", "")
    if name in _CLASSES:
        part.set("class", name)
    if part.tag == "use":
        shape = shapes[given.pop("{http://www.w3.org/1999/xlink}href").removeprefix("#")]
        x, y, outline = _short(given.pop("x")), _short(given.pop("y")), _short(shape.get("d", ""))
        if " C " in outline:
            part.tag = "circle"
            part.attrib.update(cx=x, cy=y, r=outline.split()[2])
        else:
            part.tag = "path"
            part.attrib.update(d=outline, transform=f"translate({x} {y})")
    for key, value in given.items():
        if key in ("d", "x", "y", "transform"):
            part.set(key, _short(value))
    if part.tag == "text" and "(-0 " in part.get("transform", ""):
        del part.attrib["transform"]
    if style := _themed(re.sub(r"font[\w-]*: [^;]*;? ?", "", style)):
        part.set("style", style)
    part.tail = None
    if part.tag != "text":
        part.text = None


def _short(numbers: str) -> str:
    """Return numbers with one decimal and single spaces."""
    return re.sub(
        r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), " ".join(numbers.split())
    )


def _themed(style: str) -> str:
    return re.sub(
        r"#[0-9a-f]{6}",
        lambda found: f"var(--{_VARIABLES[found[0]]})" if found[0] in _VARIABLES else found[0],
        style,
    ).strip()


def _tell(root: ET.Element, name: str, tips: Sequence[str]) -> None:
    """Wrap each mark of the groups of class `name` in a group whose title is its tip, in their order.

    A line's marks are its markers, not the line itself.
    """
    groups = [group for group in root.iter("g") if group.get("class") == name]
    paths = [(above, path) for group in groups for above in group.iter("g") for path in above]
    marks = [one for one in paths if one[1].tag == "circle"] or [one for one in paths if one[1].tag == "path"]
    for (above, path), tip in zip(marks, tips, strict=True):
        mark, title = ET.Element("g"), ET.Element("title")
        title.text = tip
        mark.extend([title, path])
        above[list(above).index(path)] = mark


def _flat(part: ET.Element) -> list[ET.Element]:
    """Return the children of an element without definitions and without groups that say nothing."""
    kept: list[ET.Element] = []
    for child in part:
        if child.tag in ("defs", "metadata", "style"):
            continue
        below = _flat(child) if child.tag == "g" else []
        if child.tag == "g" and not child.attrib and child.find("title") is None:
            kept += below
            continue
        if child.tag == "g":
            title = child.find("title")
            child[:] = below if title is None else [title, *[one for one in below if one is not title]]
        kept.append(child)
    return kept
