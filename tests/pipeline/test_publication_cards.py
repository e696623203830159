"""Each publication says in words what it is made of and what it is not, and names nobody."""

import re

import numpy as np
import pytest

from recsys.catalogue import load_catalogue
from recsys.constraints import Policy
from recsys.pipeline.gates.proposal import GateResult, Level
from recsys.pipeline.publication_cards import DATA_SHEET, LEAST_PEOPLE, MODEL_CARD, data_sheet, model_card
from recsys.storage.manifest import MadeFrom, read_manifest
from recsys.storage.publication import read_publication
from recsys.testing.people import make_people
from tests.pipeline.nights import Folder

MADE_FROM = MadeFrom(table_schema="s", model="m", data="d", policy="p", code="c", params="q")


def cards(n_people: int) -> tuple[str, str]:
    people = make_people(n_people, np.random.default_rng(5))
    gates = [GateResult("parity", Level.PASS, "all | alike", {})]
    return (
        model_card(people, Policy.default(), gates, MADE_FROM, 42).decode(),
        data_sheet(people, "csv:/srv/somebody/tables").decode(),
    )


def test_both_languages_say_what_is_used_and_what_never_is() -> None:
    card, sheet = cards(200)
    for text in (
        "# Model card",
        "# モデルカード",
        "What is not used",
        "使わないもの",
        "Limits",
        "限界",
        "42",
    ):
        assert text in card
    assert "all / alike" in card
    assert "# Data sheet" in sheet
    assert "# データシート" in sheet
    assert "somebody" not in sheet  # the kind of source, not where it is
    for name in Policy.default().names:
        label = load_catalogue().texts.get(f"funnel.{name}")
        assert (label.ja if label else name) in card


@pytest.mark.parametrize("n_people", [3, 12, 60, 400])
def test_no_small_group_is_counted_by_itself(n_people: int) -> None:
    counts = [
        int(found.replace(",", ""))
        for found in re.findall(r"\| ([\d,]+) \|$", cards(n_people)[1], re.MULTILINE)
    ]
    assert all(count >= LEAST_PEOPLE for count in counts)
    assert not counts or max(counts) <= n_people


def test_a_night_publishes_them_and_they_name_nobody(golden: Folder) -> None:
    publication = read_publication(golden.published)
    entries = read_manifest(publication.folder).files
    for name in (MODEL_CARD, DATA_SHEET):
        assert name in entries
        assert not re.search(r"\bu\d{5,}\b", (publication.folder / name).read_text("utf-8"))
