"""What a search raises: the judge's distance against a loop, the image's change against a singular value problem."""

import copy
import dataclasses
import itertools
import json

import numpy as np
import pytest
import torch

from rgan.attack.objectives import LOSS, OBJECTIVES, Objective, choices, judge_for, objective_for, pixel_change
from rgan.attack.path import LivePath, Request
from rgan.attack.perturbation import notices, perturb, which_loses_less, with_controls
from rgan.attack.search import Attack, SampleLoss, losses, run
from rgan.cli.main import main
from rgan.common.errors import CheckpointError, SettingsError
from rgan.common.geometry import lengths, unit
from rgan.metrics.judges import ATTACKED, MEASURING, shipped
from rgan.models import checkpoints
from rgan.models.gan import Gan, Origin, fresh
from rgan.models.recipes import Recipe, recipe
from rgan.networks.described import Activation, Layers, Linear, View

LATENT, SIZE, CHANNELS = 5, 16, 2
GAINS = (0.03, 0.3, 0.05, 0.12, 0.01)  # singular values of the linear generator, in no order


def drawn(layers: tuple, weights: torch.Tensor, data: str = "") -> Gan:
    """A generator alone whose only linear layer has these weights and no bias."""
    made = Recipe("imported", size=SIZE, channels=CHANNELS, latent=LATENT, layers=Layers("tests", layers, (), score=0))
    generator, critic = (network.to_empty(device="cpu") for network in made.networks())
    state = {name: weights if name.endswith("weight") else torch.zeros(len(weights))
             for name in generator.state_dict()}  # fmt: skip
    generator.load_state_dict(state)
    return Gan(made, generator, critic, origin=Origin((), {}, data))


def matrix() -> np.ndarray:
    rng = np.random.default_rng(4)
    pixels = CHANNELS * SIZE**2
    left, right = (np.linalg.qr(rng.normal(size=(rows, LATENT)))[0] for rows in (pixels, LATENT))
    return (left * GAINS) @ right.T


@pytest.fixture(scope="module")
def linear() -> Gan:
    """z ↦ Wz, whose images change most along W's first right-singular vector."""
    return drawn((Linear(CHANNELS * SIZE**2), View(CHANNELS)), torch.tensor(matrix(), dtype=torch.float32))


@pytest.fixture(scope="module")
def bent() -> Gan:
    """The same behind a tanh, of larger images: the change depends on where the noise was."""
    weights = 40 * torch.tensor(matrix(), dtype=torch.float32)
    return drawn((Linear(CHANNELS * SIZE**2), View(CHANNELS), Activation("tanh")), weights, data="digits")


def request(**changes) -> Request:
    values = {
        "samples": 50, "seed": 3, "price": 0.0, "gradients": 10, "method": "ascent", "keep_shell": False,
        "reach": 1.5, "objective": "change",
    }  # fmt: skip
    return Request(**(values | changes))


def finish(path: LivePath, radius: float) -> None:
    for _ in range(1000):  # far more steps than a search has
        if not path.advance(radius, 10.0):
            return
    raise AssertionError("the search does not end")


def change(gan: Gan, z: torch.Tensor) -> Objective:
    return objective_for(gan, "change", z, device="cpu")


def searched(aim: Objective, z: torch.Tensor, settings: Attack, seed: int = 0):
    return run(aim.loss, z, settings, seed=seed, start=aim.start(z, settings, seed))


def off(directions: torch.Tensor, axis: np.ndarray) -> float:
    """The largest distance of any unit vector (N, d) from an axis (d,), whichever way it points."""
    found = directions.numpy()
    return float(np.linalg.norm(found - np.sign(found @ axis)[:, None] * axis, axis=1).max())


@pytest.mark.parametrize("radii", [(0.01,), (1.0,), (0.2, 0.7, 1.5)])
def test_the_change_of_a_linear_generator_is_largest_along_its_first_singular_vector(linear, radii):
    _, gains, right = np.linalg.svd(matrix())
    z = linear.noise(6, 1)
    found = searched(change(linear, z), z, Attack(radii))
    for radius, noise, loss in zip(radii, found.noise, found.loss, strict=True):
        assert off(noise / radius, right[0]) < 1e-2
        largest = 100 * gains[0] * radius / np.sqrt(CHANNELS * SIZE**2) / 2  # white is 2 above black
        assert loss.numpy() == pytest.approx(largest, rel=1e-3)


def test_an_attack_finds_that_direction_too_and_random_ones_change_less(linear):
    right = np.linalg.svd(matrix())[2]
    found = perturb(linear, linear.noise(6, 3), Attack((0.8,)), "change", seed=3, device="cpu")
    assert off(found.r / 0.8, right[0]) < 1e-2
    moved = np.linalg.norm(found.random.numpy() @ matrix().T, axis=1)
    assert found.loss_random.numpy() == pytest.approx(100 * moved / np.sqrt(CHANNELS * SIZE**2) / 2, rel=1e-3)
    assert found.beaten == 6 and (found.loss_best_random <= found.loss_worst + 1e-6).all()
    assert (found.loss_original < 1e-4).all()


def test_with_a_price_the_move_stops_where_the_next_bit_costs_what_it_adds(linear):
    """max c‖r‖ − λ‖r‖² along the first vector is at c/(2λ)."""
    z, price = linear.noise(4, 2), 3.0
    slope = 100 * max(GAINS) / np.sqrt(CHANNELS * SIZE**2) / 2
    found = searched(change(linear, z), z, Attack((1.0,), price=price, gradients=150))
    assert lengths(found.noise[0]).numpy() == pytest.approx(slope / (2 * price), rel=1e-2)


def test_every_row_is_held_against_its_own_sample(bent):
    """More rows than one call takes, so that samples and calls do not line up."""
    z, generator = bent.noise(50, 3), bent.sampler
    found = perturb(bent, z, Attack((1.1,), gradients=6), "change", seed=3, device="cpu")
    for move, shown in ((found.r, found.loss_worst), (found.random, found.loss_random)):
        for index in range(50):
            before, after = (generator(rows)[0].numpy() for rows in (z[index][None], (z[index] + move[index])[None]))
            assert float(shown[index]) == pytest.approx(50 * np.sqrt(np.mean((after - before) ** 2)), rel=1e-4)


def test_samples_are_numbered_across_calls():
    numbers = SampleLoss(lambda z, samples: samples + z[:, 0])
    expected = torch.arange(250.0).expand(3, 250) + torch.tensor([0.0, 1000, 2000])[:, None]
    z = torch.tensor([0.0, 1000, 2000])[:, None, None].expand(3, 250, 2)
    assert torch.equal(losses(numbers, z), expected)
    found = run(numbers, torch.zeros(250, 2), Attack((0.5, 1.0), gradients=4))
    assert torch.allclose(found.loss, torch.arange(250.0) + torch.tensor([[0.5], [1.0]]))


@pytest.mark.parametrize("keep_shell", [False, True])
def test_more_radius_steps_or_starts_never_find_less_change(bent, keep_shell):
    z = bent.noise(20, 5)
    aim = change(bent, z)

    def found(radius=(1.0,), **settings):
        return searched(aim, z, Attack(radius, keep_shell=keep_shell, **settings)).loss

    assert (found((0.0, 0.01, 0.3, 1.0, 2.0), gradients=4).diff(dim=0) >= 0).all()
    for more in ({"gradients": gradients} for gradients in (2, 3, 6, 12)):
        assert (found(**more) >= found(gradients=1) - 1e-6).all()
    starts = [found(gradients=gradients) for gradients in (50, 90, 200)]
    assert all((more >= fewer - 1e-6).all() for fewer, more in itertools.pairwise(starts))


def test_the_change_of_a_seed_is_the_same_whatever_was_looked_at_before(bent):
    direct, detour = (LivePath(bent, request(gradients=4), device="cpu") for _ in range(2))
    finish(detour, 0.3)
    detour.advance(1.4, 0.0)
    for path in (direct, detour):
        finish(path, 1.2)
    assert torch.equal(direct.at(1.2).noise, detour.at(1.2).noise)
    known = [float(direct.at(radius).loss.mean()) for radius in (0.0, 0.2, 0.6, 1.2)]
    assert known == sorted(known)


def test_the_slope_of_the_change_is_zero_where_nothing_changes():
    black = -torch.ones(2, 1, 3, 3)
    images = black.clone().requires_grad_()
    (slope,) = torch.autograd.grad(pixel_change(images, black).sum(), images)
    assert torch.equal(slope, torch.zeros_like(slope))
    assert pixel_change(-black, black).tolist() == [1.0, 1.0]


def test_the_judges_distance_is_that_of_a_loop_over_its_real_images(bent):
    judge = shipped("digits")
    z = bent.noise(5, 6)
    aim = objective_for(bent, "judge", z, judge=judge, device="cpu", precision="float32")
    images, rated = aim.images_and_loss(z, torch.arange(5))
    for image, ours in zip(images, rated, strict=True):
        features = judge.features(image[None])[0].double().numpy()
        apart = sorted(np.linalg.norm(features - other) for other in judge.reference.double().numpy())
        assert float(ours) == pytest.approx(apart[2], rel=1e-5)
    assert torch.allclose(rated, judge.opinion(images).distance, rtol=1e-5)
    assert torch.allclose(losses(aim.loss, z), rated, rtol=1e-5)


def test_the_slope_of_the_judges_distance_agrees_with_finite_differences(bent):
    judge = shipped("digits")
    wide = dataclasses.replace(
        judge, network=copy.deepcopy(judge.network).double(), reference=judge.reference.double()
    )  # fmt: skip
    distance = wide.measure(dtype=torch.float64)
    probe = bent.probe(torch.float64)
    z = bent.noise(3, 7).double().requires_grad_()
    (slope,) = torch.autograd.grad(distance(probe.draw(z)).sum(), z)
    direction = unit(torch.randn(3, LATENT, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    with torch.no_grad():
        ahead, behind = (distance(probe.draw(z + sign * 1e-6 * direction)) for sign in (1, -1))
    assert torch.allclose((ahead - behind) / 2e-6, (slope * direction).sum(dim=1), rtol=1e-4, atol=1e-6)


def test_a_search_raises_the_judges_distance_above_random_noise(bent):
    found = perturb(
        bent, bent.noise(8, 3), Attack((1.0,), gradients=4), "judge", judge=shipped("digits", ATTACKED), seed=3,
        device="cpu", precision="bfloat16",
    )  # fmt: skip
    assert found.loss_worst.mean() > found.loss_random.mean() + 0.1
    assert (found.loss_worst >= found.loss_original).all()
    opinion = shipped("digits", ATTACKED).opinion(bent.probe().images(bent.noise(8, 3) + found.r))
    assert torch.allclose(opinion.distance, found.loss_worst, rtol=1e-4), "scored in full precision, however searched"


def test_the_critics_loss_is_the_probes():
    made = recipe("dcgan", channels=1, width=4, latent=16)
    gan = Gan(made, *fresh(made, 3))
    z = gan.noise(30, 0)
    aim = objective_for(gan, "critic", z, device="cpu", precision="float32")
    settings = Attack((0.5, 1.0), gradients=3)
    assert aim.start(z, settings, 0) is None and aim.words is LOSS and aim.coarse is None
    assert torch.equal(run(aim.loss, z, settings).noise, run(gan.probe().loss, z, settings).noise)
    assert choices((gan, gan), None) == ("critic", "change")


def test_what_can_be_raised_is_what_all_models_allow(linear, bent):
    assert judge_for((linear, linear)) is None and choices((linear, linear), None) == ("change",)
    judge = judge_for((linear, bent))
    assert judge is not None and judge.data == "digits" and judge.facts.role == ATTACKED
    assert judge_for((linear, bent), MEASURING) is shipped("digits")
    assert choices((linear, bent), judge) == ("judge", "change")


def test_what_cannot_be_raised_is_refused_in_words(bent):
    z = bent.noise(2, 0)
    with pytest.raises(CheckpointError, match=r"expected a model with a critic.*--objective judge or"):
        objective_for(bent, "critic", z)
    with pytest.raises(SettingsError, match="expected a judge"):
        objective_for(bent, "judge", z)
    with pytest.raises(SettingsError, match="one of critic, judge, change; got 'love'"):
        request(objective="love")
    with pytest.raises(SettingsError, match="no gradient at the original noise"):
        request(method="one-step")


def test_words_say_what_was_raised_and_call_no_distance_a_loss(bent, linear):
    for against, noun, outcome in (("judge", "distance", "strays less"), ("change", "change", "changes less")):
        z = bent.noise(16, 0)
        found = []
        for gan in (linear, bent):
            aim = objective_for(gan, against, z, judge=shipped("digits"), device="cpu", precision="float32")
            search = searched(aim, z, Attack((1.0,), gradients=4))
            found.append(with_controls(aim.loss, search, seed=0, words=aim.words))
        small, large = found
        said = which_loses_less(small, large, ("A", "B"))
        assert f"A {outcome} than B" in said and f"Each {noun} is" in said
        gap = float((small.loss_worst - small.loss_original).mean())
        assert f"worst noise adds {gap:.2f}{' %' if against == 'change' else ''} against" in said
        assert set(small.summary()[noun]) == {"original", "worst", "random", "best_of_random"}
        one = [
            dataclasses.replace(
                each, z=each.z[:1], loss_worst=each.loss_worst[:1], loss_original=each.loss_original[:1]
            )
            for each in found
        ]
        lowered = dataclasses.replace(
            large,
            attack=dataclasses.replace(large.attack, method="one-step"),
            loss_worst=large.loss_original - 1,
        )
        told = (
            said,
            small.sentence(),
            which_loses_less(*one, ("A", "B")),
            *notices(lowered.attack, lowered.length, lowered=1, noun=lowered.words.noun),
        )
        assert all("loss" not in words for words in told), told
        assert f"lowers the {noun}" in told[-1]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_probe_of_the_command_line_raises_what_it_is_told(bent, tmp_path, capsys, objective):
    path = tmp_path / "generator.safetensors"
    checkpoints.save(bent, path)
    arguments = ["probe", str(path), "--samples", "8", "--steps", "3", "--against", objective, "--device", "cpu"]
    status = main([*arguments, "--json"])
    said = capsys.readouterr()
    if objective == "critic":
        assert status == 2 and "--objective change" in said.err
        return
    report = json.loads(said.out)
    noun = "distance" if objective == "judge" else "change"
    assert report["against"] == objective and report[noun]["worst"] > report[noun]["random"]
    path = LivePath(bent, request(samples=8, seed=0, objective=objective, judge="digits"), device="cpu")
    assert report[noun]["original"] == pytest.approx(float(path.at(0).loss.mean()), abs=1e-3)
    assert main([*arguments, "--judge", "own.safetensors"]) == 2
    wrong = "expected no --judge" if objective == "change" else "own.safetensors"
    assert wrong in capsys.readouterr().err
