"""The worker's door: opens the services and hangs the jobs."""
