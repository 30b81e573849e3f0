"""Graphs with weights: TorchScript archives, programs of torch.export, ONNX models.

They say every operator, so nothing has to be guessed of how a network is wired. A graph is followed from its inputs to
its result without being run: `operators` writes each operator down as a described layer, on a `flows.Tape`.
"""
