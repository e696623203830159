"""The contract as it ships, under the name tests used before."""

from recsys.testing.model_contract import *  # noqa: F403
