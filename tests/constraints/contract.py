"""The same as ships, under the name tests used before."""

from recsys.testing.constraint_contract import *  # noqa: F403
