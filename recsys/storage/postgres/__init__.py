"""PostgreSQL as a source of tables and as a place lists are served from (extra `pg`).

As a source it is read in one transaction, so that all tables are of one moment; as a sink it holds
one row a viewer, with an array a column, and a new publication replaces the old one in one
transaction. Rows travel as Arrow through binary COPY in both directions.
"""

from recsys.storage.postgres.address import is_postgres
from recsys.storage.postgres.forgetting import Unlisted, forget_served
from recsys.storage.postgres.serving import Served, load_publication, served
from recsys.storage.postgres.tables import arrow_tables, read_tables, write_tables

__all__ = [
    "Served",
    "Unlisted",
    "arrow_tables",
    "forget_served",
    "is_postgres",
    "load_publication",
    "read_tables",
    "served",
    "write_tables",
]
