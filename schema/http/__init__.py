"""GraphQL over HTTP, server-sent events and WebSocket."""

from schema.http.cost import CostCalculator, operation_of
from schema.http.documents import Documents, OperationLimits
from schema.http.endpoint import GraphQLEndpoint
from schema.http.response import GraphQLResponse, ResponseCache

__all__ = [
    "CostCalculator",
    "Documents",
    "GraphQLEndpoint",
    "GraphQLResponse",
    "OperationLimits",
    "ResponseCache",
    "operation_of",
]
