"""Results whose numbers are given, for what is said of them."""

import torch

from rgan.attack.perturbation import Perturbation
from rgan.attack.search import Attack


def perturbation(attack: Attack, count: int, r: float = 1.0) -> Perturbation:
    """Of `count` samples that all moved alike, with four gradients."""
    ones, moved, loss = torch.ones(count, 2), torch.full((count, 2), r), torch.zeros(count)
    return Perturbation(attack, ones, moved, moved, moved, loss, loss, loss, loss, 4)
