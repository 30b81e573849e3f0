"""The controls of the Embeddings screen: all of them live in the URL."""

from __future__ import annotations

import streamlit as st
from controls import attack

from rgan.embedding.figure4 import FEATURES, SIDES, Choice
from rgan.embedding.projections import METHODS, NEIGHBOURS, Layout

POINTS = (100, 250, 500)
SCALES = (5, 10, 15, 20, 30, 50, 75, 100)  # of perplexity and neighbours


def map_controls(letters: tuple[str, ...], reach: float) -> tuple[Choice, Layout, bool]:
    """Draw the controls for these panels into the current container: what to compare, how to draw it, arrows or not."""
    points = st.select_slider(
        "Points of each cloud", POINTS, 500, key="points", bind="query-params", help="The paper draws 500 and 500."
    )
    method = str(
        st.segmented_control(
            "Method", tuple(METHODS), default="tsne", format_func=lambda name: METHODS[name], key="map",
            bind="query-params", required=True,
            help="PCA: the two directions of largest variance, exact and at once. t-SNE and UMAP: neighbourhoods, "
            "drawn on demand; their sizes and distances mean nothing.",
        )
    )  # fmt: skip
    dimensions = 3 if st.toggle("In space (3-D)", key="space", bind="query-params") else 2
    scale = NEIGHBOURS[method]
    if method != "pca":
        scale = st.select_slider(
            {"tsne": "Perplexity", "umap": "Neighbours"}[method],
            [number for number in SCALES if number <= (2 * points - 1) // 3], scale, key=f"{method}_scale",
            bind="query-params",
            help="How many neighbours each point tries to keep. A second value is drawn beside: what changes with it "
            "was made by the method, not by the data.",
        )  # fmt: skip
    side, features = "A", "pixels"
    if {"a", "b"} & set(letters):
        side = str(
            st.segmented_control(
                "Panels a and b show", SIDES, default="A", key="side", bind="query-params", required=True,
                help="Whose worst noise and whose critic.",
            )
        )  # fmt: skip
    if set("bcd") & set(letters):
        features = str(
            st.selectbox(
                "Images as", tuple(FEATURES), format_func=lambda name: FEATURES[name], key="features",
                bind="query-params",
                help="The space in which images are compared: their pixels, or what enters a critic's last layer.",
            )
        )  # fmt: skip
    radius, price, image_radius = 1.0, 0.0, 1.0
    if "a" in letters:
        radius, price = attack.radius(reach), attack.price()
    if "b" in letters:
        image_radius = st.slider(
            "ε₂, how far images may move", 0.0, 4.0, 1.0, 0.1, key="e2b", bind="query-params",
            help="Length of the worst image step in panel b; pixels run from −1 to 1. The paper trains with ε₂ = 4.",
        )  # fmt: skip
    arrows = False
    if {"a", "b"} & set(letters):
        arrows = st.toggle(
            "Arrows from original to worst", key="arrows", bind="query-params",
            help="Where each point of panels a and b came from, placed into the finished picture.",
        )  # fmt: skip
    seed = attack.seed()
    choice = Choice(int(points), seed, radius, image_radius, price, features=features, side=side)
    return choice, Layout(method, dimensions, int(scale), seed), arrows
