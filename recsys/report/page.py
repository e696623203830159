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

from recsys.catalogue.entries import Language
from recsys.pipeline.gates.base import Level
from recsys.report import figures, gate_messages, indicators, localization, sections
from recsys.report.localization import Texts, count, moment
from recsys.report.night_summary import NightSummary
from recsys.simulation.policy_summary import NightsSummary

LANGUAGES: Final[tuple[Language, ...]] = ("ja", "en")

_FILTERS: Final = ("count", "decimal", "share", "per_person", "moment")
_FUNCTIONS: Final[tuple[Callable[..., Any], ...]] = (
    gate_messages.gate_advice,
    gate_messages.gate_message,
    gate_messages.is_whole,
    indicators.day,
    indicators.level_of,
    sections.is_known,
    sections.measure_text,
    sections.metric_name,
    sections.reason,
    sections.signed,
)
_SECTION: Final = re.compile(r'<section id="([\w-]+)"[^>]*>\s*<h2[^>]*>(.*?)</h2>')


def render_report(night: NightSummary, lang: Language = "en", *, sample_lists: int = 5) -> str:
    """Return the page about a night as the text of one HTML file.

    It holds both languages, opens in `lang`, follows the reader's light or dark setting until told
    otherwise, needs no network, and is laid out for phone, desktop and print. Everything that came
    from members is escaped. The same night gives the same text.
    """
    measures = sections.measures_by_target(night)
    values = {
        "night": night,
        "level": Level(night.level).name if night.gates else "unknown",
        "actions": sections.actions(night),
        "changes": indicators.changes_on_tiles(night) if night.history else {},
        "changed_inputs": sections.changed_inputs(night),
        "indicators": indicators.INDICATORS,
        "trends": sections.Trends.of(night),
        "lengths": (lengths := sections.lengths_of(night)),
        "length_figure": None if lengths is None else figures.length_figure(lengths),
        "calibration": sections.calibration_plots(night.reliability),
        "allocation": sections.allocation_rows(night),
        "policies": sections.PolicySections.of(night.nights) if night.nights else None,
        "funnel": sections.funnel_rows(night),
        "models": [] if measures is None else sections.model_panels(measures),
        "slices": [] if measures is None else sections.slice_rows(measures),
        "samples": sections.sample_lists(night, sample_lists),
    }
    return _document(
        "night.html.j2", values, ("report.page_title", {"as_of": moment(night.data_as_of)}), lang
    )


def render_nights(summary: NightsSummary, lang: Language = "en") -> str:
    """Return the page about many simulated nights as the text of one HTML file.

    It holds both languages, opens in `lang` and needs no network; every figure has its interval. The
    same summary gives the same text.
    """
    values = {"policies": sections.PolicySections.of(summary)}
    title = ("report.nights_page_title", {"nights": count(summary.about["nights"])})
    return _document("nights.html.j2", values, title, lang)


def _document(
    template: str, values: Mapping[str, Any], title: tuple[str, Mapping[str, str]], lang: Language
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
        for texts in map(Texts, sorted(LANGUAGES, key=lambda name: name != lang))
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
        finalize=localization.visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {name: getattr(localization, name) for name in _FILTERS}
    made.globals |= {function.__name__: function for function in _FUNCTIONS}
    return made


@cache
def _asset(name: str) -> str:
    return (files("recsys.report") / name).read_text(encoding="utf-8")
