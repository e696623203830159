"""Models by version: the challenger of the last night, and the champion it has to beat."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd

from recsys.catalogue.columns import Columns as C
from recsys.pipeline.from_settings import load_model
from recsys.settings import ModelSettings
from recsys.storage.arrays import load_arrays
from recsys.tracking.mlflow_tracker import MlflowStore, load_mlflow, unwarned
from recsys.tracking.tracker import TrackedRun

Alias = Literal["challenger", "champion"]
CHALLENGER: Final = "challenger"
CHAMPION: Final = "champion"
MODEL_ID: Final = "model_id"
EVALUATED_IN: Final = "evaluated_in"
"""Tag of a version: the last run that evaluated this model."""

_FOLDER: Final = "model"


@dataclass(frozen=True)
class ModelVersion:
    """One registered model.

    model_id:  the identity of its arrays.
    made_in:   the run that holds its files; evaluated_in: the last run that evaluated it.
    """

    number: int
    model_id: str
    made_in: str
    evaluated_in: str
    aliases: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Registry:
    """The versions of one model by name."""

    store: MlflowStore
    name: str

    def register(
        self, run: TrackedRun, model: Path, *, model_id: str, combiner: str, tags: Mapping[str, str]
    ) -> tuple[ModelVersion, bool]:
        """Make the model saved in `model` the challenger; return its version and whether that is new.

        A model whose arrays are registered already gets no second version.
        """
        version = self.with_model(model_id)
        is_new = version is None
        if version is None:
            with self.store.errors_explained(), tempfile.TemporaryDirectory() as aside:
                write_served(Path(aside) / _FOLDER, model, combiner=combiner)
                run.file(Path(aside) / _FOLDER, _FOLDER)
            version = self._made(run, {**tags, MODEL_ID: model_id, EVALUATED_IN: run.run_id})
        with self.store.errors_explained():
            client, number = self.store.client, str(version.number)
            client.set_model_version_tag(self.name, number, EVALUATED_IN, run.run_id)
            client.set_registered_model_alias(self.name, CHALLENGER, number)
        return self._seen(version.number), is_new

    def versions(self) -> list[ModelVersion]:
        """Return all versions, the newest first."""
        with self.store.errors_explained():
            found = self.store.client.search_model_versions(f"name='{self.name}'", max_results=10_000)
        return sorted(
            (self._seen(int(version.version)) for version in found),
            key=lambda version: version.number,
            reverse=True,
        )

    def with_model(self, model_id: str) -> ModelVersion | None:
        """Return the version with these arrays, None when there is none."""
        with self.store.errors_explained():
            chosen = f"name='{self.name}' and tags.{MODEL_ID}='{model_id}'"
            found = self.store.client.search_model_versions(chosen)
        return self._seen(max(int(version.version) for version in found)) if found else None

    def by_alias(self, alias: Alias) -> ModelVersion | None:
        """Return the version an alias points to, None when there is none."""
        with self.store.errors_explained():
            known = self.store.client.search_registered_models(f"name='{self.name}'")
        number = known[0].aliases.get(alias) if known else None
        return None if number is None else self._seen(int(number))

    def promote(self, version: ModelVersion) -> None:
        """Point `champion` to a version."""
        with self.store.errors_explained():
            self.store.client.set_registered_model_alias(self.name, CHAMPION, str(version.number))

    def load(self, version: ModelVersion) -> Any:
        """Return a version as an `mlflow.pyfunc` model, see `served_model`."""
        with self.store.errors_explained():
            place = self.store.client.get_model_version_download_uri(self.name, str(version.number))
            return load_mlflow().pyfunc.load_model(place)

    def remove_of(self, runs: list[str]) -> None:
        """Remove the versions whose files were in these runs; one with an alias stays."""
        with self.store.errors_explained():
            for version in self.versions():
                if version.made_in in runs and not version.aliases:
                    self.store.client.delete_model_version(self.name, str(version.number))

    @property
    def needed(self) -> frozenset[str]:
        """The runs that the versions with an alias need."""
        held = [version for version in self.versions() if version.aliases]
        return frozenset(run for version in held for run in (version.made_in, version.evaluated_in))

    def _made(self, run: TrackedRun, tags: Mapping[str, str]) -> ModelVersion:
        with self.store.errors_explained():
            client = self.store.client
            if not client.search_registered_models(f"name='{self.name}'"):
                client.create_registered_model(self.name)
            place = f"{client.get_run(run.run_id).info.artifact_uri}/{_FOLDER}"
            made = client.create_model_version(
                self.name, source=place, run_id=run.run_id, tags=dict(tags), await_creation_for=0
            )
        return self._seen(int(made.version))

    def _seen(self, number: int) -> ModelVersion:
        with self.store.errors_explained():
            found = self.store.client.get_model_version(self.name, str(number))
        tags = found.tags
        return ModelVersion(
            number=number,
            model_id=tags.get(MODEL_ID, ""),
            made_in=found.run_id,
            evaluated_in=tags.get(EVALUATED_IN, found.run_id),
            aliases=frozenset(found.aliases),
        )


_CODE: Final = '''"""The model of this folder: arrays and JSON, read by recsys."""

from mlflow.models import set_model

from recsys.tracking.registry import served_model

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
