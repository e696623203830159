"""Employers and known persons as keyed tokens, made with a secret that the town draws and forgets."""

import numpy as np
import pandas as pd

from recsys.schema.columns import Columns as C
from recsys.schema.tokens import make_token
from recsys.simulation.draws import Objects
from recsys.simulation.settings import ContentSettings


def make_tokens(ids: Objects, region: Objects, rng: np.random.Generator, s: ContentSettings) -> pd.DataFrame:
    """Give people tokens of phone and employer, and let a few exclude a person they know.

    The secret comes from `rng` and leaves with this call: nobody can make another token of the town.
    """
    secret = rng.bytes(32)
    n = len(ids)
    rows: list[tuple[str, str, str, str]] = []
    for at in np.flatnonzero(rng.random(n) < s.employer).tolist():
        number = _employer(n, rng, s)
        name = f"company-{number}-{region[at]}.example"
        rows.append((ids[at], "employer", "self", _token("employer", name, secret)))
    phones = np.flatnonzero(rng.random(n) < 0.5)
    rows += [(ids[at], "phone", "self", _token("phone", _phone(at), secret)) for at in phones.tolist()]
    for at in np.flatnonzero(rng.random(n) < s.excludes_contact).tolist():
        known = int(rng.integers(0, 2 * n))
        if known != at:
            rows.append((ids[at], "phone", "exclude", _token("phone", _phone(known), secret)))
    frame = pd.DataFrame(rows, columns=[C.USER, C.NAMESPACE, C.KIND, C.HMAC], dtype=object)
    return frame.sort_values([C.USER, C.NAMESPACE, C.KIND], kind="stable", ignore_index=True)


def make_person_tokens(n: int, share: float, rng: np.random.Generator) -> Objects:
    """Give most people a token that survives re-registration, `(n,)`, None without."""
    secret = rng.bytes(32)
    has = rng.random(n) < share
    return np.array(
        [_token("phone", _phone(at), secret) if known else None for at, known in enumerate(has.tolist())],
        dtype=object,
    )


def _employer(n: int, rng: np.random.Generator, s: ContentSettings) -> int:
    """Sizes of employers within a prefecture follow a power law: a few large ones, many small."""
    largest = max(2.0, n / s.people_per_employer)
    return int(largest ** rng.random())


def _phone(number: int) -> str:
    return f"+8170{number:08d}"


def _token(namespace: str, value: str, secret: bytes) -> str:
    token = make_token(namespace, value, secret)
    if token is None:
        raise ValueError(f"no token for {namespace}")
    return token
