"""The clock itself: what is due, its claim, and what the clock reports about itself."""
