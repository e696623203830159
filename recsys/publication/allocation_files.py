"""What choosing the lists leaves for later steps: prices of attention, and what is expected."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.storage.arrays import load_arrays, save_arrays
from recsys.storage.durable import write_durably

_PRICES: Final = "prices"
FIGURES: Final = "figures.json"

Prices = npt.NDArray[np.float32]


def write_allocation(folder: Path, prices: Prices, figures: Mapping[str, Any]) -> None:
    """Write figures for the report and the price of everybody's attention, `(n_people,)`.

    Prices come last, so that a folder left half written cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(folder / FIGURES, json.dumps(figures, indent=1).encode() + b"\n")
    save_arrays(folder, {_PRICES: prices})


def read_prices(folder: Path) -> Prices:
    """Read the price of everybody's attention, `(n_people,)` float32.

    Raises SourceError when it is missing or damaged.
    """
    return np.asarray(load_arrays(folder)[0][_PRICES], np.float32)
