"""A Gan, the recipe that trained it, its file, and whether two of them may be compared."""
