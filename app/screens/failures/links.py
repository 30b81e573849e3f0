"""Links to failures: the address that opens one, and the model that it needs."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st
from session.state import by_digest

from rgan.metrics.judges import first
from rgan.robustness.failures.links import Permalink
from rgan.robustness.measured import JudgedGan


def address(link: Permalink) -> str:
    """The address of this page that opens the failure."""
    page = urlsplit(st.context.url or "")
    return page._replace(query="", fragment="").geturl() + link.address


def judged_gans(link: Permalink) -> list[JudgedGan]:
    """The model of a link with the judge of its data, if both are at hand."""
    gan = by_digest(link.checkpoint)
    return [] if gan is None else [JudgedGan(gan, first([gan.trained_on]))]
