"""Settings of the clock, the workers and the web UI: `clock FILE -c settings`, and so on.

docs/settings.md lists every setting.
"""

import os

from clock.connection.server import redis_url

# The same address for all of them: CLOCK_REDIS_URL, RQ_REDIS_URL, REDIS_TLS_URL or REDIS_URL.
REDIS_URL = redis_url(os.environ)

# Workers empty them in this order, so a short job never waits behind a night of clean-up.
QUEUES = ["high", "default", "low"]

# The format of arguments and results: any language can read and write JSON.
SERIALIZER = "json"
