"""Training against the literal algorithm, closed forms and finite differences."""

import copy
import itertools

import pytest
import torch
from torch import nn

from benchmarks.literal import literal_critic_loss, literal_generator_loss
from rgan.common.errors import DataError, SettingsError
from rgan.data import datasets
from rgan.models.gan import fresh
from rgan.models.recipes import Robust, recipe
from rgan.training.algorithm1 import critic_gradients, generator_gradients
from rgan.training.penalties import gradient_penalty, interpolate
from rgan.training.trainer import Trainer, TrainingError, train

SMALL = {"channels": 1, "width": 4, "latent": 6, "batch": 5}


def batch(made, seed=0):
    rng = torch.Generator().manual_seed(seed)
    real = torch.rand(made.batch, made.channels, made.size, made.size, generator=rng, dtype=torch.float64) * 2 - 1
    z = torch.randn(made.batch, made.latent, generator=rng, dtype=torch.float64)
    return real, z, torch.rand(made.batch, generator=rng, dtype=torch.float64)


def double(made, seed=0):
    return tuple(network.double() for network in fresh(made, seed))


def gradients(network):
    return {name: p.grad.clone() for name, p in network.named_parameters()}


def same(ours, theirs, tolerance=1e-9):
    """Equal to rounding, measured against the largest gradient: biases before batch norm have none of their own."""
    assert ours.keys() == theirs.keys() and ours
    scale = max(gradient.abs().max() for gradient in theirs.values())
    for name in ours:
        assert (ours[name] - theirs[name]).abs().max() <= tolerance * scale, name


@pytest.mark.parametrize(
    ("system", "norm"), [("dcgan", "batch"), ("dcgan", "none"), ("wgan-gp", "none")], ids=lambda v: str(v)
)
@pytest.mark.parametrize(
    "robust", [Robust(), Robust(noise_radius=1.5, image_radius=0.7, weight=2.0)], ids=["paper", "wide"]
)
def test_two_passes_give_the_gradients_of_the_literal_algorithm(system, norm, robust):
    made = recipe(system, robust, critic_norm=norm, **SMALL)
    real, z, mix = batch(made)
    ours, literal = double(made), double(made)

    critic_gradients(*ours, made, real, z, mix)
    ours[0].zero_grad()
    literal_critic_loss(*literal, made, real, z, mix).backward()
    same(gradients(ours[1]), gradients(literal[1]))

    ours, literal = double(made), double(made)
    ours[1].requires_grad_(False)
    generator_gradients(*ours, made, z)
    literal_generator_loss(*literal, made, z).backward()
    same(gradients(ours[0]), gradients(literal[0]))


@pytest.mark.parametrize("system", ["dcgan", "wgan-gp"])
def test_without_a_robust_part_it_is_a_plain_gan_step_bit_for_bit(system):
    """The same run written out by hand with torch's own functions: equal weights after five iterations."""
    data = datasets.load("digits")
    made = recipe(system, None, **SMALL)
    trainer = Trainer(made, data, seed=4, device="cpu", precision="float32")
    for _ in range(5):
        trainer.step()

    generator, critic = (network.to(memory_format=torch.channels_last) for network in fresh(made, 4))
    options = {"lr": made.learning_rate, "betas": made.betas}
    adam_g = torch.optim.Adam(generator.parameters(), **options)
    adam_d = torch.optim.Adam(critic.parameters(), **options)
    rng = torch.Generator().manual_seed(4)
    order = iter(torch.randperm(len(data.images), generator=rng).split(made.batch))
    bce = nn.functional.softplus
    for _ in range(5):
        for _ in range(made.critic_steps):
            real = data.images[next(order)].float() / 127.5 - 1
            fake = generator(torch.randn(made.batch, made.latent, generator=rng)).detach()
            mix = torch.rand(made.batch, generator=rng)
            y_real, y_fake = critic(real), critic(fake)
            if system == "dcgan":
                loss = (bce(-y_real) / 2).mean() + (bce(y_fake) / 2).mean()
            else:
                between = (real + mix.view(-1, 1, 1, 1) * (fake - real)).requires_grad_()
                (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
                loss = -y_real.mean() + y_fake.mean() + 10 * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
            adam_d.zero_grad()
            loss.backward()
            adam_d.step()
        score = critic(generator(torch.randn(made.batch, made.latent, generator=rng)))
        loss = (bce(-score) if system == "dcgan" else -score).mean()
        adam_g.zero_grad()
        loss.backward()
        adam_g.step()

    for ours, plain in ((trainer.generator, generator), (trainer.critic, critic)):
        for (name, a), b in zip(ours.named_parameters(), plain.parameters(), strict=True):
            if not torch.equal(a, b):
                # Summation order inside one kernel may differ where the reference norm is written differently.
                assert system == "wgan-gp" and torch.allclose(a, b, atol=1e-6), name


def test_more_steps_find_a_worse_perturbation():
    """On a fixed network the worst-minus-original gap grows with the solver's steps."""
    gaps = []
    for steps in (1, 8):
        made = recipe("dcgan", Robust(noise_radius=1.0, weight=1.0, steps=steps, players="generator"), **SMALL)
        generator, critic = double(made)
        critic.requires_grad_(False)
        gaps.append(float(generator_gradients(generator, critic, made, batch(made)[1])["worst_gap"]))
    assert gaps[1] > gaps[0] > 0


@pytest.mark.parametrize(("players", "changed"), [("generator", (True, False)), ("critic", (False, True))])
def test_players_switch_the_robust_terms(players, changed):
    results = {}
    for who in (None, players):
        robust = Robust(noise_radius=1.0, image_radius=1.0, weight=1.0, players=who) if who else None
        made = recipe("dcgan", robust, **SMALL)
        real, z, mix = batch(made)
        generator, critic = double(made)
        critic_gradients(generator, critic, made, real, z, mix)
        of_critic = gradients(critic)
        generator, critic = double(made)
        critic.requires_grad_(False)
        generator_gradients(generator, critic, made, z)
        results[who] = gradients(generator), of_critic
    for index, expected in enumerate(changed):
        pairs = zip(results[None][index].values(), results[players][index].values(), strict=True)
        assert any(not torch.equal(a, b) for a, b in pairs) is expected


def test_official_dcgan_critic_is_the_published_sum():
    """Cross-entropy halved, .3 of it whole at worst noise, .1 Σ(D(x̂+r) − D(x̂))² on either interpolates."""
    made = recipe("dcgan", "official", critic_norm="none", **SMALL)
    real, z, mix = batch(made)
    generator, critic = double(made)
    critic_gradients(generator, critic, made, real, z, mix)
    ours = gradients(critic)

    generator, critic = double(made)
    bce = nn.functional.binary_cross_entropy_with_logits

    def direction(loss, x):
        (slope,) = torch.autograd.grad(loss, x)
        return slope / slope.flatten(1).norm(dim=1).view(-1, *[1] * (x.dim() - 1))

    point = z.clone().requires_grad_()
    score = critic(generator(point))
    worst = generator(z + 0.01 * direction(bce(score, torch.ones_like(score)), point)).detach()
    fake = generator(z).detach()
    y_real, y_fake, y_worst = critic(real), critic(fake), critic(worst)
    total = (bce(y_real, torch.ones_like(y_real)) + bce(y_fake, torch.zeros_like(y_fake))) / 2
    total = total + 0.3 * bce(y_worst, torch.zeros_like(y_worst))
    for fakes in (fake, worst):
        between = (real + mix.view(-1, 1, 1, 1) * (fakes - real)).detach().requires_grad_()
        score = critic(between)
        r = direction(bce(score, torch.zeros_like(score)), between)
        total = total + 0.1 * (critic(between.detach() + r) - critic(between.detach())).square().sum()
    critic.zero_grad()
    total.backward()
    same(ours, gradients(critic), 1e-7)


def test_official_wgan_gp_generator_is_the_published_sum():
    made = recipe("wgan-gp", "official", **SMALL)
    z = batch(made)[1]
    generator, critic = double(made)
    critic.requires_grad_(False)
    generator_gradients(generator, critic, made, z)
    ours = gradients(generator)

    generator, critic = double(made)

    def direction(of, at):
        (slope,) = torch.autograd.grad(-critic(of).mean(), at, retain_graph=True)
        return slope / slope.flatten(1).norm(dim=1).view(-1, *[1] * (at.dim() - 1))

    point = z.clone().requires_grad_()
    r = direction(generator(point), point)
    clean, worst = generator(z), generator(z + 0.01 * r)
    total = -critic(clean).mean() - critic(worst).mean()
    for images in (clean, worst):
        total = total - 0.001 * critic(images + 4 * direction(images, images).detach()).mean()
    generator.zero_grad()
    total.backward()
    same(ours, gradients(generator), 1e-7)


def test_gradient_penalty_against_finite_differences():
    """Slope by central differences along every pixel, then the derivative of the penalty along one weight."""
    made = recipe("wgan-gp", size=25, channels=1, width=1, latent=2)
    critic = fresh(made, 0)[1].double()
    rng = torch.Generator().manual_seed(0)
    x = torch.rand(1, 1, 25, 25, generator=rng, dtype=torch.float64)
    step = 1e-6

    def slope() -> torch.Tensor:
        with torch.no_grad():
            eye = torch.eye(625, dtype=torch.float64).view(625, 1, 25, 25)
            return (critic(x + step * eye) - critic(x - step * eye)) / (2 * step)

    assert torch.allclose(gradient_penalty(critic, x)[0], (slope().norm() - 1) ** 2, rtol=1e-5)
    weight = critic.score.weight
    gradient_penalty(critic, x).sum().backward()
    index = int(weight.grad.abs().argmax())
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            weight.view(-1)[index] += sign * 1e-5
        ends.append(float((slope().norm() - 1) ** 2))
        with torch.no_grad():
            weight.view(-1)[index] -= sign * 1e-5
    assert float(weight.grad.view(-1)[index]) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-3)


def test_interpolates_lie_on_the_segment_and_carry_no_gradient():
    real, fake = torch.zeros(3, 1, 2, 2, requires_grad=True), torch.ones(3, 1, 2, 2)
    points = interpolate(real, fake, torch.tensor([0.0, 0.25, 1.0]))
    assert points[:, 0, 0, 0].tolist() == [0.0, 0.25, 1.0] and not points.requires_grad


def test_a_seed_decides_everything():
    data = datasets.load("digits")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        weights = []
        for seed in (1, 1, 2):
            trainer = Trainer(recipe("dcgan", Robust(1.0, 1.0, 1.0), **SMALL), data, seed=seed, precision="float32")
            torch.rand(3)  # the global stream must not matter
            for _ in train(trainer, 4):
                pass
            weights.append(trainer.gan().sampler.state_dict())
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(weights[0].values(), weights[1].values(), strict=True))
    assert not torch.equal(weights[0]["up1.weight"], weights[2]["up1.weight"])


def test_the_average_follows_its_formula():
    data = datasets.load("digits")
    made = recipe("dcgan", **SMALL, ema=0.5)
    trainer = Trainer(made, data, seed=0, precision="float32")
    expected = None
    for count in range(6):
        trainer.step()
        new = trainer.generator.up1.weight.detach().clone()
        keep = min(0.5, (1 + count) / (10 + count))
        expected = new if expected is None else keep * expected + (1 - keep) * new
    assert torch.allclose(trainer.average.module.up1.weight, expected, atol=1e-6)


def test_standing_statistics_are_those_of_the_averaged_generator():
    """Its first batch norm sees W z + b with z ~ N(0, I): mean b and variance ‖W row‖² exactly."""
    trainer = Trainer(recipe("dcgan", channels=1, width=2, latent=8, batch=256), datasets.load("digits"), seed=0)
    trainer.step()
    sampler = trainer.gan().sampler
    assert torch.allclose(sampler.norm1.running_mean, sampler.project.bias, atol=0.06)
    variance = sampler.project.weight.square().sum(dim=1)
    assert torch.allclose(sampler.norm1.running_var, variance, rtol=0.1)


def test_every_image_is_seen_once_before_any_is_seen_twice():
    data = datasets.load("digits")
    trainer = Trainer(recipe("dcgan", channels=1, width=1, latent=2, batch=64), data, seed=0)
    first = torch.cat([trainer._real() for _ in range(16)])  # 1,024 of 1,079
    assert len(torch.unique(first.flatten(1), dim=0)) > 1_000
    assert len(torch.unique(trainer._order)) == len(trainer._order)


def test_divergence_stops_with_words_and_the_last_good_weights(monkeypatch):
    monkeypatch.setattr("rgan.training.trainer.KEEP_EVERY", 2)
    trainer = Trainer(recipe("dcgan", **SMALL), datasets.load("digits"), seed=0, precision="float32")
    steps = train(trainer, 100)
    for _ in range(4):
        next(steps)
    good = trainer.generator.up1.weight.detach().clone()
    with torch.no_grad():
        trainer.generator.up1.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="iteration 4 are kept") as caught:
        next(steps)
    assert torch.equal(caught.value.gan.generator.up1.weight, good)
    assert all(torch.isfinite(p).all() for p in caught.value.gan.sampler.parameters())


def test_stopping_is_no_longer_asking():
    trainer = Trainer(recipe("dcgan", **SMALL), datasets.load("digits"), seed=0)
    seen = [p.iteration for p in itertools.islice(train(trainer, 1000), 3)]
    assert seen == [1, 2, 3] and trainer.iteration == 3
    assert trainer.gan().training.iterations == 3


def test_history_is_thinned_and_ends_at_the_end():
    trainer = Trainer(recipe("dcgan", channels=1, width=1, latent=2, batch=2), datasets.load("digits"), seed=0)
    for _ in train(trainer, 7):
        pass
    assert [row["iteration"] for row in trainer.history] == [1, 2, 3, 4, 5, 6, 7]
    assert {"generator", "critic", "real", "fake"} <= trainer.history[-1].keys()


def test_a_snapshot_is_independent_of_further_training():
    trainer = Trainer(recipe("dcgan", **SMALL), datasets.load("digits"), seed=0)
    trainer.step()
    gan = trainer.gan()
    before = copy.deepcopy(gan.sampler.state_dict())
    trainer.step()
    assert all(torch.equal(a, before[name]) for name, a in gan.sampler.state_dict().items())
    assert not any(p.requires_grad for p in gan.critic.parameters())
    assert trainer.generator.up1.weight.requires_grad and trainer.generator.training


def test_images_of_another_shape_are_refused():
    with pytest.raises(DataError, match=r"\(3, 32, 32\)"):
        Trainer(recipe("dcgan", width=1, latent=2), datasets.load("digits"), seed=0)


def test_a_penalised_critic_with_batch_norm_is_refused():
    with pytest.raises(SettingsError, match="batch norm mixes images"):
        recipe("wgan-gp", critic_norm="batch")
