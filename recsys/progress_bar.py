"""Progress bars: that of tqdm without a warning, and what a fit is doing now."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # tqdm says in a notebook without ipywidgets that it writes text
    from tqdm.auto import tqdm

__all__ = ["tqdm"]


_BAR: "ContextVar[tqdm[Any] | None]" = ContextVar("fit_progress", default=None)


@contextmanager
def fit_progress(name: str, *, progress: bool) -> Iterator[None]:
    """Show the steps of a fit within the block, in a notebook or a terminal; nothing without `progress`.

    A fit of a part, such as the content model beneath a hybrid one, counts its steps on the same bar.

    >>> with fit_progress("hybrid", progress=False):
    ...     step("weights")
    """
    if not progress or _BAR.get() is not None:
        yield
        return
    with tqdm(desc=f"fit {name}", unit=" steps") as bar:
        token = _BAR.set(bar)
        try:
            yield
        finally:
            bar.set_postfix_str("")
            _BAR.reset(token)


def step(words: str) -> None:
    """Say what begins now; without a bar that is nothing."""
    bar = _BAR.get()
    if bar is not None:
        bar.set_postfix_str(words)
        bar.update()
