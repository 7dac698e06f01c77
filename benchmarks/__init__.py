"""Speed, compared with other implementations: `make bench`, or `python -m benchmarks NAME …`."""
