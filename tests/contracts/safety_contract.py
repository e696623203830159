"""The contract as it ships, under the name tests used before."""

from recsys.testing.safety_contract import *  # noqa: F403
