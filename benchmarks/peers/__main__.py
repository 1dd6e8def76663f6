"""``python -m benchmarks.peers MODULE COUNT``: enqueue so many jobs of an application."""

from __future__ import annotations

import importlib
import sys

if __name__ == "__main__":
    importlib.import_module(f"benchmarks.peers.{sys.argv[1]}").enqueue(int(sys.argv[2]))
