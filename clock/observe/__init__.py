"""What an application does, read from the ledger alone: for the shell, a page, metrics.

Nothing here writes, needs a schedule file or knows the present: ``now`` is an argument.
"""
