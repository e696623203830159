"""What the night was made from: ids and versions."""

from recsys.report.html import Html, element
from recsys.report.night import NightSummary
from recsys.report.sections.section import section
from recsys.report.words import Words


def origin(night: NightSummary, words: Words) -> Html:
    """Return the ids that decide the lists, and the packages."""
    known = {"run_id": night.run_id, **night.made_from, "catalogue": words.catalogue.version}
    ids = [
        element("div", element("dt", _named(name, words)), element("dd", element("code", value)))
        for name, value in known.items()
    ]
    packages = [
        element("div", element("dt", name), element("dd", element("code", version)))
        for name, version in night.packages.items()
    ]
    return section("origin", words, element("dl", *ids, *packages, class_="facts ids"))


def _named(name: str, words: Words) -> str:
    key = f"report.origin_{name}"
    return words(key) if key in words.catalogue.texts else name
