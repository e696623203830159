"""The same as ships, under the name tests used before."""

from recsys.testing.changed_people import *  # noqa: F403
