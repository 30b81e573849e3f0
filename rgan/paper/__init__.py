"""The paper's own numbers, and the study behind its Tables 1, 2 and Figures 1 to 3."""
