"""The contract as it ships, under the name tests used before."""

from recsys.testing.day_log_contract import *  # noqa: F403
