"""The worker: RQ's own, with a gentle stop, a look for abandoned jobs, a record of runs and
middleware.
"""

from clock.worker.interruption import Stopping
from clock.worker.worker import Worker

__all__ = ["Stopping", "Worker"]
