"""Charts, rows and pages, made from plain results."""
