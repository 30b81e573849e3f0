"""Strangers' files: what is in them, and which network that could be.

**A `.pth` is a program in disguise, and none of it runs here.** Its pickle is read as data by a process of its own
(`pickle_reader.py`) that has limits on memory, time and files and knows no function to call; it only says where each
tensor lies, which `containers.py` checks against the file. Code, compressed or overlapping tensors, false sizes, NaN
and whatever exceeds `rgan.common.limits` are refused. `formats/` and `drafting.py` recognise networks by their
tensors; `conversion.py` makes one Gan of them.
"""
