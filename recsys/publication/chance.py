"""One seed for a night, one stream of chance for each of its steps."""

from zlib import crc32

import numpy as np

from recsys.config import Settings


def generator(settings: Settings, step: str) -> np.random.Generator:
    """Return the generator of one step: the seed gives each step a stream of its own.

    >>> [int(generator(Settings(), step).integers(1000)) for step in ("train", "train", "simulate")]
    [458, 458, 65]
    """
    return np.random.default_rng([settings.seed, crc32(step.encode())])
