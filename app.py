"""The web door: opens the services and hangs the routes."""
