"""Data sets, the faces that the package draws, and readers of image files."""
