"""The laboratory's trainings, worst moves and measures, each against an answer found in another way."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
import torch

from rgan.attack.search import Attack, run
from rgan.common.answers import RECORD, name_of
from rgan.common.errors import SettingsError
from rgan.theory.laboratory import points, ready, twins
from rgan.theory.laboratory.experiment import MEASURED, Experiment, thinned
from rgan.theory.laboratory.frames import SHOWN, SIDE, UNIT, packed
from rgan.theory.laboratory.lessons import LESSONS
from rgan.theory.laboratory.measures import Sample, measures
from rgan.theory.laboratory.moves import QUICK, PlaneAttack, field, moves, worst_of_all
from rgan.theory.laboratory.settings import SIDES, Settings
from rgan.theory.laboratory.twins import Event, Plan, Twins, advance, as_points, begin

SMALL = Settings(generator_width=16, critic_width=16)


@pytest.fixture(scope="module")
def trained() -> Twins:
    twins = Twins(SMALL)
    for _ in range(120):  # until the critic has something to say
        twins.step()
    return twins


def equal(a: Twins, b: Twins) -> bool:
    return all(torch.equal(one, b.state()[name]) for name, one in a.state().items())


def at_end(plan: Plan) -> Twins:
    twins, at = begin(plan)
    *_, last = advance(twins, at, plan)
    assert last == plan
    return twins


@pytest.mark.parametrize("name", [name for name in points.DATA if name != "drawn"])
def test_data_lie_at_their_modes_with_an_equal_share_each(name):
    source = points.source(name)
    found = source.sample(4000, torch.Generator().manual_seed(1))
    assert found.shape == (4000, 2) and float(found.abs().max()) < points.PLANE
    distance, which = torch.cdist(found, source.modes).min(dim=1)
    assert float((distance <= source.near).float().mean()) > 0.97
    shares = torch.bincount(which, minlength=len(source.modes)) / 4000 * len(source.modes)
    assert float((shares - 1).abs().max()) < 0.35
    assert points.covered(found, source.modes, source.near) == len(source.modes)
    half = found[which < len(source.modes) // 2]
    assert points.covered(half, source.modes, source.near) == len(source.modes) // 2


def test_drawn_points_are_data_and_none_is_refused():
    source = points.source("drawn", ((0.5, -1.0), (1.0, 1.0)))
    found = source.sample(500, torch.Generator().manual_seed(0))
    assert float(torch.cdist(found, source.modes).min(dim=1).values.max()) < 5 * points.SPREAD
    with pytest.raises(SettingsError, match="click into the plane"):
        Settings(data="drawn")


def test_transport_is_the_least_of_all_assignments():
    a, b = (torch.rand(6, 2, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    best = min(
        float((a - b[list(order)]).norm(dim=1).double().mean()) for order in itertools.permutations(range(len(b)))
    )
    assert points.transport(a, b) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("loss", ["log", "wasserstein", "hinge"])
def test_one_plan_gives_bitwise_one_state_however_it_is_cut(loss):
    settings = dataclasses.replace(SMALL, loss=loss)
    plan = Plan(settings, 12)
    experiment = Experiment.of(plan)
    for steps in (3, 7, 12):
        experiment.to(plan.until(steps), 0.3, 0.0, stride=2, seconds=60)
    assert experiment.at == plan and equal(experiment.twins, at_end(plan))
    copied = Experiment.of(plan.until(5))
    copied.twins = at_end(plan.until(5)).copy()
    copied.at = plan.until(5)
    copied.to(plan, 0.3, 0.0, stride=9, seconds=60)
    assert equal(copied.twins, experiment.twins)
    assert not equal(at_end(Plan(dataclasses.replace(settings, seed=1), 12)), experiment.twins)


def test_changes_on_the_way_and_steps_of_one_player_are_told_by_the_plan():
    twins = Twins(SMALL)
    plan = Plan(SMALL)
    for _ in range(4):
        twins.step()
    plan = dataclasses.replace(plan, steps=4)
    other = dataclasses.replace(SMALL, loss="hinge", noise_radius=1.0, critic_steps=2)
    plan = plan.changed(other).played("critic").played("generator")
    twins.become(other)
    twins.critic_step()
    twins.generator_step()
    for _ in range(3):
        twins.step()
    plan = dataclasses.replace(plan, steps=7)
    assert plan.prefix(0, 0).settings == SMALL and plan.until(3).settings == SMALL
    assert equal(at_end(plan), twins)
    assert plan.follows(plan.until(2)) and plan.follows(Plan(SMALL)) and not plan.follows(Plan(other))
    assert plan.changed(dataclasses.replace(other, seed=3)) == Plan(dataclasses.replace(other, seed=3))


def test_a_plan_that_cannot_be_is_refused():
    for past in ((Event(5, "critic"),), (Event(2, "critic"), Event(1, "critic")), (Event(1, "data", "ring"),)):
        with pytest.raises(SettingsError):
            Plan(SMALL, 3, past)


def test_twins_begin_alike_and_only_the_robust_part_parts_them():
    state = Twins(SMALL).state()
    assert all(torch.equal(one, state["B" + name[1:]]) for name, one in state.items() if name.startswith("A"))
    for weight, alike in ((0.0, True), (1.0, False)):
        state = at_end(Plan(dataclasses.replace(SMALL, weight=weight), 3)).state()
        same = all(torch.allclose(one, state["B" + name[1:]]) for name, one in state.items() if name.startswith("A"))
        assert same is alike


@pytest.mark.parametrize(("price", "radius"), [(0.0, 0.5), (0.3, 0.5), (1.0, 0.5), (0.5, 1.0)])
def test_the_attack_and_the_search_of_the_whole_disk_agree_to_one_per_cent(trained, price, radius):
    """The attack climbs gradients, the other looks everywhere and takes none: two independent answers."""
    z = points.on_grid(2.5, 5)
    for side in SIDES:
        gan = trained.gan(side)
        both = moves(gan, z, PlaneAttack((radius,), price, gradients=2000), truth=True)
        gained = both.found.value - both.found.loss_original
        most = both.truth_value - both.found.loss_original
        assert float(gained.sum()) == pytest.approx(float(most.sum()), rel=0.01)
        assert float(both.share.median()) > 0.99
        r, value = worst_of_all(gan.probe().loss, z, radius, price, QUICK)
        quick = value - both.found.loss_original
        assert float(quick.sum()) == pytest.approx(float(most.sum()), rel=0.01)
        again = gan.probe().loss(z + r) - price * r.square().sum(dim=1)
        assert torch.allclose(again, value, atol=1e-5) and float(r.norm(dim=1).max()) <= radius * (1 + 1e-5)


def test_places_lend_each_other_a_narrow_hill_and_spend_their_budget_at_most():
    """A hill 0.01 wide is known by its formula; few places meet it alone, all whose ball reaches it get it."""
    top, radius, gradients, taken = torch.tensor([0.31, -0.17]), 1.0, 200, []

    def hill(x):
        taken.append((len(x), x.requires_grad))
        return (-(x - top).square().sum(dim=1) / 0.0002).exp() + 0.01 * x[:, 0]

    z = points.on_grid(2.0, 13)
    reach = (z - top).norm(dim=1) < radius
    attack = PlaneAttack((radius,), 0.01, gradients=gradients)
    alone = run(hill, z, attack, seed=0).loss[0, reach]
    taken.clear()
    found = field(hill, z, attack, seed=0)
    assert 3 < int((alone < 0.5).sum()) < len(alone)
    assert float(found.loss[0, reach].min()) > 0.99 and float(found.noise.norm(dim=-1).max()) <= radius * (1 + 1e-5)
    steps, looks = (sum(rows for rows, slope in taken if slope is kind) for kind in (True, False))
    assert steps + looks / 3 <= (gradients + 2) * len(z)


def test_the_whole_disk_is_searched_where_the_answer_is_known():
    z = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    towards = torch.tensor([0.6, -0.8])
    r, value = worst_of_all(lambda x: x @ towards, z, 0.7)
    assert torch.allclose(value, z @ towards + 0.7, atol=1e-4)
    assert torch.allclose(r, (0.7 * towards).expand_as(r), atol=0.02)
    r, value = worst_of_all(lambda x: x @ towards, z, 2.0, 0.5)  # r = unit / (2λ)
    assert torch.allclose(value, z @ towards + 0.5, atol=1e-4) and torch.allclose(r, towards.expand_as(r), atol=0.02)


def test_measures_are_those_of_the_points(trained):
    sample = Sample.of(SMALL)
    gan = trained.gan("A")
    found = measures(gan, SMALL, sample, 0.5)
    made = as_points(gan.probe().images(sample.z))
    assert found.distance == pytest.approx(points.transport(made, sample.real))
    assert found.of == 8 and found.loss == pytest.approx(float(gan.probe().loss(sample.z[:64]).mean()), abs=1e-5)
    assert found.worst > max(found.random, 0) and found.critic > 0
    nothing = measures(gan, SMALL, sample, 0.0)
    assert (nothing.worst, nothing.random, nothing.critic) == pytest.approx((0, 0, 0), abs=1e-5)


def test_pictures_are_those_of_the_networks(trained):
    experiment = Experiment(trained.copy(), Plan(SMALL, 120))
    stretch = experiment.to(Plan(SMALL, 126), 0.5, 0.0, stride=3, seconds=60)
    assert stretch.steps == (123, 126)
    gan, sample = experiment.twins.gan("B"), Sample.of(SMALL)
    made = as_points(gan.probe().images(sample.z[:SHOWN])).numpy()
    assert np.abs(stretch.arrays["B.points"][-1] / UNIT - made).max() <= 1 / UNIT
    lattice = points.on_grid(points.PLANE, SIDE["landscape"])
    drawn = stretch.arrays["B.landscape"][-1].reshape(-1) / 255
    scores = torch.sigmoid(gan.probe().score(lattice[:, :, None, None])).numpy()
    assert np.abs(drawn - scores).max() < 0.01
    x, h = sample.z[:1].clone(), 1e-3
    start = as_points(gan.probe().images(x))
    push = stretch.arrays["B.pushes"][-1][0] / UNIT
    cost = gan.probe().cost
    slope = [
        float(cost((start + h * e)[:, :, None, None]) - cost((start - h * e)[:, :, None, None]))
        for e in torch.eye(2)[:, None]
    ]
    assert push @ np.array(slope) < 0, "the push leads down the loss"

    data = packed({"steps": stretch.steps}, stretch.arrays)
    length = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + length])
    at = 4 + length
    for name, kind, shape in head["arrays"]:
        at += -at % 4
        one = stretch.arrays[name]
        size = int(np.prod(shape))
        read = np.frombuffer(data, {"U": "u1", "I": "<i2", "F": "<f4"}[kind[0]], size, at).reshape(shape)
        assert np.array_equal(read, one)
        at += read.nbytes
    assert at == len(data)


def test_rows_come_at_fixed_steps_and_few_of_them_are_shown():
    experiment = Experiment.of(Plan(SMALL))
    plan = Plan(SMALL, 2 * MEASURED + 10)
    while experiment.at != plan:
        experiment.to(plan, 0.5, 0.0, stride=20)
    assert [row.steps for row in experiment.rows] == [MEASURED, 2 * MEASURED]
    rows = experiment.rows * 60
    assert len(thinned(rows)) <= 100 and thinned(rows)[-1]["steps"] == 2 * MEASURED


def test_a_training_that_was_kept_goes_on_as_if_it_had_never_stopped(tmp_path):
    plan = Plan(dataclasses.replace(SMALL, loss="hinge"), 6)
    experiment = Experiment.of(plan)
    experiment.to(plan, 0.5, 0.0, stride=99, seconds=60)
    experiment.measure(0.5, 0.0)
    ready.keep(experiment, tmp_path)
    kept = ready.ready(plan, tmp_path)
    assert kept.at == plan and kept.rows == experiment.rows and equal(kept.twins, experiment.twins)
    later = dataclasses.replace(plan, steps=11)
    kept.to(later, 0.5, 0.0, stride=99, seconds=60)
    assert equal(kept.twins, at_end(later))
    assert ready.ready(later, tmp_path) is None, "one of another plan"


@pytest.mark.parametrize("changed", ["batch", "robust part", "noise"])
def test_a_state_of_another_algorithm_is_not_taken(tmp_path, monkeypatch, changed):
    plan = Plan(SMALL, 4)
    experiment = Experiment.of(plan)
    experiment.to(plan, 0.5, 0.0, stride=99, seconds=60)
    ready.keep(experiment, tmp_path)
    assert ready.ready(plan, tmp_path) is not None
    if changed == "batch":
        monkeypatch.setattr(twins, "BATCH", 64)
    elif changed == "robust part":
        monkeypatch.setattr(twins.Settings, "robust", property(lambda self: None))
    else:
        monkeypatch.setattr(twins, "noise", lambda prior, count, stream: torch.rand(count, 2, generator=stream))
    assert ready.ready(plan, tmp_path) is None


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.key)
def test_every_lesson_stands_ready(lesson):
    """Its first measures are those of a training made anew, until which processors hardly part."""
    found = ready.ready(lesson.plan)
    assert found is not None, "stale: `python -m rgan.theory.laboratory.ready` makes it anew"
    assert found.at == lesson.plan and found.twins.iteration == lesson.plan.steps
    later = dataclasses.replace(lesson.plan, steps=lesson.plan.steps + 5)
    assert ready.lesson_before(later).plan == lesson.plan and ready.lesson_before(lesson.plan.until(9)) is None
    steps = [row.steps for row in found.rows]
    assert steps == [*range(MEASURED, lesson.plan.steps + 1, MEASURED)]
    again, (row, *_) = Experiment.of(lesson.plan), found.rows  # of the lesson, or of another one of the same training
    again.to(lesson.plan.until(MEASURED), row.radius, row.price, stride=10**6, seconds=1e9, field=False)
    for side in SIDES:
        one, other = (each.rows[0].of[side] for each in (found, again))
        assert one.numbers() == pytest.approx(other.numbers(), rel=0.05, abs=0.05)
    last = found.rows[-1]
    now = found.measure(last.radius, last.price)
    assert now.of["A"].numbers() == pytest.approx(last.of["A"].numbers(), abs=1e-3)


def test_only_lessons_are_kept():
    names = {name_of(ready._question(lesson.plan), RECORD) for lesson in LESSONS}
    assert {path.name for path in ready.SHIPPED.iterdir()} == names


@pytest.fixture(scope="module")
def lessons() -> dict[str, Experiment]:
    found = {}
    for lesson in LESSONS:
        found[lesson.key] = Experiment.of(lesson.plan)
        found[lesson.key].to(lesson.plan, lesson.radius, lesson.price, stride=10**6, seconds=1e9)
    return found


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_a_lesson_shows_what_it_says(lessons):
    """Each sentence of `LESSONS`, by numbers."""
    rows = {one.key: lessons[one.key].measure(one.radius, one.price).of for one in LESSONS}
    a, b = rows["collapse"].values()
    assert a.modes == 2 and b.modes >= 5 and a.worst > 3 * b.worst

    a, _ = rows["misleads"].values()
    assert a.nearer > 0.8 and a.worst > 0

    a, b = rows["blurs"].values()
    # Processors round differently, and a thousand steps on, B covers one mode or three.
    assert a.modes >= 7 and b.modes <= 4 and b.distance > 2 * a.distance and b.worst < a.worst / 4
    played = lessons["blurs"]
    smaller = dataclasses.replace(played.at.settings, noise_radius=0.3, image_radius=0.3)
    plan = dataclasses.replace(played.at.changed(smaller), steps=1500)
    played.to(plan, 0.5, 0.0, stride=10**6, seconds=1e9)
    assert played.measure(0.5, 0.0).of["B"].modes >= 7

    z = points.on_grid(3.0, 11)
    for side in SIDES:
        gan = lessons["one-step"].twins.gan(side)
        step = moves(gan, z, Attack((0.5,), method="one-step"), truth=True)
        search = moves(gan, z, PlaneAttack((0.5,), gradients=2000), truth=True)
        original, most = step.found.loss_original, step.truth_value
        gained = [(one.found.value - original).sum() / (most - original).sum() for one in (step, search)]
        assert gained[0] < 0.1 and gained[1] > 0.95
        assert int((step.found.loss_worst < original).sum()) > 30
        assert float(search.share.median()) > 0.99

        gan = lessons["price"].twins.gan(side)
        priced, value = worst_of_all(gan.probe().loss, z, 1.0, 0.5)
        same = []
        for k in range(0, len(z), 6):
            radius = float(priced[k].norm())
            inside, loss = worst_of_all(gan.probe().loss, z[k : k + 1], radius)
            assert float(loss) == pytest.approx(float(value[k]) + 0.5 * radius**2, abs=0.01)
            same.append(float((inside[0] - priced[k]).norm()) <= 0.05 * radius)
        assert sum(same) >= 0.75 * len(same)
