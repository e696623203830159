"""The small night of the publishing tests, to be killed and run again."""

from tests.pipeline.conftest import night

__all__ = ["night"]
