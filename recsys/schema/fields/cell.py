"""Columns of places: H3 cells that are coarse enough to hide an address."""

from dataclasses import dataclass

from recsys.schema.fields.field import Refused
from recsys.schema.fields.text import TextField
from recsys.schema.place import FINEST_RESOLUTION, is_cell, resolution

_COARSER = f"give its parent of resolution {FINEST_RESOLUTION} or coarser, never coordinates"


@dataclass(frozen=True, kw_only=True)
class Cell(TextField):
    """An H3 cell of resolution 6 or coarser; what is refused may be an address and is never repeated."""

    longest: int = 16
    private: bool = True

    def meaning(self, text: str) -> str:
        """Return the cell in lower case."""
        cell = text.lower()
        if not is_cell(cell):
            raise Refused("not_a_cell", "not an H3 cell", _COARSER)
        if resolution(cell) > FINEST_RESOLUTION:
            what = f"a cell of resolution {resolution(cell)} is too precise"
            raise Refused("too_precise", what, _COARSER)
        return cell
