"""What a task, or an application that enqueues one, imports; a plain function needs none of it."""

from clock.jobs.outcome import Abort, Outcome, Retry, Skip

__all__ = ["Abort", "Outcome", "Retry", "Skip"]
