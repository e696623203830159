"""A saved model as MLflow serves it: code that reads our own arrays, and nothing pickled."""

import tempfile
from pathlib import Path
from typing import Any, Final

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.config import ModelSettings
from recsys.pipeline.from_settings import load_model
from recsys.storage.arrays import load_arrays
from recsys.tracking.mlflow_tracker import load_mlflow, unwarned

_CODE: Final = '''"""The model of this folder: arrays and JSON, read by recsys."""

from mlflow.models import set_model

from recsys.tracking.mlflow_model import served_model

set_model(served_model())
'''
_ARRAYS: Final = "model"
_COMBINER: Final = "combiner"


def served_model() -> Any:
    """Return an unloaded `mlflow.pyfunc.PythonModel` that scores pairs.

    Its `predict` takes a table with viewer_id and candidate_id and returns it with p_like,
    p_liked_back and p_mutual, as `Model.score_pairs` does.
    """
    mlflow = load_mlflow()
    with unwarned():

        class ServedModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
            """Scores pairs of the people it was fitted on."""

            def load_context(self, context: Any) -> None:
                folder = Path(context.artifacts[_ARRAYS])
                _, meta = load_arrays(folder)
                self.model = load_model(ModelSettings(name=meta["model"]), folder)
                self.combiner = context.model_config[_COMBINER]

            def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
                """Return the pairs with their probabilities."""
                del context, params
                return self.model.score_pairs(model_input, combiner=self.combiner)

        return ServedModel()


def write_served(folder: Path, model: Path, *, combiner: str) -> None:
    """Write the model saved in `model` to `folder` in the form MLflow loads.

    The packages it needs are named, not looked for, which would take long and ask an index.
    """
    mlflow = load_mlflow()
    with tempfile.TemporaryDirectory() as aside, unwarned():
        code = Path(aside) / "served.py"
        code.write_text(_CODE, encoding="utf-8")
        mlflow.pyfunc.save_model(
            str(folder),
            python_model=str(code),
            artifacts={_ARRAYS: str(model.absolute())},
            pip_requirements=["recsys"],
            model_config={_COMBINER: combiner},
            signature=_signature(mlflow),
        )


def _signature(mlflow: Any) -> Any:
    types = {C.VIEWER: "string", C.CANDIDATE: "string"}
    scores = dict.fromkeys((str(C.P_LIKE), str(C.P_LIKED_BACK), str(C.P_MUTUAL)), "double")
    given, returned = (
        mlflow.types.Schema([mlflow.types.ColSpec(kind, name) for name, kind in columns.items()])
        for columns in (types, types | scores)
    )
    return mlflow.models.ModelSignature(inputs=given, outputs=returned)
