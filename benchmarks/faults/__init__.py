"""The fault campaign: real clocks and a real server under faults, and a count of what RQ received.

``python -m benchmarks.faults --minutes 3 --seed 7`` runs it.
"""
