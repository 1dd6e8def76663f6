"""Watchers: services outside that alert when a clock, or a run of an event, fails to report.

Reports are sent beside the work, and dropped where they cannot be sent.
"""
