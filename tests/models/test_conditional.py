"""All classes in turn: sample i is of class i mod their number, wherever its noise goes, and only the noise moves."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from torch import nn

import rgan
from rgan.attack.path import LivePath, Request
from rgan.attack.search import Attack
from rgan.cli.main import main
from rgan.common.errors import SettingsError
from rgan.common.images import to_uint8
from rgan.embedding.figure4 import Choice, panel
from rgan.metrics import judges
from rgan.models.gan import EACH
from rgan.robustness.blind_test import BlindTestPlan, pairs
from rgan.robustness.checks import check_attack
from rgan.robustness.curves import CurvesPlan, curves_of
from rgan.robustness.failures.failure import failure, of_pool
from rgan.robustness.failures.pool import PoolPlan, pool
from rgan.robustness.measured import JudgedGan
from rgan.robustness.minimal_radius import minimal_radii
from rgan.robustness.one_radius import one_radius, transfer
from rgan.robustness.play import play

KINDS, LATENT = 3, 6


class Drawing(nn.Module):
    """Each class by a map of its own, so that a sample of another class has another image."""

    def __init__(self):
        super().__init__()
        self.maps = nn.Parameter(torch.randn(KINDS, LATENT, 32 * 32, generator=torch.Generator().manual_seed(1)) / 2)

    def forward(self, z, labels):
        return torch.einsum("nd,ndp->np", z, self.maps[labels]).tanh().view(-1, 1, 32, 32)


class Judging(nn.Module):
    """Each class by directions of its own."""

    def __init__(self):
        super().__init__()
        self.rows = nn.Parameter(torch.randn(KINDS, 32 * 32, generator=torch.Generator().manual_seed(2)) / 20)

    def forward(self, images, labels):
        return (images.flatten(1) * self.rows[labels]).sum(1)


@pytest.fixture(scope="module")
def gan():
    return rgan.wrap(Drawing(), Judging(), latent=LATENT, classes=KINDS, data="digits")


@pytest.fixture(scope="module")
def judged(gan):
    return JudgedGan(gan.of_class(EACH), judges.shipped("digits"), device="cpu")


def drawn(z, labels):
    """What the network itself draws, in [−1, 1]."""
    with torch.no_grad():
        return Drawing()(z, torch.as_tensor(labels) % KINDS)


def loss(z, labels):
    """What the generator pays by the critic itself: −log σ(score)."""
    with torch.no_grad():
        return nn.functional.softplus(-Judging()(drawn(z, labels), torch.as_tensor(labels) % KINDS))


def test_images_and_scores_are_of_each_class_in_turn(gan):
    turn, z = gan.of_class(EACH), gan.noise(500, 0)
    numbers = torch.arange(500)
    torch.testing.assert_close(turn.images(z), drawn(z, numbers), atol=1e-5, rtol=1e-4)
    with torch.no_grad():
        scores = Judging()(drawn(z, numbers), numbers % KINDS)
    torch.testing.assert_close(turn.score(turn.images(z)), scores, atol=1e-4, rtol=1e-3)
    assert turn is gan.of_class(EACH) and turn.of_class(0) is gan
    some = turn.of_samples([4, 2, 7])
    torch.testing.assert_close(some.images(z[[4, 2, 7]]), drawn(z[[4, 2, 7]], [4, 2, 7]), atol=1e-5, rtol=1e-4)
    twice = torch.cat([z[[4, 2, 7]]] * 2)
    torch.testing.assert_close(some.images(twice), drawn(twice, [4, 2, 7] * 2), atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="rows of 3 samples"):
        some.images(z[:4])
    assert gan.of_class(1).of_samples([4]) is gan.of_class(1)


@pytest.mark.parametrize("objective", ["critic", "change"])
def test_an_attack_moves_noise_and_no_class(gan, objective):
    """More samples than one call takes, so that their order must survive it."""
    turn, z = gan.of_class(EACH), gan.noise(300, 5)
    found = rgan.perturb(turn, z, radius=1.0, objective=objective, budget=12)
    numbers = torch.arange(300)
    if objective == "critic":
        before, after, random = (loss(z + move, numbers) for move in (0, found.r, found.random))
    else:
        original = drawn(z, numbers)
        before, after, random = (
            50 * (drawn(z + move, numbers) - original).square().mean((1, 2, 3)).sqrt()
            for move in (0, found.r, found.random)
        )
    torch.testing.assert_close(found.loss_original, before, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found.loss_worst, after, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found.loss_random, random, atol=1e-3, rtol=1e-3)
    assert (found.loss_worst > found.loss_random).float().mean() > 0.9
    if objective == "critic":  # without random starts each sample is searched as it is in a search of its class alone
        for kind in range(KINDS):
            alone = rgan.perturb(gan.of_class(kind), z[kind::KINDS], radius=1.0, budget=10, objective=objective)
            beside = rgan.perturb(turn, z, radius=1.0, budget=10, objective=objective)
            torch.testing.assert_close(beside.r[kind::KINDS], alone.r, atol=1e-3, rtol=1e-2)


def test_an_attack_takes_labels(gan):
    z, labels = gan.noise(5, 1), torch.tensor([2, 2, 0, 1, 0])
    found = rgan.perturb(gan, z, radius=0.5, budget=10, labels=labels)
    torch.testing.assert_close(found.loss_worst, loss(z + found.r, labels), atol=1e-4, rtol=1e-4)
    one = rgan.perturb(gan, z, radius=0.5, budget=10, labels=2)
    torch.testing.assert_close(one.loss_worst, loss(z + one.r, [2] * 5), atol=1e-4, rtol=1e-4)
    for wrong, words in ((labels[:4], "5 whole numbers as labels"), (labels + 1, "label between 0 and 2")):
        with pytest.raises(SettingsError, match=words):
            rgan.perturb(gan, z, labels=wrong)
    plain = rgan.wrap(nn.Sequential(nn.Linear(6, 64), nn.Unflatten(1, (1, 8, 8))), latent=6)
    for ask in (lambda: plain.of_class(EACH), lambda: rgan.perturb(plain, z, objective="change", labels=labels)):
        with pytest.raises(SettingsError, match="one without labels"):
            ask()


def test_all_that_is_measured_is_of_the_samples_classes(judged):
    """Blocks that do not begin at a multiple of the classes, repeats, moves beside each other, one sample alone."""
    turn = judged.gan
    plan = PoolPlan(Attack((1.0,), gradients=4), samples=100)
    *_, found = pool([judged], plan)
    numbers, rows = torch.arange(100), found.rows["A"]
    for kind, move in (("original", 0), *rows.noise.items()):
        torch.testing.assert_close(rows.measures[kind].loss, loss(found.z + move, numbers), atol=1e-3, rtol=1e-3)
    for one in (of_pool(judged, found, "A", 71), failure(judged, plan, 71)):
        for way in one.ways.values():
            noise = torch.from_numpy(way.noise)
            expected = loss(noise, [71] * len(noise)).numpy()
            np.testing.assert_allclose(way.loss, expected, atol=1e-3, rtol=1e-3)
    assert np.allclose(failure(judged, plan, 71).noise, rows.noise["worst"][71], atol=1e-4)

    once = one_radius(judged, Attack((1.0,), gradients=4), samples=20, seed=3)
    fresh = turn.noise(20, 4)
    torch.testing.assert_close(once.measures["fresh"].loss, loss(fresh, torch.arange(20)), atol=1e-3, rtol=1e-3)
    worst = once.perturbation.z + once.perturbation.r
    torch.testing.assert_close(once.measures["worst"].loss, loss(worst, torch.arange(20)), atol=1e-3, rtol=1e-3)
    assert len(check_attack(judged, once.perturbation, 0)) == 4
    assert transfer((judged, judged), (once, once)).loss["A"]["B"].mean == pytest.approx(
        float((once.measures["worst"].loss - once.measures["random"].loss).mean()), abs=1e-3
    )

    along = CurvesPlan((0.5, 1.5), samples=70, repeats=2, gradients=4)
    *_, curves = curves_of([judged], along)
    spans = along.blocks()
    assert len(spans) > 2 and any(rows.start % KINDS for _, rows in spans)
    for block, (_, rows) in zip(curves.blocks["A"], spans, strict=True):
        numbers = torch.arange(rows.start, rows.stop)
        for k in range(2):
            moved = block.z + block.noise["random"][k]
            torch.testing.assert_close(block.measures["random"][k].loss, loss(moved, numbers), atol=1e-3, rtol=1e-3)
    assert len(minimal_radii(judged, curves, "A", "worst").radius) == 140


def test_screens_show_the_samples_classes(judged):
    turn, numbers = judged.gan, (3, 8, 11)
    request = Request(16, 0, 0.0, 10, "ascent", False, 1.0, rows=numbers)
    z = request.noise(turn)
    for source in (judged, turn):
        *_, last = play(source, request)
        assert last.found is not None
        assert np.abs(last.found.original.astype(int) - to_uint8(drawn(z, numbers))).max() <= 1
        np.testing.assert_allclose(last.found.worst.loss[0], loss(z, numbers), atol=1e-3)
    path = LivePath(turn, request)
    torch.testing.assert_close(path.at(0).loss[0], loss(z, numbers), atol=1e-3, rtol=1e-3)

    shown = pairs((turn, turn), BlindTestPlan("broken", 10, 1.0))
    original = to_uint8(drawn(turn.noise(10, 0), torch.arange(10)))
    for number, pair in enumerate(shown):
        assert np.abs(pair.images[1 - pair.target].astype(int) - original[number]).max() <= 1

    with_real = dataclasses.replace(turn, reference=torch.zeros(120, 1, 32, 32, dtype=torch.uint8))
    made = panel("a", with_real, with_real, Choice(points=100, gradients=4))
    fresh = turn.noise(100, 1)
    assert len(panel("b", with_real, with_real, Choice(points=100, gradients=4)).second.images) == 100
    assert np.abs(made.first.images.astype(int) - to_uint8(drawn(fresh, torch.arange(100)))).max() <= 1


def test_the_command_line_takes_all_classes(gan, tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(
        "import rgan\nfrom tests.models.test_conditional import KINDS, LATENT, Drawing, Judging\n"
        "def mine():\n    return rgan.wrap(Drawing(), Judging(), latent=LATENT, classes=KINDS, data='digits')\n"
    )
    monkeypatch.setenv("RGAN_MODELS", str(tmp_path / "mine.py"))
    command = [
        "probe",
        f"{tmp_path}/mine.py:mine",
        "--samples",
        "40",
        "--budget",
        "10",
        "--precision",
        "float32",
        "--json",
    ]
    said = {}
    for word in ("all", "2"):
        assert main([*command, "--class", word]) == 0
        said[word] = json.loads(capsys.readouterr().out)["loss"]
    z = gan.noise(40, 0)
    for word, labels in (("all", torch.arange(40) % KINDS), ("2", 2)):
        expected = rgan.perturb(gan, z, budget=10, labels=labels).summary()["loss"]
        assert said[word] == pytest.approx(expected, abs=1e-4)
    with pytest.raises(SystemExit):
        main([*command, "--class", "-1"])
    assert "expected a class, from 0, or all" in capsys.readouterr().err
