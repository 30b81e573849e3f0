"""The paper's Figure 4: its clouds and claims, and the projections that draw them."""
