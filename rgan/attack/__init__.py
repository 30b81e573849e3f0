"""The search for worst noise in a ball of radius ε at price λ (eq. 8), and its controls."""
