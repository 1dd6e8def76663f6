"""Settings of a worker that imports the task of `wake` before its first job."""

PRELOAD = ["benchmarks.wake"]
