"""What workers record of their runs, and the statistics of it."""
