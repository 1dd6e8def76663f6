from __future__ import annotations

import subprocess
import sys

from clock import errors, jobs


def test_the_front_door_shows_exactly_what_it_names() -> None:
    visible = {
        name
        for name, value in vars(jobs).items()
        if not name.startswith("_") and not isinstance(value, type(sys))
    }
    assert visible == set(jobs.__all__)


def test_both_ways_of_importing_it_work_in_a_process_of_their_own() -> None:
    code = "import clock.jobs; from clock import jobs; assert jobs.enqueue is clock.jobs.enqueue"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_error_of_a_job_can_be_caught_by_its_name_here() -> None:
    named = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    ours = {kind.__name__ for kind in named if issubclass(kind, errors.JobError)}
    assert ours <= set(jobs.__all__)
