"""Tiles that open: the sample of a link, its images and numbers; what no screen has is said."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from benchmarks.serving import IDLE
from rgan.common.images import grid, to_uint8
from rgan.metrics.judges import first
from rgan.models import checkpoints
from rgan.robustness.measured import JudgedGan
from tests import tiny_models
from tests.app.test_screens import app, waited, words


@pytest.fixture
def gan():
    return checkpoints.load(tiny_models.path(tiny_models.PAIR[0]))


def opened(test) -> list[np.ndarray]:
    """The pictures of the dialog."""
    (tiles,) = (one.body for one in test.get("html") if 'class="tiles"' in one.body)
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(found)))) for found in re.findall(r'base64,([^"]+)"', tiles)
    ]


def shows(image: np.ndarray, gan, z: torch.Tensor) -> bool:
    """Whether a grey picture, in one channel or three, is what the model draws, up to a rounding."""
    drawn = grid(to_uint8(gan.images(z)), 1, scale=4)[..., 0].astype(int)
    return bool(np.abs((image if image.ndim == 2 else image[..., 0]) - drawn).max() <= 1)


def test_a_link_opens_a_sample_of_evidence_with_its_images_and_badness(gan):
    test = waited(app("evidence", samples="16", open="A3"), lambda test: 'class="tiles"' in words(test))
    original, worst, random = opened(test)
    z = gan.noise(16, 0)[3:4]
    assert shows(original, gan, z) and not shows(worst, gan, z) and not shows(random, gan, z)
    _, measures = JudgedGan(gan, first([gan.trained_on])).look(z)
    assert f"badness {100 * float(measures.badness[0]):.1f} %" in words(test)
    assert not test.exception


def test_a_link_opens_a_sample_of_a_model(gan):
    test = app("checkpoints", model=tiny_models.PAIR[0], open="40")
    (image,) = opened(test)
    assert shows(image, gan, gan.noise(64, 0)[40:41])


def test_a_link_opens_a_point_of_a_panel(gan):
    test = app("embeddings", points="100", map="pca", open="c103")
    (image,) = opened(waited(test, lambda test: 'class="tiles"' in words(test)))
    seed = int(re.search(r"noise 3 of seed (\d+)", words(test))[1])
    assert shows(image, gan, gan.noise(100, seed)[3:4]), "the third of A's images, which follow 100 real ones"


@pytest.mark.parametrize("pick", ["A16", "C1", "-1", "x", "A1e400", "<b>", "A" + "9" * 5000])
def test_a_sample_that_no_screen_has_is_said(pick):
    for screen in ("evidence", "checkpoints"):
        test = app(screen, samples="16", open=pick)
        test = waited(test, lambda test: any("no sample" in one.value for one in test.toast))
        assert "open" not in test.query_params and not test.exception


def test_a_click_opens_a_tile_and_escape_closes_it(page: Page, address: str):
    page.goto(f"{address}/checkpoints")
    page.wait_for_selector(IDLE)
    page.locator(".st-key-pick-checkpoints span").wait_for(state="attached")  # which listens to the tiles
    page.locator(".picks button[data-pick='5']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img", name="Noise 6 of seed 0")).to_be_visible()
    assert page.url.endswith("open=6")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.wait_for_url(re.compile(r"checkpoints$"))
