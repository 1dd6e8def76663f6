"""The name of one clock process, as the ledger knows it."""

from __future__ import annotations

import os
import secrets
import socket


def process_token() -> str:
    """``<host>:<pid>:<8 hex digits>``: no two clocks ever have the same, and it has no spaces."""
    return f"{''.join(socket.gethostname().split())}:{os.getpid()}:{secrets.token_hex(4)}"
