"""The public names of tracking, for type checkers and for the loader in `__init__.py`."""

from .log_model import log as log
from .mlflow_tracker import MlflowStore as MlflowStore
from .mlflow_tracker import MlflowTracker as MlflowTracker
from .registry import Registry as Registry
from .tracker import NullTracker as NullTracker
from .tracker import Tracker as Tracker
