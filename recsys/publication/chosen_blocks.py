"""The feature blocks of the settings: the usual ones, and those of plugins."""

from typing import TYPE_CHECKING, Any

from recsys.config import ModelSettings
from recsys.errors import SettingsError, explained
from recsys.plugins import known_names, load_plugin

if TYPE_CHECKING:
    from recsys.features.block import Block


def chosen_blocks(settings: ModelSettings) -> "list[Block] | None":
    """Return the blocks a model learns from; None for the usual ones alone.

    Raises PluginError when a plugin cannot be used, SettingsError for settings it does not take.

    >>> chosen_blocks(ModelSettings()) is None
    True
    """
    if not settings.blocks:
        return None
    from recsys.features.block import Block
    from recsys.features.defaults import default_blocks

    usual = default_blocks()
    known_names("blocks", [*(block.name for block in usual), "numeric", "near"])

    def fits(found: Any) -> bool:
        return isinstance(found, type) and issubclass(found, Block)

    own = []
    for name, options in settings.blocks.items():
        kind = load_plugin("blocks", name, fits=fits, what="a feature block")
        try:
            own.append(kind(**options))
        except (TypeError, ValueError) as error:
            where = f"settings.model.blocks.{name}"
            raise SettingsError(explained("impossible value", where=where, got=str(error))) from error
    return [*usual, *own]
