"""What the GraphQL API says."""
