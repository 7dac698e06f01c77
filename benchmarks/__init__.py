"""Speed, side by side with what it is measured against: `make job_slots`, or `python -m benchmarks NAME …`."""
