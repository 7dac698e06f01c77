"""The GraphQL API: what it says. How it travels is in `schema.http`."""

from schema.build import build_schema, sdl

__all__ = ["build_schema", "sdl"]
