"""Failures: pools whose rows stand alone, rankings, shares with intervals, modes, and one failure found again."""

import csv
import dataclasses
import io
import json
import math
import types
import zipfile
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
import torch
from PIL import Image

from rgan.attack.search import Attack
from rgan.cli.main import main
from rgan.common import images
from rgan.common.errors import CheckpointError, SettingsError
from rgan.metrics import judges
from rgan.metrics.judges import Opinion
from rgan.models import checkpoints
from rgan.models.gan import Gan, fresh
from rgan.models.recipes import recipe
from rgan.networks.layers import Critic
from rgan.robustness.failures import export, links
from rgan.robustness.failures import pool as failures
from rgan.robustness.failures.failure import TURN, Way, failure, turning_point
from rgan.robustness.failures.links import LIMITS, Permalink, check, from_json, parse, permalink
from rgan.robustness.failures.modes import grouped, modes, usual_distance
from rgan.robustness.failures.pool import BLOCK, Pool, PoolPlan, Rows, pool, prevalence, ranking, spread
from rgan.robustness.measured import JudgedGan, Measures

SETTINGS = Attack((2.0,), gradients=6)
MADE = recipe("dcgan", channels=1, width=2, latent=7)
SHA = "0123456789abcdef" * 4


def judged(seed, **more):
    real = torch.randint(0, 256, (9, 1, 32, 32), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)
    return JudgedGan(Gan(MADE, *fresh(MADE, seed), reference=real, **more), judges.shipped("digits"), device="cpu")


def last(steps):
    *_, state = steps
    return state


@pytest.fixture(scope="module")
def judged_gans():
    return judged(1), judged(2, digest=SHA)


@pytest.fixture(scope="module")
def found(judged_gans):
    return last(pool(judged_gans, PoolPlan(SETTINGS, BLOCK + 6, seed=3)))


@pytest.mark.parametrize("objective", ["critic", "judge", "change"])
def test_rows_depend_on_the_seed_and_their_number_alone(judged_gans, objective):
    small, large = (last(pool(judged_gans[:1], PoolPlan(SETTINGS, n, 3, objective))) for n in (BLOCK + 6, BLOCK + 40))
    a, b = (each.rows["A"].first(BLOCK + 6) for each in (small, large))
    assert torch.equal(small.z, large.z[: BLOCK + 6]) and len(a) == len(b) == BLOCK + 6
    assert torch.equal(a.noise["worst"], b.noise["worst"]) and torch.equal(a.noise["random"], b.noise["random"])
    assert torch.equal(a.measures["worst"].loss, b.measures["worst"].loss) and torch.equal(
        a.change["worst"], b.change["worst"]
    )
    assert not torch.equal(large.z[:40], large.z[BLOCK : BLOCK + 40])


def test_a_pool_grows_block_by_block_and_can_be_left(judged_gans):
    steps = pool(judged_gans[:1], PoolPlan(SETTINGS, 2 * BLOCK + 1))
    first = next(steps)
    assert (len(first.z), len(first.rows["A"]), first.done) == (BLOCK, BLOCK, False)
    assert first.share < BLOCK / (2 * BLOCK + 1) and not first.strength
    steps.close()


def test_a_pool_says_how_much_its_search_finds_and_withholds_its_verdict_below_nine_tenths(found):
    assert found.share == 1.0 and set(found.strength) == {"A", "B"}
    for one in found.strength.values():
        assert (one.gradients, one.samples, one.attack) == (60, 32, SETTINGS)
    good = {side: dataclasses.replace(one, share=0.97) for side, one in found.strength.items()}
    said = failures.findings(dataclasses.replace(found, strength=good))
    assert said[-2] == "; ".join(f"{side}'s search {one.words}" for side, one in good.items()) + "."
    assert "finds 97 % of what 60 gradients find on 32 samples" in said[-2]
    weak = {"B": dataclasses.replace(found.strength["B"], share=0.89)}
    said = failures.findings(dataclasses.replace(found, strength=weak))
    assert len(said) == 2 and said[0].startswith("No verdict: B's search finds 89 %") and "live" in said[0]


def test_rows_are_what_the_plain_networks_and_the_judge_say(judged_gans, found):
    rows, gan = found.rows["B"], judged_gans[1].gan
    noise = found.noise("B", "worst", [2, BLOCK + 1])
    with torch.no_grad():
        made, start = gan.generator(noise), gan.generator(found.z[[2, BLOCK + 1]])
        loss = gan.recipe.criterion.generator(gan.critic(made))
    assert torch.allclose(rows.measures["worst"].loss[[2, BLOCK + 1]], loss, atol=1e-4)
    opinion = judged_gans[1].judge.opinion(made)
    assert torch.allclose(rows.measures["worst"].opinion.distance[[2, BLOCK + 1]], opinion.distance, rtol=1e-3)
    change = [float(((made[i] - start[i]) / 2).square().mean().sqrt()) for i in range(2)]
    assert rows.change["worst"][[2, BLOCK + 1]].tolist() == pytest.approx(change, rel=1e-3)
    assert torch.allclose(judged_gans[1].images(noise), made, atol=1e-4)
    worst, random = (rows.noise[kind].norm(dim=1) for kind in ("worst", "random"))
    assert torch.allclose(worst, random, rtol=1e-5) and worst.max() <= 2.0001
    assert (rows.measures["worst"].loss >= rows.measures["original"].loss - 1e-5).all()
    a, b = (found.rows[side].noise["random"] for side in "AB")
    assert torch.allclose(a / a.norm(dim=1)[:, None], b / b.norm(dim=1)[:, None], atol=1e-5)  # the same directions


def test_generators_alone_are_searched_by_the_judge_and_have_no_loss(judged_gans):
    alone = JudgedGan(dataclasses.replace(judged_gans[0].gan, critic=Critic(), _probes={}), judged_gans[0].judge, "cpu")
    plan = PoolPlan(Attack((1.0,), gradients=2), 5, objective="judge")
    state = last(pool([alone], plan))
    assert state.rows["A"].measures["worst"].loss.isnan().all()
    before, after = (
        alone.raised.opinion(alone.images(state.noise("A", kind, range(5)))).distance for kind in ("original", "worst")
    )
    assert (after >= before - 1e-4).all()
    with pytest.raises(SettingsError, match="rank by badness"):
        ranking(state, "A", "loss")
    with pytest.raises(CheckpointError, match="critic"):
        next(pool([alone], PoolPlan(Attack((1.0,)), 5)))


@pytest.mark.parametrize(
    "wrong",
    [{"attack": Attack((1.0, 2.0))}, {"attack": Attack((1001.0,))}, {"samples": 1}, {"samples": 10**6},
     {"seed": -1}, {"objective": "change", "attack": Attack((1.0,), method="one-step")}],
)  # fmt: skip
def test_impossible_plans_are_refused(wrong):
    with pytest.raises(SettingsError, match="expected"):
        PoolPlan(**{"attack": SETTINGS, **wrong})


def made_up(distance, loss=None, features=None, badness=None):
    """A pool of one model of which the worst images are given."""
    distance = torch.tensor(distance)
    judge = judges.shipped("digits")
    badness = judge.badness(distance) if badness is None else torch.tensor(badness)
    loss = torch.zeros_like(distance) if loss is None else torch.tensor(loss)
    features = distance[:, None] if features is None else features
    measure = Measures(loss, Opinion(distance, badness, distance, distance, distance), features)
    noise = torch.ones(len(distance), 2)
    rows = Rows(
        {"worst": noise, "random": noise}, dict.fromkeys(failures.NOISES, measure), {"worst": -distance, "random": loss}
    )
    return Pool(PoolPlan(SETTINGS, len(distance)), noise, {"A": rows}, 1.0)


def test_rankings_are_those_of_sorting_by_hand():
    rng = np.random.default_rng(0)
    distance, loss = rng.uniform(1, 30, 40).tolist(), rng.integers(0, 4, 40).astype(float).tolist()
    state = made_up(distance, loss)
    badness = state.rows["A"].measures["worst"].badness.tolist()
    assert badness.count(1.0) > 5  # where the percentile says no more
    for by, key in (("badness", badness), ("loss", loss), ("change", [-d for d in distance])):
        expected = sorted(range(40), key=lambda i, key=key: (-key[i], -distance[i]))
        assert ranking(state, "A", by).tolist() == expected
    with pytest.raises(SettingsError, match="worst or random"):
        ranking(state, "A", "change", "original")
    before = rng.permutation(40) / 100
    measures = state.rows["A"].measures
    moved = dataclasses.replace(measures["worst"].opinion, badness=torch.tensor(before))
    measures["original"] = dataclasses.replace(measures["original"], opinion=moved)
    rise = [after - b for after, b in zip(badness, before, strict=True)]
    assert ranking(state, "A", "rise").tolist() == sorted(range(40), key=lambda i: -rise[i])


def test_slices_hold_the_middle_and_the_best_too():
    order = np.arange(11)[::-1]
    parts = spread(order, 3)
    assert [part.tolist() for part in (parts.worst, parts.median, parts.best)] == [[10, 9, 8], [6, 5, 4], [2, 1, 0]]
    small = spread(np.arange(5), 4)
    assert [len(part) for part in (small.worst, small.median, small.best)] == [1, 1, 1]


def test_what_is_said_is_claimed_only_where_shown(found):
    state = made_up([1.0] * 30 + [20.0] * 10)
    assert "is not shown to make more bad images" in failures.findings(state)[0]
    assert prevalence(state, "A")["worst"].hits == 10
    twice = dataclasses.replace(found, rows={"A": found.rows["A"], "B": found.rows["A"]}, strength={})
    assert sum("cannot be said" in sentence for sentence in failures.findings(twice)) == 2
    assert failures.between(twice, "worst").mean == 0


def test_planted_modes_are_found_with_their_centres_and_sizes():
    threshold = usual_distance(judges.shipped("digits"))
    rng = torch.Generator().manual_seed(2)
    centres = 50 * torch.eye(64)[:3]
    planted = torch.tensor([0] * 5 + [1] * 3 + [2] + [0] * 4)  # of nine, of three and of one
    points = centres[planted] + 0.02 * threshold * torch.randn(13, 64, generator=rng)
    points[7] = centres[1] + 0.0  # the middle of its cluster
    points = torch.cat([points, points[:2]])
    state = made_up([20.0 + i for i in range(13)] + [1.0, 1.0], features=points)  # the last two are no bad images
    made = modes(state, "A", judges.shipped("digits"))
    assert [sorted(mode.members.tolist()) for mode in made.modes] == [[0, 1, 2, 3, 4, 9, 10, 11, 12], [5, 6, 7]]
    assert made.alone.tolist() == [8] and made.left == 0 and made.grouped == 13
    assert made.modes[1].central == 7 and made.modes[0].size == 9
    rows = made.modes[0].members
    widths = [float((points[i] - points[j]).norm()) for i in rows for j in rows]
    assert made.modes[0].width == pytest.approx(max(widths), rel=1e-5) and max(widths) <= threshold
    assert "9" in made.sentence and "like no other" in made.sentence


def test_chains_of_small_differences_are_no_mode():
    chain = torch.arange(8.0)[:, None]
    groups = grouped(chain, 2.5)
    assert all(float(chain[group].max() - chain[group].min()) <= 2.5 for group in groups) and len(groups) >= 3


def test_modes_of_large_pools_are_bounded(monkeypatch):
    monkeypatch.setattr("rgan.robustness.failures.modes.MOST", 6)
    made = modes(made_up([float(20 + i) for i in range(10)]), "A", judges.shipped("digits"))
    assert made.left == 4 and made.grouped == 6 and "4 more bad images were left out" in made.sentence


def test_one_failure_is_found_again_to_the_bit(judged_gans, found):
    index = BLOCK + 4
    one = failure(judged_gans[1], found.plan, index, frames=5, near=2)
    rows, gan = found.rows["B"], judged_gans[1].gan
    assert torch.equal(torch.from_numpy(one.noise), rows.noise["worst"][index])
    assert torch.equal(torch.from_numpy(one.random), rows.noise["random"][index])
    assert torch.equal(torch.from_numpy(one.z), found.z[index])
    z, r, q = (torch.from_numpy(each) for each in (one.z, one.noise, one.random))
    for name, end in (("straight", r), ("random", q)):
        way = one.ways[name]
        for t in range(5):
            with torch.no_grad():
                image = gan.generator((z + t / 4 * end)[None])
                loss = gan.recipe.criterion.generator(gan.critic(image))
            assert way.loss[t] == pytest.approx(float(loss), abs=1e-4)
            assert way.distance[t] == pytest.approx(float(judged_gans[1].judge.opinion(image).distance), rel=1e-3)
            assert np.abs(way.images[t].astype(int) - images.to_uint8(image)[0]).max() <= 1
    search = one.ways["search"]
    assert (
        search.at[0] == 0
        and (np.diff(search.at) > 0).all()
        and search.at[-1] <= SETTINGS.gradients
        and np.allclose(search.noise[-1], one.z + one.noise)
    )
    assert (np.diff(search.loss) >= -1e-4).all() and search.change[0] == 0 < search.change[-1]
    assert one.loss == pytest.approx(float(rows.measures["worst"].loss[index]), abs=1e-4)


def test_nearest_real_images_are_those_of_looking_at_all(judged_gans, found):
    one = failure(judged_gans[0], found.plan, 1, frames=2, near=3)
    gan, judge = judged_gans[0].gan, judged_gans[0].judge
    with torch.no_grad():
        seen = judge.features(gan.generator(torch.from_numpy(one.z + one.noise)[None]))[0]
    apart = [float((seen - judge.features(images.to_unit(real[None]))[0]).norm()) for real in gan.reference]
    nearest = one.nearest["worst"]
    assert nearest.index.tolist() == np.argsort(apart)[:3].tolist()
    assert nearest.distance.tolist() == pytest.approx(sorted(apart)[:3], rel=1e-3)
    assert np.array_equal(nearest.images[0], gan.reference[nearest.index[0]].permute(1, 2, 0).numpy())


class Landscape:
    """Images are bad where the first number of the noise lies in a stretch."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def measure(self, z):
        return types.SimpleNamespace(bad=(z[:, 0] > self.low) & (z[:, 0] < self.high))


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.337, 9, 0.337), (0.9991, 9, 0.9991), (2, 9, None), (-1, 9, None), (0.4, 0.7, 0.4)]
)
def test_the_turning_point_is_where_the_landscape_says(low, high, expected):
    at, z, r = np.linspace(0, 1, 9), torch.tensor([0.0, 3.0]), torch.tensor([1.0, 0.0])
    badness = np.where((at > low) & (at < high), 1.0, 0.0)
    way = Way(at, *[badness] * 6)
    turns = turning_point(Landscape(low, high), z, r, way)
    assert turns is None if expected is None else 0 <= turns - expected <= TURN


def test_links_survive_addresses_and_files():
    rng = np.random.default_rng(4)
    for _ in range(200):
        link = Permalink(
            checkpoint=rng.bytes(32).hex(), judge=rng.bytes(32).hex(), model=f"m-{rng.integers(99)}",
            seed=int(rng.integers(2**62)), index=int(rng.integers(failures.MOST)), radius=float(rng.uniform(0, 1000)),
            price=float(rng.exponential()), gradients=int(rng.integers(1, 100_001)),
            method=str(rng.choice(["ascent", "one-step"])), keep_shell=bool(rng.integers(2)),
            against=str(rng.choice(["critic", "judge"])), loss=float(rng.normal(0, 1e3)), badness=float(rng.random()),
        )  # fmt: skip
        assert parse(link.query()) == (link, ()) and from_json(link.to_json()) == (link, ())
        assert link.plan.attack.keep_shell == link.keep_shell and link.plan.seed == link.seed
        (told,) = parse_qs(urlsplit(link.address).query)["failure"]
        back, said = parse(links.fields(told))
        assert link.checkpoint.startswith(back.checkpoint) and link.judge.startswith(back.judge) and not said
        assert (back.loss, back.badness) == pytest.approx((link.loss, link.badness), rel=1e-4)
        rest = {name: getattr(link, name) for name in ("checkpoint", "judge", "loss", "badness")}
        assert dataclasses.replace(back, **rest) == link
        assert parse(links.fields(urlencode(link.query()))) == (link, ()), "as links were written once"
    usual = Permalink(SHA, SHA, model="faces-dcgan", index=728, loss=2.72131231, badness=0.99121231)
    assert len(usual.address) < 100
    without = Permalink(SHA, SHA)
    for back, said in (parse(without.query()), from_json(without.to_json()), parse({"checkpoint": SHA, "judge": SHA})):
        assert math.isnan(back.loss) and math.isnan(back.badness) and not [s for s in said if "nan" in s]


WILD = {
    "seed": "-5", "index": "99999999999", "radius": "1e999", "price": "nan", "gradients": "ten",
    "method": "<b>", "keep_shell": "maybe", "against": "you", "badness": "7", "model": "<script>", "unknown": "1",
}  # fmt: skip


def test_wild_links_are_clamped_and_say_so():
    link, said = parse({"checkpoint": SHA, "judge": SHA.upper(), **WILD})
    assert (link.seed, link.index, link.radius, link.price) == (0, failures.MOST - 1, 1000.0, 0.0)
    assert (link.gradients, link.method, link.against, link.badness) == (200, "ascent", "critic", 1.0)
    assert link.model == "script" and link.judge == SHA
    assert len(said) == 9 and all(any(s.startswith(f"{name}:") for s in said) for name in WILD if name not in
                                   ("model", "unknown"))  # fmt: skip
    assert link.plan.samples == failures.MOST
    tight, said = parse({**Permalink(SHA, SHA).query(), "gradients": "50"}, {**LIMITS, "gradients": (1, 20)})
    assert tight.gradients == 20 and said == ("gradients: expected 1 to 20, got '50'; taken as 20.",)
    former = {name: text for name, text in Permalink(SHA, SHA).query().items() if name != "gradients"}
    assert parse(former | {"steps": "12", "restarts": "3"})[0].gradients == 36
    assert parse(former | {"steps": "12"})[0].gradients == 12
    changed, said = parse({**Permalink(SHA, SHA, against="change").query(), "method": "one-step"})
    assert changed.plan.attack.method == "ascent" and len(said) == 1


@pytest.mark.parametrize(
    "values",
    [{}, {"checkpoint": SHA}, {"checkpoint": SHA[:15], "judge": SHA}, {"checkpoint": "../../etc", "judge": SHA}],
)
def test_links_to_nothing_are_refused(values):
    with pytest.raises(SettingsError, match="copy the whole link"):
        parse(values)
    for text in ("[1]", "{", json.dumps(values)):
        with pytest.raises(SettingsError, match="expected"):
            from_json(text)


def test_links_are_followed_with_the_models_at_hand(judged_gans, found):
    one = failure(judged_gans[1], found.plan, 3, frames=2)
    link = permalink(judged_gans[1].facts, one, "My Model")
    assert (link.model, link.loss, link.gradients) == ("my-model", one.loss, SETTINGS.gradients)
    assert check(link, judged_gans).kind == links.REPRODUCED
    (told,) = parse_qs(urlsplit(link.address).query)["failure"]
    assert check(parse(links.fields(told))[0], judged_gans).kind == links.REPRODUCED
    near = dataclasses.replace(link, loss=link.loss + 0.5 * links.TOLERANCE)
    far = dataclasses.replace(link, loss=link.loss + 3 * links.TOLERANCE * (1 + abs(link.loss)), version="0.0.1")
    assert check(near, judged_gans).kind == links.REPRODUCED
    outcome = check(far, judged_gans)
    assert outcome.kind == links.DIFFERS and "loss" in outcome.sentence and "0.0.1" in outcome.sentence
    other = dataclasses.replace(link, badness=0.01 if one.badness > 0.5 else 0.99)
    assert "badness" in check(other, judged_gans).sentence
    for gone in ({"checkpoint": SHA[::-1]}, {"judge": SHA}):
        outcome = check(dataclasses.replace(link, **gone), judged_gans)
        assert outcome.kind == links.MISSING and next(iter(gone.values())) in outcome.sentence
    silent = check(dataclasses.replace(link, loss=math.nan, badness=math.nan), judged_gans)
    assert silent.kind == links.MISSING and silent.failure.index == 3
    with pytest.raises(SettingsError, match="save it first"):
        permalink(judged_gans[0].facts, one, "unsaved")


def test_kept_failures_are_files_with_the_same_bytes_each_time(judged_gans, found):
    one = failure(judged_gans[1], found.plan, 3, frames=3)
    kept = [(permalink(judged_gans[1].facts, one, "b"), one)]
    data = export.archive(kept)
    assert data == export.archive(kept)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        folder = f"b-{SHA[:8]}-seed3-00003"
        arrays = np.load(io.BytesIO(archive.read(f"{folder}/noise.npz")))
        assert np.array_equal(arrays["r_worst"], one.noise) and np.array_equal(arrays["z"], one.z)
        picture = np.asarray(Image.open(io.BytesIO(archive.read(f"{folder}/worst.png"))))
        assert np.array_equal(picture, one.ways["straight"].images[-1][..., 0])
        for kind in ("worst", "random"):  # whoever has the file and the model has the image
            drawn = judged_gans[1].gan.probe().images(torch.from_numpy(arrays["z"] + arrays[f"r_{kind}"])[None])
            picture = np.asarray(Image.open(io.BytesIO(archive.read(f"{folder}/{kind}.png"))))
            assert np.abs(images.to_uint8(drawn)[0, ..., 0].astype(int) - picture).max() <= 1
        assert from_json(archive.read(f"{folder}/link.json").decode())[0] == kept[0][0]
        assert f"{folder},b,3,3,2.0," in archive.read("numbers.csv").decode()
    with zipfile.ZipFile(io.BytesIO(export.archive(kept, ["a 7, or a 1?"]))) as archive:
        (row,) = csv.DictReader(io.StringIO(archive.read("numbers.csv").decode()))
        assert row["note"] == "a 7, or a 1?" and row["folder"] == folder
    rows = export.pool_rows(found, {side: modes(found, side, judged_gans[0].judge) for side in "AB"})
    assert len(rows) == 2 * (BLOCK + 6) and rows[-1]["index"] == BLOCK + 5
    assert rows[3]["worst badness"] == float(found.rows["A"].measures["worst"].badness[3])


@pytest.mark.parametrize("channels", [1, 3])
def test_animations_go_there_and_back(channels):
    frames = np.zeros((4, 5, 6, channels), np.uint8)
    frames[..., 0] = np.array([10, 90, 170, 250])[:, None, None]
    animation = Image.open(io.BytesIO(images.gif(frames, scale=2)))
    shown = []
    for t in range(animation.n_frames):
        animation.seek(t)
        shown.append(animation.convert("RGB").getpixel((3, 3))[0])
    assert animation.size == (12, 10) and animation.info["loop"] == 0
    assert shown == pytest.approx([10, 90, 170, 250, 170, 90], abs=2)


def test_rings_are_around_the_marked_and_change_nothing_else():
    tiles = np.full((5, 9, 12, 1), 60, np.uint8)
    marked = np.array([False, True, False, False, True])
    plain, ringed = images.grid(tiles, 3, scale=2), images.circled(tiles, marked, 3, scale=2)
    assert ringed.shape == (*plain.shape[:2], 3)
    red = (ringed != plain).any(axis=2)
    for index in range(5):
        top, left = 2 * (1 + index // 3 * 10), 2 * (1 + index % 3 * 13)
        cell = red[top : top + 18, left : left + 24]
        assert cell.any() == marked[index]
        if marked[index]:
            assert (cell.any(axis=0).all(), cell.any(axis=1).all()) == (True, True) and not cell[9, 12]
        red[top : top + 18, left : left + 24] = False
    assert not red.any()


@pytest.mark.parametrize("side", [8, 64])
def test_words_stand_under_their_images_within_their_width(side):
    tiles = np.random.default_rng(side).integers(0, 256, (3, side, side, 3), np.uint8)
    row, words = images.grid(tiles, 3, scale=4), ["bad 0 %", "", "bad 100 %"]
    told = images.captioned(tiles, words, scale=4)
    assert (told[: len(row)] == row).all() and told.shape[1] == row.shape[1]
    under = (told[len(row) :] < 128).all(axis=2)
    for index, one in enumerate(words):
        left = 4 * (1 + index * (side + 1))
        assert under[:, left : left + 4 * side].any() == bool(one)
        under[:, left : left + 4 * side] = False
    assert not under.any(), "between the images stands nothing"


def test_the_command_says_and_writes_what_was_found(tmp_path, capsys):
    paths = [tmp_path / f"{name}.safetensors" for name in "ab"]
    for seed, path in enumerate(paths):
        checkpoints.save(Gan(MADE, *fresh(MADE, seed)), path)
    out = tmp_path / "out"
    judge = str(judges.SHIPPED / "digits.safetensors")
    options = ["--judge", judge, "--device", "cpu", "--json"]
    command = ["failures", *map(str, paths), "--pool", "9", "--steps", "2", "--keep", "1", "--out", str(out), *options]
    assert main(command) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["samples"] == 9 and report["models"]["B"]["bad"]["worst"]["total"] == 9
    assert (
        report["models"]["A"]["alone"] + sum(report["models"]["A"]["modes"])
        == report["models"]["A"]["bad"]["worst"]["bad"]
    )
    weak = [side for side in "AB" if report["models"][side]["found"] < 0.9]
    refused = [sentence.split("'")[0] for sentence in report["said"] if sentence.startswith("No verdict")]
    assert weak and refused == [f"No verdict: {side}" for side in weak]
    assert report["a_beyond_b"]["worst"]["total"] == 9
    with zipfile.ZipFile(out / "failures.zip") as archive:
        assert sum(name.endswith("link.json") for name in archive.namelist()) == 2
    assert len((out / "failures.csv").read_text().splitlines()) == 19
    assert Image.open(out / "B-worst.png").mode == "RGB"
