"""Speed, side by side with what it is measured against: `make bench`, or `python -m benchmarks NAME …`."""
