"""The JM site: albums, rankings, search, comments, covers and pages."""
