"""A job whose workers die, in a file of its own: every new worker loads it anew."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from recsys.pipeline.executors import PartResult


@dataclass(frozen=True)
class AlwaysDies:
    def open(self) -> Callable[[int], PartResult]:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError
