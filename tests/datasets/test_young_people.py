import pytest

from recsys.catalogue import load_catalogue
from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.storage.load import load_tables
from tests.datasets import needs, young_people

pytestmark = needs("young_people")


@pytest.fixture(scope="module")
def survey():
    return young_people.load()


def test_items_are_those_of_the_survey(survey):
    assert survey.interests.shape == (1010, 32)
    assert survey.values.shape == (1010, 57)
    for items in (survey.interests, survey.values):
        assert items.min().min() == 1
        assert items.max().max() == 5


def test_words_become_places_and_nothing_gets_lost(survey):
    known = survey.values.notna().mean()
    assert known.min() > 0.98
    assert survey.values["Internet usage"].nunique() == 4


def test_tables_pass_their_contracts(survey):
    loaded = load_tables(survey.tables, "2013-06-01")
    assert loaded.quarantine.empty
    assert loaded.accepted[T.INTERESTS].groupby(C.USER).size().max() <= 30


def test_tags_are_of_the_catalogue_or_free_and_no_creed(survey):
    known = load_catalogue().interests
    tags = set(young_people.TAG_OF.values())
    assert all(tag in known or tag.startswith("free:") for tag in tags)
    assert "Religion" not in young_people.TAG_OF
