"""Streamlit's own command, which begins to import what the first run needs: `rgan app` starts this.

The first picture then comes two seconds earlier.
"""

import gc
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # as `python -m streamlit` from there has it
    gc.disable()  # modules are no garbage; `session.state.settle` enables it
    from session import ahead
    from streamlit.web.cli import main

    ahead.begin()
    main(prog_name="streamlit")
