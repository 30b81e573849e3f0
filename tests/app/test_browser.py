"""One journey in a real browser: open, move ε, see the images change, follow the link, reload, same picture."""

import re

import pytest
from playwright.sync_api import Page, expect

from benchmarks.serving import IDLE
from tests.nightly import mostly_nightly, nightly

PAIR = "a=digits-dcgan&b=digits-dcgan-robust&budget=live"


STILL = """async () => {
  const drawn = () => [...document.querySelectorAll('.stage .pane canvas')].map((one) => one.toDataURL());
  for (let before = []; ;) {
    const now = drawn();
    if (now.every((one, k) => one === before[k])) return now;
    before = now;
    await new Promise((then) => setTimeout(then, 300));
  }
}"""


def settled(page: Page) -> list[str]:
    """The pictures on the stage once both searches have ended, and nothing is decoded or fades any more."""
    expect(page.locator(".stage .pane canvas")).to_have_count(2)
    expect(page.locator(".stage .settings")).to_contain_text(re.compile(r"^\d+ gradients a sample"))
    page.wait_for_selector(IDLE)
    return page.evaluate(STILL)


def shows(page: Page, pictures: list[str]) -> None:
    """The stage comes to show these: frames are decoded after the words about them have come."""
    settled(page)
    page.wait_for_function(
        """pictures => [...document.querySelectorAll('.stage .pane canvas')]
            .every((one, k) => one.toDataURL() === pictures[k])""",
        arg=pictures,
    )


def test_open_move_follow_reload(page: Page, address: str):
    page.goto(address)
    page.get_by_role("link", name=re.compile("Open Worst noise")).click()
    page.wait_for_url("**/worst-noise*")
    page.goto(f"{address}/worst-noise?{PAIR}")
    first = settled(page)

    page.get_by_role("slider", name="ε, how far the noise may move").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_url("**eps=1.5*")
    moved = settled(page)
    assert moved[0] != first[0] and moved[1] != first[1]
    said = page.locator(".stage .sentence").text_content()

    page.reload()
    shows(page, moved)
    assert page.locator(".stage .sentence").text_content() == said
    other = page.context.new_page()
    other.goto(page.url)
    shows(other, moved)
    page.get_by_role("option").nth(2).click()
    expect(page.locator("img[alt*='sample 3 under worst noise']")).to_have_count(2)
    page.wait_for_url("**pick=3*")
    page.get_by_role("option").nth(4).click()
    page.wait_for_url("**pick=5*")
    page.go_back()  # one change, not the page
    page.wait_for_url("**pick=3*")
    expect(page.locator("img[alt*='sample 3 under worst noise']")).to_have_count(2)


@nightly
def test_points_show_their_images_and_selected_ones_go_to_the_worst_noise_screen(page: Page, address: str):
    page.goto(f"{address}/embeddings?{PAIR}&against=critic&panel=c+real+and+A&map=PCA&points=100")
    expect(page.locator(".tests")).to_be_visible()
    expect(page.locator(".tests tr")).to_have_count(4)
    chart = page.locator("[class*='st-key-map-c-'] .js-plotly-plot").first
    expect(chart).to_have_attribute("data-hover", re.compile("map-c-"))
    points = chart.locator(".point")
    expect(points).to_have_count(200)
    for number in (7, 107):
        box = points.nth(number).bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator("#rgan-hover")).to_contain_text(re.compile(r"(real|A) \d+"))
    area = chart.locator(".nsewdrag").bounding_box()
    middles = points.evaluate_all(
        "all => all.map((one) => { const { x, y } = one.getBoundingClientRect(); return [x + 3, y + 3]; })"
    )
    of_a = middles[100:]
    x, y = (sorted(one[way] for one in of_a)[50] for way in (0, 1))
    near = 2 + sorted(max(abs(one[0] - x), abs(one[1] - y)) for one in of_a)[5]
    reach = near, near
    left, right = (min(max(x + end, area["x"] + 5), area["x"] + area["width"] - 5) for end in (-reach[0], reach[0]))
    top, bottom = (min(max(y + end, area["y"] + 5), area["y"] + area["height"] - 5) for end in (-reach[1], reach[1]))
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(x, y, steps=4)
    page.mouse.move(right, bottom, steps=4)
    page.mouse.up()
    expected = {number for number, one in enumerate(of_a) if left < one[0] < right and top < one[1] < bottom}
    assert len(expected) > 2
    expect(page.locator("img[alt*='selected images of A']")).to_be_visible()
    page.get_by_role("link", name=re.compile("Their noise on the Worst noise screen")).click()
    settled(page)
    rows = page.get_by_role("textbox", name="Only these samples").input_value()
    assert len({int(row) for row in rows.split()} ^ expected) <= 4, "points on the box's edge may differ"
    expect(page.locator(".stage .pane").first.get_by_role("option")).to_have_count(len(rows.split()))


@pytest.mark.parametrize("width", [1440, 1000])
@pytest.mark.parametrize("scheme", mostly_nightly(["light", "dark"], "dark"))
def test_nothing_overflows(browser, address: str, width: int, scheme: str):
    context = browser.new_context(viewport={"width": width, "height": 1200}, color_scheme=scheme)
    page = context.new_page()
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if not is_local(request.url) else None)
    page.goto(f"{address}/worst-noise?{PAIR}")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    clipped = page.evaluate(
        """() => [...document.querySelectorAll('.board figcaption, .stage .sentence, .stage .pane, .strip .under')]
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
