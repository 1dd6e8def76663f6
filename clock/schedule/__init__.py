"""What happens when, as a schedule file says it: declarations in, events out."""
