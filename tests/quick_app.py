"""The app's server as `python -m streamlit` starts it, with the budgets that screens have in tests."""

from streamlit.web import cli

from rgan.attack.search import BUDGETS
from tests.tiny_models import BUDGETS as SMALL

if __name__ == "__main__":
    BUDGETS.update(SMALL)
    cli.main(prog_name="streamlit")
