"""HTTP and WebSocket rooms beside GraphQL."""
