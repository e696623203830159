"""A night as a Dagster job: done with 0 and 10, tried again with 30, failed at once with anything else."""

import subprocess

import dagster as dg

HOME = "/srv/recsys/production"
DONE, TRY_AGAIN = (0, 10), 30


@dg.op
def night(context: dg.OpExecutionContext) -> None:
    """Run one night of one home."""
    code = subprocess.run(["/srv/recsys/venv/bin/recsys", "night", "--home", HOME], check=False).returncode
    context.add_output_metadata({"exit_code": code})
    if code == TRY_AGAIN:
        raise dg.RetryRequested(max_retries=5, seconds_to_wait=300)
    if code not in DONE:
        raise dg.Failure(
            f"the night ended with {code}; see {HOME}/data/work/failure.json", allow_retries=False
        )


@dg.job
def recsys_night() -> None:
    """One night of one home."""
    night()


schedule = dg.ScheduleDefinition(
    job=recsys_night, cron_schedule="15 3 * * *", execution_timezone="Asia/Tokyo"
)
definitions = dg.Definitions(jobs=[recsys_night], schedules=[schedule])
