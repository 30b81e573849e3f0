"""Panel (a) without distortion: lengths of the noise and the mean push, moving with ε."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import streamlit as st
from components.live_slider import live_slider
from session.chosen import Slot
from session.state import live_paths
from session.table import EPS
from session.tasks import Task, Work
from session.waiting import redrawn
from theme.html import part
from theme.language import heading, live_stamp

from rgan.attack.path import Request, reach
from rgan.common.formatting import per_cent
from rgan.embedding.figure4 import SIDES, Choice, linear_view
from rgan.embedding.projections import Report
from rgan.models.gan import Gan
from rgan.report.charts.basic import COLOURS, NEUTRAL, Group, shell

SAMPLES = 128
SLICE = 0.2  # seconds of searching between two looks at whether anyone still waits
POLL = 0.4  # seconds between two pictures while the search goes on


class Push:
    """The live view of one model's noise."""

    def __init__(self, names: tuple[str, str], gans: tuple[Gan, Gan], choice: Choice):
        self.side = choice.side
        self.gan = gans[SIDES.index(choice.side)]
        self.radius = choice.radius
        self.request = Request(
            SAMPLES, choice.seed, choice.price, choice.gradients, "ascent", False, min(map(reach, gans))
        )
        (self.path,) = live_paths((names[SIDES.index(choice.side)],), self.request, "push")
        self.fresh = self.gan.noise(SAMPLES, choice.seed + 1)

    @property
    def key(self) -> Hashable:
        return "push", self.path.token, self.radius

    def works(self) -> dict[Hashable, Work[Any]]:
        """The search at ε, and over the whole range of ε the first time."""

        def search(report: Report) -> None:
            while self.path.advance(self.radius, SLICE):
                report(0.0)

        return {self.key: search}

    def show(self, found: dict[Hashable, Task[Any]], arrows: bool) -> None:
        """Draw slider and picture: only these run while the slider is held."""

        def draw() -> None:
            radius, _ = live_slider(
                "ε, how far the noise may move",
                Slot(EPS.key, EPS.default),
                self.request.reach,
                ends=("0: original noise", f"{self.request.reach:.2f}: half of ‖z‖"),
            )
            done = self.path.finished(radius)
            view = linear_view(self.fresh, self.path.z, self.path.noise_at(radius), self.request.reach)
            stamp = live_stamp(f"ε {radius:.2f}, λ {self.request.price:g}", done, radius)
            st.html(
                heading(f"{self.side}'s worst noise as it is", stamp)
                + part("panels.html", "push", (NEUTRAL, COLOURS[self.side]), SAMPLES, per_cent(view.together, 0))
            )
            groups = Group("original", NEUTRAL), Group("worst", COLOURS[self.side], "triangle-up")
            st.plotly_chart(
                shell(view, groups, arrows=arrows),
                key="push",
                config={"displayModeBar": False},
                alt=f"Original and worst noise of {self.side} by length and along the mean push",
            )

        redrawn(draw, waiting=not found[self.key].done, over=lambda: found[self.key].done, every=POLL)
