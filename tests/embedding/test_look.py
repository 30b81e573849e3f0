"""What is looked at of a panel: names, images and words, without its points."""

import numpy as np
import pytest

from rgan.embedding import figure4
from rgan.embedding.figure4 import Choice, Panel, Points, Reading
from rgan.embedding.look import drawing_question, finding, look, question
from rgan.embedding.projections import Layout
from rgan.models.gan import Gan, fresh
from rgan.models.recipes import recipe
from rgan.stats.two_sample import Sample

N = 30
MADE = recipe("dcgan", width=2, latent=4)


def cloud(label, seed, colours):
    images = np.repeat(np.asarray(colours, np.uint8)[:, None, None, None], 3, 3).repeat(16, 1).repeat(16, 2)
    names = tuple(f"{label} {k}" for k in range(N))
    return Points(label, Sample(np.zeros((N, 2)), np.arange(N)), images, names, seed=seed)


def test_images_and_names_are_those_of_the_panel():
    made = Panel(
        "a", Choice(N, side="B"), "noise", cloud("original", 1, range(N)), cloud("worst B", 0, range(100, 100 + N))
    )
    seen = look(made)
    assert (seen.labels, seen.counts, seen.seeds, seen.side) == (("original", "worst B"), (N, N), (1, 0), "B")
    assert seen.names == (made.first.names, made.second.names)
    shown = seen.images([3, N - 1, N, 2 * N - 1])
    assert shown.shape == (4, 16, 16, 3)
    assert shown.mean(axis=(1, 2, 3)) == pytest.approx([3, N - 1, 100, 100 + N - 1], abs=4)


def test_only_what_touches_a_panel_counts_in_its_question():
    gans = Gan(MADE, *fresh(MADE, 0)), Gan(MADE, *fresh(MADE, 1))
    of = question("look", "a", gans, Choice(N))
    assert question("look", "a", gans, Choice(N, image_radius=3.0)) == of
    assert question("look", "a", gans, Choice(N, radius=3.0)) != of
    assert question("look", "b", gans, Choice(N)) != of
    drawn = [
        drawing_question("a", gans, Choice(N), Layout(method), what=what, arrows=arrows)
        for method in ("pca", "tsne")
        for what in ("main", "control")
        for arrows in (False, True)
    ]
    assert all(one != other for k, one in enumerate(drawn) for other in drawn[:k])


def test_the_paper_readings_in_words():
    def tested(outcome):
        return figure4.Tested((), "", (), Reading("Worst noise covers a wider area.", outcome, "It is longer."))

    outcomes = {"a": "supported", "b": "supported", "c": "undecided", "d": "not supported"}
    words = finding({letter: tested(outcome) for letter, outcome in outcomes.items()}).words
    assert words.endswith("these two models bear out (a) and (b); contradict (d); leave open (c).")
    alone = finding({"a": tested("not supported")})
    assert alone.words == "Worst noise covers a wider area. Not so here." and alone.numbers == ("It is longer",)
