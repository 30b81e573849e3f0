"""Strangers' generators and critics, read as a user would, against their true networks: `python benchmarks/census.py`.

Each file of ../shared/census goes through `conversion.read`; the images that its first two proposals draw of the noise
kept beside it are held against those that the true network draws. It counts where the median correlation of 16 images
is above 0.97; a critic, read together with its generator, where its scores correlate so with the true ones.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from strangers import as_normal

from rgan.common.errors import RganError
from rgan.importing import conversion
from rgan.importing.conversion import Proposal

CENSUS = Path(os.environ.get("RGAN_SHARED", Path(__file__).parents[2] / "shared")) / "census"
RIGHT = 0.97


@dataclass(frozen=True)
class Read:
    """What became of one file: correlations of its proposals with the truth, the best first, or why none."""

    name: str
    agreement: tuple[float, ...]
    seconds: float
    problem: str = ""

    @property
    def right(self) -> bool:
        """Whether the first or second proposal is the true network."""
        return any(value > RIGHT for value in self.agreement[:2])


def entries() -> list[Path]:
    """The descriptions of all that counts, generators and critics."""
    return sorted(path for path in CENSUS.glob("*.json") if not json.loads(path.read_text()).get("doubt"))


def look(path: Path) -> Read:
    """Read the file that `path` describes, a critic together with its generator."""
    about = json.loads(path.read_text())
    started = time.process_time()
    names = [about["file"]]
    if "critic_of" in about:
        names.insert(0, json.loads((CENSUS / f"{about['critic_of']}.json").read_text())["file"])
    try:
        found = conversion.read([(name, (CENSUS / name).read_bytes()) for name in names])
        assert isinstance(found, Proposal)
        agreement = tuple(_agreement(one, path, about) for one in found.ranked[:4])
    except RganError as error:
        return Read(path.stem, (), time.process_time() - started, str(error))
    return Read(path.stem, agreement, time.process_time() - started)


def _agreement(proposal: Proposal, path: Path, about: dict[str, object]) -> float:
    """The median correlation of a proposal's images with the true ones, or the correlation of its critic's scores."""
    try:
        gan = proposal.gan()
    except RganError:
        return math.nan
    if "critic_of" in about:
        true = np.load(path.with_suffix(".npz"))["score"].ravel()
        images = np.load(CENSUS / f"{about['critic_of']}.npz")["x"]
        spec = json.loads((CENSUS / f"{about['critic_of']}.json").read_text())["spec"]
        images = torch.from_numpy(images).float()
        images = 2 * images - 1 if spec["range"] == "sigmoid" else images
        if images.shape[1:] != (gan.recipe.channels, gan.recipe.size, gan.recipe.size) or not gan.has_critic:
            return math.nan
        return float(np.corrcoef(gan.score(images).numpy(), true)[0, 1])
    told = np.load(path.with_suffix(".npz"))
    z, labels, true = torch.from_numpy(told["z"]).float().flatten(1), torch.from_numpy(told["y"]).long(), told["x"]
    if z.shape[1] != gan.recipe.latent or true.shape[1:] != (gan.recipe.channels, gan.recipe.size, gan.recipe.size):
        return math.nan
    conditional = gan.classes and int(labels.min()) >= 0
    drawn = gan.images(as_normal(z, gan), labels if conditional else None).numpy()
    return float(np.median([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(drawn, true, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", help="parts of the names of those to read")
    options = parser.parse_args()
    if not CENSUS.is_dir():
        sys.exit(f"{CENSUS} is not here: there is nothing to read")
    torch.set_num_threads(1)
    results = []
    for path in entries():
        if options.only and not any(word in path.stem for word in options.only):
            continue
        results.append(look(path))
        one = results[-1]
        words = one.problem[:150] or " ".join(f"{value:.3f}" for value in one.agreement)
        print(f"{'right ' if one.right else 'MISSED'} {one.name:20} {one.seconds:5.1f} s  {words}", flush=True)
    for kind, words in ((False, "generators"), (True, "critics")):
        own = [one for one in results if one.name.endswith("critic") is kind]
        if own:
            first = sum(one.agreement[:1] > (RIGHT,) for one in own)
            right = sum(one.right for one in own)
            print(
                f"{words}: {right} of {len(own)} by the first or second proposal ({right / len(own):.0%}), "
                f"{first} by the first"
            )


if __name__ == "__main__":
    main()
