import os
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from recsys.tracking.mlflow_tracker import MlflowStore, load_mlflow, unwarned
from recsys.tracking.night_tracking import track_night
from tests.tracking.nights import night


def test_an_address_is_used_as_it_is():
    store = MlflowStore.at("http://tracking:5000")
    assert (store.address, store.artifacts) == ("http://tracking:5000", None)


def test_a_folder_holds_the_database_and_the_files(tmp_path: Path):
    store = MlflowStore.at(tmp_path)
    assert store.address == f"sqlite:///{tmp_path}/mlflow.db"
    assert store.artifacts == tmp_path / "artifacts"
    assert list(tmp_path.iterdir()) == []


def test_telemetry_is_off_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
    load_mlflow()
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_tracking_a_night_talks_to_nobody(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    called: list[object] = []

    def connect(self: socket.socket, address: object) -> None:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    track_night(night(tmp_path, store=str(place)))
    assert called == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 9))
    assert called


def test_warnings_are_left_out_inside_alone():
    with unwarned():
        warnings.warn("inside", UserWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="outside"):
        warnings.warn("outside", UserWarning, stacklevel=1)


def test_the_modules_of_tracking_load_no_mlflow():
    modules = ("night_tracking", "promotion", "registry", "mlflow_tracker", "tracker")
    code = "; ".join(["import sys", *(f"import recsys.tracking.{name}" for name in modules)])
    code += "; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
