"""RQ's own worker, in the process of a test."""

from __future__ import annotations

from rq import SimpleWorker as RQSimpleWorker


class SimpleWorker(RQSimpleWorker):
    """RQ's, whose end does not wait a second for its thread that hears commands."""

    def unsubscribe(self) -> None:
        """RQ's; what wakes the thread finds it told to stop."""
        if self.pubsub_thread is not None:
            self.pubsub_thread.stop()
        super().unsubscribe()  # type: ignore[no-untyped-call]
