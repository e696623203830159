"""Models by version: the challenger of the last night, and the champion it has to beat."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import yaml

from recsys.catalogue.columns import Columns as C
from recsys.data.ids import unpacked_strings
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
        """Return a version as an `mlflow.pyfunc` model, see `recsys.tracking.served_model`."""
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


_ARRAYS: Final = "model"
_COMBINER: Final = "combiner"
_NEEDED: Final = ("mlflow", "numpy", "pandas", "h3")
_CODE: Final = Path(__file__).with_name("served_model.py")


def write_served(folder: Path, model: Path, *, combiner: str) -> None:
    """Write the model saved in `model` to `folder` in the form MLflow loads and serves.

    What scores is `served_model.py`, which is copied, so an empty environment with the packages named is
    enough. They are named, not looked for, which would take long and ask an index.
    """
    mlflow = load_mlflow()
    with unwarned():
        mlflow.pyfunc.save_model(
            str(folder),
            python_model=str(_CODE),
            artifacts={_ARRAYS: str(model.absolute())},
            pip_requirements=[f"{name}=={metadata.version(name)}" for name in _NEEDED],
            model_config={_COMBINER: combiner},
            signature=_signature(mlflow, model),
            input_example=_example(model),
        )
    _without_local_paths(folder / "MLmodel")


def _without_local_paths(written: Path) -> None:
    """Name files within the folder of the model, not where they lay on this machine when it was saved."""
    described = yaml.safe_load(written.read_text(encoding="utf-8"))
    flavour = described["flavors"]["python_function"]
    flavour["model_code_path"] = Path(flavour["model_code_path"]).name
    for artifact in flavour["artifacts"].values():
        artifact["uri"] = artifact["path"]
    written.write_text(yaml.safe_dump(described, default_flow_style=False), encoding="utf-8")


def _ids(model: Path) -> "npt.NDArray[np.object_]":
    arrays, _ = load_arrays(model)
    return np.array(unpacked_strings(arrays["ids_text"], arrays["ids_ends"]), dtype=object)


def _example(model: Path) -> pd.DataFrame:
    """Return two pairs the model knows, of two kinds where ids name any, so that the example scores.

    The arrays beside it hold the ids of everybody, so it tells nothing that they do not; an erasure that
    concerns the example removes its file.
    """
    known = _ids(model).tolist()
    others = [one for one in known[1:] if _side(one) != _side(known[0])] or known[1:]
    return pd.DataFrame({C.VIEWER: known[:1] * len(others[:2]), C.CANDIDATE: others[:2]})


def _side(one: object) -> str:
    """Return the kind that an id names, as `user:1` and `film:1` do; empty where it names none."""
    return str(one).rpartition(":")[0]


def _signature(mlflow: Any, model: Path) -> Any:
    ids = _ids(model)
    kind = "long" if len(ids) and not isinstance(ids[0], str) else "string"
    types = {C.VIEWER: kind, C.CANDIDATE: kind}
    scores = dict.fromkeys((str(C.P_LIKE), str(C.P_LIKED_BACK), str(C.P_MUTUAL)), "double")
    given, returned = (
        mlflow.types.Schema([mlflow.types.ColSpec(kind, name) for name, kind in columns.items()])
        for columns in (types, types | scores)
    )
    return mlflow.models.ModelSignature(inputs=given, outputs=returned)
