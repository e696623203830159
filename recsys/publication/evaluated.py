"""How honest the chances of tonight's model are, as its evaluation found."""

import json
from pathlib import Path

from recsys.publication.gates import Calibration


def read_calibration(path: Path, model: str) -> Calibration | None:
    """Return the calibration error of a model from the evaluation of a night, None when nobody judged it.

    path: the file the evaluation wrote; model: the name of the model that made the lists.
    """
    try:
        found = json.loads(path.read_bytes())
        rows = [row for row in found.get("measures", ()) if row["model"] == model and row["slice"] == "all"]
        errors = [row["value"] for row in rows if (row["metric"], row.get("target")) == ("ece", "like")]
        return Calibration(float(errors[0]), int(found["answered_after"])) if errors else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
