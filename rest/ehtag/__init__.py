"""The EhTag connector API."""
