"""What the clock and the workers share: `clock FILE -c settings`, `rq worker -c settings`.

Both read the names in capitals.
"""

import os

from clock.connection.server import redis_url

# One function decides for both, so that the workers listen where the clock enqueues.
REDIS_URL = redis_url(os.environ)

# In the order a worker empties them: a short job never waits behind a night of clean-up.
QUEUES = ["high", "default", "low"]

# What a job's arguments and results are written in: any language can read and write them.
SERIALIZER = "json"
