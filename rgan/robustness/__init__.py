"""What worst noise does to a model: at one radius, along curves, minimal radii, checks, failures (Figure 5)."""
