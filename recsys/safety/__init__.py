"""Safety stores, which a ranker asks in its calls who may not be shown to whom, and the erasure of people."""

from typing import Final

from recsys.arguments import checked_arguments
from recsys.errors import PluginError, SettingsError, explained
from recsys.plugins import known_names, load_plugin
from recsys.safety.shown_log import MemoryShown, ShownLog
from recsys.safety.sqlite_store import SqliteSafety
from recsys.safety.store import MemorySafety, SafetyExclusions, SafetyStore

BUILT_IN_KINDS: Final = ("sqlite", "postgresql", "postgres")
_METHODS: Final = ("exclusions", "erased_since", "block", "unblock", "report", "hold", "lift", "erase")


@checked_arguments
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
        from recsys.safety.postgres_store import PostgresSafety  # needs the extra `pg`

        return PostgresSafety.create(address) if create else PostgresSafety(address)
    if kind in known_names("safety", BUILT_IN_KINDS):
        return _plugin_store(kind, rest, create=create)
    remedy = "use sqlite:FILE or postgresql://..."  # an address may hold a password, so it is not shown
    raise SettingsError(explained("no address of a safety store", remedy=remedy))


def _plugin_store(kind: str, address: str, *, create: bool) -> SafetyStore:
    plugin = load_plugin("safety", kind, what="a safety store")
    store: SafetyStore = plugin(address, create=create)
    missing = [name for name in _METHODS if not callable(getattr(store, name, None))]
    if missing:
        raise PluginError(explained("a safety store lacks methods", where=kind, got=", ".join(missing)))
    return store


__all__ = [
    "MemorySafety",
    "MemoryShown",
    "SafetyExclusions",
    "SafetyStore",
    "ShownLog",
    "SqliteSafety",
    "open_safety",
]
