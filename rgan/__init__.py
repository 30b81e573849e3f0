"""RGAN Lab: what is the worst noise a generator can be given, and does robust training help?

    gan = rgan.load("model.safetensors")
    worst = rgan.perturb(gan, gan.noise(64, seed=0), radius=1.0)
    print(worst.sentence())

`load`, `wrap`, `perturb`, `compare`, `robustness` and `train` are the public face: their names and arguments
stay as they are.
Importing this module imports neither torch nor anything else that is slow.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from rgan.attack.perturbation import Perturbation
    from rgan.metrics.judges import Judge
    from rgan.models.gan import Gan
    from rgan.models.recipes import Recipe, Robust
    from rgan.robustness.comparison import Comparison

__version__ = "0.1.0"
__all__ = ["compare", "load", "perturb", "robustness", "train", "wrap"]


def __getattr__(name: str) -> Any:
    if name == "wrap":
        return importlib.import_module("rgan.models.wrapped").wrap
    if name == "robustness":  # a package that can be called, imported when first asked for (PEP 562)
        return importlib.import_module("rgan.robustness")
    raise AttributeError(f"module 'rgan' has no attribute {name!r}")


def load(*paths: str | Path) -> Gan:
    """The Gan in a file: of RGAN Lab, or of another program, whose critic may lie in a second file.

    No code in a file is ever run (see `rgan.importing`). What a stranger's weights do not tell is guessed;
    `python -m rgan convert` asks.

    Raises:
        CheckpointError: a file is missing, no checkpoint, built to harm, or holds no network that is known.
    """
    from rgan.importing import conversion
    from rgan.models import checkpoints
    from rgan.models.gan import Gan

    found = conversion.read([(Path(path).name, checkpoints.read_bytes(Path(path))) for path in paths])
    return found if isinstance(found, Gan) else found.gan()


def perturb(
    gan: Gan,
    z: Tensor,
    *,
    radius: float = 1.0,
    price: float = 0.0,
    objective: str = "critic",
    budget: str | int = "standard",
    seed: int = 0,
    judge: Judge | None = None,
    device: str = "auto",
    labels: Tensor | int | None = None,
) -> Perturbation:
    """Worst noise of each row of z beside random noise of the same length (eq. 8 of the paper).

    Maximises ℓ(z + r) − price·‖r‖² over ‖r‖ ≤ radius, sample by sample. The same arguments give the same answer.

    Args:
        z: noise (n, latent), float, as `gan.noise(n, seed)` gives it.
        radius: ε, in units of noise; √latent is the usual length of z. price: λ, loss per squared unit of noise.
        objective: what is raised: the generator's loss by the model's own "critic", the distance from real images by
            an independent "judge", or the "change" of the image in per cent of black to white.
        budget: "live" (10 gradients a sample), "standard" (200) or "strong" (2,000), or a number of gradients.
        seed: of the search's random starts and of the random directions it is held against.
        judge: for the objective "judge"; by default the one that comes with RGAN Lab for the model's data and may be
            attacked (`rgan.metrics.judges`).
        labels: of a conditional model, one class for all rows or (n,) int64, which stay as they are; by default the
            class that the model draws (`gan.of_class`).

    Returns:
        A row a sample: `z`, `r`, `random`, `best_random` (n, latent); `loss_original`, `loss_worst`, `loss_random`
        (n,); and `gradients`, spent a sample.

    Raises:
        SettingsError: an argument is out of its range, or z of another shape, or labels for a model without classes.
        CheckpointError: the model has no critic, or there is no judge for its data, where one is needed.
    """
    from rgan.attack import perturbation
    from rgan.attack.search import Attack
    from rgan.metrics.judges import ATTACKED, first

    if objective == "judge" and judge is None:
        judge = first([gan.trained_on], ATTACKED)
    attack = Attack.within(radius, price=price, budget=budget)
    if labels is not None:
        gan = gan.of_labels(labels, len(z))
    return perturbation.perturb(gan, z, attack, objective, judge=judge, seed=seed, device=device)


def compare(
    a: Gan,
    b: Gan,
    *,
    samples: int = 64,
    radius: float = 1.0,
    price: float = 0.0,
    objective: str = "critic",
    budget: str | int = "standard",
    seed: int = 0,
    judge: Judge | None = None,
    check: bool = True,
    device: str = "auto",
) -> Comparison:
    """Which of two Gans loses less to worst noise, from the same noise, seeds and budget; arguments as of `perturb`.

    Args:
        check: hold both searches against another attack of ten times the budget on some of the samples, which takes
            several times as long as the searches; where they find less than nine tenths of it, `words` has no verdict.

    Returns:
        `a` and `b` (each as `perturb` gives it), `difference` (what worst noise adds to B's objective beyond A's, mean
        over samples, with its 95 % t interval), `strength` (by "A" and "B", the `share` that the search finds) and
        `words`.

    Raises:
        SettingsError: as `perturb`; or fewer than 2 samples; or Gans with different numbers of noise dimensions.
        CheckpointError: as `perturb`.
    """
    from rgan.attack.objectives import objective_for
    from rgan.metrics.judges import ATTACKED, first
    from rgan.robustness.checks import measure_strength
    from rgan.robustness.comparison import compared

    if objective == "judge" and judge is None:  # one judge for both, or their distances are of two kinds
        judge = first([a.trained_on, b.trained_on], ATTACKED)
    found, strength = [], {}
    for side, gan in (("A", a), ("B", b)):
        z = gan.noise(samples, seed)
        one = perturb(
            gan, z, radius=radius, price=price, objective=objective, budget=budget, seed=seed, judge=judge,
            device=device,
        )  # fmt: skip
        if check and radius:
            raised = objective_for(gan, objective, z, judge=judge, device=device, precision="auto")
            strength[side] = measure_strength(raised, z, one.r, one.attack, seed)
        found.append(one)
    return compared(found[0], found[1], strength)


def train(
    recipe: Recipe | str,
    data: str,
    *,
    iterations: int,
    robust: Robust | str | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    data_root: str | Path = "data",
    **changes: Any,
) -> Gan:
    """Train a Gan in this process by Algorithm 1, with a bar of progress.

    For runs that survive a crash use `python -m rgan train`, whose checkpoints `load` reads.

    Args:
        recipe: a system ("dcgan", "wgan-gp", …; `python -m rgan recipes` lists them), or a whole Recipe.
        data: a data set, or a folder or zip of images; see `rgan.data.datasets.load`.
        iterations: steps of the generator.
        robust: of a system: "paper" or "official", or a Robust; None trains the plain GAN.
        seed: of weights, noise and the order of the images. changes: fields of the system's Recipe (width=32, …).

    Raises:
        SettingsError: an argument is out of its range. DataError: the data set is not there or unreadable.
        TrainingError: training diverged.
    """
    from tqdm import tqdm

    from rgan.common.errors import SettingsError
    from rgan.data import datasets
    from rgan.models import recipes
    from rgan.models.systems import size_near
    from rgan.training.trainer import Trainer
    from rgan.training.trainer import train as steps

    if isinstance(recipe, str):
        about = datasets.about(data, data_root)
        fields = {"size": size_near(recipe, about.size), "channels": about.channels} | changes
        recipe = recipes.lasting(recipes.recipe(recipe, robust, **fields), iterations)
    elif robust is not None or changes:
        raise SettingsError("expected a system's name beside robust or fields of a recipe, got a whole Recipe")
    trainer = Trainer(
        recipe, datasets.load(data, size=recipe.size, root=data_root), seed=seed, device=device, precision=precision
    )
    for _ in tqdm(steps(trainer, iterations), total=iterations, unit="it"):
        pass
    return trainer.gan()
