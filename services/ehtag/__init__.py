"""The EhTag tag database: format, rendering, git, translator."""
