"""The stage: its words against counting, its page as a file, and its player in a browser without any server."""

import base64
import io
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from rgan.common.errors import SettingsError
from rgan.report.stage import OnStage, nearest, sentence, stage_data, stage_page
from rgan.robustness.encoding import encoded
from tests.robustness import made_up

RADII = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
SIZE = (9, 24, 24, 1)
EVERY_KIND = ("original", "worst", "random")
DARK_NAME = "b</script><b onclick='x'>&"


def staged(*, judged=True, seeds=(0, 1), radii=RADII):
    names = ("a", DARK_NAME)
    return [
        OnStage(encoded(made_up.frames(radii, SIZE, seed, model=name, judged=judged)), "plain")
        for seed, name in zip(seeds, names, strict=False)
    ]


def test_every_frame_says_what_counting_finds():
    frames = [made_up.frames(RADII, SIZE, seed) for seed in (0, 1)]
    data = stage_data([OnStage(encoded(one)) for one in frames], radius=1.0, things="faces")
    for k in range(1, len(RADII)):
        worst, random = (
            [int((getattr(one, kind).badness[k] >= 0.95).sum()) for one in frames] for kind in EVERY_KIND[1:]
        )
        before = [int((one.worst.badness[0] >= 0.95).sum()) for one in frames]
        are = "is" if worst[0] == 1 else "are"
        assert data["sentences"][k] == (
            f"{worst[0]} of 9 faces of A {are} broken, {worst[1]} of B’s. "
            f"Random noise as far: {random[0]} and {random[1]}; unmoved: {before[0]} and {before[1]}"
            + (". Chance mends some." if random[0] < before[0] or random[1] < before[1] else ".")
        )
        for side in (0, 1):
            assert data["models"][side]["counts"][k] == [
                f"broken: {before[side]} → {worst[side]} of 9",
                f"random {before[side]} → {random[side]}",
            ]
    assert data["sentences"][0].startswith("Nothing has moved yet: ")
    assert data["labels"] == ["0.00", "0.50", "1.00", "1.50", "2.00", "2.50"]
    json.dumps(data, allow_nan=False)


def test_one_model_and_no_judge_have_words_of_their_own():
    (alone, _), (unjudged, other) = staged(), staged(judged=False)
    assert re.fullmatch(
        r"\d of 9 images (is|are) broken\. Random noise as far: \d; unmoved: \d\.( Chance mends some\.)?",
        sentence([alone.frames], 2),
    )
    change = [100 * np.mean(one.frames["worst"]["change"][2]) for one in (unjudged, other)]
    said = sentence([unjudged.frames, other.frames], 2)
    assert f"images of A change by {change[0]:.1f} %, B’s by {change[1]:.1f} %." in said and "broken" not in said
    data = stage_data([unjudged], radius=0.0)
    assert data["legend"] == {"broken": "", "changed": ""} and "broken" not in json.dumps(data["models"][0]["counts"])


@pytest.mark.parametrize(
    ("models", "options", "words"),
    [
        ([], {}, "one model or two, got 0"),
        (staged() + staged()[:1], {}, "one model or two, got 3"),
        (staged()[:1] + staged(radii=(0.0, 1.0))[1:], {}, "same radii"),
        (staged(), {"show": "best"}, "what is shown"),
    ],
)
def test_what_cannot_stand_side_by_side_is_refused(models, options, words):
    with pytest.raises(SettingsError, match=words):
        stage_data(models, radius=1.0, **options)


def test_the_nearest_frame():
    assert [nearest(RADII, radius) for radius in (0.0, 0.24, 0.26, 9.0)] == [0, 0, 1, 5]


@pytest.fixture(scope="module")
def world(browser, tmp_path_factory):
    """A page of the stage from a file, at 1440 pixels, and all that it asked for."""
    models = staged()
    file = tmp_path_factory.mktemp("stage") / "stage.html"
    file.write_text(stage_page("Worst noise", models, radius=1.0), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page, asked, errors = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_function("document.querySelector('.stage-place').stage?.data")
    yield SimpleNamespace(page=page, models=models, uri=file.as_uri(), browser=browser, asked=asked)
    assert errors == []
    context.close()


@pytest.fixture
def stage(world):
    """The stage as it is given, ε 1."""
    fresh = stage_data(world.models, radius=1.0)
    mount(world, fresh)
    world.page.locator("body").click(position={"x": 2, "y": 2})
    return world


def mount(world, data):
    """Give the player other data than it has, and wait for it; ε, kind and pick begin anew."""
    world.page.evaluate(
        """async (data) => {
          const place = document.querySelector('.stage-place');
          place.stage.given = {};
          place.stage.reported = [];
          window.told = [];
          const told = (name) => (value) => window.told.push([name, value]);
          mount(place, data, { picked: told('picked'), released: told('released') });
          await place.stage.ready;
          await new Promise(requestAnimationFrame);
        }""",
        data,
    )


def tiles(world, side):
    """What the canvas of a model shows of each sample, (N, H, W, 3)."""
    address, boxes = world.page.evaluate(
        """async (side) => {
          await new Promise(requestAnimationFrame);
          await new Promise(requestAnimationFrame);
          const canvas = document.querySelectorAll('.pane canvas')[side], from = canvas.getBoundingClientRect();
          const boxes = [...canvas.parentElement.querySelectorAll('[role=option]')].map((one) => {
            const box = one.getBoundingClientRect();
            return [box.left - from.left, box.top - from.top, box.right - from.left, box.bottom - from.top];
          });
          return [canvas.toDataURL(), boxes];
        }""",
        side,
    )
    sheet = Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGB")
    assert len(boxes) == SIZE[0]
    return np.stack([np.asarray(sheet.crop([round(edge) for edge in box])) for box in boxes])


def image(world, side, kind, frame, sample):
    """One image from its sheet, as Pillow decodes it, (H, W)."""
    frames = world.models[side].frames
    at = "original" if frame == 0 else kind
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(frames["sheets"][at][0]))).convert("L"))
    _, height, width, _ = frames["size"]
    top = (max(frame, 1) - 1) * 3 * height + sample // 3 * height
    return sheet[top : top + height, sample % 3 * width : (sample % 3 + 1) * width]


def inside(tile):
    """The middle of a tile at the size of its image, without ring and mark: grey, (H / 2, W / 2)."""
    small = np.asarray(Image.fromarray(tile).convert("L").resize(SIZE[2:0:-1], Image.Resampling.BOX), float)
    return small[6:18, 6:18]


def same(world, side, mixture):
    """Whether every tile shows the mixture [(kind, frame, weight), …] of images."""
    for sample, tile in enumerate(tiles(world, side)):
        expected = sum(weight * image(world, side, kind, frame, sample) for kind, frame, weight in mixture)
        if np.abs(inside(tile) - expected[6:18, 6:18]).mean() > 3:
            return False
    return True


def test_epsilon_stays_where_it_was_meant_to_be_while_frames_are_few(world):
    few = (0.0, 1.33, 2.67, 4.0)
    mount(world, stage_data(staged(radii=few), radius=1.67))
    output = world.page.locator(".stage output")
    expect(output).to_have_text("1.67")
    set_thumb(world, 2.2)
    set_thumb(world, 2.2, "change")
    expect(output).to_have_text("2.20")
    world.page.evaluate(
        "(data) => { const place = document.querySelector('.stage-place'); mount(place, data, {}); }",
        stage_data(staged(radii=tuple(k / 6 for k in range(25))), radius=1.67),
    )
    expect(output).to_have_text("2.17")  # the nearest frame, once there are more


def set_thumb(world, value, event="input"):
    world.page.evaluate(
        """([value, event]) => {
          const range = document.querySelector('.stage input');
          range.value = value;
          range.dispatchEvent(new Event(event));
        }""",
        [value, event],
    )


def test_at_a_frame_the_canvas_shows_its_pixels_and_between_frames_both(stage):
    for side in (0, 1):
        assert same(stage, side, [("worst", 2, 1)])
        assert not same(stage, side, [("worst", 3, 1)])
    set_thumb(stage, 1.3)
    for side in (0, 1):
        assert same(stage, side, [("worst", 2, 0.4), ("worst", 3, 0.6)])
    expect(stage.page.locator(".stage output")).to_have_text("1.30")
    set_thumb(stage, 1.3, "change")
    expect(stage.page.locator(".stage output")).to_have_text("1.50")
    assert same(stage, 0, [("worst", 3, 1)])
    set_thumb(stage, 0)
    assert same(stage, 1, [("original", 0, 1)])


def test_the_mouse_drags_between_frames_and_lets_go_on_one(stage):
    page, output = stage.page, stage.page.locator(".stage output")
    box = page.locator(".stage input").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], y, steps=3)
    page.evaluate("new Promise(requestAnimationFrame)")
    assert float(output.text_content()) == pytest.approx(0.7 * 2.5, abs=0.1)
    page.mouse.up()
    expect(output).to_have_text(re.compile("1.50|2.00"))
    assert page.evaluate("told") == [["released", float(output.text_content())]]


def test_what_was_told_does_not_throw_the_visitor_back_when_it_returns(stage):
    page, output = stage.page, stage.page.locator(".stage output")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("told") == [["released", 1.5], ["released", 2.0]]
    update(page, stage_data(stage.models, radius=1.5))
    expect(output).to_have_text("2.00")
    update(page, stage_data(stage.models, radius=2.0))
    expect(output).to_have_text("2.00")
    update(page, stage_data(stage.models, radius=1.5))  # from elsewhere now, such as the browser's Back
    expect(output).to_have_text("1.50")


def test_words_follow_the_frame_and_are_announced_on_release_only(stage):
    page, data = stage.page, stage_data(stage.models, radius=1.0)
    announced = page.locator(".stage .announced")
    for k, radius in enumerate(RADII):
        before = announced.text_content()
        set_thumb(stage, radius)
        expect(page.locator(".stage .sentence")).to_have_text(data["sentences"][k])
        for side in (0, 1):
            worst, random = data["models"][side]["counts"][k]
            expect(page.locator(".stage .count .worst").nth(side)).to_have_text(worst)
            expect(page.locator(".stage .count .random").nth(side)).to_have_text(random)
        assert announced.text_content() == before
        set_thumb(stage, radius, "change")
        assert data["sentences"][k] in announced.text_content()


def test_rings_and_marks_stand_where_the_numbers_say(stage):
    for kind, key in zip(EVERY_KIND, "123", strict=True):
        stage.page.keyboard.press(key)
        for side in (0, 1):
            frames = made_up.frames(RADII, SIZE, side)
            track, frame = (frames.worst, 0) if kind == "original" else (getattr(frames, kind), 2)
            shown = tiles(stage, side).astype(int)
            red = ((shown[..., 0] - shown[..., 1] > 120) & (shown[..., 2] < 90)).sum(axis=(1, 2)) > 200
            corner = shown[:, -20:, :20]
            yellow = ((corner[..., 0] > 200) & (corner[..., 1] > 160) & (corner[..., 2] < 120)).sum(axis=(1, 2)) > 20
            assert np.array_equal(red, track.broken[frame]), kind
            assert np.array_equal(yellow, track.relabelled[frame]), kind


def test_keys_choose_flip_and_move(stage):
    page = stage.page
    pressed = page.locator(".stage .kinds [aria-pressed=true]")
    page.keyboard.press("3")
    expect(pressed).to_have_text("◆ Random")
    assert same(stage, 0, [("random", 2, 1)])
    page.keyboard.press(" ")
    expect(pressed).to_have_text("● Original")
    assert same(stage, 0, [("original", 0, 1)])
    page.keyboard.press(" ")
    expect(pressed).to_have_text("▲ Worst")
    page.keyboard.press("ArrowRight")
    assert same(stage, 1, [("worst", 3, 1)])
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".stage output")).to_have_text("0.50")
    page.get_by_role("button", name="Original").click()
    page.keyboard.press(" ")  # the focus is on a button, which space must not press again
    expect(pressed).to_have_text("▲ Worst")
    assert ["released", 1.5] in page.evaluate("told") and ["released", 0.5] in page.evaluate("told")


def test_a_sample_is_enlarged_picked_and_reached_by_keyboard(stage):
    page = stage.page
    options, close = page.get_by_role("option"), page.locator(".stage .close-up")
    expect(close).to_be_hidden()
    options.nth(4).hover()
    expect(close).to_be_visible()
    expect(close.locator(".title")).to_have_text("Sample 5 of A, a")
    expect(close.locator("canvas")).to_have_count(3)
    badness = stage.models[0].frames["random"]["badness"][2][4]
    expect(close.locator("figure.random")).to_contain_text(f"badness {100 * badness:.1f}")
    first = stage.models[0].frames["worst"]["badness"][0][4]
    expect(close.locator("figure.original")).to_contain_text(f"badness {100 * first:.1f}")
    pointed = page.locator(".stage .pointed")
    expect(pointed).to_have_count(2)  # its twin too
    options.nth(4).click()
    page.mouse.move(3, 3)
    expect(close).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(options.nth(5)).to_be_focused()
    expect(close.locator(".title")).to_have_text("Sample 6 of A, a")
    page.keyboard.press("Enter")
    expect(page.locator(".stage .picked")).to_have_count(2)
    assert page.evaluate("told") == [["picked", 4], ["picked", 5]]
    expect(options.nth(5)).to_have_attribute("aria-label", re.compile(r"^Sample 6, worst.*badness"))
    page.keyboard.press("Escape")
    expect(close).to_be_hidden()


def test_frames_that_arrive_later_take_their_places(stage):
    page = stage.page
    set_thumb(stage, 2.0, "input")
    set_thumb(stage, 2.0, "change")
    page.keyboard.press("3")
    before = places(page)
    better = SimpleNamespace(page=page, models=staged(seeds=(7, 8)))
    update(page, stage_data(better.models, radius=1.0, waiting="Searching seed 5"))
    expect(page.locator(".stage .waiting")).to_have_text("Searching seed 5")
    expect(page.locator(".stage.pale")).to_have_count(1)
    assert places(page) == before
    update(page, stage_data(better.models, radius=1.0))
    expect(page.locator(".stage.pale")).to_have_count(0)
    expect(page.locator(".stage output")).to_have_text("2.00")
    assert same(better, 0, [("random", 4, 1)]) and same(better, 1, [("random", 4, 1)])
    for radius in (0, 0.7, 2.5):
        set_thumb(stage, radius)
        page.evaluate("new Promise(requestAnimationFrame)")
        assert places(page) == before
    set_thumb(stage, 0.7)
    update(page, stage_data(stage.models, radius=1.0))  # while the thumb is held
    expect(page.locator(".stage output")).to_have_text("0.70")
    assert same(stage, 0, [("random", 1, 0.6), ("random", 2, 0.4)])
    set_thumb(stage, 0.7, "change")


def update(page, data):
    """Give the player data as another run of a screen does."""
    page.evaluate(
        """async (data) => {
          const place = document.querySelector('.stage-place');
          mount(place, data, place.stage.callbacks);
          await place.stage.ready;
          await new Promise(requestAnimationFrame);
        }""",
        data,
    )


def places(page):
    """Where the parts of the stage are."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.stage > :not(.waiting), .pane canvas, .stage button')].map((one) => {
          const { x, y, width, height } = one.getBoundingClientRect();
          return [x, y, width, height];
        })"""
    )


def test_tiles_are_large(stage):
    box = stage.page.get_by_role("option").first.bounding_box()
    assert box["width"] >= 110


def test_the_picture_is_what_is_shown(stage):
    with stage.page.expect_download() as download:
        stage.page.get_by_role("button", name="Picture").click()
    assert download.value.suggested_filename == "a-vs-b-script-b-onclick-x-lambda0-seed0-eps1.00-worst.png"
    picture = Image.open(download.value.path()).convert("RGB")
    canvas = tiles(stage, 0)[0]
    pixels = np.asarray(picture)
    size = canvas.shape[0]
    found = any(np.array_equal(pixels[y : y + size, 24 : 24 + size], canvas) for y in range(60, pixels.shape[0] - size))
    assert found


def test_it_plays_once_by_itself_unless_motion_is_unwanted(stage):
    playing = "document.querySelector('.stage-place').stage.motion !== null"
    data = stage_data(stage.models, radius=1.0, play=True)
    stage.page.evaluate("document.querySelector('.stage-place').stage.played = false")
    mount(stage, data)
    assert stage.page.evaluate(playing) is False  # this world asked for reduced motion
    stage.page.emulate_media(reduced_motion="no-preference")
    stage.page.evaluate("document.querySelector('.stage-place').stage.played = false")
    mount(stage, data)
    assert stage.page.evaluate(playing) is True
    stage.page.wait_for_function("document.querySelector('.stage-place').stage.radius > 0.2")
    stage.page.get_by_role("button", name="Pause").click()
    assert stage.page.evaluate(playing) is False
    assert stage.page.evaluate("document.querySelector('.stage-place').stage.radius") in RADII
    mount(stage, data)
    assert stage.page.evaluate(playing) is False
    stage.page.emulate_media(reduced_motion="reduce")


def test_the_file_asks_for_nothing_and_shows_names_as_they_are(stage):
    assert [url for url in stage.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    expect(stage.page.locator(".stage .name").nth(1)).to_have_text(DARK_NAME)


def test_a_phone_shows_both_models_and_the_slider(world):
    context = world.browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    page.goto(world.uri)
    page.wait_for_function("document.querySelector('.stage-place').stage?.data")
    for part in (
        page.locator(".pane canvas").nth(0),
        page.locator(".pane canvas").nth(1),
        page.locator(".stage input"),
    ):
        box = part.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] >= 0 and box["y"] + box["height"] <= 844
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


# Contrast of each text of the stage with what is behind it (WCAG 2.2, 1.4.3), and whether it counts as large.
CONTRASTS = """
() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const texts = [...document.querySelectorAll('.stage *')].filter((one) =>
    one.checkVisibility() && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  return texts.map((one) => {
    let [ground, opacity] = [null, 1];
    for (let up = one; up; up = up.parentElement) {
      const style = getComputedStyle(up), [r, g, b, a = 1] = channels(style.backgroundColor);
      if (!ground && a > 0) ground = [r, g, b];
      if (!ground) opacity *= Number(style.opacity);
    }
    const style = getComputedStyle(one), ink = channels(style.color).slice(0, 3);
    const seen = ink.map((v, k) => opacity * v + (1 - opacity) * ground[k]);
    const [low, high] = [light(seen), light(ground)].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    return [one.className || one.textContent, (high + 0.05) / (low + 0.05), large];
  });
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out(stage, scheme):
    stage.page.emulate_media(color_scheme=scheme)
    found = stage.page.evaluate(CONTRASTS)
    assert len(found) > 15
    assert [one for one in found if one[1] < (3 if one[2] else 4.5)] == []


@pytest.mark.parametrize("width", [1440, 1000, 390])
def test_tab_reaches_everything_in_sight_of_its_focus(stage, width):
    page = stage.page
    page.set_viewport_size({"width": width, "height": 900})
    page.locator("body").click(position={"x": 2, "y": 2})
    reached = []
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
                  const one = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(one);
                  const name = one.getAttribute('role') || one.className || one.type;
                  return [name, outlineStyle, parseFloat(outlineWidth)];
                }"""
            )
        )
    names = [name for name, *_ in reached]
    assert names == ["option", "option", "play", "range", "original", "worst", "random", "png", "film"]
    assert all(style == "solid" and wide >= 3 for _, style, wide in reached)
    page.set_viewport_size({"width": 1440, "height": 900})


def test_without_scripts_a_still_picture_says_the_same(world):
    context = world.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(world.uri)
    data = stage_data(world.models, radius=1.0)
    expect(page.get_by_text(data["sentences"][2])).to_be_visible()
    expect(page.locator(".stills img")).to_have_count(2)
    broken = int(made_up.frames(RADII, SIZE, 0).worst.broken[2].sum())
    still = page.locator(".stills img").first
    expect(still).to_have_attribute("alt", f"9 images of A, {broken} of them ringed as broken")
    pixels = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(still.get_attribute("src").split(",")[1]))).convert("RGB")
    )
    assert ((pixels[..., 0].astype(int) - pixels[..., 1]) > 120).any()
    context.close()
