"""The record in Redis of what was decided, and the step that decides."""
