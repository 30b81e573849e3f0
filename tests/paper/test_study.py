"""The paper's tables from small models: numbers, families, claims, and studies that are interrupted."""

import csv
import dataclasses
import hashlib
import io
import json
import math
import statistics
import sys

import pytest
import torch
from scipy import stats

from benchmarks import study as the_study
from rgan.attack.search import random_noise, run
from rgan.common.errors import FileError, SettingsError
from rgan.common.geometry import lengths
from rgan.data.identity import DataIdentity
from rgan.metrics import judges
from rgan.metrics import scores as metrics
from rgan.models import checkpoints
from rgan.models.gan import Gan, Training, fresh
from rgan.models.recipes import Robust, recipe
from rgan.models.systems import SYSTEMS
from rgan.paper import evaluation, published, tables
from rgan.paper import study as reproduce
from rgan.paper.ablation import Model, ablations, robust_words
from rgan.paper.claims import claims
from rgan.paper.evaluation import Evaluation, EvaluationSettings, Row, Scoring, evaluate
from rgan.paper.study import Scorings
from rgan.report import study_page
from rgan.report.charts import study as table_figures

SETTINGS = EvaluationSettings(radii=(0.5, 1.5), repeats=2, samples=100, gradients=2)
SHORT = EvaluationSettings(radii=(0.5,), repeats=1, samples=100, gradients=2)
OWN = Robust(noise_radius=1, image_radius=1, weight=1)


def tiny(path, seed=0, robust=None, data="digits", history=(), **changes) -> None:
    """A Gan that nobody trained, in a file."""
    made = recipe("dcgan", robust, **({"channels": 1, "width": 2, "latent": 4, "size": 25} | changes))
    training = Training(data, 10, seed, 1.0, "cpu", "float32", tuple(history))
    checkpoints.save(Gan(made, *fresh(made, seed), training=training), path)


def pair(folder) -> reproduce.Model:
    tiny(
        folder / "plain.safetensors",
        0,
        history=[{"iteration": 5.0, "generator": 1.0}, {"iteration": 5.0, "score": 2.5}],
    )
    tiny(folder / "robust.safetensors", 0, OWN)
    models, left = reproduce.survey(reproduce.find([folder]))
    assert not left
    return models


def evaluated(model, scoring) -> Evaluation:
    *_, last = evaluate(checkpoints.load(model.path), SETTINGS, scoring)
    return last.found


def scoring(data="digits") -> Scoring:
    judge = judges.shipped(data)
    return Scoring(metrics.by_judge(judge), judge)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A model and its evaluation."""
    model = pair(tmp_path_factory.mktemp("models"))[0]
    return model, evaluated(model, scoring())


def test_rows_are_what_judge_metrics_and_search_say_one_by_one(known):
    model, found = known
    gan, judge = checkpoints.load(model.path), judges.shipped("digits")
    z = gan.noise(100, 1)
    worst = run(gan.probe().loss, z, SETTINGS.attack)
    moves = {
        ("original", 0.0): torch.zeros_like(z), ("worst", 1.5): worst.noise[1],
        ("random", 1.5): random_noise(z, lengths(worst.noise[1]), 1)[0],
    }  # fmt: skip
    for kind, move in moves.items():
        images, loss = gan.probe().images_and_loss(z + move)
        standard, badness = metrics.by_judge(judge), judge.opinion(images).badness
        expected = [one.value for one in metrics.scores(standard.look(images), standard, seed=1)]
        expected += [float(badness.mean()), float((badness >= 0.95).float().mean()), float(loss.mean())]
        features, before = judge.features(images), judge.opinion(gan.probe().images(z)).label
        pairs = [float((a - b).norm()) for k, a in enumerate(features) for b in features[:k]]
        alike = torch.exp(-torch.cdist(features.double(), features.double()).square() / (2 * judge.scale**2)) / 100
        shares = torch.linalg.eigvalsh(alike).clamp_min(1e-300)
        expected += [
            statistics.fmean(pairs), math.exp(-float((shares * shares.log()).sum())),
            float((judge.opinion(images).label != before).float().mean()),
        ]  # fmt: skip
        names = ("score", "fid", "kid", "badness", "bad", "loss", "diversity", "vendi", "changed")
        assert [found.values(name, *kind)[1] for name in names] == pytest.approx(expected, rel=1e-4), kind


def test_what_is_kept_with_the_rows_and_its_key_stay_what_they_are(known):
    model, found = known
    mine, gan = scoring(), checkpoints.load(model.path)
    seen = mine.standard.look(gan.probe().images(gan.noise(100, 1)))
    fid = metrics.scores(seen, mine.standard, seed=1)[1]
    assert (found.protocol, found.as_published) == (fid.protocol.words, False)
    assert found.floor == fid.floor
    told = SETTINGS.key, fid.protocol.key, mine.judge.digest, "", 4
    assert found.key == hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    assert EvaluationSettings().key == "ee4c3317c577", "else evaluations that people keep would be done again"
    assert list(json.loads(found.to_json())) == [
        "digest", "key", "protocol", "as_published", "floor", "seconds", "rows", "strength",
    ]  # fmt: skip


def test_the_floor_is_computed_once_for_all_models(known, monkeypatch):
    mine, measured, bias = scoring(), [], metrics.fid_bias
    monkeypatch.setattr(metrics, "fid_bias", lambda real: measured.append(real) or bias(real))
    for _ in range(2):
        evaluated(known[0], mine)
    assert len(measured) == 1


def test_worst_noise_costs_more_and_its_control_is_as_long(known):
    _, found = known
    for radius in SETTINGS.radii:
        for worst, random, original in zip(
            found.values("loss", "worst", radius),
            found.values("loss", "random", radius),
            found.values("loss"),
            strict=True,
        ):
            assert worst >= original and worst > random
        assert found.values("length", "random", radius) == pytest.approx(
            found.values("length", "worst", radius), rel=1e-5
        )
        assert 0 < found.values("length", "worst", radius)[0] <= radius * 1.0001
    first, second = found.values("score")
    assert first != second, "each repeat has its own noise"
    assert found.spread("score") == pytest.approx(abs(first - second) / math.sqrt(2))


def test_the_share_done_rises_to_one_and_memory_stays_bounded(known, monkeypatch):
    model, found = known
    monkeypatch.setattr(evaluation, "CHUNK", 30)
    progress = list(evaluate(checkpoints.load(model.path), SETTINGS, scoring()))
    shares = [one.share for one in progress]
    assert shares == sorted(shares) and shares[-1] == 1.0 and shares[-2] == pytest.approx(1.0)
    for row, same in zip(progress[-1].found.rows, found.rows, strict=True):
        assert dataclasses.astuple(row)[4:] == pytest.approx(dataclasses.astuple(same)[4:], rel=1e-3, abs=1e-4)


def test_a_study_goes_on_where_it_was_and_does_damaged_files_again(tmp_path, monkeypatch):
    models = pair(tmp_path / "models")
    tiny(tmp_path / "models" / "third.safetensors", 1)
    models, _ = reproduce.survey(reproduce.find([tmp_path / "models"]))
    folder, done = tmp_path / "study", []
    monkeypatch.setattr(
        reproduce, "evaluate", lambda gan, *rest, **more: done.append(gan.digest) or evaluate(gan, *rest, **more)
    )
    scorings = Scorings(SHORT)
    for progress in reproduce.run(models, scorings, folder):
        if progress.done == 1 and progress.share > 0.5:
            break  # killed while at work on the second
    assert len(done) == 2
    study = reproduce.study(models, [], scorings, folder)
    assert len(study.models) == 1 and len(study.waiting) == 2
    *_, last = reproduce.run(models, scorings, folder)
    assert len(done) == 4 and last.share == 1.0 and not last.left, "what was finished is not done again"
    kept = sorted((folder / reproduce.EVALUATIONS).iterdir())
    before = [file.read_bytes() for file in kept]
    kept[0].write_bytes(before[0][: len(before[0]) // 2])
    values = json.loads(before[1])
    values["rows"][0]["fid"] = float("nan")
    kept[1].write_text(json.dumps(values))
    assert len(reproduce.study(models, [], scorings, folder).models) == 1
    list(reproduce.run(models, scorings, folder))
    assert len(done) == 6 and len(list(kept[0].parent.iterdir())) == 3
    again = [json.loads(file.read_bytes()) for file in kept]
    assert [one["rows"] for one in again] == [json.loads(one)["rows"] for one in before]
    list(reproduce.run(models, Scorings(dataclasses.replace(SHORT, gradients=1)), folder))
    assert len(done) == 9, "other settings, other evaluations"


def test_models_that_cannot_be_evaluated_are_named_and_the_others_are(tmp_path):
    tiny(tmp_path / "good.safetensors")
    tiny(tmp_path / "faces.safetensors", data="celeba")
    tiny(tmp_path / "torn.safetensors", seed=1)
    (tmp_path / "foreign.safetensors").write_bytes(b"not a checkpoint")
    models, left = reproduce.survey(reproduce.find([tmp_path]))
    assert [model.name for model in models] == ["good", "torn"]
    assert {one.name for one in left} == {"faces", "foreign"}
    assert "expected a judge for celeba" in next(one.reason for one in left if one.name == "faces")
    models[1].path.write_bytes(models[1].path.read_bytes()[:-100])
    folder = tmp_path / "study"
    *_, last = reproduce.run(models[1:] + models[:1], Scorings(SHORT), folder)
    assert [(one.name, one.path) for one in last.left] == [("torn", str(models[1].path))] and "cut short" in last.left[
        0
    ].reason
    study = reproduce.study(models, (*left, *last.left), Scorings(SHORT), folder)
    assert [model.name for model in study.models] == ["good"] and len(study.left) == 3 and not study.waiting
    for one in study.left:
        assert one.name in study_page.study_page(study)
    with pytest.raises(FileError, match="nowhere"):
        reproduce.find([tmp_path / "nowhere"])


def test_a_broken_file_hides_no_good_model_of_its_name(tmp_path):
    good, torn = tmp_path / "shipped" / "same.safetensors", tmp_path / "runs" / "same" / "checkpoint.safetensors"
    tiny(good, 3)
    torn.parent.mkdir(parents=True)
    torn.write_bytes(good.read_bytes()[:500])
    models, left = reproduce.survey(reproduce.find([tmp_path / "shipped", tmp_path / "runs"]))
    assert [one.name for one in (*models, *left)] == ["same", "same"] and left[0].path == str(torn)
    assert reproduce.study(models, left, Scorings(SHORT), tmp_path / "study").waiting == ("same",)
    list(reproduce.run(models, Scorings(SHORT), tmp_path / "study"))
    study = reproduce.study(models, left, Scorings(SHORT), tmp_path / "study")
    assert [model.path for model in study.models] == [good] and not study.waiting
    assert str(torn) in study_page.left_html(study.left)


def test_a_model_takes_the_place_of_one_of_its_row_and_seed_that_cannot_be_used(tmp_path):
    for name in ("a", "b"):
        tiny(tmp_path / f"{name}.safetensors")
    data = (tmp_path / "a.safetensors").read_bytes()
    (tmp_path / "a.safetensors").write_bytes(data[:-4] + b"\xff" * 4)  # NaN, which only loading finds
    models, _ = reproduce.survey(reproduce.find([tmp_path]))
    *_, last = reproduce.run(models, Scorings(SHORT), tmp_path / "study")
    assert [one.name for one in last.left] == ["a"] and "NaN" in last.left[0].reason
    study = reproduce.study(models, last.left, Scorings(SHORT), tmp_path / "study")
    assert [model.name for model in study.models] == ["b"] and not study.waiting


def test_the_study_trains_where_the_app_looks_and_evaluates_its_own_models_alone(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(the_study, "run", lambda *words: calls.append(words))
    monkeypatch.setattr(sys, "argv", ["study.py", "--models", str(tmp_path), "--out", "there"])
    tiny(tmp_path / "mine" / "checkpoint.safetensors")
    the_study.main()
    *trained, (command, *evaluated, option, out) = calls
    folders = [words[words.index("--out") + 1] for words in trained]
    assert len(folders) == 5 * (4 + 3 + 4) and str(tmp_path / "study-dcgan-strong-both-4") in folders
    assert evaluated == [f"{folder}/checkpoint.safetensors" for folder in folders]
    assert (command, option, out) == ("reproduce", "--out", "there")
    for folder in folders[:2]:
        tiny(tmp_path / folder / "checkpoint.safetensors")
    assert set(reproduce.find([tmp_path])) >= set(reproduce.find(evaluated[:2])), "as the app finds runs"


def test_inceptions_scores_are_asked_for_once_a_data_set_and_have_their_name(known, tmp_path, monkeypatch):
    first, found = known
    asked = []

    def by_inception(data, **more):
        asked.append((data, more["weights"], more["root"], more["size"]))
        return dataclasses.replace(metrics.by_judge(judges.shipped("mnist")), key="inception-1")

    monkeypatch.setattr(metrics, "by_inception", by_inception)
    settings = dataclasses.replace(SHORT, features="inception", weights="w.pth")
    scorings = Scorings(settings, data_root="there")
    list(reproduce.run([first], scorings, tmp_path))
    (done,) = reproduce.study([first], [], scorings, tmp_path).models
    assert asked == [("digits", "w.pth", "there", 25)]
    assert done.evaluation.values("badness")[0] == pytest.approx(found.values("badness")[0]), "still the digits judge's"
    assert done.evaluation.values("fid")[0] != found.values("fid")[0]
    assert settings.title("score") == "Inception score" and SHORT.title("score") == "Classifier score"
    assert not reproduce.study([first], [], Scorings(SHORT), tmp_path).models


@pytest.mark.parametrize(
    "wrong",
    [{"radii": (0.0, 1.0)}, {"radii": ()}, {"repeats": 0}, {"samples": 99}, {"features": "vgg"}, {"gradients": 0}],
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(SettingsError):
        EvaluationSettings(**wrong)


def model(
    name,
    seed,
    robust=None,
    score=None,
    noise_harm=0.0,
    random_harm=0.0,
    key="key",
    data="digits",
    strength=0.97,
    **changes,
) -> Model:
    """A model with an evaluation of two repeats around `score`, which worst noise lowers by `noise_harm` times ε, and
    random noise by `random_harm` times ε."""
    made = recipe("dcgan", robust, **({"channels": 1, "width": 2, "latent": 4} | changes))
    training = Training(data, 100, seed, 1.0, "cpu", "float32")
    rows, harms = [], {"original": 0.0, "worst": noise_harm, "random": random_harm}
    if score is not None:
        for repeat in range(2):
            for noise, radius in SETTINGS.kinds:
                value = score + 0.1 * repeat - harms[noise] * radius
                objective = "" if noise == "original" else "critic"
                numbers = (radius, value, 20 - value, 0.1, 0.5, 0.2, 1.0, 3.0, 40.0, 0.1)
                rows.append(Row(repeat, objective, noise, radius, *numbers))
    known = (
        Evaluation(
            name, key, f"protocol {key}", False, 3.75, 1.0, tuple(rows), {"critic": (strength,) * len(SETTINGS.radii)}
        )
        if rows
        else None
    )
    return Model(name, None, name, made, training, DataIdentity(data), known)


def test_families_hold_what_differs_in_seed_and_players_alone():
    robust = [dataclasses.replace(OWN, players=players) for players in ("generator", "critic", "both")]
    other = dataclasses.replace(OWN, weight=0.3, steps=2)
    models = [
        model("a1", 1), model("a0", 0), model("g0", 0, robust[0]), model("c0", 0, robust[1]), model("b0", 0, robust[2]),
        model("o0", 0, other), model("wide", 0, width=4), model("twin", 0),
        dataclasses.replace(model("a1", 1), name="copy"),
    ]  # fmt: skip
    columns, left = ablations(models)
    assert [{row: [m.name for m in found] for row, found in column.models.items()} for column in columns] == [
        {"none": ["a0", "a1"], "generator": ["g0"], "critic": ["c0"], "both": ["b0"]},
        {"none": ["a0", "a1"], "both": ["o0"]},
        {"none": ["wide"]},
    ]
    assert [column.robust for column in columns] == ["λ 1, ε₁ 1, ε₂ 1", "λ 0.3, ε₁ 1, ε₂ 1, steps 2", ""]
    assert [column.family for column in columns] == 2 * ["DCGAN on digits, 100 iterations, width 2"] + [
        "DCGAN on digits, 100 iterations, width 4"
    ]
    assert {one.name: one.reason for one in left} == {
        "twin": "another model of the same row and seed as a0", "copy": "the same file as a1",
    }  # fmt: skip
    assert "<td>2<td>1<td>1<td>1</tr>" in study_page.seeds_html(columns)
    assert robust_words(Robust(consistency=0.1)) == "λ 0.1, ε₁ 0.01, ε₂ 4, consistency 0.1"


def columns_of(gains, harms=(0.0, 0.0), noise=(0.02, -0.01, 0.03), random=(0.0, 0.0), **changes):
    """Baselines of three seeds, and models with both robust that gain about as much each."""
    models = [
        model(f"n{seed}", seed, None, 7.0 + seed, harms[0] + noise[seed], random[0], **changes) for seed in range(3)
    ]
    models += [
        model(f"b{seed}", seed, OWN, 7.0 + seed + gain, harms[1] - noise[seed], random[1], **changes)
        for seed, gain in enumerate(gains)
    ]
    return ablations(models)[0]


@pytest.mark.parametrize(
    ("gains", "outcome"),
    [
        ((0.50, 0.52, 0.47), "supported"), ((-0.50, -0.52, -0.47), "not supported"), ((0.5, -0.5, 0.1), "undecided"),
        ((0.5, 0.5), "no claim"),
    ],
)  # fmt: skip
def test_claims_follow_the_interval_and_two_seeds_claim_nothing(gains, outcome):
    columns = columns_of(gains)
    found = {(claim.paper, claim.measure): claim for claim in claims(columns, ())}
    assert set(found) == {
        ("training both players robustly beats no robust part", measure) for measure in ("score", "fid")
    }
    for claim in found.values():
        assert claim.outcome == outcome
        assert (claim.test is None) == (outcome == "no claim")
    score = found["training both players robustly beats no robust part", "score"]
    if score.test is not None:
        assert score.test.mean == pytest.approx(statistics.fmean(gains))
        assert found["training both players robustly beats no robust part", "fid"].test.mean == pytest.approx(
            score.test.mean
        )
        assert (score.holm, score.family) == (pytest.approx(score.test.p), 1), "one question of this column and measure"


def noise_claims(measure="score", **changes):
    found = claims(columns_of((0.1, 0.2, 0.0), **changes), SETTINGS.radii)
    return [claim for claim in found if claim.where == "Figure 3" and claim.measure == measure]


def test_claims_on_worst_noise_are_tested_against_random_noise():
    for measure in ("score", "fid"):
        noisy = noise_claims(measure, harms=(1.0, 0.2), random=(0.4, 0.1))
        assert [(claim.outcome, claim.rows, claim.radius) for claim in noisy] == [
            ("supported", rows, radius) for rows in (("none",), ("none", "both")) for radius in SETTINGS.radii
        ]
        assert noisy[0].test.mean == pytest.approx(0.5 * (statistics.fmean([1.02, 0.99, 1.03]) - 0.4))
        assert noisy[3].test.mean == pytest.approx(1.5 * (statistics.fmean([0.84, 0.78, 0.86]) - 0.3))
        assert "beyond random noise of the same length +0.31" in noisy[0].because
        assert "against original noise +0.51" in noisy[0].because
        assert [claim.family for claim in noisy] == [2, 2, 2, 2]
    as_bad = noise_claims(harms=(1.0, 0.2), random=(1.0, 0.2))  # random noise of that length harms as much
    assert {claim.outcome for claim in as_bad} == {"undecided"} and "original noise +0.51" in as_bad[0].because
    less = noise_claims(harms=(0.5, 0.2), random=(0.8, 0.2))
    assert {claim.outcome for claim in less if claim.rows == ("none",)} == {"not supported"}


def test_nothing_is_claimed_of_worst_noise_where_the_search_finds_too_little():
    def weaker(one: Model) -> Model:
        return dataclasses.replace(
            one, evaluation=dataclasses.replace(one.evaluation, strength={"critic": (0.95, 0.89)})
        )

    (column,) = columns_of((0.1, 0.2, 0.0), harms=(1.0, 0.2), random=(0.4, 0.1))
    both = tuple(map(weaker, column.models["both"]))
    column = dataclasses.replace(column, models=column.models | {"both": both})
    found = {
        (claim.rows, claim.radius): claim
        for claim in claims([column], SETTINGS.radii)
        if claim.where == "Figure 3" and claim.measure == "score"
    }
    near, far = SETTINGS.radii
    assert [found[("none",), radius].outcome for radius in (near, far)] == ["supported", "supported"]
    assert found[("none", "both"), near].outcome == "supported"
    assert found[("none", "both"), far].outcome == "no claim" and "only 89 %" in found[("none", "both"), far].because


def test_an_interval_that_does_not_outlast_the_correction_decides_nothing():
    gains = {"generator": (0.3, -0.3, -0.2), "critic": (0.3, 0.1, -0.5), "both": (0.5, 0.32, 0.68)}
    models = [model(f"n{seed}", seed, None, 7.0 + seed) for seed in range(3)]
    models += [
        model(f"{row}{seed}", seed, dataclasses.replace(OWN, players=row), 7.0 + seed + gain)
        for row, values in gains.items() for seed, gain in enumerate(values)
    ]  # fmt: skip
    (column,), _ = ablations(models)
    found = [claim for claim in claims([column], ()) if claim.measure == "score"]
    alone = next(claim for claim in found if claim.rows == ("both", "none"))
    expected = stats.ttest_1samp(gains["both"], 0)
    assert expected.pvalue < 0.05 < 6 * expected.pvalue and expected.confidence_interval().low > 0
    assert (alone.outcome, alone.holm, alone.family) == ("undecided", pytest.approx(6 * expected.pvalue), 6)
    assert "alone says supported, which does not outlast the correction for 6 claims" in alone.because
    assert tables.sign(found, column, "both") == "undecided"
    beside = [*columns_of((0.5, 0.4, 0.6), data="mnist"), column]
    again = [claim for claim in claims(beside, ()) if claim.column == column.title and claim.measure == "score"]
    assert again == found, "other columns change nothing"
    page = study_page.claims_html(study_of([column]), column)
    assert f"{alone.holm:.3f}<br><small>of 6</small>" in page


def test_few_seeds_claim_nothing_of_noise():
    few = claims(columns_of((0.1,), harms=(1.0, 0.2)), SETTINGS.radii)
    assert {claim.outcome for claim in few if "less than the baseline" in claim.paper} == {"no claim"}


def study_of(columns) -> reproduce.Study:
    return reproduce.Study(SETTINGS, tuple(columns), claims(columns, SETTINGS.radii), (), ())


def test_files_hold_the_numbers_of_the_evaluations():
    study = study_of(columns_of((0.50, 0.52, 0.47), (1.0, 0.2)))
    read = {name: list(csv.DictReader(io.StringIO(data.decode()))) for name, data in tables.files(study).items()}
    assert set(read) == {
        f"{name}.csv" for name in ("table1", "table2", "figure1", "figure2", "figure3", "claims", "frontier")
    }
    none, _, both, _ = read["table2.csv"]
    scores = [7.05 + seed + gain for seed, gain in enumerate((0.50, 0.52, 0.47))]
    assert float(both["mean"]) == pytest.approx(statistics.fmean(scores))
    assert float(both["sd_seeds"]) == pytest.approx(statistics.stdev(scores))
    assert float(both["sd_repeats"]) == pytest.approx(0.1 / math.sqrt(2)) and both["seeds"] == "3"
    assert float(both["gain"]) == pytest.approx(statistics.fmean((0.50, 0.52, 0.47))) and none["gain"] == ""
    assert (both["paper"], none["paper"], both["comparison"]) == ("6.11", "5.7", "other protocol: not comparable")
    for line in read["figure3.csv"]:
        cell = study.columns[0].cell(line["players"], line["measure"], line["noise"], float(line["radius"]))
        assert float(line["mean"]) == pytest.approx(cell.mean)
    assert len(read["figure3.csv"]) == 2 * 5 * 9 and len(read["figure1.csv"]) == 6 * 9 and not read["figure2.csv"]
    assert [line["outcome"] for line in read["claims.csv"]] == [claim.outcome for claim in study.claims]
    assert {line["holm_claims"] for line in read["claims.csv"]} == {"1", "2"}
    for name in ("table2.csv", "figure1.csv", "figure3.csv"):
        floors = {(line["measure"] == "fid", line["floor"], line["protocol"]) for line in read[name]}
        assert floors == {(True, "3.75", "protocol key"), (False, "", "protocol key")}, name


def test_the_sign_is_compared_only_where_it_is_known():
    def sign(gains):
        columns = columns_of(gains)
        return tables.sign(claims(columns, ()), columns[0], "both")

    assert sign((0.50, 0.52, 0.47)) == "the same" and sign((-0.50, -0.52, -0.47)) == "the opposite"
    assert sign((0.5, -0.5, 0.1)) == "undecided" and sign((0.5, 0.5)) == "too few seeds to say"
    assert published.comparison("cifar10", True).startswith("same protocol, but")
    assert published.comparison("digits", True) == "other data: not comparable"


def test_learning_curves_are_means_over_seeds_at_common_iterations():
    def with_history(seed, *rows):
        one = model(f"m{seed}", seed)
        history = tuple({"iteration": float(at), name: value} for at, name, value in rows)
        return dataclasses.replace(one, training=dataclasses.replace(one.training, history=history))

    models = [
        with_history(0, (5, "score", 2.0), (5, "generator", 9.0), (10, "score", 4.0), (15, "score", 5.0)),
        with_history(1, (5, "score", 3.0), (10, "score", 4.5)), with_history(2, (5, "generator", 1.0)),
    ]  # fmt: skip
    other = with_history(3, (5, "score", 9.0), (10, "score", 9.5))
    models.append(dataclasses.replace(other, training=dataclasses.replace(other.training, protocol="another")))
    (column,), _ = ablations(models)
    found = column.learning("none", "score")
    assert (found.iterations, found.mean, found.seeds) == ((5.0, 10.0), (2.5, 4.25), 2)
    assert found.spread == pytest.approx((statistics.stdev([2, 3]), statistics.stdev([4, 4.5])))
    assert column.learning("none", "fid") is None and column.learning("both", "score") is None
    study = reproduce.Study(SETTINGS, (column,), (), (), ())
    keyed = dataclasses.replace(column.models["none"][0].training, protocol="judge-x/500-99-1")
    named = dataclasses.replace(
        column, models={"none": (dataclasses.replace(column.models["none"][0], training=keyed),)}
    )
    assert "While training: judge-x/500-99-1" in study_page.study_page(dataclasses.replace(study, columns=(named,)))
    assert study_page.unscored(study) == "No scores (or by another judge) were kept while these trained: m2, m3."


def test_figures_show_the_cells_and_the_page_works_without_a_network():
    study = study_of(columns_of((0.50, 0.52, 0.47), (1.0, 0.2)))
    (column,) = study.columns
    bars = table_figures.bars(study.columns, SETTINGS, "score")
    assert [list(trace.y) for trace in bars.data[:2]] == [[column.cell(row, "score").mean] for row in ("none", "both")]
    assert bars.data[1].error_y.array == (column.cell("both", "score").spread,) and len(bars.data[2].y) == 6
    assert bars.data[0].marker.pattern.shape != bars.data[1].marker.pattern.shape
    noises = table_figures.noises(column, SETTINGS, "score")
    for trace, (row, noise) in zip(
        noises.data,
        [(row, noise) for row in ("none", "both") for noise in ("original", "worst", "random")],
        strict=True,
    ):
        kinds = [kind for kind in SETTINGS.kinds if kind[0] == noise]
        assert list(trace.y) == pytest.approx([column.cell(row, "score", *kind).mean for kind in kinds])
    assert len({trace.marker.symbol for trace in noises.data}) == 3
    page = study_page.study_page(study, "python -m rgan reproduce --out x")
    assert "https://" not in page.split("<h1>")[1]
    for words in ("5.77 ± 0.021 in Table 1 and 5.70 ± 0.045 in Table 2", "5.70 ± 0.045", "not comparable", "supported"):
        assert words in page


def test_only_scores_of_one_protocol_share_a_chart_and_its_words_stand_above():
    columns = [
        *columns_of((0.5, 0.4, 0.6), key="one"), *columns_of((0.5, 0.4, 0.6), key="two", data="mnist"),
        *columns_of((0.1, 0.3, 0.2), key="one", data="cifar10"), *ablations([model("unknown", 0, data="celeba")])[0],
    ]  # fmt: skip
    assert table_figures.side_by_side(columns) == [[columns[0], columns[2]], [columns[1]]]
    assert list(map(len, table_figures.side_by_side([columns[0]] * 8))) == [6, 2]
    page = study_page.study_page(study_of(columns))
    _, _, table2, rest = page.split("<h2>", 3)
    for key, charts, blocks in (("one", 1, 2), ("two", 1, 1)):
        words = f"protocol {key}; FID of real against real 3.75"
        assert table2.count(words) == blocks, "at each block's head"
        assert rest.split("Figure 2: ")[0].count(words) == charts * 2, "above each chart, by score and by FID"
        assert rest.split("<h2>Figure 3: ")[1].count(words) == blocks


def test_where_the_papers_table_says_the_reverse_of_its_words_the_claim_says_so():
    for system, said in (("wgan-gp", True), ("dcgan", False)):
        models = [
            dataclasses.replace(
                model(f"{players}{seed}", seed, score=7.0 + seed),
                recipe=recipe(system, dataclasses.replace(OWN, players=players), channels=1, width=2, latent=4),
            )
            for players in ("generator", "critic")
            for seed in range(3)
        ]
        found = [one for one in claims(ablations(models)[0], ()) if one.rows == ("critic", "generator")]
        assert len(found) == 2 and all(("5.87 ± 0.025 against 5.89 ± 0.020" in one.because) is said for one in found)


def test_notes_follow_the_features_and_say_what_intervals_assume():
    study = study_of(columns_of((0.50, 0.52, 0.47)))
    inception = dataclasses.replace(study, settings=dataclasses.replace(SETTINGS, features="inception"))
    of_judge, of_inception = (study_page.study_page(one) for one in (study, inception))
    for words in ("small classifier of the same data set and is no Inception score", "Scores by a judge"):
        assert words in of_judge and words not in of_inception
    assert "alone; each says whether its protocol" in of_inception and "FID most" in of_inception
    for one in (study, inception):
        assert any("roughly normal differences" in note for note in study_page.limits(one))
    assert "roughly normal differences" in study_page.claims_words(study.claims)


def test_the_papers_tables_are_copied_rightly():
    """Sums over the printed tables, added up from the paper by hand."""
    assert sum(value.mean for rows in published.TABLE_2.values() for value in rows.values()) == pytest.approx(111.77)
    values = [
        getattr(line, f"{kind}_{data}")
        for line in published.TABLE_1
        for kind in ("score", "fid")
        for data in ("cifar10", "stl10")
    ]
    assert sum(value.mean for value in values if value) == pytest.approx(932.43)
    assert len(published.TABLE_1) == 16 and {line.system for line in published.TABLE_1} - {""} <= set(SYSTEMS)


def test_table_1_has_every_line_and_ours_beside_those_whose_system_is_at_hand():
    study = study_of(columns_of((0.50, 0.52, 0.47), (1.0, 0.2)))
    (column,) = study.columns
    rows = tables.table1(study)
    assert [row["line"] for row in rows if row["measure"] in (None, "score")] == [x.name for x in published.TABLE_1]
    ours = {row["system"]: row for row in rows if row["measure"] == "score"}
    assert list(ours) == [column.system] and ours[column.system]["mean"] == column.cell("none", "score").mean
    assert "not comparable" in ours[column.system]["comparison"] and len({tuple(row) for row in rows}) == 1
    page = study_page.table1_html(study)
    assert "by our judge" in page and "6.86 ± 0.06" in page and "Warde-Farley" in page
    assert f"{column.cell('none', 'score').words}" in page
    inception = dataclasses.replace(study, settings=dataclasses.replace(SETTINGS, features="inception"))
    assert "by our judge" not in study_page.table1_html(inception)
