"""Addresses carry no secrets."""

import traceback

import pytest

from recsys.errors import SettingsError, SourceError
from recsys.settings import Settings
from recsys.storage.postgres_tables import checked_address


@pytest.mark.parametrize(
    "address",
    ["postgresql://me:hunter2@db/members", "postgres://db/members?user=me&password=hunter2"],
)
def test_a_password_is_refused_and_never_repeated(address):
    with pytest.raises(SourceError, match="PGPASSWORD") as caught:
        checked_address(address)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsError, match="PGPASSWORD") as refused:
        Settings(source=address)
    told = "".join(traceback.format_exception(refused.value))
    assert "hunter2" not in told.replace(f"source='{address}'", "")
    with pytest.raises(SettingsError, match="PGPASSWORD") as refused:
        Settings.from_mapping({"source": address}, where="params.yaml")
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("address", ["mysql://db/members", "postgresql:db", "postgresql://[db"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(SourceError, match="not a PostgreSQL address"):
        checked_address(address)


def test_settings_take_an_address():
    assert Settings(source="postgresql://reader@db/members").source.startswith("postgresql")
