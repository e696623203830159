"""A model card and a data sheet with each publication: what is used, what never is, figures, limits.

After Mitchell et al., Model Cards for Model Reporting (FAT* 2019), and Gebru et al., Datasheets for Datasets
(Communications of the ACM 64, 2021). Both stand in Japanese and English in one file and name nobody: a
group of fewer than `LEAST_PEOPLE` people is counted as a rest.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from recsys.catalogue.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.entries import LANGUAGES, Language
from recsys.constraints.policy import Policy
from recsys.data.population import Population
from recsys.pipeline.gates.proposal import GateResult
from recsys.storage.manifest import MadeFrom

MODEL_CARD: Final = "model_card.md"
DATA_SHEET: Final = "data_sheet.md"
LEAST_PEOPLE: Final = 5
_COHORTS: Final = (C.AGE_BAND, C.GENDER, C.HOUSEHOLD_STATUS, C.VERIFICATION)


def model_card(
    people: Population, policy: Policy, gates: Sequence[GateResult], made_from: MadeFrom, n_rows: int
) -> bytes:
    """Return the model card of a publication, in Japanese and English."""
    counts = {"people": len(people), "rows": n_rows}
    parts = [line for lang in LANGUAGES for line in _model_lines(lang, counts, policy, gates, made_from)]
    return "\n".join(parts).encode()


def _model_lines(
    lang: Language,
    counts: Mapping[str, int],
    policy: Policy,
    gates: Sequence[GateResult],
    made_from: MadeFrom,
) -> list[str]:
    words = load_catalogue()

    def t(key: str, **values: object) -> str:
        return words.text(f"card.{key}", lang, **values)

    rules = [
        words.text(f"funnel.{name}", lang) if f"funnel.{name}" in words.texts else name
        for name in policy.names
    ]
    return [
        f"# {t('model_title')}",
        "",
        *(f"{t('model_purpose')}\n", f"## {t('used')}\n", t("used_text"), ""),
        *(f"## {t('never')}\n", t("never_text"), ""),
        *(f"## {t('rules')}\n", *(f"- {rule}" for rule in rules), ""),
        *(f"## {t('figures')}\n", t("figures_text", **counts), ""),
        *(f"| {t('gate')} | {t('level')} | {t('says')} |", "|---|---|---|"),
        *(f"| {one.gate} | {one.level.name} | {one.message.replace('|', '/')} |" for one in gates),
        "",
        *(f"## {t('limits')}\n", t("limits_text"), ""),
        *(
            f"## {t('made_from')}\n",
            *(f"- {name}: `{value}`" for name, value in made_from.model_dump().items()),
            "",
        ),
    ]


def data_sheet(people: Population, source: str) -> bytes:
    """Return the data sheet of a publication, in Japanese and English."""
    kind = source.partition(":")[0]
    return "\n".join(line for lang in LANGUAGES for line in _data_lines(lang, people, kind)).encode()


def _data_lines(lang: Language, people: Population, source: str) -> list[str]:
    words = load_catalogue()

    def t(key: str, **values: object) -> str:
        return words.text(f"card.{key}", lang, **values)

    lines = [f"# {t('data_title')}", "", t("data_text", source=source, as_of=people.as_of.isoformat()), ""]
    for column in _COHORTS:
        lines += [f"## {t(column)}", "", f"| {t('group')} | {t('people')} |", "|---|---:|"]
        lines += [f"| {label} | {count:,} |" for label, count in _groups(people, column, lang, t("rest"))]
        lines.append("")
    return [*lines, f"## {t('never_kept')}\n", t("never_kept_text"), ""]


def _groups(people: Population, column: str, lang: Language, rest: str) -> list[tuple[str, int]]:
    """Return how many people hold each word of a column; small groups and unknown ones are one rest."""
    found = [
        (people.catalogue.label(column, word, lang), int(np.count_nonzero(people.is_word(column, word))))
        for word in people.catalogue.vocabulary(column)
    ]
    shown = [(label, count) for label, count in found if count >= LEAST_PEOPLE]
    left = len(people) - sum(count for _, count in shown)
    return [*shown, (rest, left)] if left >= LEAST_PEOPLE else shown
