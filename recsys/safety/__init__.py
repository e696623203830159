"""Stores that are asked in every call who may not be shown to whom."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from recsys.errors import PluginError, SettingsError, explained
from recsys.plugins import known_names, load_plugin
from recsys.safety.sqlite import SqliteSafety
from recsys.safety.store import MemorySafety, MemoryShown, SafetyStore, ShownLog, Standing

if TYPE_CHECKING:
    from recsys.safety.postgres import PostgresSafety


OWN_KINDS: Final = ("sqlite", "postgresql", "postgres")
_METHODS: Final = ("standing", "erased_since", "block", "report", "hold", "lift", "erase")


def open_safety(address: str, *, create: bool = False) -> SafetyStore:
    """Open the store at `sqlite:FILE`, `postgresql://...`, or `NAME:ADDRESS` for a plugin.

    A plugin is called with the address and `create`.

    create: make its tables, and the file, when they are not there. A worker does not do that: a store
    that went missing must not look like one in which nobody is blocked.

    Raises PluginError when a plugin gives no store, SettingsError for another kind of address,
    MissingExtraError without the extra `pg`, SafetyUnavailable when it cannot be made.

    >>> open_safety("redis:here")
    Traceback (most recent call last):
    recsys.errors.SettingsError: no address of a safety store; use sqlite:FILE or postgresql://...
    """
    kind, _, rest = address.partition(":")
    if kind == "sqlite" and rest:
        return SqliteSafety.create(rest) if create else SqliteSafety(rest)
    if kind in {"postgresql", "postgres"}:
        store: type[PostgresSafety] = __getattr__("PostgresSafety")
        return store.create(address) if create else store(address)
    if kind in known_names("safety", OWN_KINDS):
        opened: SafetyStore = load_plugin("safety", kind, what="a safety store")(rest, create=create)
        missing = [name for name in _METHODS if not callable(getattr(opened, name, None))]
        if missing:
            raise PluginError(explained("a safety store lacks methods", where=kind, got=", ".join(missing)))
        return opened
    remedy = "use sqlite:FILE or postgresql://..."  # an address may hold a password, so it is not shown
    raise SettingsError(explained("no address of a safety store", remedy=remedy))


def __getattr__(name: str) -> Any:
    if name == "PostgresSafety":  # needs the extra `pg`
        return import_module("recsys.safety.postgres").PostgresSafety
    raise AttributeError(f"module 'recsys.safety' has no attribute '{name}'")


__all__ = [
    "MemorySafety",
    "MemoryShown",
    "PostgresSafety",
    "SafetyStore",
    "ShownLog",
    "SqliteSafety",
    "Standing",
    "open_safety",
]
