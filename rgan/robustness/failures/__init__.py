"""The paper's Figure 5, found instead of picked: bad images among thousands, their modes, links and files."""
