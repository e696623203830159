"""The people as they ship, under the name tests used before."""

from recsys.testing.people import *  # noqa: F403
