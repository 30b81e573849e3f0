"""Every screen through Streamlit's AppTest: logic, state, words; no browser."""

import json
import os
import re
import shutil
import threading
import time
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from rgan.attack.search import BUDGETS, Attack
from rgan.common.formatting import per_cent
from rgan.embedding.figure4 import PANELS, Choice, findings, panel
from rgan.metrics.judges import shipped
from rgan.models import checkpoints
from rgan.models.comparability import comparability
from rgan.models.gan import Gan, Training, fresh
from rgan.models.recipes import recipe
from rgan.robustness.checks import against, check_attack
from rgan.robustness.finding import WITHHELD
from rgan.robustness.measured import JudgedGan
from rgan.robustness.one_radius import one_radius
from rgan.robustness.summary import headline
from rgan.training.runs import Run, TrainingPlan, create
from tests import tiny_models
from tests.conftest import ROOT

OF_TWO = ("worst_noise", "evidence", "failures", "embeddings", "blind_test")
SCREENS = sorted(path.parent.name for path in (ROOT / "app" / "screens").glob("*/screen.py"))


def app(screen: str = "worst_noise", **query: str) -> AppTest:
    """A screen opened by a link, with the smallest budget, and few samples, unless the link says else."""
    usual = {"worst_noise": {"budget": "live"}, "evidence": {"budget": "live"}, "train": {"data": "digits"}}
    pair = dict(zip("ab", tiny_models.PAIR, strict=True)) if screen in OF_TWO else {}
    query = pair | usual.get(screen, {}) | query
    test = AppTest.from_file(str(ROOT / "app" / "Home.py"), default_timeout=150)
    for name, value in query.items():
        test.query_params[name] = value
    # AppTest learns the addresses of pages, which are not their files' names, from a first run: of Home, with a search.
    test._page_hash = calc_hash("" if screen == "home" else screen.replace("_", "-"))
    return test.run()


def words(test: AppTest) -> str:
    """HTML and Markdown of a page, the words in it as they are read."""
    return unescape(" ".join(element.body for element in test.get("html"))) + " ".join(m.value for m in test.markdown)


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_opens_without_an_exception(screen):
    test = app(screen)
    assert not test.exception
    assert not test.error


def test_home_shows_every_shipped_model(monkeypatch):
    monkeypatch.setattr("session.state.SHIPPED", ROOT / "checkpoints")
    monkeypatch.setitem(BUDGETS, "standard", 1)  # the models are what is looked at
    shown = words(app("home"))
    shipped = [path.stem for path in (ROOT / "checkpoints").glob("*.safetensors")]
    assert shipped
    for name in shipped:
        assert f"<h3>{name}</h3>" in shown


def as_read(markdown: str) -> str:
    """Words whose characters are all escaped, as CommonMark shows them."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


def waited(test: AppTest, done) -> AppTest:
    """Run until the background tasks of the page have come in; while they compute, wait, since a run costs as much."""
    for _ in range(240):
        if done(test):
            return test
        for _ in range(100):
            if not any(thread.name == "task" for thread in threading.enumerate()):
                break
            time.sleep(0.05)
        time.sleep(0.05)
        test.run()
    raise AssertionError("the page is still waiting")


def labels(test: AppTest) -> list[str]:
    return [button.label for button in test.get("download_button")]


def claims(test: AppTest) -> int:
    return words(test).count('class="outcome"')


def test_figure_four_shows_all_panels_each_with_the_papers_claim_and_an_outcome():
    test = waited(app("embeddings", points="100"), lambda test: claims(test) == 4)
    shown = words(test)
    for letter, words_ in PANELS.items():
        assert f"({letter}) {words_}" in shown
    assert len(re.findall(r"(supported|not supported|undecided) by these models", shown)) == 4
    assert any(button.label == "Draw with t-SNE" for button in test.button)
    assert not test.exception and not test.error


def test_pictures_are_drawn_on_demand_and_carry_their_settings():
    test = app("embeddings", points="100", panel="d real and B", tsne_scale="10")
    waited(test, lambda test: 'class="tests"' in words(test))
    assert '<span class="stamp">PCA</span>' in words(test)
    next(button for button in test.button if button.label == "Draw with t-SNE").click().run()
    there = "Control, t-SNE, perplexity 10", '<span class="stamp">t-SNE, perplexity 10</span>', ">t-SNE, perplexity 50<"
    waited(test, lambda test: all(one in words(test) for one in there))
    test.select_slider(key="tsne_scale").set_value(20).run()
    assert '<span class="stamp">PCA</span>' in words(test), "a picture of other settings must not stay"
    assert not test.exception


def test_the_apps_numbers_are_the_librarys():
    test = waited(
        app("embeddings", points="100", panel="a noise", eps="2", seed="3"),
        lambda test: 'class="tests"' in words(test),
    )
    gans = tiny_models.load(*tiny_models.PAIR)
    found = findings(panel("a", *gans, Choice(points=100, seed=3, radius=2.0)), *gans)
    assert found.claim.because in words(test)
    for one in found.verdicts:
        assert f"<td>{one.test}<br>" in words(test)
        assert f"<td>{one.effect_words}<td>{one.interval_words}" in words(test)


def test_models_without_common_images_are_refused_in_words(runs):
    colour = recipe("dcgan", width=2, latent=64)
    checkpoints.save(Gan(colour, *fresh(colour, 0)), runs / "checkpoint.safetensors")
    test = app("embeddings", b="runs/test-broken", panel="c real and A")
    waited(test, lambda test: test.error)
    assert "images of one shape" in test.error[0].value and not test.exception


def test_the_evidence_is_the_librarys_and_every_view_comes_in():
    test = waited(app("evidence", samples="16", eps="4", seed="2", budget="live"), lambda test: WITHHELD in words(test))
    names = tiny_models.PAIR
    gans = tiny_models.load(*names)
    judged_gans = [JudgedGan(gan, shipped("digits")) for gan in gans]
    at_radius = [one_radius(one, Attack((4.0,), gradients=10), samples=16, seed=2) for one in judged_gans]
    checked = {
        side: check_attack(one, found.perturbation, 2)
        for side, one, found in zip("AB", judged_gans, at_radius, strict=True)
    }
    refused = against(checked)
    assert refused, "ten gradients are too few for a verdict at this ε"
    for why in refused:
        assert why in words(test)
    assert any(button.label == "Search with the standard budget" for button in test.button)
    for one in at_radius:
        assert f"<td>{per_cent(float(one.measures['worst'].badness.mean()))}<td>" in words(test)
    files = {"Curves": "curves", "Minimal radius": "minimal radii", "Shell": "lengths", "Transfer": "table"}
    for view, name in (files | {"Checks": "checks"}).items():
        test.session_state["view"] = view
        waited(test.run(), lambda test, name=name: f"Numbers: {name}" in labels(test))
        assert not test.exception and not test.error
    test.session_state["view"] = "Report"
    waited(test.run(), lambda test: any(label.startswith("Download the report") for label in labels(test)))
    by_side = [dict(zip("AB", each, strict=True)) for each in (names, at_radius)]
    expected = headline(*by_side, checked, comparability(*gans))
    assert (expected.claim or "No headline: the controls do not support one.") in words(test)
    for sentence in (expected.numbers, *expected.against):
        assert sentence.rstrip(".") in words(test)


def test_models_of_other_data_are_judged_with_a_word_or_refused(runs):
    test = app("evidence", a="digits-dcgan", b="mnist-dcgan")
    assert "B was trained on mnist" in test.info[0].value and not test.exception
    test = app("evidence", a="digits-dcgan", b="cifar10-dcgan")
    assert "64 noise dimensions and B from 128" in test.error[0].value and not test.exception


def test_a_broken_model_is_named_in_words_and_the_rest_stays_usable(runs: Path):
    whole = tiny_models.path("digits-dcgan").read_bytes()
    (runs / "checkpoint.safetensors").write_bytes(whole[: len(whole) // 2])
    home = app("home")
    assert not home.exception and any("cut short" in warning.value for warning in home.warning)
    test = app(a="runs/test-broken")
    assert not test.exception and "cut short" in test.error[0].value
    test.selectbox(key="a").set_value("digits-dcgan").run()
    assert not test.error


def test_the_plan_says_how_long_it_takes_and_what_is_missing():
    test = app("train", width="8", latent="16", iterations="1000000")
    for _ in range(60):
        if any("About" in caption.value for caption in test.caption):
            break
        time.sleep(0.5)
        test.run()
    said = next(caption.value for caption in test.caption if "About" in caption.value)
    assert re.search(r"About \*\*\d+ (h|days).*s and .* s an iteration, measured on a few steps", said)
    assert {button.disabled for button in test.button if button.label.startswith("Train")} == {False}

    test.selectbox(key="data").set_value("cifar10").run()
    for _ in range(60):
        if test.warning:
            break
        time.sleep(0.2)
        test.run()
    if not (ROOT / "data" / "cifar-10-batches-py").exists():
        assert "fetch it once with" in test.warning[0].value
        disabled = {button.disabled for button in test.button if button.label.startswith("Train")}
        assert disabled == {True}


def test_the_link_restores_the_plan():
    query = {"data": "digits", "system": "WGAN-GP", "robust": "own", "e1": "0.5", "width": "16", "train_seed": "9"}
    test = app("train", **query)
    assert test.selectbox(key="system").value == "wgan-gp"
    assert test.number_input(key="e1").value == 0.5 and test.number_input(key="train_seed").value == 9
    assert test.select_slider(key="width").value == 16 and not test.exception


def test_impossible_values_in_the_link_are_harmless():
    test = app("train", width="7", latent="x", iterations="-3", e1="nan", run="nobody", robust="maybe", data="cats")
    assert not test.exception and not test.error
    assert (
        test.select_slider(key="width").value in (8, 16, 32, 64, 128) and test.number_input(key="iterations").value >= 1
    )


@pytest.fixture
def family():
    """Two tiny baselines and a robust model among the runs, and nothing of any study afterwards."""
    folders = [Path(os.environ["RGAN_RUNS"]) / name for name in ("tiny-0", "tiny-1", "tiny-robust", "reproduce")]
    for folder, seed, robust in zip(folders, (0, 1, 0), (None, None, "paper"), strict=False):
        made = recipe("dcgan", robust, channels=1, width=2, latent=4)
        training = Training("digits", 7, seed, 1.0, "cpu", "float32")
        checkpoints.save(Gan(made, *fresh(made, seed), training=training), folder / "checkpoint.safetensors")
    yield "DCGAN on digits, 7 iterations; λ 0.1, ε₁ 0.01, ε₂ 4"
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_study_runs_in_the_background_and_shows_the_librarys_numbers(family: str):
    test = app("reproduce", study="models at hand", radii="0.5", repeats="1", images="100", budget="live")
    assert family in test.multiselect(key="families").options and not test.exception
    test.multiselect(key="families").set_value([family]).run()
    assert "<td>2<td>–<td>–<td>1</tr>" in words(test)
    next(button for button in test.button if button.label == "Run").click().run()
    again = app(
        "reproduce", study="models at hand", radii="0.5", repeats="1", images="100", budget="live"
    )  # another session sees the same
    again.multiselect(key="families").set_value([family]).run()
    waited(again, lambda test: words(test).count("<td>no robust part<br>") == 1 and not test.get("progress"))
    folder = Path(os.environ["RGAN_RUNS"]) / "reproduce"
    (page,) = folder.glob("*/report.html")
    found = [json.loads(path.read_bytes()) for path in page.parent.glob("evaluations/*.json")]
    assert len(found) == 3
    robust = next(one for one in found if one["digest"] == checkpoints.glance(
        folder.parent / "tiny-robust" / "checkpoint.safetensors")[1])  # fmt: skip
    assert f"<td>both robust<br><small>1 seed: no claim</small><td>{robust['rows'][0]['score']:.2f}<br>" in words(again)
    assert not any(button.label == "Run" for button in again.button), "nothing is left to do"
    for part in ("Table 1", "Figure 1", "Figure 2", "Figure 3", "Claims", "About"):
        again.segmented_control(key="show_part").set_value(part).run()
        assert not again.exception and not again.error, part
        if part == "Table 1":
            assert "EGAN-Ent-VI" in words(again) and "7.07 ± 0.10" in words(again)
        if part == "Claims":
            assert "0 of 6 claims have the 3 training seeds" in words(again)
            assert "No claim: too few training seeds" in words(again)


def test_radii_that_are_none_are_refused_in_words():
    for radii in ("half", "0", "-1"):
        test = app("reproduce", study="models at hand", radii=radii)
        assert test.error and not test.exception


def test_a_broken_run_is_named_and_the_others_stay_usable(runs: Path):
    (runs / "run.json").write_text('{"state": "running", "plan"')
    test = app("train")
    assert not test.exception and any(
        "test-broken: expected a readable run.json" in as_read(w.value) for w in test.warning
    )


def test_what_is_left_out_of_data_is_said_where_it_is_chosen_and_where_it_trains(tmp_path, runs, monkeypatch):
    """Names look as they are: none becomes a formula, a link or code."""
    bad, folder = "b$a$d`_`[x](y)*.zip", "$de*ep*"
    (tmp_path / bad).write_bytes(b"PK\3\4 and no more")
    (tmp_path / folder).mkdir()
    for level in (0, 70000):
        Image.fromarray(np.full((32, 32), level, np.int32)).save(tmp_path / folder / f"{level}.tif")
    (tmp_path / folder / "b[ro]ken.png").write_bytes(b"no image")
    monkeypatch.setattr("session.state.DATA", tmp_path)
    monkeypatch.setattr("screens.train.plan_form.DATA", tmp_path)
    made = recipe("dcgan", channels=1, width=2, latent=4)
    (runs / "run.json").unlink(missing_ok=True)
    create(runs, TrainingPlan(made, folder, 5, device="cpu", precision="float32", data_root=str(tmp_path)))
    Run(runs).close()

    st.cache_data.clear()
    test = app("train", run=runs.name)
    shown = [one.value for one in (*test.warning, *test.caption) if ".zip" in one.value or "de" in one.value]
    seen = [as_read(one) for one in shown]
    assert any(f"got {bad}, a zip that is damaged" in one for one in seen)
    assert any(one.startswith(f"{folder}: skipped 1 unreadable: b[ro]ken.png") for one in seen)
    assert any(one.startswith(f"{folder}: ") and "0 as black and 70000 as white" in one for one in seen)
    named = [one for one, words in zip(shown, seen, strict=True) if bad in words or folder in words]
    assert len(named) == 3 and not any(re.search(r"(?<!\\)[$\[\]`*]", one) for one in named)
