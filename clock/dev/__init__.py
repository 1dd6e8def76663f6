"""``clock dev``: server, clock, worker and web UI under one command, for development."""
