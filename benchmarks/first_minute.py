"""From the app's command to the first picture on Home, against importing what it stands on.

picture_s: seconds from the command until a browser that is already open shows it; import_s: of `python -c "import
torch, streamlit"` just before; over_import: (picture_s − 1) / import_s. Each is the median of some turns.
"""

from __future__ import annotations

import argparse
import statistics
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
                server = Server(("-m", "rgan", "app", "--"), environment={"RGAN_RUNS": runs})
                started = time.perf_counter()
                server.start()
                try:
                    page, _ = opened(browser, server.address)
                    found.append((time.perf_counter() - started, imported))
                    page.close()
                finally:
                    server.stop()
    report(
        "first_minute",
        {
            "picture_s": statistics.median(picture for picture, _ in found),
            "import_s": statistics.median(imported for _, imported in found),
            "over_import": statistics.median((picture - 1) / imported for picture, imported in found),
        },
    )


if __name__ == "__main__":
    main()
