"""Watchers outside: services that expect to hear of a clock, or of an event, and miss it when they
do not. What they are told goes beside the work, and is dropped where it cannot go.
"""
