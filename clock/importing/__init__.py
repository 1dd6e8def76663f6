"""Schedules of other schedulers, written as schedule files of this clock."""
