"""What a day of jobs leaves on the server: one job a second, every second one failing.

``python -m benchmarks.retention`` runs it. The claims, the worker and all it does at the end of a
job are the real ones; only time is made up: it passes by moving every deadline nearer.
"""
