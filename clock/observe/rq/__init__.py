"""What RQ knows: its queues, jobs and workers."""
