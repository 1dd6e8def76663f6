"""The clock itself: what is due, its claim, and what the clock says of itself."""
