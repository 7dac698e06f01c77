"""The REST and WebSocket API of the old JMComic server."""
