"""Train a Gan, or go on with a run."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rgan.cli.common import Subparsers, add_data_options, load_data, print_report, stopping
from rgan.common.devices import DEVICES, PRECISIONS
from rgan.common.errors import RganError
from rgan.data.datasets import DATA_SETS
from rgan.models.recipes import PLAYERS, PRESETS, SETTABLE, Recipe, catalogue, lasting, named, parsed, recipe
from rgan.models.systems import SYSTEMS

if TYPE_CHECKING:
    from rgan.training import runs

_ROBUST = ("noise_radius", "image_radius", "weight", "players", "steps")  # options that are fields of Robust


def add(commands: Subparsers) -> None:
    command = commands.add_parser("train", help="train a Gan and write OUT/checkpoint.safetensors")
    command.set_defaults(command=run)
    command.add_argument("--system", choices=tuple(SYSTEMS), help="`rgan recipes` describes them")
    command.add_argument(
        "--recipe", help="a name that `rgan recipes` lists, instead of --system, --robust and --players"
    )
    command.add_argument("--data", metavar="NAME", help=f"{', '.join(DATA_SETS)}, or a folder or zip of images")
    add_data_options(command)
    command.add_argument("--size", type=int, help="pixels (default: the data set's)")
    command.add_argument("--width", type=int, help="features of the narrowest layer (default: as published, 128 or 64)")
    command.add_argument("--latent", type=int, help="noise dimensions (default: as published, 128 or 100)")
    command.add_argument("--batch", type=int, help="images a critic step (default 64)")
    command.add_argument("--robust", choices=("none", *PRESETS), help="preset of the robust part (default none)")
    command.add_argument("--noise-radius", type=float, metavar="E1", help="ε₁: length of the worst noise step")
    command.add_argument("--image-radius", type=float, metavar="E2", help="ε₂: length of the worst image step")
    command.add_argument("--weight", type=float, metavar="LAMBDA", help="λ: weight of the robust terms")
    command.add_argument("--players", choices=PLAYERS, help="who trains robustly")
    command.add_argument("--steps", type=int, help="gradient steps of a worst perturbation (the paper: 1)")
    command.add_argument(
        "--set", action="append", metavar="FIELD=VALUE", help=f"any other field of the recipe: {', '.join(SETTABLE)}"
    )
    command.add_argument("--iterations", type=int, help="generator steps in all")
    command.add_argument("--seed", type=int, help="of weights, noise and the order of the data (default 0)")
    command.add_argument("--out", required=True, help="the run's folder: checkpoint.safetensors, pictures, curves")
    command.add_argument("--resume", action="store_true", help="continue the run in OUT exactly where it was kept")
    command.add_argument("--device", choices=DEVICES, default="auto")
    command.add_argument("--precision", choices=PRECISIONS, default="auto")


def run(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan.training import distributed, runs

    if not options.out.strip():
        raise RganError("expected a folder after --out, got an empty name; name one, runs/mine for example")
    folder = Path(options.out)
    with distributed.group(options.device) as device:
        first = distributed.rank() == 0
        if options.resume:
            _refuse_other_settings(options)
        elif first:
            plan = _plan(options)
            load_data(options, plan.data, plan.recipe.size)
            runs.create(folder, plan)
        distributed.wait()
        with runs.Run(folder, iterations=options.iterations, device=device) as run, stopping() as asked:
            quiet = options.json or not first
            total, done = run.plan.iterations, run.trainer.iteration
            numbers: dict[str, float] = {}
            with tqdm(total=total, initial=done, unit="it", disable=quiet or None) as bar:
                for progress in run.steps():
                    bar.update()
                    if progress.iteration % 20 == 0 or progress.iteration == total:
                        numbers = progress.numbers()
                        bar.set_postfix({name: f"{value:.3f}" for name, value in numbers.items()})
                    if distributed.any_of(asked.is_set(), run.trainer.device):
                        break
            digest = run.save()
            trainer = run.trainer
            run.mark("finished" if trainer.iteration >= total else "stopped")
    if not first:
        return
    if trainer.iteration < total:
        options_again = f"--resume --out {shlex.quote(str(folder))}"
        print(f"stopped at iteration {trainer.iteration}; go on with {options_again}", file=sys.stderr)
    path = folder / runs.CHECKPOINT
    report = {
        "checkpoint": str(path),
        "sha256": digest,
        "iterations": trainer.iteration,
        "seconds": round(trainer.seconds, 1),
        "precision": run.plan.precision,
        "metrics": numbers,
    }
    print_report(options, report, f"{path}: {trainer.iteration} iterations in {trainer.seconds:.0f} s")


def _plan(options: argparse.Namespace) -> runs.TrainingPlan:
    """The plan of a new run, as the options tell it."""
    from rgan.training import runs

    if options.recipe:
        _take_named(options)
    for name in ("system", "data", "iterations"):
        if getattr(options, name) is None:
            raise RganError(f"expected --{name} for a new run, got none; give one, or continue a run with --resume")
    given = {name: getattr(options, name) for name in ("size", "width", "latent", "batch")}
    changes = {name: value for name, value in given.items() if value is not None}
    changes = runs.fitting(options.system, options.data, changes | parsed(options.set or ()), options.data_root)
    made = _with_robust(options, changes)
    return runs.TrainingPlan(
        recipe=made if "decay" in changes else lasting(made, options.iterations),
        data=options.data,
        iterations=options.iterations,
        seed=options.seed or 0,
        device=options.device,
        precision=options.precision,
        data_root=options.data_root,
    )


def _take_named(options: argparse.Namespace) -> None:
    """Set --system, --robust and --players as --recipe says.

    Raises:
        RganError: they were given as well, or there is no recipe of that name.
    """
    for name in ("system", "robust", "players"):
        if getattr(options, name) is not None:
            raise RganError(f"expected --recipe or --{name}, got both; drop one of them")
    named(options.recipe)
    options.system, options.robust, players = catalogue()[options.recipe]
    options.players = None if options.robust is None else players


def _with_robust(options: argparse.Namespace, changes: dict[str, Any]) -> Recipe:
    """The recipe: its robust part is a preset, and over it whatever was given one by one."""
    given = {field: getattr(options, field) for field in _ROBUST if getattr(options, field) is not None}
    preset = options.robust or ("paper" if given else "none")
    players = None if preset == "none" else given.pop("players", None)
    if given and "none" in (preset, players):
        raise RganError(
            f"expected a robust part for --{next(iter(given)).replace('_', '-')}, got none; drop that, or choose "
            "another --robust or --recipe"
        )
    made = recipe(options.system, None if preset == "none" else preset, players=players, **changes)
    return dataclasses.replace(made, robust=made.robust and dataclasses.replace(made.robust, **given))


def _refuse_other_settings(options: argparse.Namespace) -> None:
    """A resumed run keeps its plan: only --iterations may change."""
    for name in ("system", "recipe", "data", "size", "width", "latent", "batch", "seed", "robust", "set", *_ROBUST):
        if getattr(options, name) is not None:
            raise RganError(
                f"expected no --{name.replace('_', '-')} with --resume, which keeps the settings in the run's folder; "
                "leave it out, or start a new run"
            )
