"""The GraphQL schema: its types and its root fields. Its transport is in `schema.http`."""

from schema.build import build_schema, sdl

__all__ = ["build_schema", "sdl"]
