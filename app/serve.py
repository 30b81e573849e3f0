"""Streamlit's own command, which imports torch while the server starts and a browser fetches the page.

`rgan app` starts this: the first picture comes a second or two earlier.
"""

import gc
import sys
import threading
from importlib import import_module

OFTEN = 1e-4  # seconds after which threads take turns meanwhile: the server answers in many small steps


def ahead() -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(OFTEN)
    try:
        import_module("torch")
    finally:
        sys.setswitchinterval(usual)


if __name__ == "__main__":
    gc.disable()  # modules are no garbage; `session.state.settle` enables it
    from streamlit.web.cli import main

    threading.Thread(target=ahead, name="import torch", daemon=True).start()
    main(prog_name="streamlit")
