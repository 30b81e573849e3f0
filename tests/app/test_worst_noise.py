"""The Worst noise screen: the path that it plays is the library's, and every control is obeyed."""

import asyncio
import dataclasses
import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from benchmarks.visitor import Visitor
from rgan.attack.path import Request, reach
from rgan.attack.search import BUDGETS
from rgan.metrics.judges import shipped
from rgan.models import checkpoints
from rgan.models.gan import Gan, Origin
from rgan.models.recipes import Recipe
from rgan.networks.described import Activation, Layers, Linear, View
from rgan.robustness.encoding import decoded, encoded
from rgan.robustness.frames import Frames
from rgan.robustness.measured import JudgedGan
from rgan.robustness.play import play
from tests import tiny_models
from tests.app.test_screens import app, waited, words

ANY_TIME = 120.0  # seconds
SHOWN = "played:worst_noise"


def path(test: AppTest, *, wrong: bool = False) -> list[Frames]:
    """The frames on the stage, A's and B's, once both searches have ended."""

    def ended(test: AppTest) -> bool:
        standing = test.session_state.get(SHOWN, None)
        return standing is not None and standing.asked and all(one["done"] for one in standing.frames)

    assert not test.exception and bool(test.error) is wrong
    return [decoded(one) for one in waited(test, ended).session_state[SHOWN].frames]


def test_the_path_is_the_librarys():
    gan = tiny_models.load(*tiny_models.PAIR)[1]
    a, b = path(app(seed="3", against="critic"))
    request = Request(16, 3, 0.0, BUDGETS["live"], "ascent", False, reach(gan), objective="critic")
    *_, last = play(JudgedGan(gan, shipped("digits")), request)
    assert encoded(b)["worst"] == encoded(decoded(json.loads(json.dumps(encoded(last.found)))))["worst"]
    assert (b.worst.loss.mean(axis=1) >= b.random.loss.mean(axis=1))[1:].all() and a.radii == b.radii


def test_a_high_price_keeps_the_noise_at_home_and_says_so():
    test = app(lam="20", against="critic")
    frames = path(test)
    assert max(one.length.max() for one in frames) < 0.5 < path(app(against="critic"))[0].length.max()
    assert any("ε is slack at this λ" in info.value for info in test.info)


def test_one_step_overshoots_and_its_inert_controls_are_disabled():
    a, b = tiny_models.REAL
    test = app(method="one-step", eps="3", a=a, b=b, against="critic")
    assert path(test)[0].gradients == 1
    assert any("One step overshoots" in info.value for info in test.info)
    assert test.segmented_control(key="budget").disabled and test.select_slider(key="lam").disabled


def test_the_link_restores_every_control():
    test = app(eps="0.5", lam="0.1", budget="live", shell="true", seed="7", samples="32", method="search", pick="3")
    assert test.select_slider(key="lam").value == 0.1 and test.segmented_control(key="budget").value == "live"
    assert test.toggle(key="shell").value is True and test.number_input(key="seed").value == 7
    assert test.select_slider(key="samples").value == 32
    (a, _) = path(test)
    assert a.attack.price == 0.1 and a.attack.keep_shell and a.seed == 7 and len(a.original) == 32
    assert "sample 3 under worst noise" in words(test)
    assert test.session_state["eps"] == 0.5


def test_reset_goes_from_the_links_settings_to_the_defaults():
    test = app(eps="0.5", samples="32", method="one-step", shell="true")
    test.button(key="reset").click().run()
    assert test.session_state["eps"] == 1.0 and test.query_params["eps"] == "1"
    assert test.select_slider(key="samples").value == 16 and test.toggle(key="shell").value is False
    assert path(test)[0].attack.gradients == BUDGETS["standard"]


def test_choosing_a_baseline_brings_its_robust_twin():
    test = app()
    test.selectbox(key="a").set_value("digits-wgan-gp").run()
    assert test.selectbox(key="b").value == "digits-wgan-gp-robust"
    assert not test.exception and not test.error


@pytest.fixture
def alone(runs: Path) -> Path:
    """The path of a run without a critic, of 64 noise dimensions as the digits' models have."""
    layers = Layers("tests", (Linear(784), View(1), Activation("tanh")), (), score=0)
    made = Recipe("imported", size=28, channels=1, latent=64, layers=layers)
    generator, critic = (network.to_empty(device="cpu") for network in made.networks())
    rng = torch.Generator().manual_seed(0)
    for weight in generator.parameters():
        weight.data.normal_(std=0.1, generator=rng)
    file = runs / "checkpoint.safetensors"
    checkpoints.save(Gan(made, generator, critic, origin=Origin((), {}, "digits")), file)
    return file


def test_a_model_without_a_critic_can_be_searched_for_what_needs_none(alone: Path):
    test = app(a="runs/test-broken", b="digits-dcgan")
    choice = test.segmented_control(key="against")
    assert choice.options == ["judge", "change"] and choice.value == "judge"
    said = test.info[0].value
    assert said.startswith("A (runs/test-broken) has no critic, so its loss cannot be raised; raise the judge's dist")
    assert "judge of digits" in test.caption[0].value
    a, _ = path(test)
    assert a.judged and np.isnan(a.worst.loss).all()
    assert a.worst.badness[-1].mean() > a.random.badness[-1].mean() or a.worst.badness.min() > 0.9

    choice.set_value("change").run()
    a, _ = path(test)
    assert a.worst.change[-1].mean() > a.random.change[-1].mean() > 0
    assert test.segmented_control(key="method").disabled
    assert any("no gradient at the original noise" in caption.value for caption in test.caption)

    test.selectbox(key="a").set_value("digits-dcgan").run()
    assert test.segmented_control(key="against").value == "change" and not test.info, "what was chosen stays"


def test_the_default_follows_the_models(alone: Path):
    test = app(a="runs/test-broken", b="runs/test-broken", against="critic", method="one-step")
    assert test.segmented_control(key="against").value == "judge"
    assert "A (runs/test-broken) and B" in test.info[0].value
    test.selectbox(key="a").set_value("digits-dcgan")
    test.selectbox(key="b").set_value("digits-dcgan").run()
    assert test.segmented_control(key="against").options == ["judge", "critic", "change"]
    assert not test.exception and not test.error


def test_without_critic_and_judge_only_the_change_is_left(alone: Path):
    gan = checkpoints.load(alone)
    checkpoints.save(dataclasses.replace(gan, origin=Origin((), {}, "celeba")), alone)
    test = app(a="runs/test-broken", b="runs/test-broken", method="one-step")
    assert test.segmented_control(key="against").options == ["change"] and not path(test)[0].judged
    assert "No judge comes with RGAN Lab for the data of A or B" in test.info[0].value


def test_chosen_samples_are_shown_alone():
    test = app(rows="3, 40 7", samples="64")
    assert len(path(test)[0].original) == 3 and test.select_slider(key="samples").disabled
    (one, _) = path(app(rows="40"))
    whole = path(app(rows="7 40"))[0]
    assert np.abs(one.original[0].astype(int) - whole.original[1]).max() <= 1
    test = app(rows="3-5, 40")
    whole = path(test)[0].original
    assert len(whole) == 4
    test.text_input(key="rows").set_value("forty").run()
    assert "expected up to 256 sample numbers" in test.error[0].value and not test.exception
    assert np.array_equal(path(test, wrong=True)[0].original, whole), "what stood there stays"


def test_a_hundred_reruns_interrupt_each_other_and_the_last_setting_is_shown(address):
    """Two sessions, one link: each changes the seed fifty times, mostly before its search has begun or ended."""
    pauses, last = random.Random(0), "49"
    link = "worst-noise?" + urlencode(dict(zip("ab", tiny_models.PAIR, strict=True)) | {"budget": "standard"})

    async def hurries(visitor: Visitor) -> None:
        await visitor.open(link)
        assert await visitor.until(lambda heard: "seed" in heard.controls, ANY_TIME)
        for seed in range(50):
            await visitor.set("seed", float(seed))
            await asyncio.sleep(pauses.uniform(0, 0.06))
        settled = await visitor.until(lambda heard: heard.there and f"seed {last}" in heard.stage.settings, ANY_TIME)
        assert settled and not visitor.heard.errors and visitor.lost is None, visitor.heard.errors

    async def both() -> tuple[tuple[str, ...], ...]:
        async with Visitor(address) as one, Visitor(address) as other:
            await asyncio.gather(hurries(one), hurries(other))
            return one.heard.stage.ids, other.heard.stage.ids

    with ThreadPoolExecutor(1) as thread:  # the tests' browser may have a loop in this one
        one, other = thread.submit(lambda: asyncio.run(both())).result()
    assert one == other, "one path for both"
