"""Pauses of Python's cyclic garbage collector while much is made that stays.

The collector looks through everything there is each time many objects were made. Reading a catalogue or
opening a publication makes a hundred thousand, none of them garbage: it then takes nearly half the time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collection() -> Iterator[None]:
    """Let no collection begin in this process until the end, where the collector was on.

    Other threads may go on; what they leave in cycles waits for the next collection.

    >>> with paused_collection():
    ...     gc.isenabled()
    False
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
