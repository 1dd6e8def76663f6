"""A health check."""

import socket
from datetime import UTC, datetime


def ping() -> None:
    """Print which machine ran this, and when."""
    now = datetime.now(UTC)
    print(f"ping: {socket.gethostname()} is alive at {now:%H:%M:%S} UTC", flush=True)
