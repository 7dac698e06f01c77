"""What the system does; knows neither GraphQL nor Starlette."""
