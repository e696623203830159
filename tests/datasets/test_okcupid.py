import numpy as np
import pandas as pd
import pytest

from recsys.catalogue.columns import Columns as C
from recsys.catalogue.columns import Tables as T
from recsys.storage.load import load_tables
from tests.datasets import data_folder, mapped_tables, needs, okcupid

pytestmark = needs("okcupid")


@pytest.fixture(scope="module")
def tables():
    return okcupid.load(np.random.default_rng(0), 1500)


def test_every_row_passes_its_contract(tables):
    loaded = load_tables(tables, "2012-07-02")
    assert loaded.quarantine.empty
    assert loaded.counts.set_index("table")["accepted"][T.PROFILES] == 1500


def test_same_seed_same_tables(tables):
    again = okcupid.load(np.random.default_rng(0), 1500)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, again[name])


def test_whom_people_meet_follows_what_they_said():
    site = pd.read_csv(data_folder() / "okcupid" / "profiles.csv.gz")
    profiles = okcupid.load(np.random.default_rng(1))[T.PROFILES]
    assert len(profiles) == len(site) == 59_946
    for sex, orientation, meets in (
        ("f", "straight", ["man"]),
        ("m", "gay", ["man"]),
        ("f", "bisexual", ["man", "woman"]),
    ):
        said = ((site["sex"] == sex) & (site["orientation"] == orientation)).to_numpy()
        assert said.sum() > 1000
        assert all(found == meets for found in profiles.loc[said, C.MEETS_GENDERS])


def test_a_minor_has_no_age_band_and_no_proof(tables):
    profiles = okcupid.load(np.random.default_rng(1))[T.PROFILES]
    unproved = profiles[C.AGE_BAND].isna()
    assert unproved.sum() == 94
    assert set(profiles.loc[unproved, C.VERIFICATION]) == {"none"}
    assert "none" not in set(profiles.loc[~unproved, C.VERIFICATION])


def test_no_status_is_invented(tables):
    assert set(tables[T.PROFILES][C.HOUSEHOLD_STATUS].dropna()) == {"single", "partnered", "married"}


def test_languages_are_those_that_people_speak_more_than_poorly():
    site = pd.read_csv(data_folder() / "okcupid" / "profiles.csv.gz")
    languages = mapped_tables("okcupid")[T.PROFILES][C.LANGUAGES]
    for said, codes in {
        "english (fluently), spanish (poorly), french (poorly)": ["en"],
        "english, french, c++": ["en", "fr"],
        "english (fluently), chinese (okay)": ["en", "zh"],
    }.items():
        rows = np.flatnonzero(site["speaks"] == said)
        assert len(rows) > 0
        assert languages.iloc[rows].tolist() == [codes] * len(rows)
    assert languages[site["speaks"].isna()].isna().all()
