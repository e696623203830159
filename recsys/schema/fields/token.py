"""Columns of keyed tokens; plain hashes can be reversed and are refused."""

import re
from dataclasses import dataclass

from recsys.schema.fields.field import Refused
from recsys.schema.fields.text import TextField
from recsys.schema.tokens import is_token

_PLAIN_HASH = re.compile(r"(\$?[a-z0-9-]+[:$])?[0-9a-fA-F]{32,128}", re.ASCII)
_KEYED = "make it with recsys.schema.tokens.make_token and a secret kept outside the data"


@dataclass(frozen=True, kw_only=True)
class Token(TextField):
    """A token as `recsys.schema.tokens.make_token` makes it; what is refused is never repeated."""

    longest: int = 160
    private: bool = True

    def meaning(self, text: str) -> str:
        """Return the token itself."""
        if is_token(text):
            return text
        if _PLAIN_HASH.fullmatch(text):
            raise Refused("plain_hash", "a plain hash, which can be reversed", _KEYED)
        raise Refused("not_a_token", "not a keyed token", _KEYED)
