"""GraphQL over HTTP, WebSocket and SSE: requests in, limits, cached answers, errors with codes."""
