"""One module a command of `python -m rgan`: `add` its options, `run` it."""
