"""The paper's theory as computations: Proposition 0.1, Lemmas 0.2 to 0.5."""
