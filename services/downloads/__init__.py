"""Downloads: life cycle, page pipeline, archives, storage."""
