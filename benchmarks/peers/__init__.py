"""Applications of other task queues, one each: a task that counts itself, and how it is enqueued.

The server is that of ``ADDRESS`` in the environment.
"""

ADDRESS = "PEERS_URL"
COUNTED = "counted"
"""The key that every task increments."""
