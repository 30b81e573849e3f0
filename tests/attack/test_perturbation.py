"""Intervals, controls, verdicts and the live path."""

import pytest
import torch

from rgan.attack.objectives import pixel_change
from rgan.attack.path import LivePath, Request, reach
from rgan.attack.perturbation import notices, straight_path, which_loses_less, with_controls
from rgan.attack.search import Attack, run
from rgan.common.geometry import lengths
from rgan.models.gan import Gan, fresh
from rgan.models.recipes import recipe


@pytest.fixture(scope="module")
def gan() -> Gan:
    made = recipe("dcgan", channels=1, width=4, latent=16)
    return Gan(made, *fresh(made, 3))


def request(**changes) -> Request:
    values = {
        "samples": 8,
        "seed": 0,
        "price": 0.0,
        "gradients": 4,
        "method": "ascent",
        "keep_shell": False,
        "reach": 2.0,
    }
    return Request(**(values | changes))


def test_the_control_has_the_same_length_and_its_losses_are_those_of_its_noise(gan):
    objective, z = gan.probe().loss, gan.noise(8, 0)
    found = run(objective, z, Attack((0.3, 1.5), gradients=4))
    result = with_controls(objective, found, seed=5)
    assert result.radius == 1.5 and result.tries == 4
    assert torch.allclose(lengths(result.random), lengths(found.noise[1]), rtol=1e-5)
    assert torch.allclose(result.loss_random, objective(z + result.random), atol=1e-5)
    assert torch.allclose(result.loss_worst, objective(z + found.noise[1]), atol=1e-5)
    assert (result.loss_best_random >= result.loss_random).all()
    assert torch.allclose(result.loss_best_random, objective(z + result.best_random), atol=1e-5)
    numbers = result.summary()
    assert numbers["beats_random"] == float((result.loss_worst > result.loss_random).double().mean())
    assert numbers["prior_radius"] == pytest.approx(float(z.norm(dim=1).mean()))
    first = with_controls(objective, found, seed=5, index=0)
    assert first.radius == 0.3 and torch.allclose(first.length, torch.full((8,), 0.3), rtol=1e-3)


def test_verdicts_claim_only_what_the_interval_supports(gan):
    z = gan.noise(8, 0)
    weak = with_controls(lambda r: r[:, 0], run(lambda r: r[:, 0], z, Attack((1.0,))), seed=0)
    strong = with_controls(lambda r: 3 * r[:, 0], run(lambda r: 3 * r[:, 0], z, Attack((1.0,))), seed=0)
    assert "A loses less than B: worst noise adds 1.00 against 3.00" in which_loses_less(weak, strong, ("A", "B"))
    assert "B loses less than A: worst noise adds 1.00 against 3.00" in which_loses_less(strong, weak, ("A", "B"))
    assert "cannot be told apart" in which_loses_less(weak, weak, ("A", "B"))


def test_notices_name_controls_without_effect(gan):
    z = torch.zeros(4, 3)

    def slope(r):
        return 2 * r[:, 0]

    def said(stronger=None, **settings):
        radius = settings.pop("radius", 1.0)
        found = run(slope, z, Attack((radius,), gradients=60, **settings))
        return " ".join(notices(found.attack, found.noise[0].norm(dim=1), stronger=stronger))

    assert said() == ""
    assert "ε is slack at this λ" in said(price=10.0)  # stops at 2/(2·10) = 0.1
    assert "by 0.10" in said(price=10.0)
    assert "λ is slack at this ε" in said(price=0.1)  # would stop at 10
    assert "λ has no effect" in said(method="one-step", price=1.0)
    assert "at ε 0.5 it adds more" in said(method="one-step", stronger=0.5)


def test_image_change_and_straight_paths():
    black, white = -torch.ones(2, 1, 4, 4), torch.ones(2, 1, 4, 4)
    assert pixel_change(white, black).tolist() == [1.0, 1.0]
    path = straight_path(torch.zeros(3), torch.tensor([1.0, 2.0, 3.0]), 5)
    assert torch.allclose(path[2], torch.tensor([0.5, 1.0, 1.5])) and path.shape == (5, 3)


def finish(path: LivePath, radius: float) -> None:
    for _ in range(1000):  # far more steps than a search has
        if not path.advance(radius, 10.0):
            return
    raise AssertionError("the search does not end")


def test_where_a_live_search_ends_does_not_depend_on_the_way_there(gan):
    direct, detour = LivePath(gan, request(), precision="float32"), LivePath(gan, request(), precision="float32")
    for radius in (0.7, 1.9):
        finish(detour, radius)
    for radius in (1.3, 0.4, 1.3):  # turned away half-way, as newer clicks do
        detour.advance(radius, 0.0)
        detour.advance(radius, 0.0)
    for path in (direct, detour):
        finish(path, 1.2)
    assert torch.equal(direct.at(1.2).noise, detour.at(1.2).noise)
    assert direct.at(1.2).done


def test_a_dropped_exploration_goes_on_where_it_was(gan):
    path = LivePath(gan, request(), precision="float32")
    for _ in range(5):  # three sights of the scout's, two of the exploration's
        assert path.advance(1.0, 0.0)
    steps = 0
    while steps < 1000 and path.advance(0.8, 0.0):
        steps += 1
    assert steps == 1 + 1 + 2  # the look-up, the rest of the exploration, the climb but for its last sight
    assert path.at(0.8).done


def test_live_pictures_come_at_once_and_are_marked(gan):
    path = LivePath(gan, request(), precision="float32")
    assert path.at(0).done and not path.at(1.0).done
    assert path.advance(1.0, 0.0)
    first = path.at(1.0)
    assert first.gradients == 2 and not first.done and first.loss.mean() > path.at(0).loss.mean()
    finish(path, 1.0)
    assert path.at(1.0).done
    assert path.advance(0.9, 0.0)  # a new radius: the answers known are drawn before a step is made
    assert not path.at(0.9).done and path.at(0.9).attack.radii == (0.9,)
    assert path.advance(1.0, 0.0) and not path.advance(1.0, 0.0)  # known: drawn at once, then with all its numbers
    assert not path.advance(0.0, 0.0)


def test_one_step_paths_are_exact_between_their_radii(gan):
    path = LivePath(gan, request(method="one-step"), precision="float32")
    finish(path, 0.5)
    exact = run(gan.probe().loss, gan.noise(8, 0), Attack((0.5, 2.0), method="one-step"))
    assert torch.allclose(path.at(2.0).loss[0], exact.loss[1], atol=1e-5)
    assert torch.allclose(path.at(1.37).noise[0], 1.37 / 2 * exact.noise[1], atol=1e-3)


def test_reach_is_half_the_priors_radius(gan):
    assert reach(gan) == 2.0  # √16 / 2
