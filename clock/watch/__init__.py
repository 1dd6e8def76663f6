"""What a clock says of itself while it runs: that it is alive, its events, what is overdue."""
