"""The connection to Redis: which server, how to reach it, its scripts, and what its errors mean."""
