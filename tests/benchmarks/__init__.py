"""Paired timings against the real kubectl: `python -m tests.benchmarks`. Not part of the test run."""
