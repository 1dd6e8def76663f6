"""The runs that workers record, and their statistics."""
