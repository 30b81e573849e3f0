"""The command line as its users call it."""

import dataclasses
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from rgan.attack.search import Attack, run
from rgan.cli.main import main
from rgan.embedding import figure4
from rgan.embedding.projections import Layout, fit
from rgan.metrics import judges, scores
from rgan.models import checkpoints
from rgan.training.trainer import Trainer
from tests import tiny_models
from tests.conftest import ROOT

SMALL = ["--width", "4", "--latent", "9", "--batch", "8", "--precision", "float32"]


def train(out, *more: str) -> int:
    common = ["train", "--system", "dcgan", "--data", "digits", "--iterations", "12", "--out", str(out)]
    return main([*common, *SMALL, *more])


def test_a_reader_that_leaves_early_sees_no_traceback():
    process = subprocess.Popen(
        [sys.executable, "-m", "rgan", "recipes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    assert train(out, "--noise-radius", "1", "--image-radius", "0.5", "--weight", "2", "--seed", "3", "--json") == 0
    return out / "checkpoint.safetensors"


def test_training_writes_a_checkpoint_with_its_recipe(trained):
    gan = checkpoints.load(trained)
    assert (gan.recipe.width, gan.recipe.latent, gan.recipe.size) == (4, 9, 32)
    robust = gan.recipe.robust
    assert (robust.noise_radius, robust.image_radius, robust.weight) == (1.0, 0.5, 2.0)
    assert (gan.training.iterations, gan.training.seed, gan.training.data) == (12, 3, "digits")
    assert len(gan.reference) == 512 and gan.training.history[-1]["iteration"] == 12


@pytest.mark.parametrize(("preset", "expected"), [("none", None), ("paper", 4.0), ("official", 1.0)])
def test_presets(tmp_path, preset, expected, capsys):
    assert train(tmp_path, "--robust", preset, "--iterations", "1", "--json") == 0
    robust = checkpoints.load(tmp_path / "checkpoint.safetensors").recipe.robust
    assert (robust.image_radius if robust else None) == expected
    assert json.loads(capsys.readouterr().out)["iterations"] == 1


def test_a_folder_of_ones_own_gets_a_judge_that_scores_its_models(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RGAN_RUNS", str(tmp_path / "runs"))
    for at, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (210, 32, 32), np.uint8)):
        (tmp_path / "data" / "digits").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "data" / "digits" / f"{at}.png")
    folder = str(tmp_path / "data" / "digits")  # called like a known set
    assert main(["judge", folder, "--epochs", "1", "--width", "1", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["judge"].startswith(str(tmp_path / "runs" / "judges")) and made["rotations"]
    assert train(tmp_path / "runs" / "mine", "--data", folder, "--json") == 0
    capsys.readouterr()
    assert (
        main(["score", str(tmp_path / "runs" / "mine" / "checkpoint.safetensors"), "--samples", "100", "--json"]) == 0
    )
    assert made["sha256"][:8] in capsys.readouterr().out, "its judge, and not the digits'"
    assert main(["judge", "digits", "--size", "16"]) == 2
    assert "no --size for digits" in capsys.readouterr().err


def test_probe_prints_what_the_library_finds(trained, capsys):
    options = "--radius 1 --price 0 --steps 10 --samples 32 --seed 4 --precision float32 --json"
    assert main(["probe", str(trained), *options.split()]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report.keys() == {
        "checkpoint", "samples", "seed", "against", "method", "radius", "price", "steps", "loss", "beats_random",
        "radius_used", "prior_radius", "gradient_calls", "seconds",
    }  # fmt: skip
    assert report["loss"].keys() == {"original", "worst", "random", "best_of_random"}
    gan = checkpoints.load(trained)
    z = gan.noise(32, 4)
    found = run(gan.probe().loss, z, Attack((1.0,), gradients=10), seed=4)
    assert report["loss"]["original"] == pytest.approx(float(found.original.mean()), rel=1e-5)
    assert report["loss"]["worst"] == pytest.approx(float(found.loss.mean()), rel=1e-4)
    assert report["loss"]["worst"] > report["loss"]["best_of_random"] > report["loss"]["random"]
    assert report["gradient_calls"] == 10 and 0 < report["radius_used"] <= 1.000001
    assert report["prior_radius"] == pytest.approx(float(z.norm(dim=1).mean()), rel=1e-5)
    assert report["prior_radius"] == pytest.approx(3, rel=0.1)


def test_probe_in_words(trained, capsys):
    assert main(["probe", str(trained), "--samples", "8", "--steps", "2"]) == 0
    assert "Worst noise beats random noise of the same length on" in capsys.readouterr().out


def test_embed_gives_the_librarys_numbers_and_a_page(trained, tmp_path, capsys):
    """One figure of the page is drawn by Plotly in the browser; its data are the report's coordinates."""
    page = tmp_path / "out.html"
    options = f"--panel a --method pca --points 40 --steps 3 --radius 2 --seed 5 --json --html {page}"
    assert main(["embed", str(trained), str(trained), *options.split()]) == 0
    report = json.loads(capsys.readouterr().out)
    gan = checkpoints.load(trained)
    made = figure4.panel("a", gan, gan, figure4.Choice(points=40, seed=5, radius=2.0, gradients=3))
    found = figure4.findings(made, gan, gan)
    (told,) = report["panels"]
    coordinates = told.pop("coordinates")
    assert told == json.loads(json.dumps(figure4.summary(made, found)))
    drawn = fit(made.first.sample.points, made.second.sample.points, Layout("pca", seed=5))
    assert [row["x"] for row in coordinates] == pytest.approx([*drawn.first[:, 0], *drawn.second[:, 0]], abs=1e-5)
    assert [row["name"] for row in coordinates][40] == "worst A 0"
    html = page.read_text()
    assert found.claim.paper in html and "Plotly.newPlot" in html and "data:image/webp;base64" in html
    outside_scripts = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert not re.search(r"https?:", outside_scripts), "the page must work without a network"
    assert main(["embed", str(trained), str(trained), "--points", "40", "--panel", "c", "--method", "pca"]) == 0
    assert re.search(
        r"^\(c\) real images against A's: “.*” (supported|not supported|undecided)", capsys.readouterr().out
    )


def test_score_gives_the_librarys_numbers(trained, capsys):
    assert main(["score", str(trained), "--samples", "300", "--seed", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    gan, judge = checkpoints.load(trained), judges.shipped("digits")
    standard = scores.by_judge(judge)
    found = scores.scores(standard.look(gan.probe().images(gan.noise(300, 2))), standard, seed=2)
    assert [one["value"] for one in report["scores"]] == pytest.approx([one.value for one in found], rel=1e-4)
    assert report["protocol"] == found[0].protocol.words
    assert report["scores"][1]["protocol"]["key"] == found[1].protocol.key
    assert main(["score", str(trained), "--samples", "120", "--radius", "1", "--steps", "2"]) == 0
    assert re.search(r"^Classifier score .*\nFID .*real against real.*\nKID ", capsys.readouterr().out)


def test_score_by_inception(trained, capsys, monkeypatch):
    """What the options say reaches `by_inception` (tests/test_metrics.py), and its standard gives the scores."""
    judge = scores.by_judge(judges.shipped("digits"))
    standard = dataclasses.replace(judge, score="Inception score", splits=10, published=True)

    def by_inception(name, *, weights, root, size, report, device):
        assert (name, weights, root, size, str(device)) == ("digits", "w.pth", "elsewhere", 32, "cpu")
        report(3, 7)
        return standard

    monkeypatch.setattr(scores, "by_inception", by_inception)
    options = "--features inception --weights w.pth --data-root elsewhere --samples 2100 --device cpu"
    assert main(["score", str(trained), *options.split(), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    gan = checkpoints.load(trained)
    found = scores.scores(standard.look(gan.probe().images(gan.noise(2100, 0))), standard)
    assert [one["value"] for one in report["scores"]] == pytest.approx([one.value for one in found], rel=1e-4)
    assert report["scores"][0]["name"] == "Inception score" and "10 splits; not comparable" in report["protocol"]


def test_reproduce_writes_tables_goes_on_and_names_what_it_cannot_use(trained, tmp_path, capsys):
    folder, broken = tmp_path / "out", tmp_path / "broken.safetensors"
    broken.write_bytes(b"no")
    options = "--radii 0.5 1 --repeats 1 --samples 100 --steps 2 --json"
    command = ["reproduce", str(trained), str(broken), "--out", str(folder), *options.split()]
    assert main(command) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert report["models"] == 1 and report["waiting"] == [] and "left out broken: " in said.err
    (evaluated,) = (folder / "evaluations").iterdir()
    rows = json.loads(evaluated.read_text())["rows"]
    assert [(row["noise"], row["radius"]) for row in rows] == [
        ("original", 0), ("worst", 0.5), ("random", 0.5), ("worst", 1), ("random", 1),
    ]  # fmt: skip
    assert report["table2"][0]["mean"] == pytest.approx(rows[0]["score"]) and report["table2"][0]["players"] == "both"
    names = {
        "table1.csv",
        "table2.csv",
        "figure1.csv",
        "figure2.csv",
        "figure3.csv",
        "claims.csv",
        "frontier.csv",
        "report.html",
        "evaluations",
    }
    assert {path.name for path in folder.iterdir()} == names
    page = (folder / "report.html").read_text()
    assert "Plotly.newPlot" in page and "--radii 0.5 1 --repeats 1" in page
    before = evaluated.stat().st_mtime_ns
    assert main(command) == 0 and evaluated.stat().st_mtime_ns == before
    assert main(["reproduce", str(broken), "--out", str(folder)]) == 2
    assert "expected models to evaluate, got none (broken: " in capsys.readouterr().err


def test_inspect(trained, capsys):
    assert main(["inspect", str(trained), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["recipe"]["robust"]["weight"] == 2.0 and len(report["sha256"]) == 64
    gan = checkpoints.load(trained)
    assert report["parameters"]["critic"] == sum(math.prod(p.shape) for p in gan.critic.parameters())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["probe", "nowhere.safetensors"], "nowhere.safetensors"),
        (["inspect", str(ROOT / "pyproject.toml")], "got a text file; choose the file with the weights"),
        (["probe", "CHECKPOINT", "--radius", "-1"], "radius ε between"),
        (["probe", "CHECKPOINT", "--steps", "0"], "gradients between"),
        (["probe", "CHECKPOINT", "--samples", "0"], "samples between"),
        (["embed", "CHECKPOINT", "CHECKPOINT", "--points", "9999"], "points between"),
        (["embed", "CHECKPOINT", "CHECKPOINT", "--points", "1000", "--panel", "c"], "at most 512 points"),
        (["score", "CHECKPOINT", "--samples", "20"], "at least 100 images"),
        (["score", "CHECKPOINT", "--judge", "CHECKPOINT"], "expected a judge"),
        (["score", "CHECKPOINT", "--weights", "w.pth"], "expected no --weights with --features judge"),
        (["score", "CHECKPOINT", "--features", "inception", "--judge", "j"], "expected no --judge"),
        (["score", "CHECKPOINT", "--features", "inception", "--samples", "2048"], "at least 2,049 images"),
        (["score", "CHECKPOINT", "--features", "inception"], "more real images than Inception's 2,048"),
        (["embed", "CHECKPOINT", "nowhere.safetensors"], "nowhere.safetensors"),
        (["reproduce", "nowhere", "--out", "x"], "nowhere, which is not there"),
        (["reproduce", "CHECKPOINT", "--out", "x", "--radii", "2", "1"], "rising radii"),
    ],
)
def test_mistakes_get_one_line_and_status_2(trained, arguments, words, capsys):
    arguments = [str(trained) if a == "CHECKPOINT" else a for a in arguments]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("rgan: ") and words in said and "Traceback" not in said and said.count("\n") == 1


def test_contradicting_options_are_refused(tmp_path, capsys):
    assert train(tmp_path, "--robust", "none", "--weight", "1") == 2
    assert "--weight" in capsys.readouterr().err
    assert train(tmp_path, "--size", "40") == 2
    assert "size of 25 to 32" in capsys.readouterr().err
    robust = ["--recipe", "official/wgan-gp/none", "--weight", "1"]
    assert main(["train", *robust, "--data", "digits", "--iterations", "1", "--out", str(tmp_path)]) == 2
    assert "expected a robust part for --weight" in capsys.readouterr().err
    assert train(tmp_path, "--iterations", "0") == 2
    assert "iterations between 1 and 1,000,000 (five times the longest published" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_an_empty_name_is_not_the_current_folder(tmp_path, monkeypatch, capsys, more):
    monkeypatch.chdir(tmp_path)
    assert train("", *more) == 2
    assert "expected a folder after --out, got an empty name" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_named_before_training(tmp_path, capsys, monkeypatch):
    from rgan.training import trainer

    monkeypatch.setattr(trainer, "train", lambda *_: pytest.fail("trained first"))
    (tmp_path / "file").write_text("")
    assert train(tmp_path / "file") == 2
    assert "choose another" in capsys.readouterr().err


def test_interrupting_keeps_a_checkpoint(tmp_path, monkeypatch):
    from rgan.training import trainer

    real_step = trainer.Trainer.step

    def interrupted(self, pause):
        if self.iteration == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return real_step(self, pause)

    monkeypatch.setattr(trainer.Trainer, "step", interrupted)
    assert train(tmp_path) == 0
    assert checkpoints.load(tmp_path / "checkpoint.safetensors").training.iterations == 6


def test_divergence_keeps_the_last_good_weights(tmp_path, monkeypatch, capsys):
    from rgan.training import trainer

    monkeypatch.setattr(trainer, "KEEP_EVERY", 2)
    real_step = trainer.Trainer.step

    def broken(self, pause):
        metrics = real_step(self, pause)
        return metrics | {"critic": torch.tensor(float("nan"))} if self.iteration == 7 else metrics

    monkeypatch.setattr(trainer.Trainer, "step", broken)
    assert train(tmp_path) == 2
    assert "weights of iteration 6 are kept" in capsys.readouterr().err
    assert checkpoints.load(tmp_path / "checkpoint.safetensors").training.iterations == 6


def test_resume_goes_on_where_it_stopped_and_refuses_other_settings(tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        real_step = Trainer.step

        def interrupted(self, pause):
            if self.iteration == 5:
                os.kill(os.getpid(), signal.SIGTERM)
            return real_step(self, pause)

        patch.setattr(Trainer, "step", interrupted)
        assert train(tmp_path / "parts", "--seed", "2") == 0
    assert "stopped at iteration 6; go on with --resume" in capsys.readouterr().err

    out = str(tmp_path / "parts")
    assert main(["train", "--resume", "--out", out, "--width", "8"]) == 2
    assert "expected no --width with --resume" in capsys.readouterr().err
    assert train(tmp_path / "parts") == 2
    assert "continue that one (--resume)" in capsys.readouterr().err
    assert main(["train", "--resume", "--out", str(tmp_path / "none")]) == 2
    assert "found none" in capsys.readouterr().err

    assert main(["train", "--resume", "--out", out]) == 0
    assert train(tmp_path / "whole", "--seed", "2") == 0
    parts, whole = (checkpoints.load(tmp_path / name / "checkpoint.safetensors") for name in ("parts", "whole"))
    assert parts.training.iterations == 12 and parts.training.history == whole.training.history
    for one, other in (
        (parts.generator, whole.generator),
        (parts.critic, whole.critic),
        (parts.average, whole.average),
    ):
        assert all(
            torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
        )

    assert main(["train", "--resume", "--out", out, "--iterations", "15"]) == 0
    assert checkpoints.load(tmp_path / "parts" / "checkpoint.safetensors").training.iterations == 15


def test_torchrun_trains_in_two_processes(tmp_path):
    """One file, one report; close to the single process after three iterations in float32."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "rgan"]
    options = ["--robust", "official", "--iterations", "3", "--device", "cpu", "--json"]
    common = ["train", "--system", "dcgan", "--data", "digits", *SMALL]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launch, *common, "--out", str(tmp_path / "two"), *options],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["iterations"] == 3
    assert train(tmp_path / "one", *options) == 0
    one, two = (checkpoints.load(tmp_path / name / "checkpoint.safetensors") for name in ("one", "two"))
    assert two.training.history[0] == pytest.approx(one.training.history[0], rel=1e-4)
    z = one.noise(16, 0)
    assert torch.allclose(one.probe().images(z), two.probe().images(z), atol=0.05)


def test_the_disk_ends_under_a_training_from_the_command_line(tmp_path):
    """A limit on the size of files is a full disk that needs no rights: words, status 2, nothing half-written."""
    limited = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "from rgan.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["train", "--system", "dcgan", "--data", "digits", "--iterations", "3", "--out", str(tmp_path), *SMALL]
    done = subprocess.run([sys.executable, "-c", limited, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert "rgan: expected to write" in done.stderr and "free some space there" in done.stderr
    assert not (tmp_path / "checkpoint.safetensors").exists() and not list(tmp_path.glob(".*.part"))


def test_a_curve_cut_off_by_a_full_disk_stays_readable(tmp_path):
    """Points are written until the disk ends, then, in the same file, once there is room again."""
    program = (
        "import pathlib, resource, signal, sys\n"
        "from rgan.common.errors import FileError\n"
        "from rgan.training.tensorboard import Events\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "events, hard = Events(pathlib.Path(sys.argv[1]), 1), resource.getrlimit(resource.RLIMIT_FSIZE)[1]\n"
        "for step in range(1, 31):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (hard if step > 20 else 700, hard))\n"
        "    try: events.add(step, {'loss': step / 2})\n"
        "    except FileError: print(step)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=120)
    lost = [int(line) for line in done.stdout.split()]
    assert done.returncode == 0 and lost and lost[0] > 5 and lost[-1] == 20, done.stderr
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    points = EventAccumulator(str(tmp_path)).Reload().Scalars("loss")
    assert [point.step for point in points] == [step for step in range(1, 31) if step not in lost]
    assert all(point.value == point.step / 2 for point in points)


def test_recipes_are_listed_with_parameters_and_terms(capsys):
    assert main(["recipes"]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert "generator 5,179,907, critic 4,116,225 parameters, 1 critic step (Radford" in lines["dcgan"]
    assert lines["official/dcgan/critic"].endswith("ε₁ 0.01, ε₂ 1, 1 critic step: critic_noise 0.6, consistency 0.1")
    assert "5 critic steps" in lines["wgan-gp"] and "2 critic steps" in lines["official/wgan-gp/critic"]
    assert lines["official/wgan-gp/none"].endswith("2 critic steps (the baseline of official/wgan-gp)")
    assert "betas (0, 0.9), since" in lines["sngan-cnn"]
    assert "as published for WGAN-GP (ResNet)" in lines["official/bwgan"]
    assert main(["recipes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["paper/sngan"]["robust"]["weight"] == 0.1


def test_a_named_recipe_and_its_changed_fields_are_trained(tmp_path, capsys):
    common = ["train", "--data", "digits", "--iterations", "3", "--width", "2", "--latent", "3", "--batch", "4"]
    named = ["--recipe", "official/wgan-gp-res/critic", "--set", "critic_steps=1", "--set", "betas=[0.1,0.9]"]
    assert main([*common, *named, "--out", str(tmp_path / "a")]) == 0
    made = json.loads((tmp_path / "a" / "run.json").read_text())["plan"]["recipe"]
    assert (made["system"], made["critic_steps"], made["betas"]) == ("wgan-gp-res", 1, [0.1, 0.9])
    assert made["robust"]["players"] == "critic" and made["robust"]["critic_image"] == 0.15
    assert made["decay"] == 3  # the learning rate falls to 0 over this run
    assert main([*common, "--recipe", "official/wgan-gp/none", "--out", str(tmp_path / "none")]) == 0
    made = json.loads((tmp_path / "none" / "run.json").read_text())["plan"]["recipe"]
    assert (made["system"], made["critic_steps"], made["robust"]) == ("wgan-gp", 2, None)
    capsys.readouterr()
    for wrong, said in (
        (["--recipe", "dcgan", "--system", "dcgan"], "got both"),
        (["--recipe", "paper/stylegan"], "rgan recipes"),
        (["--system", "dcgan", "--set", "entropy=1"], "no such term"),
        (["--system", "dcgan", "--set", "width_=3"], "a field that can be set"),
        (["--system", "dcgan", "--set", "critic_steps=many"], "critic_steps to be int"),
        (["--system", "dcgan", "--set", "ema=2"], "ema between"),
    ):
        assert main([*common, *wrong, "--out", str(tmp_path / "b")]) == 2
        assert said in capsys.readouterr().err


def test_a_zip_is_trained_on_and_its_damage_is_named(tmp_path, capsys):
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
        for index in range(20):
            buffer = io.BytesIO()
            Image.fromarray(rng.integers(0, 256, (40, 36, 3), np.uint8)).save(buffer, "PNG")
            archive.writestr(f"{index:02}.png", buffer.getvalue())
        archive.writestr("bad.png", b"nothing")
    root = ["--data-root", str(tmp_path)]
    assert main(["data", *root]) == 0 and "mine.zip" in capsys.readouterr().out
    assert main(["data", "mine.zip", "--json", *root]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "name": "mine.zip",
        "images": [20, 3, 32, 32],
        "skipped": ["bad.png"],
        "classes": [],
        "remarks": [],
    }
    common = ["--width", "2", "--latent", "3", "--batch", "4", "--iterations", "2", "--out", str(tmp_path / "out")]
    assert main(["train", "--system", "sngan-cnn", "--data", "mine.zip", *root, *common]) == 0
    assert "skipped 1 unreadable: bad.png" in capsys.readouterr().err
    assert main(["inspect", "--json", str(tmp_path / "out" / "checkpoint.safetensors")]) == 0
    assert json.loads(capsys.readouterr().out)["training"]["data"] == "mine.zip"


def test_evidence_says_what_the_library_says(models, capsys):
    pair = [str(tiny_models.path(name)) for name in tiny_models.PAIR]
    few = ["--samples", "24", "--steps", "3", "--radius", "1.5", "--json"]
    assert main(["evidence", *pair, *few]) == 0
    report = json.loads(capsys.readouterr().out)
    gan, judge = checkpoints.load(pair[1]), judges.shipped("digits")
    z = gan.noise(24, 0)
    badness = judge.opinion(gan.probe().images(z)).badness
    assert report["models"]["B"]["badness"]["original"] == pytest.approx(float(badness.mean()), abs=1e-6)
    assert len(report["models"]["A"]["health"]) == 4 and report["judge"]["data"] == "digits"
    other = judges.shipped("digits", judges.ATTACKED)
    assert report["second_judge"]["sha256"] == other.digest != report["judge"]["sha256"] == judge.digest
    assert report["models"]["A"]["judges_agree"]["bad"]["total"] == 24 and report["models"]["A"]["attributes"] is None
    assert any(one.startswith("Raised: the loss by each model's own critic. Measured by") for one in report["said"])
    rise = report["models"]["A"]["rise"]["worst"]
    assert rise["low"] <= rise["mean"] <= rise["high"]
    assert report["said"][0].startswith("No verdict: A's search is not to be trusted (Strength: finds ")
    assert main(["evidence", *pair, "--samples", "16", "--steps", "20", "--radius", "0.3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["said"]
    assert said[0].startswith("A: ") and any("of what 200 gradients find on 16 samples" in one for one in said)
    assert main(["evidence", pair[0], str(tiny_models.path("cifar10-dcgan"))]) == 2
    assert "as many noise dimensions, got 64 and 128" in capsys.readouterr().err
