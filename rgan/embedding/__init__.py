"""The paper's Figure 4: its samples and claims, and the projections that draw them."""
