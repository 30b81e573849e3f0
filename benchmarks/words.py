"""How many words a visitor has before them on each screen, once it stands still: `benchmarks/words.py [FOLDER …]`.

Each FOLDER is a checkout of RGAN Lab, as of another commit; by default this one. Counted is what can be read without a
click or a hover at 1440 pixels, without the sidebar.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.serving import IDLE, Server, chromium  # noqa: E402

PATIENCE = 300_000  # milliseconds for a page
ANSWER = 120_000  # for its answer; the bar of what a visitor has done, as in the blind test, stays longer
LINKS = "[data-testid=stSidebarNavLink]"
STILL = "() => !document.querySelector('[data-testid=stProgress], .awaited, [data-testid=stSpinner]')"
SENTENCE = 8  # words of a line from which it is something to read and not a label
WORDS = """(least) => {
  const words = (text) => text.split(/\\s+/).filter((one) => /\\p{L}{2}/u.test(one)).length;
  for (const one of document.querySelectorAll('[data-testid=stMain] *')) {  // for screen readers alone
    if (one.offsetWidth === 1 && one.offsetHeight === 1) one.remove();
  }
  const lines = (document.querySelector('[data-testid=stMain]')?.innerText ?? '').split('\\n').map(words);
  const sum = (all) => all.reduce((a, b) => a + b, 0);
  return [sum(lines), sum(lines.filter((one) => one >= least))];
}"""


def counted(page: Page, address: str) -> dict[str, list[int]]:
    """Words of each screen, and how many of them stand in sentences, by the screen's address."""
    from playwright.sync_api import Error

    page.goto(address, timeout=PATIENCE)
    page.wait_for_selector(LINKS, state="attached", timeout=PATIENCE)
    links = page.eval_on_selector_all(LINKS, "all => all.map(one => one.href)")
    found = {}
    for link in links:
        page.goto(link, timeout=PATIENCE)
        page.wait_for_selector(IDLE, timeout=PATIENCE)
        page.wait_for_timeout(3000)
        with suppress(Error):
            page.wait_for_function(STILL, timeout=ANSWER)
        page.wait_for_timeout(3000)
        screen = link.removeprefix(address).strip("/") or "home"
        found[screen] = page.evaluate(WORDS, SENTENCE)
        print(f"{screen}: {found[screen][0]} words, {found[screen][1]} of them in sentences", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, default=[HERE.parent])
    figures = {}
    for folder in parser.parse_args().folders:
        with tempfile.TemporaryDirectory() as own, chromium() as browser:
            server = Server(folder=folder, environment={"RGAN_RUNS": f"{own}/runs", "RGAN_UPLOADS": f"{own}/uploads"})
            server.start()
            try:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                figures[folder.resolve().name] = counted(page, server.address)
            finally:
                server.stop()
    print(json.dumps({"figures": figures}))


if __name__ == "__main__":
    main()
