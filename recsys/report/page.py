"""The pages: one file each, in two languages, that needs no network."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from recsys.arguments import checked_arguments
from recsys.catalogue.catalogue import Catalogue, load_catalogue
from recsys.catalogue.entries import Language
from recsys.pipeline.gates.proposal import Level
from recsys.report.figures import length_figure
from recsys.report.gate_messages import gate_advice, gate_message, is_whole
from recsys.report.indicators import INDICATORS, changes_on_tiles, day, level_of
from recsys.report.localization import Texts, count, decimal, moment, per_person, share, visible
from recsys.report.night_summary import NightSummary
from recsys.report.sections import (
    PolicySections,
    Trends,
    actions,
    allocation_rows,
    calibration_plots,
    changed_inputs,
    funnel_rows,
    is_known,
    lengths_of,
    measure_text,
    measures_by_target,
    metric_name,
    metric_text,
    model_panels,
    reason,
    signed,
    slice_rows,
)
from recsys.report.sections import sample_lists as lists_to_show
from recsys.simulation.policy_summary import NightsSummary

LANGUAGES: Final[tuple[Language, ...]] = ("ja", "en")

_FILTERS: Final[tuple[Callable[..., str], ...]] = (count, decimal, share, per_person, moment)
_FUNCTIONS: Final[tuple[Callable[..., Any], ...]] = (
    gate_advice,
    gate_message,
    is_whole,
    day,
    level_of,
    is_known,
    measure_text,
    metric_name,
    metric_text,
    reason,
    signed,
)
_SECTION: Final = re.compile(r'<section id="([\w-]+)"[^>]*>\s*<h2[^>]*>(.*?)</h2>')


@checked_arguments
def render_report(
    night: NightSummary, lang: Language = "en", *, sample_lists: int = 5, time_zone: str = "UTC"
) -> str:
    """Return the page about a night as the text of one HTML file.

    It holds both languages, opens in `lang`, follows the reader's light or dark setting until told
    otherwise, needs no network, and is laid out for phone, desktop and print. Everything that came
    from members is escaped. The same night gives the same text.

    time_zone: the zone its times are told in, such as "Asia/Tokyo".
    Raises ZoneInfoNotFoundError, a KeyError, for a zone that nobody knows.
    """
    measures = measures_by_target(night)
    values = {
        "night": night,
        "time_zone": time_zone,
        "level": Level(night.level).name if night.gates else "unknown",
        "actions": actions(night),
        "changes": changes_on_tiles(night) if night.history else {},
        "changed_inputs": changed_inputs(night),
        "indicators": INDICATORS,
        "trends": Trends.of(night),
        "lengths": (lengths := lengths_of(night)),
        "length_figure": None if lengths is None else length_figure(lengths),
        "calibration": calibration_plots(night),
        "allocation": allocation_rows(night),
        "policies": PolicySections.of(night.nights) if night.nights else None,
        "funnel": funnel_rows(night),
        "models": [] if measures is None else model_panels(measures),
        "slices": [] if measures is None else slice_rows(measures),
        "samples": lists_to_show(night, sample_lists),
    }
    title = ("report.page_title", {"as_of": moment(night.data_as_of, time_zone)})
    return _document("night.html.j2", values, title, lang, night.catalogue)


@checked_arguments
def render_nights(summary: NightsSummary, lang: Language = "en") -> str:
    """Return the page about many simulated nights as the text of one HTML file.

    It holds both languages, opens in `lang` and needs no network; every figure has its interval. The
    same summary gives the same text.
    """
    values = {"policies": PolicySections.of(summary)}
    title = ("report.nights_page_title", {"nights": count(summary.about["nights"])})
    return _document("nights.html.j2", values, title, lang, load_catalogue())


def _document(
    template: str,
    values: Mapping[str, Any],
    title: tuple[str, Mapping[str, str]],
    lang: Language,
    own: Catalogue,
) -> str:
    """Return the text of a whole file with one page a language, `lang` first and shown at the start.

    Languages and themes are switched by the style sheet alone. The one script, allowed by its hash,
    remembers them in the browser and adds comforts; no other script may run and nothing is fetched.
    """
    script = _asset("script.js")
    pages = [
        {
            "texts": texts,
            "title": texts(title[0], **title[1]),
            "body": _page(template, values, texts),
        }
        for texts in (Texts(name, own) for name in sorted(LANGUAGES, key=lambda name: name != lang))
    ]
    return (
        environment()
        .get_template("document.html.j2")
        .render(
            pages=pages,
            lang=lang,
            texts={name: Texts(name) for name in LANGUAGES},
            script=Markup(script),  # noqa: S704 a file of the package
            style=Markup(_asset("style.css")),  # noqa: S704
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _page(template: str, values: Mapping[str, Any], texts: Texts) -> Markup:
    """Return the page in one language; the links to its sections are made from their headings."""
    body = environment().get_template(template).render(values, t=texts)
    links = "".join(
        f'<li><a href="#{anchor}">{heading}</a></li>' for anchor, heading in _SECTION.findall(body)
    )
    return Markup(body.replace("<!-- contents -->", links))  # noqa: S704 rendered and escaped


@cache
def environment() -> Environment:
    """Return the templates of the pages: every expression is made visible, then escaped."""
    made = Environment(
        loader=PackageLoader("recsys.report"),
        autoescape=True,
        finalize=visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {function.__name__: function for function in _FILTERS}
    made.globals |= {function.__name__: function for function in _FUNCTIONS}
    return made


@cache
def _asset(name: str) -> str:
    return (files("recsys.report") / name).read_text(encoding="utf-8")
