"""The answers that travel with the models: of these models and judges, and what a player of them would draw."""

import dataclasses

import numpy as np
import pytest
import torch

from rgan.attack.objectives import judge_for
from rgan.common.answers import RECORD, Answers, name_of
from rgan.common.geometry import random_directions, separate
from rgan.common.images import from_webp, grid, to_uint8
from rgan.embedding import figure4
from rgan.embedding.figure4 import PANELS, Choice
from rgan.embedding.look import POINTS, Look, drawing_question, question
from rgan.embedding.projections import NEIGHBOURS, Embedding, Layout
from rgan.metrics.judges import MEASURING
from rgan.models import checkpoints
from rgan.models.gan import prior_noise
from rgan.models.portrait import Portrait
from rgan.models.portrait import question as question_of_portrait
from rgan.robustness.at_radius import AtRadius
from rgan.robustness.blind_test import BROKEN, TRIALS, BlindTestPlan, Trials, question_of
from rgan.robustness.encoding import decoded
from rgan.robustness.failures.pool import Pool
from rgan.robustness.first import RADIUS, Hunt, Measured
from rgan.robustness.frames import Frames
from rgan.robustness.measured import JudgedGan
from rgan.robustness.one_radius import Transfer
from rgan.robustness.play import first_request, path_of
from rgan.training import learned
from rgan.training.learned import ROWS, Learned
from rgan.training.runs import COLUMNS, SHOWN
from tests.conftest import ROOT

SHIPPED = ROOT / "checkpoints"
PAIRS = ("faces-dcgan",)  # all of whose results are shipped
SOME = ("mnist-dcgan", "digits-dcgan")  # of whose results some may be


def asked(name):
    """The models of a pair with what they are asked at first."""
    gans = [checkpoints.load(SHIPPED / f"{name}{end}.safetensors") for end in ("", "-robust")]
    judge = judge_for(gans, MEASURING)
    request = dataclasses.replace(first_request(gans[0], judged=True), gradients=200)  # whatever tests of screens spend
    return [(JudgedGan(gan, judge, "cpu"), request) for gan in gans]


def answers(name) -> list[Frames]:
    """The shipped answers of a pair; they are there."""
    found = [Answers([SHIPPED / "answers"], 0).get(path_of(*one)) for one in asked(name)]
    assert None not in found, f"stale: `python -m rgan answers {' '.join(PAIRS)}` makes them anew"
    return [decoded(one) for one in found]


@pytest.mark.parametrize("name", PAIRS)
def test_they_are_of_these_models_and_show_what_they_draw(name):
    for (judged, request), frames in zip(asked(name), answers(name), strict=True):
        z = request.noise(judged.gan)
        images, measures = judged.look(z)
        assert frames.done and frames.gradients == request.gradients
        assert np.abs(frames.original.astype(int) - to_uint8(images)).mean() < 6, "WebP keeps colours nearly"
        assert frames.worst.badness[0] == pytest.approx(measures.badness.numpy(), abs=0.01)
        at = frames.radii.index(2.0)
        steps = (
            random_directions(z.shape, separate(request.seed, "control")) * torch.from_numpy(frames.length[at])[:, None]
        )
        moved = judged.measure(z + steps)
        assert frames.random.badness[at] == pytest.approx(moved.badness.numpy(), abs=0.03)
        assert (frames.length[at] <= 2.001).all() and frames.worst.badness[at].mean() > frames.random.badness[at].mean()


def pair(name):
    """The models of a pair with their judge."""
    a, b = (judged for judged, _ in asked(name))
    return a, b


def result(kind, of, name):
    """A shipped result; it is there."""
    found = Answers([SHIPPED / "answers"], 0).result(kind, of)
    if found is None and name in SOME:
        pytest.skip("not shipped")
    assert found is not None, f"stale: `python -m rgan answers {' '.join(PAIRS)}` makes it anew"
    return found


def seen_again(judged, z, noise, measures, rows):
    """What was measured of some rows is what these models and judges say of the noise that was found."""
    for kind, moved in noise.items():
        again = judged.measure((z + moved)[rows])
        assert again.badness.numpy() == pytest.approx(measures[kind].badness[rows].numpy(), abs=0.01), kind
        assert again.loss.numpy() == pytest.approx(measures[kind].loss[rows].numpy(), rel=0.01, abs=0.01), kind


@pytest.mark.parametrize("name", PAIRS + SOME)
def test_the_evidence_is_of_these_models(name):
    both = pair(name)
    first = Measured(both)
    found = result(AtRadius, first.at_radius_question, name)
    for side, judged in zip("AB", both, strict=True):
        one = found.found[side].perturbation
        assert torch.equal(one.z, judged.gan.noise(first.samples, first.seed))
        assert one.radius == RADIUS and (one.length <= RADIUS + 1e-4).all() and len(found.checks[side]) == 4
        noise = {"original": torch.zeros_like(one.r), "worst": one.r, "random": one.random, "best": one.best_random}
        seen_again(judged, one.z, noise, found.found[side].measures, slice(0, 128, 9))
    moved = result(Transfer, first.transfer_question, name)
    assert moved.badness["A"]["A"].mean == pytest.approx(found.found["A"].beyond("random").mean, abs=1e-6)


@pytest.mark.parametrize("name", PAIRS + SOME)
def test_the_failures_are_of_these_models(name):
    both = pair(name)
    hunt = Hunt.first(both)
    found = result(Pool, hunt.question, name)
    assert found.done and set(found.strength) == {"A", "B"}
    assert torch.equal(found.z, both[0].gan.noise(hunt.plan.samples, hunt.plan.seed))
    for side, judged in zip("AB", both, strict=True):
        rows = found.rows[side]
        noise = {"original": torch.zeros_like(found.z)} | rows.noise
        seen_again(judged, found.z, noise, rows.measures, slice(0, None, 37))


@pytest.mark.parametrize("name", PAIRS)
def test_panels_show_images_of_these_models_where_they_were_drawn(name):
    gans = pair(name)[0].gan, pair(name)[1].gan
    for letter in PANELS:
        looked, tested, pca, tsne = (
            result(kind, of, name)
            for kind, of in zip(
                (Look, figure4.Tested, Embedding, Embedding), panel_questions(letter, gans), strict=True
            )
        )
        assert looked.counts == (POINTS, POINTS) and len(tested.verdicts) == 3 + (letter == "a")
        assert len(pca.first) == len(tsne.second) == POINTS and pca.axes and not tsne.axes
        if letter in "ac":  # what is made of noise that is known
            first, second = looked.images(range(0, POINTS, 40)), looked.images(range(POINTS, 2 * POINTS, 40))
            z = gans[0].noise(POINTS, looked.seeds[0] if letter == "a" else 0)[::40]
            drawn = to_uint8(gans[0].images(z))
            assert np.abs((first if letter == "a" else second).astype(int) - drawn).mean() < 6


@pytest.mark.parametrize("name", PAIRS)
def test_the_blind_test_and_the_learning_are_of_these_models(name):
    gans = pair(name)[0].gan, pair(name)[1].gan
    plan, of = blind(gans)
    shown = result(Trials, of, name).pairs
    assert len(shown) == TRIALS and sum(one.kind == "worst" for one in shown) == TRIALS // 2
    originals = to_uint8(gans[0].images(gans[0].noise(TRIALS, plan.seed)))
    for one, original in zip(shown, originals, strict=True):
        assert np.abs(one.images[1 - one.target].astype(int) - original).max() <= 1
    for gan in gans:
        found = result(Learned, learned.question(gan), name)
        assert found.iterations[-1] == gan.training.iterations and len(found.pictures) == len(found.iterations)
        noise = prior_noise(gan.recipe.latent, max(SHOWN, gan.recipe.batch), gan.training.seed)
        drawn = grid(to_uint8(gan.images(noise[: ROWS * COLUMNS])), COLUMNS)
        last, before = (from_webp(one.tobytes())[: len(drawn) - 1] for one in found.pictures[-1:-3:-1])
        alike = [np.corrcoef(one.ravel(), drawn[:-1].ravel())[0, 1] for one in (last, before)]
        assert alike[0] > 0.95 and alike[0] > alike[1], "a training draws in bfloat16"
        assert {"generator", "critic"} <= set(found.history[-1])


def panel_questions(letter, gans):
    """What is shown of a panel: its look, tests, PCA and t-SNE."""
    choice = Choice(POINTS)
    layouts = (Layout(method, neighbours=NEIGHBOURS[method]) for method in ("pca", "tsne"))
    looked, tested = (question(what, letter, gans, choice) for what in ("look", "tested"))
    return looked, tested, *(drawing_question(letter, gans, choice, layout) for layout in layouts)


def blind(gans):
    """The plan of the first blind test, and its question."""
    judge = judge_for(gans, MEASURING)
    plan = BlindTestPlan(BROKEN, TRIALS, RADIUS, "judge")
    return plan, question_of(gans, plan, judge)


def test_no_other_answers_are_shipped():
    paths, results = ({name_of(path_of(*one)) for name in names for one in asked(name)} for names in (PAIRS, SOME))
    for name in PAIRS + SOME:
        first, hunt = Measured(pair(name)), Hunt.first(pair(name))
        for of in (first.at_radius_question, first.transfer_question, first.curves_question, first.minimal_question):
            results.add(name_of(of, RECORD))
        gans = first.judged_gans[0].gan, first.judged_gans[1].gan
        results |= {name_of(of, RECORD) for of in (hunt.question, blind(gans)[1], *map(learned.question, gans))}
        for letter in PANELS:
            results |= {name_of(of, RECORD) for of in panel_questions(letter, gans)}
    shipped = (checkpoints.glance(path)[1] for path in SHIPPED.glob("*.safetensors"))
    results |= {name_of(question_of_portrait(digest), RECORD) for digest in shipped}
    there = {path.name for path in (SHIPPED / "answers").iterdir()}
    assert paths <= there <= paths | results
    assert sum(path.stat().st_size for path in (SHIPPED / "answers").iterdir()) < 30 * 2**20


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.safetensors")), ids=lambda path: path.stem)
def test_every_shipped_model_has_its_portrait(path):
    digest = checkpoints.glance(path)[1]
    kept = Answers([SHIPPED / "answers"], 0).result(Portrait, question_of_portrait(digest))
    assert kept is not None, f"stale: `python -m rgan answers --parts portraits {path.stem}` makes it anew"
    if path.stem not in ("faces-dcgan", "digits-dcgan"):
        return
    gan = checkpoints.load(path)
    drawn = to_uint8(gan.images(gan.noise(8, 0)))
    sheet = from_webp(kept.sheet.tobytes()).astype(int)
    for index, image in enumerate(drawn):
        top, left = index // 4 * len(image), index % 4 * len(image)
        shown = sheet[top : top + len(image), left : left + len(image)]
        assert np.abs(shown - image).mean() < 6, "WebP keeps colours nearly"
