"""An operator's own tables become the tables of the engine: SQL over the source, one file a target table.

`Mapping.read` reads a folder with `mapping.yaml` and `*.sql`, `map_tables` runs it and `check_mapping` says
who could be listed and why the rest could not.
"""

from recsys.mapping.check import MappingCheck, check_mapping
from recsys.mapping.project import Mapping
from recsys.mapping.run import MappedTables, map_tables

__all__ = ["MappedTables", "Mapping", "MappingCheck", "check_mapping", "map_tables"]
