"""Systems with a companion: their step is the literal Algorithm 1 on plain torch, and what they can do afterwards."""

import copy
import dataclasses
import json

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from rgan.attack.perturbation import perturb
from rgan.attack.search import Attack
from rgan.cli.main import main
from rgan.common import limits
from rgan.common.errors import CheckpointError, SettingsError
from rgan.common.images import to_uint8, to_unit
from rgan.data import datasets
from rgan.embedding.figure4 import Choice, panel
from rgan.importing import conversion
from rgan.metrics import judges
from rgan.models import checkpoints
from rgan.models.gan import Gan, fresh, fresh_companion
from rgan.models.recipes import Recipe, Robust, recipe
from rgan.models.shelf import Shelf
from rgan.models.systems import SYSTEMS
from rgan.networks.companions import Companion
from rgan.networks.layers import MinibatchDiscrimination
from rgan.robustness.failures.pool import PoolPlan, pool
from rgan.robustness.measured import JudgedGan
from rgan.robustness.one_radius import one_radius
from rgan.robustness.read_noise import kept_by_critic, reads, worst_of
from rgan.theory.sample_bounds import measure
from rgan.training.trainer import Trainer
from tests.nightly import mostly_nightly, nightly

COMPANIONS = tuple(name for name, one in SYSTEMS.items() if one.family.companion is not Companion)
SMALL = {"channels": 1, "width": 3, "latent": 5, "batch": 6}
ROBUST = Robust(noise_radius=1.5, image_radius=0.7, weight=2.0)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", size=32)


# ---- the literal algorithm: every loss written out from the papers, every pass made apart


class Literal:
    """Scores and losses of a system, on networks of its own: images and noise in, means out."""

    def __init__(self, made: Recipe, generator: nn.Module, critic: nn.Module, companion: nn.Module):
        self.made, self.generator, self.critic, self.companion = made, generator, critic, companion
        self.k, self.past = 0.0, {"generator": [], "critic": []}
        self.noise = torch.empty(0)

    def real(self, x):
        """The critic's score of real images."""
        if self.made.system != "ali":
            return self.critic(x)
        middle, log_deviation = self.companion.encoder(x).chunk(2, dim=1)
        return self.critic(x, middle + log_deviation.exp() * self.noise)

    def fake(self, y, z):
        return self.critic(y, z) if self.made.system == "ali" else self.critic(y)

    def pays_real(self, x):
        y, smooth = self.real(x), self.made.label_smoothing
        if self.made.system == "began":
            return -y.mean()
        if self.made.system == "egan-ent-vi":
            return softplus(-y).mean() + 0.01 * (y**2).mean()
        return ((1 - smooth) * softplus(-y) + smooth * softplus(y)).mean() / 2

    def pays_fake(self, images, z):
        y = self.fake(images, z)
        if self.made.system == "began":
            return self.k * y.mean()
        if self.made.system == "egan-ent-vi":
            return 0.01 * (y**2).mean() - softplus(-y).mean()
        return softplus(y).mean() / 2

    def pays_generator(self, images, z):
        y = self.fake(images, z)
        return -y.mean() if self.made.system == "began" else softplus(-y).mean()

    def averaging(self, player, network):
        """The penalty's gradient is that of a distance to the mean of what the weights were."""
        if not self.made.historical_averaging or not self.past[player]:
            return 0
        mean = torch.stack(self.past[player]).mean(dim=0)
        flat = torch.cat([p.flatten() for p in network.parameters()])
        return self.made.historical_averaging * ((flat - mean) ** 2).sum()

    def keep(self, player, network):
        self.past[player].append(torch.cat([p.detach().flatten() for p in network.parameters()]))


def pushed(loss, at, radius):
    at = at.detach().requires_grad_()
    (slope,) = torch.autograd.grad(loss(at), at)
    length = slope.flatten(1).norm(dim=1).clamp(min=1e-300).view(-1, *[1] * (at.dim() - 1))
    return at.detach() + radius * slope / length


def critic_step(one: Literal, real, z, noise):
    one.noise, robust = noise, one.made.robust
    fake = one.generator(z).detach()
    total = one.pays_real(real) + one.pays_fake(fake, z) + one.averaging("critic", one.critic)
    if robust is not None:
        worst_real = pushed(one.pays_real, real, robust.image_radius)
        worst_fake = pushed(lambda y: one.pays_fake(y, z), fake, robust.image_radius)
        total = total + robust.weight * (one.pays_real(worst_real) + one.pays_fake(worst_fake, z))
    if one.made.system == "dfm":
        features = one.critic.features_and_score(real)[0].detach()
        total = total + ((one.companion.denoiser(features + noise) - features) ** 2).mean()
    losses = -one.real(real).mean().item(), -one.fake(fake, z).mean().item()
    return total, losses


def generator_step(one: Literal, real, z, noise):
    one.noise, robust = noise, one.made.robust
    images = one.generator(z)
    total = one.pays_generator(images, z) + one.averaging("generator", one.generator)
    if one.made.system == "ali":
        total = total + softplus(one.real(real)).mean()
    if one.made.system == "egan-ent-vi":
        mu, log_sigma = one.companion.inference(images).chunk(2, dim=1)
        normal = torch.distributions.Normal(mu, log_sigma.exp())
        total = total - 0.1 * normal.log_prob(z).sum(dim=1).mean()
    if one.made.system == "dfm":
        features = one.critic.features_and_score(images)[0]
        wanted = one.companion.denoiser.eval()(features).detach()
        one.companion.denoiser.train()
        total = total + 0.03 * ((features - wanted) ** 2).mean()
    if one.made.feature_matching:
        of_real, of_fake = (one.critic.features_and_score(x)[0].mean(dim=0) for x in (real, images))
        total = total + one.made.feature_matching * ((of_real.detach() - of_fake) ** 2).sum()
    if robust is not None:
        worst = pushed(lambda p: one.pays_generator(one.generator(p), p), z, robust.noise_radius)
        total = total + robust.weight * one.pays_generator(one.generator(worst), worst)
        if one.made.system == "ali":
            x = pushed(lambda x: softplus(one.real(x)).mean(), real, robust.image_radius)
            total = total + robust.weight * softplus(one.real(x)).mean()
    return total


CASES = [(system, {}) for system in COMPANIONS] + [("improved-gan", {"feature_matching": 0.3})]


@pytest.mark.parametrize("robust", [pytest.param(None, marks=nightly, id="plain"), pytest.param(ROBUST, id="robust")])
@pytest.mark.parametrize(("system", "more"), CASES, ids=[f"{name}{len(more) or ''}" for name, more in CASES])
def test_steps_are_those_of_the_literal_algorithm_in_float64(system, more, robust, digits, monkeypatch):
    """Three iterations with torch's optimisers; with dropout a literal pass has other masks, so there is none."""
    made = recipe(system, robust, **SMALL, dropout=0, **({"minibatch": 4} if system == "improved-gan" else {}), **more)
    made = dataclasses.replace(made, balance_rate=0.2 if system == "began" else 0)
    trainer = Trainer(made, digits, seed=4, device="cpu", precision="float32")
    networks = trainer.generator, trainer.critic, trainer.companion
    one = Literal(made, *(copy.deepcopy(network).double() for network in networks))
    for network in (*networks, trainer.average):
        network.double()
    drawn: list[torch.Tensor] = []
    for name in ("_real", "_noise", "_mix", "_draw"):
        original = getattr(trainer, name)

        def recorded(*count, original=original, mix=name == "_mix"):
            value = original(*count).double()
            if not mix:
                drawn.append(value)
            return value

        monkeypatch.setattr(trainer, name, recorded)

    beside = [*one.companion.parts("generator")], [*one.companion.parts("critic")]
    settings = {"lr": made.learning_rate, "betas": made.betas, "weight_decay": made.weight_decay}
    update_g = torch.optim.Adam([*one.generator.parameters(), *beside[0]], **settings)
    update_d = torch.optim.Adam(
        [*one.critic.parameters(), *beside[1]], **settings | {"lr": made.learning_rate * made.critic_rate}
    )
    for _ in range(3):
        numbers = trainer.step()
        real, z = drawn.pop(0), drawn.pop(0)
        total, (on_real, on_fake) = critic_step(one, real, z, drawn.pop(0) if system in ("ali", "dfm") else None)
        update_d.zero_grad()
        total.backward()
        update_d.step()
        one.keep("critic", one.critic)
        if system == "began":
            one.k = min(1.0, max(0.0, one.k + 0.2 * (0.5 * on_real - on_fake)))
            assert float(numbers["k"]) == pytest.approx(one.k, abs=1e-12)
            assert float(numbers["convergence"]) == pytest.approx(on_real + abs(0.5 * on_real - on_fake), rel=1e-9)
        z = drawn.pop(0)
        real = drawn.pop(0) if trainer.companion.needs_real() else None
        update_g.zero_grad()
        generator_step(one, real, z, drawn.pop(0) if system == "ali" else None).backward()
        update_g.step()
        one.keep("generator", one.generator)
        assert not drawn
    assert system != "began" or 0 < one.k < 1
    pairs = zip(networks, (one.generator, one.critic, one.companion), strict=True)
    for ours, theirs in pairs:
        for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            # Biases before a norm have gradients of rounding alone, of which Adam makes whole steps.
            rounding = a.grad is None or a.grad.abs().max() < 1e-10
            assert torch.allclose(a, b, rtol=0, atol=7 * made.learning_rate if rounding else 1e-7), name


def test_minibatch_discrimination_is_the_published_layer_and_in_evaluation_stands_alone():
    layer = MinibatchDiscrimination(3, 2).double()
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(generator=rng)
    x = torch.randn(5, 3, generator=rng, dtype=torch.float64)
    theta = layer.directions.weight.detach().view(2, 5, 3)
    weight = theta / theta.norm(dim=2, keepdim=True) * layer.log_scale.detach().exp().view(2, 5, 1)
    expected = torch.zeros(5, 2, dtype=torch.float64)
    for i in range(5):
        for j in range(5):
            if i != j:
                expected[i] += (-(weight @ x[i] - weight @ x[j]).abs().sum(dim=1)).exp() / 4
    with torch.no_grad():
        assert torch.allclose(layer(x), torch.cat([x, expected], dim=1))
        layer.eval()
        whole = layer(x)
        assert torch.allclose(whole[2:3], layer(x[2:3])) and not torch.allclose(whole[:, 3:], expected)


# ---- after training


def trained(system, digits, *, size=32, channels=1, steps=2, **more):
    data = digits
    if (size, channels) != (32, 1):
        images = torch.nn.functional.interpolate(digits.images[:200].float(), size=size).to(torch.uint8)
        data = dataclasses.replace(digits, images=images.repeat(1, channels, 1, 1), labels=None)
    trainer = Trainer(
        recipe(system, ROBUST, **SMALL | {"channels": channels, "size": size}, **more),
        data,
        seed=1,
        device="cpu",
        precision="float32",
    )
    for _ in range(steps):
        trainer.step()
    return trainer.gan()


SHAPES = [(system, *shape) for system in COMPANIONS for shape in ((32, 1), (64, 3))]


@pytest.mark.parametrize(
    "case", mostly_nightly(SHAPES, ("ali", 32, 1), ("improved-gan", 64, 3)), ids=lambda case: "-".join(map(str, case))
)
def test_it_is_kept_attacked_judged_and_embedded(case, digits, tmp_path):
    """Its file gives the same losses one by one; worst noise beats random; evidence, failures, panels, theory run."""
    system, size, channels = case
    checkpoints.save(trained(system, digits, size=size, channels=channels), tmp_path / "gan.safetensors")
    gan = checkpoints.load(tmp_path / "gan.safetensors")
    uploaded = conversion.read([("mine.safetensors", (tmp_path / "gan.safetensors").read_bytes())])
    again = checkpoints.load(Shelf(tmp_path / "shelf", 1, limits.MIB * 8).add("mine", uploaded))
    assert again.digest == gan.digest and type(again.companion) is type(gan.companion)
    z = gan.noise(8, 0)
    beside = (z,) if system == "ali" else ()
    with torch.no_grad():
        images = gan.sampler(z)
        expected = gan.recipe.criterion.generator(gan.critic(images, *beside))
    assert torch.allclose(gan.probe().loss(z), expected, atol=1e-5)
    assert torch.allclose(torch.cat([gan.probe().loss(row[None]) for row in z]).detach(), expected, atol=1e-5)
    found = perturb(gan, z, Attack((2.0,), gradients=6), precision="float32", device="cpu")
    assert found.beaten >= 6 and (found.loss_worst >= found.loss_original - 1e-6).all()
    if size == 32:
        judged = JudgedGan(gan, judges.shipped("digits"), device="cpu")
        assert (
            one_radius(judged, Attack((1.0,), gradients=3), samples=6, seed=0).measures["worst"].loss.isfinite().all()
        )
        *_, kept = pool([judged], PoolPlan(Attack((1.0,), gradients=2), 8, seed=3))
        assert len(kept.rows["A"]) == 8
        for which, space in (("b", "critic-a"), ("c", "critic-a")):
            made = panel(which, gan, gan, Choice(points=20, gradients=2, features=space))
            assert torch.from_numpy(made.first.sample.points).isfinite().all()
        assert torch.isfinite(torch.tensor(measure(gan, seed=0).value))


def test_a_companion_belongs_to_its_gan():
    made = recipe("ali", **SMALL)
    with pytest.raises(SettingsError, match="Inference"):
        Gan(made, *fresh(made, 0))
    first, second = fresh_companion(made, 0), fresh_companion(made, 0)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    with pytest.raises(SettingsError, match="no such term"):
        recipe("dcgan", entropy=0.1)
    with pytest.raises(SettingsError, match="minibatch"):
        recipe("improved-gan", gradient_penalty=10.0)


def test_noise_is_read_from_real_images_by_those_that_can(digits):
    images = to_unit(digits.images[:3])
    for system in ("ali", "egan-ent-vi"):
        gan = trained(system, digits)
        network = gan.companion.encoder if system == "ali" else gan.companion.inference
        with torch.no_grad():
            assert torch.equal(gan.encode(images), network(images)[:, :5])
        found, gallery = worst_of(gan, digits.images[:3], Attack((1.0,), gradients=4))
        assert torch.equal(found.z, gan.encode(images)) and found.beaten >= 2 and reads(gan)
        assert [len(row) for _, row in gallery.rows] == [3] * 4
        assert (gallery.rows[0][1] == to_uint8(images)).all()
        assert (gallery.rows[2][1] == to_uint8(gan.images(found.z + found.r))).all()
    assert not reads(trained("dfm", digits))
    with pytest.raises(SettingsError, match="ALI and EGAN-Ent-VI"):
        trained("dfm", digits).encode(images)


def test_began_shows_what_its_critic_keeps(digits):
    gan = trained("began", digits)
    images = to_unit(digits.images[:3])
    with torch.no_grad():
        kept = gan.critic.reconstruct(images)
    assert kept.shape == images.shape
    gallery = kept_by_critic(dataclasses.replace(gan, reference=digits.images[:3]), 3)
    assert (gallery.rows[1][1] == to_uint8(kept)).all() and [len(row) for _, row in gallery.rows] == [3] * 4
    assert kept_by_critic(trained("dfm", digits)) is None
    scores, k = gan.score(images), float(gan.companion.k)
    assert k > 0 and torch.allclose(gan.criterion.fake(scores), k * scores)  # what the critic paid at the end
    assert torch.allclose(gan.score(images), -(kept - images).abs().mean(dim=(1, 2, 3)), atol=1e-6)


def test_a_file_without_its_companion_is_refused(digits, tmp_path):
    from safetensors import safe_open
    from safetensors.torch import save_file

    path = tmp_path / "gan.safetensors"
    checkpoints.save(trained("began", digits), path)
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys() if name != "companion.k"}  # noqa: SIM118
        facts = file.metadata()
    save_file(tensors, path, facts)
    with pytest.raises(CheckpointError, match=r"companion\.k"):
        checkpoints.load(path)


def test_the_command_begins_at_real_images(digits, tmp_path, capsys):
    checkpoints.save(trained("ali", digits), tmp_path / "ali.safetensors")
    checkpoints.save(trained("dfm", digits), tmp_path / "dfm.safetensors")
    common = ["--samples", "4", "--budget", "4", "--precision", "float32", "--json"]
    picture = tmp_path / "worst.png"
    assert main(["probe", str(tmp_path / "ali.safetensors"), "--real", "--picture", str(picture), *common]) == 0
    report = json.loads(capsys.readouterr().out)
    gan = checkpoints.load(tmp_path / "ali.safetensors")
    z = gan.encode(to_unit(digits.some(512)[:4]))
    assert report["samples"] == 4 and report["prior_radius"] == pytest.approx(float(z.norm(dim=1).mean()), rel=1e-5)
    _, gallery = worst_of(gan, digits.some(512)[:4], Attack((1.0,), gradients=4))
    assert picture.read_bytes() == gallery.picture
    assert main(["probe", str(tmp_path / "dfm.safetensors"), "--real", *common]) == 2
    assert "ALI and EGAN-Ent-VI" in capsys.readouterr().err
