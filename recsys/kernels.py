"""Kernels: functions compiled by numba, and the cache of compiled ones on disk.

numba's own cache knows the file of a kernel and nothing else. After an upgrade in place it would run old code
of a kernel that this one calls, and it cannot even read entries whose NamedTuples have another name now. So
file names of this cache hold a digest of everything that a kernel was compiled from: entries of another
version of the package are not looked at, and are deleted once the kernel is compiled anew.

Entries are kept in the folder of `RECSYS_CACHE`; without it beside the source, else in the home of the user.
A folder of `RECSYS_CACHE` that cannot be written, as in an image, is read. Where none can be written, or with
`RECSYS_CACHE=off`, they are kept nowhere: each process compiles.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from hashlib import sha256
from inspect import getfile
from pathlib import Path
from types import CodeType
from typing import Any, Final, overload

import numpy as np
from numba import config, njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, UserProvidedCacheLocator
from numba.core.dispatcher import Dispatcher

from recsys.kernel_lock import KernelLock

USE_LLVM: Final = os.environ.get("RECSYS_KERNELS", "llvm") != "numba"
"""RECSYS_KERNELS=numba takes the plain twins of kernels in LLVM's language (docs/explanation/kernels.md)."""

CACHE: Final = "RECSYS_CACHE"
"""Environment variable with the folder of compiled kernels; `off` keeps none."""
NO_CACHE: Final = "off"
_said: Final[set[str]] = set()
if os.environ.get(CACHE, NO_CACHE) != NO_CACHE and not os.environ.get("NUMBA_CACHE_DIR"):
    config.CACHE_DIR = os.environ[CACHE]  # type: ignore[attr-defined]

_DIGESTS: Final[dict[Any, str]] = {}
"""Of each kernel by its Python function."""


@overload
def kernel(function: Callable[..., Any]) -> Any: ...


@overload
def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]: ...


def kernel(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a function without the interpreter's lock when first called, or read it from the cache.

    options: of `numba.njit`, as in `@kernel(error_model="numpy")`.

    >>> @kernel
    ... def twice(x: float):
    ...     return 2.0 * x
    >>> twice(2.0)
    4.0
    """
    if function is None:
        return partial(kernel, **options)
    dispatcher: Any = njit(nogil=True, **options)(function)
    if isinstance(dispatcher, Dispatcher) and Path(getfile(function)).exists():
        _DIGESTS[function] = _digest(function)
        if os.environ.get(CACHE) != NO_CACHE:
            _keep(dispatcher, function)
    return dispatcher


def _keep(dispatcher: Any, function: Any) -> None:
    """Give a kernel its cache on disk, or say once that there is none."""
    try:
        dispatcher._cache = _KernelCache(function)
    except RuntimeError:  # numba found no folder that can be written
        _say_kept_nowhere()


def _say_kept_nowhere() -> None:
    _say_once("compiled kernels are kept nowhere: each process compiles", f"set {CACHE} to a folder")


def _say_once(what: str, remedy: str) -> None:
    if what not in _said:
        _said.add(what)
        print(f"recsys: {what}; {remedy}", file=sys.stderr)


def _digest(function: Any) -> str:
    # Of the source files of the kernel and of the NamedTuples it takes, and of the kernels and constants that
    # it names: what a kernel of another file was compiled from, or which of two it is, is in its own digest.
    files = {getfile(function), *(getfile(kind) for kind in _named_tuples(function))}
    parts = [function.__qualname__, *sorted(map(_source_digest, files))]
    for name in sorted(_names(function.__code__)):
        value = function.__globals__.get(name)
        if getattr(value, "py_func", None) in _DIGESTS:
            parts += [name, _DIGESTS[value.py_func]]
        elif isinstance(value, int | float | str | tuple | np.generic):
            parts += [name, repr(value)]
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


@cache
def _source_digest(file: str) -> str:
    return sha256(Path(file).read_bytes()).hexdigest()


def _named_tuples(holder: Any) -> Iterator[type]:
    for kind in getattr(holder, "__annotations__", {}).values():
        if isinstance(kind, type) and hasattr(kind, "_fields"):
            yield kind
            yield from _named_tuples(kind)


def _names(code: CodeType) -> set[str]:
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return set(code.co_names).union(*inner)


class _ReadOnlyFolder(UserProvidedCacheLocator):
    # The given folder where it is there and takes nothing more: what was compiled for an image is read.

    def ensure_cache_path(self) -> None:
        folder = Path(self.get_cache_path())  # type: ignore[no-untyped-call]
        if not folder.is_dir():
            raise FileNotFoundError(folder)


class _KernelFiles(CompileResultCacheImpl):
    # Files named by kernel and digest.

    _locator_classes = (  # type: ignore[assignment]
        UserProvidedCacheLocator,
        _ReadOnlyFolder,
        *CompileResultCacheImpl._locator_classes,
    )

    def __init__(self, function: Any) -> None:
        self._digest = _DIGESTS[function]
        super().__init__(function)  # type: ignore[no-untyped-call]

    def get_filename_base(self, fullname: str, abiflags: str) -> str:
        base = super().get_filename_base(fullname, abiflags)  # type: ignore[no-untyped-call]
        return f"{base}-{self._digest}"


class _KernelCache(FunctionCache):
    _impl_class = _KernelFiles

    def __init__(self, function: Any) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._lock = KernelLock(Path(self.cache_path) / f"{self._impl.filename_base}.lock")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        if found is None:  # another process may have it in work: its entry is there when the lock is free
            self._lock.acquire()
            found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
            if found is not None:
                self._lock.release()
        if found is None:
            _say_once(
                "compiling kernels, which are then kept: the first search of an installation takes about a "
                "minute longer, the first fit some seconds",
                "recsys warm does it ahead",
            )
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        # Another process may still read what is deleted here: it compiles again then.
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except OSError:
            _say_kept_nowhere()
            return
        finally:
            self._lock.release()
        own = self._impl.filename_base  # as in scan.scan_tile-68.py311-0123456789abcdef
        name, python = own.split("-")[0], own.rsplit("-", 1)[0].rsplit(".", 1)[1]
        for old in Path(self.cache_path).glob(f"{name}-*.{python}[-.]*nb[ic]"):
            if not old.name.startswith(own):
                with suppress(OSError):
                    old.unlink()
