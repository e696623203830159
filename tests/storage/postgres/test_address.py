"""Addresses carry no secrets."""

import pytest

from recsys.config import Settings
from recsys.errors import SourceError
from recsys.storage.postgres_tables import checked_address


@pytest.mark.parametrize(
    "address",
    ["postgresql://me:hunter2@db/members", "postgres://db/members?user=me&password=hunter2"],
)
def test_a_password_is_refused_and_never_repeated(address):
    with pytest.raises(SourceError, match="PGPASSWORD") as caught:
        checked_address(address)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ValueError, match="PGPASSWORD"):
        Settings(source=address)


@pytest.mark.parametrize("address", ["mysql://db/members", "postgresql:db", "postgresql://[db"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(SourceError, match="not a PostgreSQL address"):
        checked_address(address)


def test_settings_take_an_address():
    assert Settings(source="postgresql://reader@db/members").source.startswith("postgresql")
