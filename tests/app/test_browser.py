"""One journey in a real browser: open, move ε, see the images change, follow the link, reload, same picture."""

import re

import pytest
from playwright.sync_api import Page, expect

from benchmarks.serving import IDLE

WORST = "img[alt*='worst noise']"
ANY_TIME = 60_000


def settled(page: Page, epsilon: str) -> list[str]:
    """The six grids once both searches at `epsilon` have ended."""
    done = page.locator(f".stamp.done[data-radius='{epsilon}']")
    expect(done).to_have_count(2, timeout=ANY_TIME)
    page.wait_for_selector(IDLE, timeout=ANY_TIME)
    expect(page.locator(".board figure img")).to_have_count(6)
    return [image.get_attribute("src") or "" for image in page.locator(".board figure img").all()]


def live_slider(page: Page):
    return page.get_by_role("slider", name="ε, how far the noise may move")


def test_open_move_follow_reload(page: Page, address: str):
    page.goto(address)
    page.get_by_role("link", name=re.compile("Open Worst noise")).click()
    page.wait_for_url("**/worst-noise*")
    page.goto(f"{address}/worst-noise?budget=live")
    first = settled(page, "1.00")
    assert len(set(first)) == 6

    live_slider(page).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    moved = settled(page, "1.03")
    original_a, worst_a, _, original_b, worst_b, _ = range(6)
    assert moved[original_a] == first[original_a] and moved[original_b] == first[original_b]
    assert moved[worst_a] != first[worst_a] and moved[worst_b] != first[worst_b]
    expect(page.get_by_role("slider", name="ε, radius of the search")).to_have_value("1.03")

    assert "eps=1.03" in page.url
    page.reload()
    assert settled(page, "1.03") == moved
    other = page.context.new_page()
    other.goto(page.url)
    assert settled(other, "1.03") == moved


def test_pictures_follow_the_thumb_while_it_is_dragged(page: Page, address: str):
    page.goto(f"{address}/worst-noise?budget=live")
    settled(page, "1.00")
    expect(live_slider(page)).to_be_visible()
    box = live_slider(page).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, y)
    page.mouse.down()
    seen = set()
    for step in range(1, 13):
        page.mouse.move(box["x"] + box["width"] * (0.25 + 0.05 * step), y)
        page.wait_for_timeout(120)
        seen.add(page.locator(WORST).first.get_attribute("src"))
    during = page.locator(".stamp").first.get_attribute("data-done")
    assert len(seen) >= 5, "the grid did not follow the thumb"
    assert during == "false", "a looked-up picture must be marked as unfinished"
    page.mouse.up()
    expect(page.locator(".stamp.done")).to_have_count(2, timeout=ANY_TIME)
    value = float(live_slider(page).input_value())
    assert value > 2
    settled(page, f"{value:.2f}")


def test_points_show_their_images_and_selected_ones_go_to_the_worst_noise_screen(page: Page, address: str):
    page.goto(f"{address}/embeddings?panel=c+real+and+A&map=PCA&points=100")
    expect(page.locator(".tests")).to_be_visible(timeout=ANY_TIME)
    expect(page.locator(".tests tr")).to_have_count(4)
    chart = page.locator("[class*='st-key-map-c-'] .js-plotly-plot").first
    expect(chart).to_have_attribute("data-hover", re.compile("map-c-"), timeout=ANY_TIME)
    points = chart.locator(".point")
    expect(points).to_have_count(200)
    for number in (7, 107):
        box = points.nth(number).bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator("#rgan-hover")).to_contain_text(re.compile(r"(real|A) \d+"))
    area = chart.locator(".nsewdrag").bounding_box()
    inside = [
        (number, box)
        for number in range(200)
        if (box := points.nth(number).bounding_box())
        and 0.3 < (box["x"] + 3 - area["x"]) / area["width"] < 0.7
        and 0.3 < (box["y"] + 3 - area["y"]) / area["height"] < 0.7
    ]
    page.mouse.move(area["x"] + 0.3 * area["width"], area["y"] + 0.3 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.5 * area["width"], area["y"] + 0.5 * area["height"], steps=4)
    page.mouse.move(area["x"] + 0.7 * area["width"], area["y"] + 0.7 * area["height"], steps=4)
    page.mouse.up()
    expected = {number - 100 for number, _ in inside if number >= 100}
    assert len(expected) > 5
    expect(page.locator("img[alt*='selected images of A']")).to_be_visible(timeout=ANY_TIME)
    page.get_by_role("link", name=re.compile("Their noise on the Worst noise screen")).click()
    settled(page, "1.00")
    rows = page.get_by_role("textbox", name="Only these samples").input_value()
    assert abs(len({int(row) for row in rows.split()} ^ expected)) <= 2, "points on the box's edge may differ"
    expect(page.locator(".board.A img[alt*='original noise']")).to_have_attribute(
        "alt", re.compile(f"{len(rows.split())} samples")
    )


@pytest.mark.parametrize("width", [1440, 1000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows(browser, address: str, width: int, scheme: str):
    context = browser.new_context(viewport={"width": width, "height": 1200}, color_scheme=scheme)
    page = context.new_page()
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if not is_local(request.url) else None)
    page.goto(f"{address}/worst-noise?samples=16&budget=live")
    settled(page, "1.00")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    clipped = page.evaluate(
        """() => [...document.querySelectorAll('.board figcaption, .facts td, .model')]
            .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"""
    )
    assert clipped == []
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    channels = [int(value) for value in re.findall(r"\d+", background)[:3]]
    assert (sum(channels) > 600) is (scheme == "light")
    assert outside == [], "a page must not ask the network for anything"
    context.close()


def is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
