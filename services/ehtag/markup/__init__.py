"""Cells of the tag database: markdown in, raw, text, html and AST out."""
