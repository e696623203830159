"""The contract as it ships, under the name tests used before."""

from recsys.testing.block_contract import *  # noqa: F403
