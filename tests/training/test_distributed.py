"""Two processes with half a batch each against one process with the whole batch."""

import subprocess
import sys

import pytest
import torch
import torch.distributed as dist

from rgan.common.errors import SettingsError
from rgan.models.gan import fresh, fresh_companion
from rgan.models.recipes import Robust, recipe
from rgan.training import distributed
from rgan.training.algorithm1 import critic_gradients, frozen, generator_gradients
from tests.conftest import ROOT

SMALL = {"channels": 1, "width": 2, "latent": 5, "batch": 6}
CASES = {
    "solver of two steps through batch norm": recipe("dcgan", Robust(1.5, 0.7, 2.0, steps=2), **SMALL),
    "consistency and noise terms": recipe("dcgan", "official", **SMALL),
    "gradient penalties": recipe("wgan-gp", "official", **SMALL),
    "spectral norm and batch norm in residual blocks": recipe("sngan", Robust(1.5, 0.7, 2.0), **SMALL),
    "an auto-encoding critic": recipe("began", Robust(1.5, 0.7, 2.0), **SMALL),
    "an encoder and a joint critic": recipe("ali", Robust(1.5, 0.7, 2.0), **SMALL, dropout=0),
    "minibatch discrimination and feature matching": recipe(
        "improved-gan", Robust(1.5, 0.7, 2.0), **SMALL, dropout=0, minibatch=3, feature_matching=0.5
    ),
    "an inference net": recipe("egan-ent-vi", Robust(1.5, 0.7, 2.0), **SMALL),
    "a denoiser": recipe("dfm", Robust(1.5, 0.7, 2.0), **SMALL),
}


def all_gradients():
    """Both players' gradients in float64, perturbations included, of this process or group."""
    found = {}
    for name, made in CASES.items():
        rng = torch.Generator().manual_seed(1)
        real = torch.rand(made.batch, 1, made.size, made.size, generator=rng, dtype=torch.float64) * 2 - 1
        z = torch.randn(made.batch, made.latent, generator=rng, dtype=torch.float64)
        mix = torch.rand(made.batch, generator=rng, dtype=torch.float64)
        generator, critic = (network.double() for network in fresh(made, 0))
        companion = fresh_companion(made, 0).double()
        companion.mean = distributed.shared_mean
        for network in (generator, critic, companion):
            distributed.share_statistics(network)
        of_generator = [*generator.parameters(), *companion.parts("generator")]
        of_critic = [*critic.parameters(), *companion.parts("critic")]

        def draw(count, made=made, rng=rng):
            return distributed.own(torch.randn(made.batch, count, generator=rng, dtype=torch.float64))

        companion.begin("critic", draw)
        with frozen(of_generator):
            critic_gradients(generator, critic, made, *map(distributed.own, (real, z, mix)), companion)
        distributed.average_gradients(of_critic)
        companion.begin("generator", draw)
        with frozen(of_critic):
            generator_gradients(generator, critic, made, distributed.own(z), companion, distributed.own(real))
        distributed.average_gradients(of_generator)
        found[name] = [p.grad.clone() for p in (*of_critic, *of_generator)]
    return found


def one_of_two(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    with pytest.raises(SettingsError, match="splits evenly among 2"):
        distributed.check_batch(5)
    torch.save(all_gradients(), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_make_the_gradients_of_one(tmp_path):
    # Not multiprocessing: it would run whatever screen another test has made this process's main module.
    program = (
        "import sys; from tests.training.test_distributed import one_of_two; one_of_two(int(sys.argv[1]), sys.argv[2])"
    )
    each = [subprocess.Popen([sys.executable, "-c", program, str(rank), tmp_path], cwd=ROOT) for rank in (0, 1)]
    assert [process.wait(120) for process in each] == [0, 0]
    whole = all_gradients()
    for rank in (0, 1):
        parts = torch.load(tmp_path / f"{rank}.pt")
        for name, theirs in whole.items():
            scale = max(gradient.abs().max() for gradient in theirs)
            apart = max((a - b).abs().max() for a, b in zip(parts[name], theirs, strict=True))
            assert 0 <= apart <= 1e-9 * scale and scale > 0, f"{name}: {apart / scale}"
