"""Prepared lessons: a training up to a step, an attack, one sentence to try and one of what is then to be seen."""

from __future__ import annotations

from dataclasses import dataclass

from rgan.theory.laboratory.settings import Settings
from rgan.theory.laboratory.twins import Plan


@dataclass(frozen=True)
class Lesson:
    """key: its name in links. radius, price, method, budget: of the attack, as of `attack.Attack`."""

    key: str
    title: str
    todo: str
    look: str
    plan: Plan
    radius: float = 0.5
    price: float = 0.0
    method: str = "ascent"
    budget: str = "strong"


LESSONS = (
    Lesson(
        "collapse",
        "Mode collapse and its worst noise",
        "Point at places of A's noise, and then at the same ones of B's.",
        "All noise of A ends at two of the eight modes, and a worst move costs it several times what it costs B, which "
        "reaches most modes.",
        Plan(Settings(critic_steps=5, critic_width=64), 600),
    ),
    Lesson(
        "misleads",
        "A critic that misleads",
        "Point at A's noise and compare where its worst move ▲ lands with where the real points lie.",
        "Here most of A's worst moves land nearer to the real points than they began: what is worst for a critic this "
        "small can be better for everybody else. Play on: it comes and goes.",
        Plan(Settings(critic_layers=1, critic_width=16, generator_rate=0.003), 300),
    ),
    Lesson(
        "blurs",
        "ε too large: the robust game blurs everything",
        "Lower ε₁ and ε₂ from 2 to 0.3, and play on for some 500 steps.",
        "At ε₁ = ε₂ = 2 and λ = 3 hardly anything hurts B, but it draws a blur over few modes while A covers all; with "
        "smaller ε the modes come back.",
        Plan(Settings(noise_radius=2.0, image_radius=2.0, weight=3.0), 1000),
    ),
    Lesson(
        "one-step",
        "One step misses the worst",
        "Change the method from one-step to the search.",
        "One step of length ε finds a small part of the true worst, and at many places it even lowers the loss; the "
        "search with the strong budget agrees with looking everywhere.",
        Plan(Settings(), 1000),
        method="one-step",
    ),
    Lesson(
        "price",
        "λ, price and radius are two sides of one thing",
        "Point at a place, read its ‖r‖, then set the price λ to 0 and ε to that length.",
        "The place has the same worst move ○: a price stops each move where a ball of that radius would.",
        Plan(Settings(), 1000),
        radius=1.0,
        price=0.5,
    ),
)
