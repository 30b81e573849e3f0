"""Charts, one module a family of results."""
