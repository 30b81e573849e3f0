"""Whether what is measured of two models can be held against each other, and if not, why."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from rgan.models.gan import Gan
from rgan.models.recipes import Recipe


@dataclass(frozen=True)
class Comparability:
    """against: why numbers of the two must not be compared; care: what differs beside the robust part. Sentences."""

    against: tuple[str, ...]
    care: tuple[str, ...]


def comparability(a: Gan, b: Gan) -> Comparability:
    """What stands against a comparison of `a` and `b`."""
    return Comparability(tuple(_against(a, b)), tuple(_care(a, b)))


def _against(a: Gan, b: Gan) -> list[str]:
    found = []
    if a.recipe.latent != b.recipe.latent:
        found.append(
            f"their noise has {a.recipe.latent} and {b.recipe.latent} dimensions: they cannot be given the same, and "
            "one ε is not the same share of both"
        )
    shapes = [(gan.recipe.channels, gan.recipe.size) for gan in (a, b)]
    if shapes[0] != shapes[1]:
        words = [f"{size}×{size} pixels {'in grey' if channels == 1 else 'in colour'}" for channels, size in shapes]
        found.append(f"they draw images of {words[0]} and of {words[1]}")
    same = a.trained_on.same(b.trained_on)
    if not a.data or not b.data:
        found.append("it is not known whether they were trained on the same data")
    elif a.data != b.data and not same:
        found.append(f"they were trained on {a.data} and on {b.data}: scores hold them against other real images")
    elif same is False and shapes[0] == shapes[1]:
        if a.training and b.training and (a.training.own or b.training.own):
            found.append(f"they were trained on two sets of images, each called {a.data}")
        else:
            found.append(f"they were trained on other images of {a.data}: one may have seen what a judge holds out")
    return found


def _care(a: Gan, b: Gan) -> list[str]:
    found = []
    missing = [gan for gan in (a, b) if not gan.has_critic]
    if missing:
        found.append("without two critics neither loss nor worst noise by the critic can be compared")
    elif a.recipe.loss != b.recipe.loss:
        found.append(f"their losses are of two kinds, {a.recipe.loss} and {b.recipe.loss}: compare them by a judge")
    else:
        found.append("a loss is in the units of its own critic: between two models compare badness, not losses")
    if a.origin or b.origin:
        found.append("one was trained elsewhere, so that more than the robust part may differ")
        return found
    if differing := _differing(a.recipe, b.recipe):
        found.append(f"more than the robust part differs: {', '.join(differing)}")
    if a.training and b.training:
        for what in ("iterations", "seed", "precision"):
            mine, other = getattr(a.training, what), getattr(b.training, what)
            if mine != other:
                found.append(f"{what}: {_say(mine)} and {_say(other)}")
    return found


def _differing(a: Recipe, b: Recipe) -> list[str]:
    """Settings, apart from the robust part and the images' shape, in words."""
    skipped = ("robust", "size", "channels", "latent")
    names = [field.name for field in dataclasses.fields(Recipe) if field.name not in skipped]
    return [
        f"{name.replace('_', ' ')} {_say(getattr(a, name))} and {_say(getattr(b, name))}"
        for name in names
        if getattr(a, name) != getattr(b, name)
    ]


def _say(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
