"""From the app's command to the first picture on Home, against importing what it stands on.

picture_s: seconds from the command until a browser that is already open shows it; import_s: of `python -c "import
torch, streamlit"`; over_import: (picture_s − 1) / import_s, the smallest of some turns, since both are read from disk.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time

from app_latency import LIMIT, opened
from measure import report
from serving import Server, chromium


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    found = []
    with chromium() as browser:
        browser.new_page(viewport={"width": 1440, "height": 900}).close()
        for _ in range(turns):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", "import torch, streamlit"], check=True, timeout=LIMIT / 1000)
            imported = time.perf_counter() - started
            with tempfile.TemporaryDirectory() as runs:
                server = Server(environment={"RGAN_RUNS": runs})
                started = time.perf_counter()
                server.start()
                try:
                    page, _ = opened(browser, server.address)
                    found.append((time.perf_counter() - started, imported))
                    page.close()
                finally:
                    server.stop()
    picture, imported = min(found, key=lambda one: (one[0] - 1) / one[1])
    report(
        "first_minute",
        {"picture_s": picture, "import_s": imported, "over_import": (picture - 1) / imported},
    )


if __name__ == "__main__":
    main()
