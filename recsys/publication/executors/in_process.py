"""Parts one after another, in this process."""

from collections.abc import Iterator, Sequence

from recsys.publication.executors.executor import Job, PartDone


class InProcess:
    """Does parts in order; the quickest way when there is one part or one processor."""

    def run(self, job: Job, parts: Sequence[int]) -> Iterator[PartDone]:
        """Yield each part as it is finished."""
        if not parts:
            return
        work = job.open()
        for number in parts:
            yield work(number)
