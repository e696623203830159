"""A night as an Airflow DAG: done with 0 and 10, tried again with 30, failed at once with anything else."""

import subprocess

import pendulum
from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import dag, task

HOME = "/srv/recsys/production"
DONE, TRY_AGAIN = (0, 10), 30


@dag(
    schedule="15 3 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Tokyo"),
    catchup=False,
    max_active_runs=1,
)
def recsys_night():
    """One night of one home."""

    @task(retries=5, retry_delay=pendulum.duration(minutes=5), execution_timeout=pendulum.duration(hours=4))
    def night() -> int:
        code = subprocess.run(
            ["/srv/recsys/venv/bin/recsys", "night", "--home", HOME], check=False
        ).returncode
        if code in DONE:
            return code
        if code == TRY_AGAIN:
            raise AirflowException("the night asks to be tried again (30)")
        raise AirflowFailException(f"the night ended with {code}; see {HOME}/data/work/failure.json")

    night()


recsys_night()
