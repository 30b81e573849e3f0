"""The search against problems whose answers are known exactly, and against foolbox."""

import dataclasses
import itertools

import pytest
import torch
from scipy import optimize, stats

from rgan.attack.search import (
    BUDGETS,
    LOOKS,
    Attack,
    look_up,
    losses,
    merge,
    random_noise,
    run,
    search,
    surveyed,
)
from rgan.common.errors import SettingsError
from rgan.common.geometry import even_in_ball, lengths, project_ball, project_cap, random_in_ball, turn, unit
from rgan.models.gan import Gan, fresh, prior_noise
from rgan.models.recipes import recipe

RADII = (0.0, 0.01, 0.1, 0.5, 1.0, 2.0)


def gaussian(rows: int, dimensions: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(rows, dimensions, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def linear(a: torch.Tensor):
    return lambda z: z @ a


@pytest.fixture(scope="module")
def gan() -> Gan:
    made = recipe("dcgan", channels=1, width=4, latent=16)
    generator, critic = fresh(made, seed=3)
    return Gan(made, generator, critic)


@pytest.mark.parametrize("dimensions", [3, 5, 8])  # the batch has 5 rows: N ≠ d and N == d
def test_linear_objective_is_solved_in_one_step(dimensions):
    a, z = gaussian(1, dimensions)[0], gaussian(5, dimensions, 1)
    found = run(linear(a), z, Attack(RADII, gradients=1))
    for k, radius in enumerate(RADII):
        assert torch.allclose(found.noise[k], (radius * a / a.norm()).expand(5, -1), atol=1e-12)


def test_linear_objective_with_a_price_stops_at_half_the_slope_over_the_price():
    a, z, price = gaussian(1, 6)[0], gaussian(4, 6, 1), 0.7
    found = run(linear(a), z, Attack((100.0,), price=price, gradients=200))
    assert torch.allclose(found.noise[0], (a / (2 * price)).expand(4, -1), atol=1e-6)


def test_concave_quadratic_in_a_ball_meets_the_secular_equation():
    """max g·r − ½ r'Ar on ‖r‖ ≤ ε is (A + μI)⁻¹g with ‖·‖ = ε, μ ≥ 0 found by a root finder."""
    root = gaussian(6, 6, 2)
    matrix = root @ root.T / 6 + 0.1 * torch.eye(6, dtype=torch.float64)
    g, eye = gaussian(1, 6, 3)[0], torch.eye(6, dtype=torch.float64)
    z = torch.zeros(2, 6, dtype=torch.float64)
    radius = 0.5

    def step(mu: float) -> torch.Tensor:
        return torch.linalg.solve(matrix + mu * eye, g)

    mu = optimize.brentq(lambda m: float(step(m).norm()) - radius, 0, 1e4)
    found = run(lambda r: r @ g - ((r @ matrix) * r).sum(1) / 2, z, Attack((radius,), gradients=400))
    assert torch.allclose(found.noise[0], step(mu).expand(2, -1), atol=1e-4)


def test_quadratic_with_a_price_above_half_its_curvature_has_a_closed_form():
    root = gaussian(5, 5, 4)
    hessian = root + root.T
    price = float(torch.linalg.eigvalsh(hessian).max()) / 2 + 1.0
    g, eye = gaussian(1, 5, 5)[0], torch.eye(5, dtype=torch.float64)
    z = torch.zeros(2, 5, dtype=torch.float64)
    expected = torch.linalg.solve(2 * price * eye - hessian, g)
    found = run(lambda r: r @ g + ((r @ hessian) * r).sum(1) / 2, z, Attack((50.0,), price=price, gradients=400))
    assert torch.allclose(found.noise[0], expected.expand(2, -1), atol=1e-5)


def rugged(z):
    return torch.sin(3 * z[:, 0]) + torch.cos(2 * z[:, 1]) + 0.3 * z.sum(1)


def test_two_dimensional_landscape_against_brute_force():
    """On a rugged plane, restarts come within 1 % of the best of 160,000 grid points."""

    z, radius = gaussian(4, 2, 6), 1.5
    line = torch.linspace(-radius, radius, 401, dtype=torch.float64)
    plane = torch.cartesian_prod(line, line)
    plane = plane[plane.norm(dim=1) <= radius]
    best = torch.stack([rugged(point + plane).max() for point in z])
    found = run(rugged, z, Attack((radius,), gradients=720))
    assert (found.loss[0] > best - 0.01 * best.abs()).all()
    assert (found.loss[0] < best + 0.01).all()


def hills(z):
    """A broad low hill at the origin and narrow high ones around it, of which most places feel no slope."""
    angles = torch.arange(5, dtype=z.dtype) * 2 * torch.pi / 5
    tops = 1.5 * torch.stack([angles.cos(), angles.sin()], 1)
    far = (z[:, None] - tops).square().sum(-1)
    return 0.2 * torch.exp(-z.square().sum(1)) + 3 * torch.exp(-far / (2 * 0.3**2)).sum(1)


@pytest.mark.parametrize("price", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("loss", [rugged, hills])
def test_a_priced_plane_against_brute_force(loss, price):
    """At the standard budget 0.999 of the best of 250,000 grid points, the near hill and the far ones alike."""
    z, radius = 0.4 * gaussian(12, 2, 6), 2.0
    line = torch.linspace(-radius, radius, 501, dtype=torch.float64)
    plane = torch.cartesian_prod(line, line)
    plane = plane[plane.norm(dim=1) <= radius]
    worth = torch.stack([loss(point + plane) - price * plane.square().sum(1) for point in z])
    most = worth.amax(dim=1) - loss(z)
    found = run(loss, z, Attack((radius,), price, BUDGETS["standard"]))
    gained = found.value[0] - found.original
    assert (gained >= 0.999 * most - 1e-9).all()
    assert (gained <= most + 0.05).all(), "the grid's points lie 0.008 apart"
    assert ((worth > loss(z)[:, None]).double().mean(dim=1) < 0.5).any()


def test_a_survey_is_paid_for_and_changes_nothing_where_moving_is_free_or_dimensions_are_many():
    for budget in (12, 60, 200, 500):
        rows = {"gradients": 0, "looks": 0}

        def counted(z, rows=rows):
            rows["gradients" if z.requires_grad else "looks"] += len(z)
            return rugged(z)

        run(counted, gaussian(8, 2), Attack((1.0,), 0.5, budget))
        paid = rows["gradients"] + rows["looks"] / 3
        assert rows["gradients"] <= 8 * budget and paid <= 8 * (budget + 8)
        assert budget < 200 or (paid >= 8 * (budget - 2) and rows["looks"] > 8 * 200)
    assert surveyed(0.0, 2) == surveyed(0.5, 64) == {} and surveyed(0.5, 2) == {"looks": LOOKS}


def test_radius_zero_moves_nothing_and_is_finite(gan):
    z = gan.noise(3, 0)
    found = run(gan.probe().loss, z, Attack((0.0,), gradients=3))
    assert torch.equal(found.noise, torch.zeros_like(found.noise))
    assert torch.allclose(found.loss[0], found.original)


def test_zero_gradient_moves_nothing():
    z = gaussian(3, 4)
    found = run(lambda rows: 0 * rows.sum(1), z, Attack((1.0,), gradients=3))
    assert torch.equal(found.noise, torch.zeros_like(found.noise))


@pytest.mark.parametrize("scale", [1e-20, 1e-30])
def test_tiny_gradients_keep_their_direction(scale):
    a, z = gaussian(1, 5, dtype=torch.float32)[0], torch.zeros(3, 5)
    small = run(lambda r: (r @ a) * scale, z, Attack((1.0,), gradients=1))
    assert torch.allclose(small.noise[0], (a / a.norm()).expand(3, -1), atol=1e-5)


def test_saturating_and_raw_scores_push_the_same_way():
    """In ε-mode any increasing function of the score gives the same first step."""
    made = recipe("dcgan", channels=1, width=4, latent=16)
    z = torch.randn(4, 16, generator=torch.Generator().manual_seed(0))
    steps = []
    for loss in ("non-saturating", "saturating", "wasserstein"):
        gan = Gan(dataclasses.replace(made, loss=loss), *fresh(made, seed=1))
        steps.append(run(gan.probe().loss, z, Attack((0.5,), method="one-step")).noise[0])
    assert torch.allclose(steps[0], steps[1], atol=1e-5)
    assert torch.allclose(steps[0], steps[2], atol=1e-5)


def test_rows_do_not_see_each_other(gan):
    objective, z = gan.probe().loss, gan.noise(6, 0)
    settings = Attack((0.5, 1.0), gradients=4)
    whole = run(objective, z, settings)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    shuffled = run(objective, z[order], settings)
    assert torch.allclose(shuffled.noise, whole.noise[:, order], atol=1e-4)
    alone = run(objective, z[:1], settings)
    assert torch.allclose(alone.noise[:, 0], whole.noise[:, 0], atol=1e-4)


def test_worst_loss_never_falls_with_radius_or_budget(gan):
    objective, z = gan.probe().loss, gan.noise(16, 1)
    base = run(objective, z, Attack(RADII, gradients=4))
    assert (base.loss.diff(dim=0) >= 0).all()
    assert (base.loss[0] >= base.original).all()
    # A larger budget goes on where a smaller one stopped, in the middle of whatever it was doing.
    plane = torch.randn(40, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    for loss, noise, price in ((objective, z, 0.0), (rugged, plane, 0.0), (rugged, plane, 0.3)):
        budgets = (1, 2, 9, 10, 25, 64, 90, 123, 205, 270)
        found = [run(loss, noise, Attack((2.0,), price, budget)).value for budget in budgets]
        assert all((more >= fewer - 1e-6).all() for fewer, more in itertools.pairwise(found))
        assert (found[-1] > found[0] + 0.01).any()


def test_progress_only_improves_and_stays_in_the_ball(gan):
    z, last = gan.noise(8, 2), None
    settings = Attack((0.1, 1.0), gradients=6, price=0.01)
    for state in search(gan.probe().loss, z, settings):
        assert (lengths(state.noise.flatten(0, 1)).view(2, 8) <= torch.tensor([[0.1], [1.0]]) * (1 + 1e-6)).all()
        if last is not None:
            assert (state.value >= last.value - 1e-6).all()
        last = state
    assert last.done and last.gradients == 6


def test_ascent_is_never_below_the_papers_step_or_random_noise_on_average(gan):
    z = gan.noise(16, 3)
    objective = gan.probe().loss
    ascent = run(objective, z, Attack((2.0,), gradients=8))
    paper = run(objective, z, Attack((2.0,), method="one-step"))
    assert (ascent.loss >= paper.loss - 1e-5).all()
    assert torch.allclose(lengths(paper.noise[0]), torch.full((16,), 2.0), rtol=1e-5)
    assert paper.gradients == 1
    control = losses(objective, z + random_noise(z, lengths(ascent.noise[0]), seed=0)[0])
    assert ascent.loss.mean() > control.mean()


def test_the_shell_keeps_every_length(gan):
    z = gan.noise(8, 4)
    found = run(gan.probe().loss, z, Attack((0.5, 3.0), gradients=12, keep_shell=True))
    assert torch.allclose(lengths(z + found.noise[1]), lengths(z), rtol=1e-5)
    assert (lengths(found.noise[1]) <= 3.0 * (1 + 1e-5)).all()
    control = random_noise(z, lengths(found.noise[1]), 0, keep_shell=True)[0]
    assert torch.allclose(lengths(z + control), lengths(z), rtol=1e-5)
    assert torch.allclose(lengths(control), lengths(found.noise[1]), rtol=1e-4)


def test_projection_on_the_cap_is_the_nearest_point_of_brute_force():
    """In the plane the cap is an arc; its nearest point to z + r is found by trying 100,000 of them."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        z, r = torch.randn(2, 1, 2, generator=generator, dtype=torch.float64)
        radius = torch.rand(1, generator=generator, dtype=torch.float64) * 2 * z.norm()
        angles = torch.linspace(-torch.pi, torch.pi, 100_001, dtype=torch.float64)
        turned = torch.stack([angles.cos(), angles.sin()], 1) * z.norm()
        arc = turned[(turned - z).norm(dim=1) <= radius]
        nearest = arc[(arc - z - r).norm(dim=1).argmin()]
        assert torch.allclose(z[0] + project_cap(z, r, radius)[0], nearest, atol=1e-3)


def test_turning_goes_exactly_as_far_as_asked():
    z = gaussian(20, 7, 8)
    distance = torch.linspace(1e-6, 1.9, 20, dtype=torch.float64) * lengths(z)
    r = turn(z, gaussian(20, 7, 9), distance)
    assert torch.allclose(lengths(r), distance, rtol=1e-8)
    assert torch.allclose(lengths(z + r), lengths(z), rtol=1e-12)


def test_ball_projection_and_unit_vectors():
    r = gaussian(50, 4, 10)
    radius = torch.rand(50, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3
    expected = torch.stack(
        [torch.renorm(row[None], 2, 0, float(limit))[0] for row, limit in zip(r, radius, strict=True)]
    )
    assert torch.allclose(project_ball(r, radius), expected, atol=1e-6)
    assert torch.equal(unit(torch.zeros(2, 3)), torch.zeros(2, 3))
    assert torch.equal(unit(torch.tensor([[float("inf"), 1.0]])), torch.zeros(1, 2))


@pytest.mark.parametrize("shape", [(4000, 3), (500, 500)])
def test_random_starts_are_uniform_in_the_ball(shape):
    """The radius law: ‖r‖^d is uniform on [0, 1]."""
    points = random_in_ball(shape, torch.Generator().manual_seed(0)).double()
    assert stats.kstest(lengths(points).pow(shape[1]).numpy(), "uniform").pvalue > 0.01


@pytest.mark.parametrize("dimensions", [2, 5])
def test_even_places_are_spread_over_the_ball_better_than_random_ones(dimensions):
    sequence = torch.quasirandom.SobolEngine(dimensions + 1, scramble=True, seed=3)
    places = torch.cat([even_in_ball(sequence, 256), even_in_ball(sequence, 256)])
    assert stats.kstest(lengths(places).pow(dimensions).numpy(), "uniform").statistic < 0.02
    ball = random_in_ball((4000, dimensions), torch.Generator().manual_seed(0)).double()
    drawn = random_in_ball((512, dimensions), torch.Generator().manual_seed(1)).double()
    even, random = (torch.cdist(ball, each).amin(dim=1).mean() for each in (places, drawn))
    assert even < 0.985 * random


@pytest.mark.parametrize("dimensions", [64, 128, 30])
def test_the_control_has_nothing_to_do_with_the_noise_of_the_same_seed(dimensions):
    """The mean of 500 cosines between independent directions is normal, with deviation 1/√(500·d)."""
    z = prior_noise(dimensions, 500, seed=3)
    first, second = random_noise(z, torch.ones(500), seed=3, tries=2)
    for one, other in ((z, first), (z, second), (first, second)):
        cosines = torch.cosine_similarity(one, other)
        assert abs(float(cosines.mean())) < 4 / (500 * dimensions) ** 0.5
        assert float(cosines.square().mean()) == pytest.approx(1 / dimensions, rel=0.4)
    longer = lengths(z + random_noise(z, torch.ones(500), seed=3)[0]).square() - lengths(z).square()
    assert float(longer.mean()) == pytest.approx(1, abs=0.5), "a random step makes ‖z‖² longer by ‖r‖² on average"


def test_random_directions_are_isotropic():
    r = random_noise(torch.zeros(5000, 3), torch.ones(5000), seed=0)[0].double()
    for axis in range(3):  # Archimedes: a coordinate of a uniform point on the 2-sphere is uniform
        assert stats.kstest(r[:, axis].numpy(), stats.uniform(-1, 2).cdf).pvalue > 0.01


def test_random_control_uses_one_direction_for_every_length():
    z = torch.zeros(4, 6)
    near, far = (random_noise(z, torch.full((4,), length), seed=5)[0] for length in (0.1, 2.0))
    assert torch.allclose(near * 20, far, atol=1e-5)


def test_search_leaves_model_and_global_randomness_alone():
    made = recipe("dcgan", channels=1, width=4, latent=16)
    generator, critic = fresh(made, seed=3)
    gan = Gan(made, generator, critic)
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    torch.manual_seed(11)
    expected = torch.rand(4)
    torch.manual_seed(11)
    run(gan.probe().loss, gan.noise(4, 0), Attack((1.0,), gradients=6))
    assert torch.equal(torch.rand(4), expected)
    assert not critic.training and not generator.training
    assert all(not p.requires_grad and p.grad is None for p in critic.parameters())
    assert all(torch.equal(value, before[name]) for name, value in critic.state_dict().items())


def test_gradient_agrees_with_finite_differences(gan):
    """The probe's folded networks, differentiated, against central differences in float64."""
    probe = gan.probe(torch.float64)
    z = gan.noise(2, 5).double().requires_grad_()
    score = probe.critic(probe.generator(z))
    (slope,) = torch.autograd.grad(score.sum(), z)
    direction = unit(gaussian(2, 16, 12))
    step = 1e-6
    with torch.no_grad():
        ends = [probe.critic(probe.generator(z + sign * step * direction)) for sign in (1, -1)]
    assert torch.allclose((ends[0] - ends[1]) / (2 * step), (slope * direction).sum(1), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("size", [25, 28, 31, 32])
@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_folded_networks_equal_the_original_ones(size, channels, norm):
    made = recipe("dcgan", size=size, channels=channels, width=3, latent=7, critic_norm=norm)
    generator, critic = fresh(made, 2)
    rng = torch.Generator().manual_seed(0)
    for network in (generator, critic):
        for module in network.modules():
            if hasattr(module, "running_var"):  # statistics and affine parameters as training leaves them
                for tensor in (module.running_var, module.weight.data):
                    tensor.uniform_(0.5, 2, generator=rng)
                for tensor in (module.running_mean, module.bias.data):
                    tensor.normal_(generator=rng)
            elif getattr(module, "bias", None) is not None:
                module.bias.data.normal_(generator=rng)
    gan = Gan(made, generator, critic)
    probe, z = gan.probe(torch.float64), gan.noise(4, 6).double()
    with torch.no_grad():
        images = gan.sampler.double()(z)
        loss = torch.nn.functional.softplus(-gan.critic.double()(images))
    assert torch.allclose(probe.generator(z), images, atol=1e-6)
    assert torch.allclose(probe.loss(z), loss, atol=1e-6)


def test_budgets_are_counted_honestly(gan):
    """Gradient calls as reported against those the objectives saw, in rows."""
    z, rows = gan.noise(8, 0), {"fast": 0, "exact": 0}

    def counted(name):
        def objective(noise):
            rows[name] += len(noise) if noise.requires_grad else 0
            return gan.probe().loss(noise)

        return objective

    for budget in (6, 50, 200, 350):
        for fast in (counted("fast"), None):
            rows.update(fast=0, exact=0)
            exact = counted("exact")
            found = run(fast or exact, z, Attack((1.0,), gradients=budget), exact=exact if fast else None)
            assert found.gradients == budget
            assert rows["fast"] + rows["exact"] == 8 * budget
            assert (rows["fast"] > 0) is (fast is not None)


def test_coarse_search_is_judged_in_full_precision(gan):
    z = gan.noise(16, 7)
    exact = gan.probe().loss
    found = run(gan.probe(torch.bfloat16).loss, z, Attack(RADII, gradients=5), exact=exact)
    assert torch.allclose(found.loss[-1], exact(z + found.noise[-1]), atol=1e-5)
    assert (found.loss.diff(dim=0) >= 0).all() and (found.loss[0] >= found.original - 1e-6).all()
    full = run(exact, z, Attack(RADII, gradients=5))
    assert abs(float(found.loss[-1].mean() - full.loss[-1].mean())) < 0.05 * float(full.loss[-1].mean())


def test_look_up_between_radii(gan):
    objective, z = gan.probe().loss, gan.noise(8, 8)
    found = run(objective, z, Attack((0.5, 1.0, 2.0), gradients=6))
    known = look_up(objective, found, 1.0)
    assert torch.allclose(known.loss[0], found.loss[1], atol=1e-6)
    between = look_up(objective, found, 1.4)
    assert (between.loss[0] >= found.loss[1] - 1e-6).all()
    assert (lengths(between.noise[0]) <= 1.4 * (1 + 1e-6)).all()
    assert torch.allclose(between.loss[0], objective(z + between.noise[0]), atol=1e-5)
    assert (look_up(objective, found, 0.2).loss[0] >= found.original - 1e-6).all()
    assert torch.allclose(look_up(objective, found, 5.0).loss[0], found.loss[2], atol=1e-6)


def test_a_start_is_used_where_it_helps(gan):
    objective, z = gan.probe().loss, gan.noise(8, 9)
    good = run(objective, z, Attack((1.0,), gradients=12))
    warm = run(objective, z, Attack((1.0,), gradients=1), start=good.noise)
    assert (warm.loss >= good.loss - 1e-5).all()
    bad = run(objective, z, Attack((1.0,), gradients=4), start=-good.noise)
    cold = run(objective, z, Attack((1.0,), gradients=4))
    assert bad.loss.mean() >= cold.loss.mean() - 1e-2 and (bad.loss[0] >= bad.original).all()


@pytest.mark.parametrize("radius", [0.1, 1.0])
def test_foolbox_finds_the_same_worst_case(gan, radius):
    """foolbox's L2 projected gradient descent, without its image bounds, as an oracle on a smooth problem."""
    foolbox = pytest.importorskip("foolbox")
    import eagerpy

    z = gan.noise(8, 10)
    objective = gan.probe().loss

    class Peer(foolbox.attacks.L2ProjectedGradientDescentAttack):
        def get_loss_fn(self, model, labels):
            return lambda x: eagerpy.astensor(objective(x.raw)).sum()

    class Scores(torch.nn.Module):
        def forward(self, x):
            return torch.zeros(len(x), 2)

    model = foolbox.PyTorchModel(Scores().eval(), bounds=(-1e9, 1e9), device="cpu")
    attack = Peer(rel_stepsize=0.1, steps=60, random_start=False)
    raw, _, _ = attack(model, z, torch.zeros(8, dtype=torch.long), epsilons=[radius])
    theirs = objective(raw[0])
    ours = run(objective, z, Attack((radius,), gradients=60))
    # Beyond small radii single trajectories are chaotic: points differ, means do not.
    assert (ours.loss[0] >= theirs - (1e-3 if radius < 0.5 else 0.02)).all()
    assert ours.loss.mean() >= theirs.mean() - 1e-4
    assert abs(float(ours.loss.mean() - theirs.mean())) < 0.01


@pytest.mark.parametrize(
    "wrong",
    [
        {"radii": ()},
        {"radii": (1.0, 0.5)},
        {"radii": (-1.0,)},
        {"radii": (float("nan"),)},
        {"radii": (1.0,), "gradients": 0},
        {"radii": (1.0,), "price": -1.0},
        {"radii": (1.0,), "method": "guess"},
    ],
)
def test_impossible_settings_are_refused_in_words(wrong):
    with pytest.raises(SettingsError, match="expected"):
        Attack(**wrong)


def test_merged_searches_keep_the_best_answer_at_every_radius(gan):
    objective, z = gan.probe().loss, gan.noise(8, 11)
    coarse = run(objective, z, Attack((0.5, 2.0), gradients=2))
    fine = run(objective, z, Attack((0.5, 1.0), gradients=12))
    both = merge(coarse, fine)
    assert both.attack.radii == (0.5, 1.0, 2.0)
    assert torch.allclose(both.loss[0], torch.maximum(coarse.loss[0], fine.loss[0]))
    assert (both.loss.diff(dim=0) >= 0).all()
    assert (both.loss[2] >= torch.maximum(coarse.loss[1], fine.loss[1])).all()
    assert torch.allclose(both.loss[2], objective(z + both.noise[2]), atol=1e-5)


def test_another_attack_is_a_few_lines():
    """Within a cube the worst of a plane is its corner: ε‖a‖₁."""

    class Cube(Attack):
        def normalize(self, slope):
            return slope.sign()

        def project(self, z, r, radius):
            return r.clamp(-radius[:, None], radius[:, None])

    a = torch.linspace(-2, 3, 7, dtype=torch.float64)
    found = run(linear(a), torch.zeros(4, 7, dtype=torch.float64), Cube((0.5, 2.0), gradients=6))
    assert torch.allclose(found.noise[1], (2 * a.sign()).expand(4, -1))
    assert torch.allclose(found.loss[1] - found.original, 2 * a.abs().sum())
