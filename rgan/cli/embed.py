"""The paper's Figure 4 for two models."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from rgan.cli.common import Subparsers, add_budget, add_class, gradients, load_gan, print_report
from rgan.common.devices import DEVICES


def add(commands: Subparsers) -> None:
    command = commands.add_parser("embed", help="the paper's Figure 4 for two checkpoints: points, tests, an HTML file")
    command.set_defaults(command=run)
    command.add_argument("a", help="checkpoint of model A, usually a baseline")
    command.add_argument("b", help="checkpoint of model B, usually its robust twin")
    command.add_argument("--panel", choices=(*"abcd", "all"), default="all")
    command.add_argument("--method", choices=("pca", "tsne", "umap"), default="tsne")
    command.add_argument("--dimensions", type=int, choices=(2, 3), default=2)
    command.add_argument("--neighbours", type=int, help="perplexity of t-SNE (default 30), neighbours of UMAP (15)")
    command.add_argument("--points", type=int, default=500, help="of each sample (default 500)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--radius", type=float, default=1.0, help="ε: largest move of worst noise in (a) (default 1)")
    command.add_argument(
        "--image-radius", type=float, default=1.0, help="ε₂: largest move of images in (b) (default 1)"
    )
    command.add_argument("--price", type=float, default=0.0, help="λ: price per squared unit of length (default 0)")
    add_budget(command)
    command.add_argument("--features", choices=("pixels", "critic-a", "critic-b", "judge"), default="pixels")
    command.add_argument("--side", choices=("A", "B"), default="A", help="whose noise and critic (a) and (b) show")
    command.add_argument("--arrows", action="store_true", help="draw where worst noise and images came from")
    command.add_argument("--html", metavar="FILE", help="write an interactive page that works without a network")
    add_class(command)
    command.add_argument("--device", choices=DEVICES, default="auto")


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.embedding import figure4, projections

    gans = load_gan(options, options.a), load_gan(options, options.b)
    choice = figure4.Choice(
        points=options.points,
        seed=options.seed,
        radius=options.radius,
        image_radius=options.image_radius,
        price=options.price,
        gradients=gradients(options),
        features=options.features,
        side=options.side,
    )
    neighbours = options.neighbours or projections.NEIGHBOURS[options.method]
    layout = projections.Layout(options.method, options.dimensions, neighbours, options.seed)
    letters = tuple(figure4.PANELS) if options.panel == "all" else (options.panel,)
    parts = []
    for letter in letters:
        with tqdm(total=100, unit="%", desc=f"panel {letter}", disable=options.json or None, leave=False) as bar:

            def report(share: float, bar: Any = bar) -> None:
                bar.n = round(100 * share)
                bar.refresh()

            made = figure4.panel(letter, *gans, choice, device=options.device, report=report)
            found = figure4.findings(made, *gans, device=options.device, report=report)
            parts.append((made, found, *figure4.drawn(made, found, layout, arrows=options.arrows, report=report)))
    settings = {"A": str(options.a), "B": str(options.b), **dataclasses.asdict(choice), **dataclasses.asdict(layout)}
    panels = [
        {
            **figure4.summary(made, found),
            "coordinates": projections.rows(picture, (made.first.names, made.second.names)),
        }
        for made, found, picture, *_ in parts
    ]
    if options.html:
        from rgan.common import files
        from rgan.report import embeddings_page

        page = embeddings_page.embeddings_page(f"{options.a} and {options.b}", parts, settings)
        files.write_atomically(Path(options.html), page.encode())
    lines = [
        f"({made.letter}) {figure4.PANELS[made.letter]}: “{found.claim.paper}” {found.claim.outcome}. "
        f"{found.claim.because}"
        for made, found, *_ in parts
    ]
    print_report(options, {"settings": settings, "panels": panels}, "\n".join(lines))
