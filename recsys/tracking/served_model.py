"""A logged model as MLflow loads and serves it; copied beside the arrays, so recsys itself is not needed.

An environment for it holds mlflow, numpy, pandas and h3. The package itself is not among its requirements: an
index may serve somebody else's package under that name.
"""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h3
import numpy as np
import pandas as pd

with warnings.catch_warnings():  # of mlflow about its own code
    warnings.simplefilter("ignore")
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException
    from mlflow.models import set_model

_EARTH_RADIUS_KM = 6371.0088
_COMBINERS: dict[str, Callable[[Any, Any], Any]] = {
    "product": lambda p, q: p * q,
    "harmonic": lambda p, q: _over(2.0 * p * q, p + q),
    "geometric": lambda p, q: np.sqrt(p) * np.sqrt(q),
    "min": np.minimum,
    "cross_ratio": lambda p, q: _over(p * q, p * q + (1.0 - p) * (1.0 - q)),
}
_VIEWER, _CANDIDATE = "viewer_id", "candidate_id"


class ServedModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
    """Scores pairs of the people it was fitted on: adds p_like, p_liked_back and p_mutual to a table."""

    def load_context(self, context: Any) -> None:
        """Read the two matrices."""
        folder = Path(context.artifacts["model"])
        scalars = json.loads((folder / "arrays.json").read_bytes())["meta"]["scalars"]
        self.taste, self.appeal = (
            np.load(folder / f"{name}.npy").astype(float) for name in ("taste", "appeal")
        )
        text, ends, cell = (np.load(folder / f"{name}.npy") for name in ("ids_text", "ids_ends", "cell"))
        self.rows = pd.Index(_ids(text, ends), dtype=object)
        decay = scalars.get("distance_decay.weight"), scalars.get("distance_decay.scale_km")
        self.weight, self.scale_km = (float(one or 0.0) for one in decay)
        self.places = _places(cell) if self.weight else np.zeros((len(cell), 3))
        self.combiner = _COMBINERS[context.model_config["combiner"]]

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Return the pairs with their probabilities; an unknown id is HTTP 400, with its name."""
        del context, params
        i, j = (self._found(model_input[column]) for column in (_VIEWER, _CANDIDATE))
        like, back = self._probabilities(i, j), self._probabilities(j, i)
        return model_input.assign(p_like=like, p_liked_back=back, p_mutual=self.combiner(like, back))

    def _found(self, ids: "pd.Series[Any]") -> Any:
        rows = self.rows.get_indexer(pd.Index(np.asarray(ids, dtype=object), dtype=object))
        if (rows < 0).any():
            unknown = np.asarray(ids, dtype=object)[rows < 0][0]
            got = unknown.item() if isinstance(unknown, np.generic) else unknown
            kind = "texts" if isinstance(self.rows[0], str) else "whole numbers"
            known = f"the model knows the {len(self.rows):,} it was fitted on, whose ids are {kind}"
            raise MlflowException.invalid_parameter_value(f"unknown {ids.name}: got {got!r}; {known}")
        return rows

    def _probabilities(self, i: Any, j: Any) -> Any:
        logits = np.vecdot(self.taste[i], self.appeal[j])
        if self.weight:
            chord = np.sqrt(((self.places[i] - self.places[j]) ** 2).sum(axis=1))
            km = 2.0 * _EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2.0, 1.0))
            logits = logits + np.where(np.isnan(km), 0.0, self.weight * np.exp(-km / self.scale_km))
        small = np.exp(-np.abs(logits))
        return np.where(logits >= 0, 1.0, small) / (1.0 + small)


def _over(part: Any, whole: Any) -> Any:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def _ids(text: Any, ends: Any) -> list[Any]:
    if text.dtype == np.int64:
        return [int(number) for number in text]
    whole, starts = text.tobytes(), [0, *ends[:-1].tolist()]
    return [whole[a:b].decode("utf-8", "surrogatepass") for a, b in zip(starts, ends.tolist(), strict=False)]


def _places(cell: Any) -> Any:
    """Return the centre of each cell as a unit vector, not a number where the cell is unknown."""
    distinct, at = np.unique(cell, return_inverse=True)
    vectors = np.full((len(distinct), 3), np.nan)
    for row in np.flatnonzero(distinct != 0):
        latitude, longitude = np.radians(h3.cell_to_latlng(h3.int_to_str(int(distinct[row]))))
        east = np.cos(latitude) * np.cos(longitude)
        vectors[row] = east, np.cos(latitude) * np.sin(longitude), np.sin(latitude)
    return vectors[at]


set_model(ServedModel())
