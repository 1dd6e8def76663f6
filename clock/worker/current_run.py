"""The run whose end is being written: what RQ's handlers, which end it, do not know of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rq.executions import Execution

from clock.runs.counted import CountedRun
from clock.runs.output import RunOutput
from clock.runs.run import Run, RunOutcome
from clock.worker.ending import Ending
from clock.worker.output_ring import Printed
from clock.worker.result import is_plain
from clock.worker.taken import TakenJob


@dataclass(slots=True, kw_only=True)
class CurrentRun:
    """The run of a job that this child has ``taken``, or else the execution ``of_dead``, a child
    that died, with what it had ``printed``. ``record`` and ``output`` are what is kept of the run,
    ``counted`` is how it is counted, and ``watched`` who is notified of its end.
    """

    taken: TakenJob | None = None
    of_dead: Execution | None = None
    ending: Ending | None = None
    may_end_in_step: bool = False
    """Whether RQ's handlers may leave its end to the next step."""
    is_decided: bool = False
    """Whether its ending is known before RQ's handlers are asked."""
    is_checked: bool = False
    """Whether it is known to be its owner's still."""
    may_be_culprit: bool = False
    """Whether its child died, of it or of another job that ran beside it."""
    printed: Printed | None = None
    record: Run | None = None
    output: RunOutput | None = None
    counted: CountedRun | None = None
    watched: Any = None

    def give_up(self) -> None:
        """Its job is not run again, though it was to be."""
        if self.record is not None and self.record.outcome is RunOutcome.RETRIED:
            self.record = replace(self.record, outcome=RunOutcome.FAILED)
        if self.counted is not None and self.counted.outcome is RunOutcome.RETRIED:
            self.counted = self.counted._replace(outcome=RunOutcome.FAILED)

    @property
    def execution(self) -> Execution | None:
        """What RQ's handlers are to end."""
        return self.of_dead if self.taken is None else self.taken.execution

    @property
    def is_plain(self) -> bool:
        """Whether a success of it is only written."""
        taken = self.taken
        return taken is not None and taken.stored is not None and is_plain(taken.job)
