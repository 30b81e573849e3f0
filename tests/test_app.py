"""Every screen through Streamlit's AppTest: logic, state, words; no browser."""

import re
import shutil
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT

SCREENS = sorted(path.name for path in (ROOT / "app" / "screens").glob("*.py"))


def app(screen: str = "worst_noise.py", **query: str) -> AppTest:
    test = AppTest.from_file(str(ROOT / "app" / "Home.py"), default_timeout=60)
    for name, value in query.items():
        test.query_params[name] = value
    return test.run().switch_page(f"screens/{screen}").run()


def words(test: AppTest) -> str:
    return " ".join(element.body for element in test.get("html")) + " ".join(m.value for m in test.markdown)


def board_losses(test: AppTest) -> list[float]:
    """Mean losses as shown: A original, worst, random, then B's."""
    return [float(value) for value in re.findall(r'class="value">loss (-?[\d.]+)<', words(test))]


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_opens_without_an_exception(screen):
    test = app(screen)
    assert not test.exception
    assert not test.error


def test_home_shows_every_shipped_model():
    shown = words(app("home.py"))
    shipped = [path.stem for path in (ROOT / "checkpoints").glob("*.safetensors")]
    assert shipped
    for name in shipped:
        assert f"<h4>{name}</h4>" in shown


def test_worst_noise_costs_more_than_random_noise_and_says_so():
    test = app()
    original_a, worst_a, random_a, original_b, worst_b, random_b = board_losses(test)
    assert worst_a > random_a + 0.1 and worst_b > random_b
    assert worst_a > original_a and worst_b > original_b
    assert re.search(r"Worst noise beats random on \d+ of 64 \(A\)", words(test))


def test_epsilon_zero_shows_the_original_three_times():
    test = app(eps="0")
    losses = board_losses(test)
    assert losses[0] == losses[1] == losses[2]
    assert "nothing moves" in words(test)


def test_larger_epsilon_costs_more():
    test = app()
    before = board_losses(test)[1]
    test.slider(key="eps").set_value(2.0).run()
    assert board_losses(test)[1] > before


def test_a_high_price_keeps_the_noise_at_home_and_says_epsilon_is_slack():
    test = app(lam="20")
    free, priced = board_losses(app())[1], board_losses(test)[1]
    assert priced < free
    assert any("ε is slack at this λ" in info.value for info in test.info)


def test_one_step_overshoots_and_its_inert_controls_are_disabled():
    test = app(method="one-step", eps="2")
    assert any("One step overshoots" in info.value for info in test.info)
    assert test.slider(key="steps").disabled and test.select_slider(key="lam").disabled


def test_the_link_restores_every_control():
    test = app(eps="0.5", lam="0.1", steps="3", restarts="2", shell="true", seed="7", samples="16", method="search")
    assert test.slider(key="eps").value == 0.5
    assert test.select_slider(key="lam").value == 0.1
    assert test.slider(key="steps").value == 3 and test.slider(key="restarts").value == 2
    assert test.toggle(key="shell").value is True
    assert test.number_input(key="seed").value == 7 and test.select_slider(key="samples").value == 16
    assert "of 16 (A)" in words(test)


def test_reset_brings_every_default_back():
    test = app(eps="0.5", steps="3", samples="16", method="one-step", shell="true")
    test.button[0].click().run()
    assert test.slider(key="eps").value == 1.0 and test.slider(key="steps").value == 10
    assert test.select_slider(key="samples").value == 64 and test.toggle(key="shell").value is False
    assert "of 64 (A)" in words(test)


def test_choosing_a_baseline_brings_its_robust_twin():
    test = app()
    test.selectbox(key="a").set_value("digits-wgan-gp").run()
    assert test.selectbox(key="b").value == "digits-wgan-gp-robust"
    assert not test.exception and not test.error


def test_the_same_settings_give_the_same_numbers():
    assert board_losses(app(seed="3", samples="16")) == board_losses(app(seed="3", samples="16"))


@pytest.fixture
def runs():
    """runs/ of the checkout with a folder for a test's own file, removed afterwards."""
    folder = ROOT / "runs" / "test-broken"
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    shutil.rmtree(folder)


def test_a_broken_model_is_named_in_words_and_the_rest_stays_usable(runs: Path):
    shipped = ROOT / "checkpoints" / "digits-dcgan.safetensors"
    (runs / "checkpoint.safetensors").write_bytes(shipped.read_bytes()[:1_000_000])
    home = app("home.py")
    assert not home.exception and any("cut short" in warning.value for warning in home.warning)
    test = app(a="runs/test-broken")
    assert not test.exception and "cut short" in test.error[0].value
    test.selectbox(key="a").set_value("digits-dcgan").run()
    assert not test.error and board_losses(test)


def test_the_plan_says_how_long_it_takes_and_what_is_missing():
    test = app("train.py", width="8", latent="16", iterations="1000000")
    for _ in range(60):
        if any("About" in caption.value for caption in test.caption):
            break
        time.sleep(0.5)
        test.run()
    said = next(caption.value for caption in test.caption if "About" in caption.value)
    assert re.search(r"About \*\*\d+ (h|days).*s and .* s an iteration, measured on a few steps", said)
    assert not any(button.disabled for button in test.button if button.label.startswith("Train"))

    test.selectbox(key="data").set_value("cifar10").run()
    for _ in range(60):
        if test.warning:
            break
        time.sleep(0.2)
        test.run()
    if not (ROOT / "data" / "cifar-10-batches-py").exists():
        assert "fetch it once with" in test.warning[0].value
        assert all(button.disabled for button in test.button if button.label.startswith("Train"))


def test_the_link_restores_the_plan():
    query = {"data": "digits", "system": "WGAN-GP", "robust": "own", "e1": "0.5", "width": "16", "train_seed": "9"}
    test = app("train.py", **query)
    assert test.selectbox(key="system").value == "wgan-gp"
    assert test.number_input(key="e1").value == 0.5 and test.number_input(key="train_seed").value == 9
    assert test.select_slider(key="width").value == 16 and not test.exception


def test_impossible_values_in_the_link_are_harmless():
    test = app("train.py", width="7", latent="x", iterations="-3", e1="nan", run="nobody", robust="maybe", data="cats")
    assert not test.exception and not test.error
    assert (
        test.select_slider(key="width").value in (8, 16, 32, 64, 128) and test.number_input(key="iterations").value >= 1
    )


def test_a_broken_run_is_named_and_the_others_stay_usable(runs: Path):
    (runs / "run.json").write_text('{"state": "running", "plan"')
    test = app("train.py")
    assert not test.exception and any("test-broken: expected a readable run.json" in w.value for w in test.warning)
