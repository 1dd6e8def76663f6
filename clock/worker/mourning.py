"""The name under which queued jobs have ``run_failure_callbacks``; workers of 0.1.0 look it up."""

from clock.worker.failure_callbacks import run_failure_callbacks as mourn

__all__ = ["mourn"]
