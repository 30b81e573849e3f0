"""Strangers' files: what is in them, and which network that could be.

**A `.pth` is a program in disguise, and none of it runs here.** Its pickle is read as data by a process of its own
(`pickle_reader.py`) that has limits on memory, time and files and knows no function to call; it only says where each
tensor lies, which `containers.py` checks against the file. Code, compressed or overlapping tensors, false sizes and
whatever exceeds `rgan.common.limits` are refused; tensors with NaN are left out, and no network may need them.

Code in a TorchScript archive is text, which `graphs/` follows, as it does the graphs of torch.export and ONNX: standard
operators become layers, and nothing is run.

`solver.py` finds every network that the tensors can be, with `geometry.py`, which knows what convolutions do to maps;
`modules.py` those that a pickled module itself describes, `formats/` those of programs whose names are known. Each is
written down in a `drafting.Draft`. `plausibility.py` ranks them by their numbers, and `conversion.py` makes one Gan of
the likeliest.
"""
