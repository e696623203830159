"""The names of this package, for type checkers and for the loader in `__init__.py`."""

from .block_contract import BlockContract as BlockContract
from .constraint_contract import ConstraintContract as ConstraintContract
from .day_log_contract import DayLogContract as DayLogContract
from .executor_contract import ExecutorContract as ExecutorContract
from .model_contract import ModelContract as ModelContract
from .people import make_people as make_people
from .safety_contract import SafetyContract as SafetyContract
