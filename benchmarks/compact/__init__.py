"""The compact encoders measured: `python -m benchmarks.compact.run`."""
