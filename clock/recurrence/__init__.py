"""When: recurrences as pure functions of time. Nothing here knows Redis, RQ or the present."""
