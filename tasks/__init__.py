"""The tasks of this application: plain functions that the schedules name and RQ workers run.

They do not import the scheduler. Folders are relative to where the worker was started, and
running a task twice does no harm.
"""
