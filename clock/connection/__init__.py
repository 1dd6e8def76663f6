"""The connection to Redis: which server, its clients, scripts, keys and errors."""
