"""The command line: `python -m rgan COMMAND`; `python -m rgan --help` lists them."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rgan import __version__
from rgan.datasets import CARRIED, DATA_SETS
from rgan.devices import DEVICES, PRECISIONS, choose_device
from rgan.errors import RganError
from rgan.recipes import PLAYERS, PRESETS, SETTABLE, Recipe, catalogue, lasting, named, parsed, recipe
from rgan.systems import SYSTEMS, size_near

if TYPE_CHECKING:
    import torch

    from rgan import datasets, metrics, runs
    from rgan.datasets import ImageData
    from rgan.gan import Gan
    from rgan.importers import Question

_ROBUST = ("noise_radius", "image_radius", "weight", "players", "steps")  # options that are fields of Robust


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0, or 2 with one line on standard error)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(arguments)
    options.arguments = arguments
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
    except RganError as error:
        print(f"rgan: {error}", file=sys.stderr)
        return 2
    return 0


def _train(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan import distributed, runs

    folder = Path(options.out)
    with distributed.group(options.device) as device:
        first = distributed.rank() == 0
        if options.resume:
            _refuse_other_settings(options)
        elif first:
            plan = _plan(options)
            _load_data(options, plan.data, plan.recipe.size)
            runs.create(folder, plan)
        distributed.wait()
        with runs.Run(folder, iterations=options.iterations, device=device) as run, _stopping() as asked:
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
        print(f"stopped at iteration {trainer.iteration}; go on with --resume --out {folder}", file=sys.stderr)
    path = folder / runs.CHECKPOINT
    report = {
        "checkpoint": str(path),
        "sha256": digest,
        "iterations": trainer.iteration,
        "seconds": round(trainer.seconds, 1),
        "precision": run.plan.precision,
        "metrics": numbers,
    }
    _print(options, report, f"{path}: {trainer.iteration} iterations in {trainer.seconds:.0f} s")


def _plan(options: argparse.Namespace) -> runs.Plan:
    """The plan of a new run, as the options tell it."""
    from rgan import datasets, runs

    if options.recipe:
        _take_named(options)
    for name in ("system", "data", "iterations"):
        if getattr(options, name) is None:
            raise RganError(f"expected --{name} for a new run, got none; give one, or continue a run with --resume")
    about = datasets.about(options.data, options.data_root)
    size = size_near(options.system, about.size) if options.size is None else options.size
    changes: dict[str, Any] = {"size": size, "channels": about.channels}
    for name in ("width", "latent", "batch"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    changes |= parsed(options.set or ())
    made = _with_robust(options, changes)
    return runs.Plan(
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
    if options.robust == "none" and given:
        raise RganError(f"expected no --{next(iter(given)).replace('_', '-')} with --robust none; drop one of them")
    preset = options.robust or ("paper" if given else "none")
    made = recipe(options.system, None if preset == "none" else preset, **changes)
    return dataclasses.replace(made, robust=made.robust and dataclasses.replace(made.robust, **given))


def _load_data(options: argparse.Namespace, name: str, size: int | None) -> ImageData:
    """The data set, fetched and prepared if need be, with progress; what was unreadable is named."""
    from rgan import datasets

    with _preparing(options, f"preparing {name}") as report:
        data = datasets.load(name, size=size, root=options.data_root, download=options.download, report=report)
    if data.skipped:
        shown = ", ".join(data.skipped[:10]) + (" …" if len(data.skipped) > 10 else "")
        print(f"{name}: skipped {len(data.skipped)} unreadable: {shown}", file=sys.stderr)
    return data


@contextmanager
def _preparing(options: argparse.Namespace, words: str) -> Iterator[datasets.Report]:
    """A bar of images, for what reports how many it has done."""
    from tqdm import tqdm

    with tqdm(unit="image", desc=words, disable=options.json or None, delay=0.5) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report


def _refuse_other_settings(options: argparse.Namespace) -> None:
    """A resumed run keeps its plan: only --iterations may change."""
    for name in ("system", "recipe", "data", "size", "width", "latent", "batch", "seed", "robust", "set", *_ROBUST):
        if getattr(options, name) is not None:
            raise RganError(
                f"expected no --{name.replace('_', '-')} with --resume, which keeps the settings in the run's folder; "
                "leave it out, or start a new run"
            )


@contextmanager
def _stopping(what: str = "this iteration") -> Iterator[threading.Event]:
    """Ctrl-C, or a scheduler's end, is an event that work looks at after each piece (`what`); again: at once."""
    asked = threading.Event()

    def ask(number: int, _: object) -> None:
        # torchrun passes on a Ctrl-C that the terminal has sent to its children already.
        if asked.is_set() and number == signal.SIGINT and "TORCHELASTIC_RUN_ID" not in os.environ:
            raise KeyboardInterrupt
        asked.set()
        print(f"stopping after {what}", file=sys.stderr)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _probe(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan import checkpoints, evidence, judges, objectives, worst_case

    objectives.check_method(options.against, options.method)
    if options.judge and options.against != objectives.JUDGE:
        raise RganError(f"expected no --judge with --against {options.against}; drop it, or raise the judge's distance")
    gan = checkpoints.load(options.checkpoint)
    settings = worst_case.Settings(
        radii=(options.radius,),
        price=options.price,
        steps=options.steps,
        method=options.method,
        restarts=options.restarts,
        keep_shell=options.keep_shell,
    )
    z = gan.noise(options.samples, options.seed)
    judge = None
    if options.against == objectives.JUDGE:
        judge = judges.load(options.judge) if options.judge else judges.first_shipped([gan.data or "unknown data"])
    exact, fast = objectives.aims(
        gan, options.against, z, judge=judge, device=options.device, precision=options.precision
    )
    sharpen = None if fast.dtype is exact.dtype else exact.objective
    start = exact.start(z, settings, options.seed)
    with tqdm(total=settings.steps, unit="step", disable=options.json or None) as bar:
        for worst in worst_case.search(fast.objective, z, settings, seed=options.seed, exact=sharpen, start=start):
            bar.update(worst.step - bar.n)
    result = evidence.compare(exact.objective, z, worst, seed=options.seed, measure=exact.measure)
    report = {
        "checkpoint": str(options.checkpoint),
        "samples": options.samples,
        "seed": options.seed,
        "against": options.against,
        "method": options.method,
        "radius": options.radius,
        "price": options.price,
        "steps": options.steps,
        **result.summary(),
        "gradient_calls": worst.gradient_calls,
        "seconds": round(worst.seconds, 3),
    }
    _print(options, report, result.sentence())


def _embed(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan import checkpoints, clouds, embeddings

    gans = checkpoints.load(options.a), checkpoints.load(options.b)
    choice = clouds.Choice(
        points=options.points,
        seed=options.seed,
        radius=options.radius,
        image_radius=options.image_radius,
        price=options.price,
        steps=options.steps,
        features=options.features,
        side=options.side,
    )
    neighbours = options.neighbours or embeddings.NEIGHBOURS[options.method]
    layout = embeddings.Layout(options.method, options.dimensions, neighbours, options.seed)
    letters = tuple(clouds.PANELS) if options.panel == "all" else (options.panel,)
    parts = []
    for letter in letters:
        with tqdm(total=100, unit="%", desc=f"panel {letter}", disable=options.json or None, leave=False) as bar:

            def report(share: float, bar: Any = bar) -> None:
                bar.n = round(100 * share)
                bar.refresh()

            made = clouds.panel(letter, *gans, choice, device=options.device, report=report)
            found = clouds.findings(made, *gans, device=options.device, report=report)
            parts.append((made, found, *clouds.drawn(made, found, layout, arrows=options.arrows, report=report)))
    settings = {"A": str(options.a), "B": str(options.b), **dataclasses.asdict(choice), **dataclasses.asdict(layout)}
    panels = [
        {**clouds.summary(made, found), "coordinates": embeddings.rows(picture, (made.first.names, made.second.names))}
        for made, found, picture, *_ in parts
    ]
    if options.html:
        from rgan import files
        from rgan import report as reports

        page = reports.embeddings_page(f"{options.a} and {options.b}", parts, settings)
        files.write_atomically(Path(options.html), page.encode())
    lines = [
        f"({made.letter}) {clouds.PANELS[made.letter]}: “{found.claim.paper}” {found.claim.outcome}. "
        f"{found.claim.because}"
        for made, found, *_ in parts
    ]
    _print(options, {"settings": settings, "panels": panels}, "\n".join(lines))


def _evidence(options: argparse.Namespace) -> None:
    from rgan import checkpoints, contest, judges
    from rgan.search_health import lights
    from rgan.trials import Subject, check_noise
    from rgan.worst_case import Settings

    gans = checkpoints.load(options.a), checkpoints.load(options.b)
    names = [gan.data or "unknown data" for gan in gans]
    judge = judges.load(options.judge) if options.judge else judges.first_shipped(names)
    a, b = (Subject(gan, judge, options.device) for gan in gans)
    check_noise((a, b))
    settings = Settings(
        (options.radius,), options.price, options.steps, restarts=options.restarts, keep_shell=options.keep_shell
    )
    corners = [contest.corner(one, settings, samples=options.samples, seed=options.seed) for one in (a, b)]
    moved = contest.transfer((a, b), (corners[0], corners[1]))
    said = contest.verdict(corners[0], corners[1]) + ((moved.sentence(),) if options.radius else ())
    checked = [lights(one, settings, samples=options.samples, seed=options.seed) for one in (a, b)]
    report = {
        "models": {
            side: {
                "checkpoint": str(path),
                "badness": {kind: float(trial.badness.mean()) for kind, trial in one.trials.items()},
                "rise": {kind: dataclasses.asdict(rise) for kind, rise in contest.rises(one).items()},
                "health": [dataclasses.asdict(light) for light in found],
            }
            for side, path, one, found in zip("AB", (options.a, options.b), corners, checked, strict=True)
        },
        "transfer": dataclasses.asdict(moved),
        "said": said,
        "judge": {"data": judge.data, "sha256": judge.digest, "accuracy": judge.accuracy},
        "samples": options.samples, "seed": options.seed, **dataclasses.asdict(settings),
    }  # fmt: skip
    lines = [
        f"{side}, search {light.name}: {light.state}, {light.number}. {light.remedy}".rstrip()
        for side, found in zip("AB", checked, strict=True)
        for light in found
    ]
    _print(options, report, "\n".join((*said, *lines)))


def _failures(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan import checkpoints, failure_modes, failures, files, judges, keeping, one_failure, permalinks
    from rgan.trials import Subject
    from rgan.worst_case import Settings

    paths = [Path(path) for path in (options.a, options.b) if path is not None]
    gans = [checkpoints.load(path) for path in paths]
    names = [gan.data or "unknown data" for gan in gans]
    judge = judges.load(options.judge) if options.judge else judges.first_shipped(names)
    settings = Settings(
        (options.radius,), options.price, options.steps, options.method, options.restarts, options.keep_shell
    )
    plan = failures.Plan(settings, options.pool, options.seed, options.against)
    folder = Path(options.out)
    files.prepare_folder(folder)
    with (
        _stopping("this block") as asked,
        tqdm(total=plan.samples, unit="image", disable=options.json or None) as bar,
    ):
        for pool in failures.pool([Subject(gan, judge, options.device) for gan in gans], plan):
            bar.update(len(pool.z) - bar.n)
            if asked.is_set():
                break
    modes = {side: failure_modes.modes(pool, side) for side in pool.rows}
    kept = []
    for (side, subject), path in zip(pool.subjects.items(), paths, strict=True):
        for index in failures.ranking(pool, side)[: options.keep]:
            found = one_failure.failure(subject, plan, int(index))
            kept.append((permalinks.permalink(subject, found, path.stem), found))
    written = {"failures.csv": files.as_csv(keeping.pool_rows(pool, modes)), "failures.zip": keeping.archive(kept)}
    written |= {f"{side}-{kind}.png": keeping.sheet(pool, side, kind) for side in pool.rows for kind in failures.KINDS}
    for name, data in written.items():
        files.write_atomically(folder / name, data)
    said = [*failures.said(pool), *(f"{side}: {each.sentence}" for side, each in modes.items())]
    report = {
        "models": {
            side: {
                "checkpoint": str(path),
                "bad": {kind: dataclasses.asdict(each) for kind, each in failures.prevalence(pool, side).items()},
                "worst_beyond_random": dataclasses.asdict(failures.against(pool, side, "worst", "random")),
                "modes": [mode.size for mode in modes[side].modes],
                "alone": len(modes[side].alone),
            }
            for side, path in zip(pool.rows, paths, strict=True)
        },
        "a_beyond_b": {kind: dataclasses.asdict(failures.between(pool, kind)) for kind in failures.KINDS}
        if len(pool.rows) == 2
        else None,
        "said": said, "samples": len(pool.z), "seed": plan.seed, "against": plan.against,
        "judge": {"data": judge.data, "sha256": judge.digest, "accuracy": judge.accuracy},
        "written": [str(folder / name) for name in written], **dataclasses.asdict(settings),
    }  # fmt: skip
    _print(options, report, "\n".join([*said, *(str(folder / name) for name in written)]))


def _reproduce(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan import evaluation, reproduce, table_report, tables

    folder = Path(options.out)
    settings = evaluation.Settings(
        tuple(options.radii), options.repeats, options.samples, options.steps, options.features, options.weights or ""
    )
    models, left = reproduce.survey(reproduce.find(options.models or reproduce.places()))
    if not models:
        said = "; ".join(f"{one.name}: {one.reason}" for one in left) or "no checkpoint in the folders named"
        raise RganError(f"expected models to evaluate, got none ({said}); train some with `python -m rgan train`")
    referees = reproduce.Referees(settings, device=options.device, data_root=options.data_root)
    with (
        _stopping("this piece of an evaluation") as asked,
        tqdm(total=100, unit="%", disable=options.json or None) as bar,
    ):
        for progress in reproduce.run(models, referees, folder, device=options.device):
            bar.set_description(f"{progress.done} of {progress.total} models, {progress.name}")
            bar.update(round(100 * progress.share) - bar.n)
            if asked.is_set():
                break
    study = reproduce.study(models, (*left, *progress.left), referees, folder)
    page = table_report.study_page(study, f"python -m rgan {shlex.join(options.arguments)}")
    tables.write({**tables.files(study), "report.html": page.encode()}, folder)
    for one in study.left:
        print(f"left out {one.name}: {one.reason}", file=sys.stderr)
    if study.waiting:
        print(f"stopped with {len(study.waiting)} models to do; the same command goes on", file=sys.stderr)
    report = {
        "folder": str(folder), "settings": dataclasses.asdict(settings), "models": len(study.models),
        "waiting": list(study.waiting), "left_out": [dataclasses.asdict(one) for one in study.left],
        "table2": tables.table2(study), "claims": tables.claim_rows(study),
    }  # fmt: skip
    lines = [f"{claim.column}: {claim.paper}, by {settings.words(claim.measure)}: {claim.outcome}. {claim.because}"
             for claim in study.claims if claim.test is not None]  # fmt: skip
    _print(options, report, "\n".join([*lines, f"{folder / 'report.html'}: {len(study.models)} models"]))


def _inspect(options: argparse.Namespace) -> None:
    from rgan import checkpoints, conversion

    path = Path(options.checkpoint)
    data = checkpoints.read_bytes(path)
    found = conversion.describe(path.name, data)
    if found.ours:
        _inspect_ours(options, data)
        return
    report = dataclasses.asdict(found)
    written = {"zip": "torch.save", "legacy": "torch.save before 1.6"}.get(found.container, found.container)
    lines = [f"{path}: {len(found.tensors)} tensors, {found.bytes / 2**20:.1f} MiB, written by {written}"]
    lines += [f"  {name} {list(shape)}" for name, shape in found.tensors.items()]
    lines += list(found.parts)
    lines += [_answer_line("guessed", one, one.guess) for one in found.questions]
    lines += [f"left unread: {', '.join(found.unread)}"] if found.unread else []
    command = f"python -m rgan convert {shlex.quote(str(path))} OUT.safetensors"
    lines += [found.problem or f"{command} makes it a file of RGAN Lab; --set QUESTION=ANSWER changes a guess"]
    _print(options, report, "\n".join(lines))


def _answer_line(how: str, question: Question, answer: str) -> str:
    """A question and its answer, which is "guessed" or "set", with the first of the others."""
    others = [option for option in question.options if option != answer]
    listed = ", ".join(others[:9]) + (", …" if len(others) > 9 else "")
    return f"{how}: {question.name}={answer} ({question.text}; or {listed})"


def _inspect_ours(options: argparse.Namespace, data: bytes) -> None:
    """What a file of RGAN Lab says about itself."""
    from rgan import checkpoints

    header = checkpoints.inspect(data, Path(options.checkpoint).name)
    training = dataclasses.asdict(header.training) if header.training else None
    if training is not None:
        training["history"] = training["history"][-1:]
    report = {
        "checkpoint": str(options.checkpoint),
        "sha256": hashlib.sha256(data).hexdigest(),
        "system": header.recipe.title,
        "parameters": dict(zip(("generator", "critic"), header.recipe.parameters(), strict=True)),
        "average": any(name.startswith("average.") for name in header.tensors),
        "reference_images": header.tensors["reference"][1][0] if "reference" in header.tensors else 0,
        "recipe": header.recipe.to_dict(),
        "training": training,
        "origin": dataclasses.asdict(header.origin) if header.origin else None,
    }
    if header.origin is not None:  # nothing else is known of an imported model's recipe
        report["recipe"] = {name: getattr(header.recipe, name) for name in ("size", "channels", "latent", "loss")}
    lines = [
        f"{name}: {json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value}"
        for name, value in report.items()
        if value is not None
    ]
    _print(options, report, "\n".join(lines))


def _convert(options: argparse.Namespace) -> None:
    from rgan import checkpoints, conversion, datasets
    from rgan.gan import Gan

    out, paths = Path(options.out), [Path(file) for file in options.files]
    if out.suffix != ".safetensors":
        raise RganError(f"expected a last argument that ends in .safetensors, got {out}; name the file to write last")
    proposal = conversion.read([(path.name, checkpoints.read_bytes(path)) for path in paths])
    if isinstance(proposal, Gan):
        raise RganError(f"expected files of another program, got one of RGAN Lab, {paths[0]}; use it as it is")
    answers = dict(text.partition("=")[::2] for text in options.set or ())
    questions = {one.name: one for one in proposal.questions(answers)}
    for name in answers:
        if name not in questions:
            raise RganError(f"expected --set with one of {', '.join(questions)}; got {name!r}")
    gan = proposal.gan(answers)
    if options.data is not None:
        real = datasets.load(options.data, size=gan.recipe.size, root=options.data_root, download=options.download)
        gan = conversion.trained_on(gan, real.name, real.some(CARRIED))
    digest = checkpoints.save(gan, out)
    taken = {name: answers.get(name, one.guess) for name, one in questions.items()}
    report = {
        "checkpoint": str(out), "sha256": digest, "title": gan.recipe.title, "latent": gan.recipe.latent,
        "image": [gan.recipe.channels, gan.recipe.size, gan.recipe.size], "answers": taken,
        "guessed": [name for name in taken if name not in answers], "notes": proposal.notes(answers),
    }  # fmt: skip
    lines = [f"{out}: {gan.recipe.title}, {gan.recipe.latent} noise dimensions, {gan.recipe.size} pixels"]
    lines += [
        _answer_line("set" if name in answers else "guessed", one, taken[name]) for name, one in questions.items()
    ]
    _print(options, report, "\n".join([*lines, *proposal.notes(answers)]))


def _critic(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan import checkpoints, conversion, critic_training

    gan = checkpoints.load(options.checkpoint)
    critic_training.check(gan)
    name = options.data or gan.data
    if not name:
        raise RganError("expected --data for a model that does not say what it was trained on, got none; name the set")
    data = _load_data(options, name, gan.recipe.size)
    if not gan.data:
        gan = conversion.trained_on(gan, data.name, data.some(CARRIED))
    iterations = critic_training.ITERATIONS if options.iterations is None else options.iterations
    steps = critic_training.train(gan, data, iterations=iterations, seed=options.seed, device=options.device)
    with tqdm(total=iterations, unit="it", disable=options.json or None) as bar:
        for progress in steps:
            bar.update()
            if progress.step % 20 == 0:
                bar.set_postfix(loss=f"{progress.loss:.3f}", accuracy=f"{progress.accuracy:.1%}")
    assert progress.gan is not None and progress.gan.origin is not None
    digest = checkpoints.save(progress.gan, options.out)
    report = {
        "checkpoint": str(options.out), "sha256": digest, "iterations": progress.steps, "seed": options.seed,
        "data": data.name, "right": progress.right, "asked": progress.asked, "critic": progress.gan.origin.critic,
    }  # fmt: skip
    _print(options, report, f"{options.out}: critic {progress.gan.origin.critic}")


def _recipes(options: argparse.Namespace) -> None:
    made = {name: named(name) for name in catalogue()}
    width = max(map(len, made))
    lines = [f"{name:{width}}  {_short(name, one)}" for name, one in made.items()]
    _print(options, {name: one.to_dict() for name, one in made.items()}, "\n".join(lines))


def _short(name: str, made: Recipe) -> str:
    """A recipe in one line: title, parameters and source of a plain one; λ, radii and terms of a robust one."""
    robust, about = made.robust, SYSTEMS[made.system]
    if robust is None:
        generator, critic = made.parameters()
        return f"{made.title}: generator {generator:,}, critic {critic:,} parameters ({about.source})"
    terms = ", ".join(f"{term} {value:g}" for term, value in robust.terms().items())
    if name.startswith("official") and about.official != made.system:
        terms += f" (as published for {SYSTEMS[about.official].title})"
    return f"λ {robust.weight:g}, ε₁ {robust.noise_radius:g}, ε₂ {robust.image_radius:g}: {terms}"


def _judge(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from rgan import judges

    data = _load_data(options, options.name, judges.SIZE)
    epochs = options.epochs or judges.EPOCHS.get(data.name, 10)
    steps = judges.train(
        data, options.data_root, epochs=epochs, width=options.width, seed=options.seed, precision=options.precision
    )
    judge = None
    with tqdm(unit="step", disable=options.json or None) as bar:
        for progress in steps:
            bar.total, judge = progress.steps, progress.judge
            bar.update()
            if progress.step % 20 == 0:
                bar.set_postfix(loss=f"{progress.loss:.3f}")
    assert judge is not None
    digest = judges.save(judge, options.out)
    report = {"judge": str(options.out), "sha256": digest, "accuracy": judge.accuracy, "held_out": judge.held_out}
    right = f"names {judge.accuracy:.2%} of {judge.held_out:,} held-out images rightly"
    _print(options, report, f"{options.out}: {right}")


def _score(options: argparse.Namespace) -> None:
    import torch
    from tqdm import tqdm

    from rgan import checkpoints, metrics, worst_case

    gan = checkpoints.load(options.checkpoint)
    device = choose_device(options.device)
    standard = _standard(options, gan, device)
    metrics.enough(options.samples, standard.reference.shape[1])  # before they are drawn
    probe = gan.probe(device=device)
    settings = worst_case.Settings((options.radius,), options.price, options.steps)
    parts = []
    with tqdm(total=options.samples, unit="image", disable=options.json or None) as bar:
        for z in gan.noise(options.samples, options.seed).split(250):
            if options.radius:
                z = z + worst_case.run(probe.loss, z, settings, seed=options.seed).noise[0]
            parts.append(standard.look(probe.images(z)))
            bar.update(len(z))
    seen = metrics.Seen(torch.cat([one.features for one in parts]), torch.cat([one.logits for one in parts]))
    found = metrics.scores(seen, standard, seed=options.seed)
    report = {
        "checkpoint": str(options.checkpoint), "radius": options.radius, "seed": options.seed,
        "protocol": found[0].protocol.words, "scores": [dataclasses.asdict(score) for score in found],
    }  # fmt: skip
    lines = [score.words for score in found] + [found[0].protocol.words]
    _print(options, report, "\n".join(lines))


def _standard(options: argparse.Namespace, gan: Gan, device: torch.device) -> metrics.Standard:
    """What the scores are held against, as --features, --judge and --weights say."""
    from rgan import inception, judges, metrics

    other = "judge" if options.features == "inception" else "weights"
    if getattr(options, other) is not None:
        raise RganError(f"expected no --{other} with --features {options.features}; drop one of them")
    if options.judge is not None:
        return metrics.by_judge(judges.load(options.judge))
    if not gan.data:
        mend = "name a judge's file with --judge" if options.features == "judge" else "score with --judge FILE"
        raise RganError(f"expected a model whose data are known, got one that does not say; {mend}")
    name, size = gan.data, gan.recipe.size
    if options.features == "judge":
        return metrics.by_judge(judges.shipped(name))
    metrics.enough(options.samples, inception.FEATURES)  # before the real images take hours
    with _preparing(options, f"real images of {name}") as report:
        return metrics.by_inception(
            name, weights=options.weights, root=options.data_root, size=size, report=report, device=device
        )


def _data(options: argparse.Namespace) -> None:
    from rgan import datasets

    if options.name is None:
        sets = {name: about.what for name, about in datasets.KNOWN.items()}
        sets |= dict.fromkeys(datasets.own_sets(options.data_root), "a folder or zip of images")
        _print(options, sets, "\n".join(f"{name:10} {what}" for name, what in sets.items()))
        return
    data = _load_data(options, options.name, options.size)
    report = {"name": data.name, "images": list(data.images.shape), "skipped": list(data.skipped)}
    count, channels, height, width = data.images.shape
    _print(options, report, f"{data.name}: {count:,} images of {height}×{width} pixels, {channels} channels")


def _print(options: argparse.Namespace, report: dict[str, Any], text: str) -> None:
    print(json.dumps(report) if options.json else text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rgan", description="Train Gans, robustly or not, and find their worst noise."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")

    train = commands.add_parser("train", help="train a Gan and write OUT/checkpoint.safetensors")
    train.set_defaults(command=_train)
    train.add_argument("--system", choices=tuple(SYSTEMS), help="`rgan recipes` describes them")
    train.add_argument("--recipe", help="a name that `rgan recipes` lists, instead of --system, --robust and --players")
    train.add_argument("--data", metavar="NAME", help=f"{', '.join(DATA_SETS)}, or a folder or zip of images")
    _add_data_options(train)
    train.add_argument("--size", type=int, help="pixels (default: the data set's)")
    train.add_argument("--width", type=int, help="features of the narrowest layer (default: as published, 128 or 64)")
    train.add_argument("--latent", type=int, help="noise dimensions (default: as published, 128 or 100)")
    train.add_argument("--batch", type=int, help="images a critic step (default 64)")
    train.add_argument("--robust", choices=("none", *PRESETS), help="preset of the robust part (default none)")
    train.add_argument("--noise-radius", type=float, metavar="E1", help="ε₁: length of the worst noise step")
    train.add_argument("--image-radius", type=float, metavar="E2", help="ε₂: length of the worst image step")
    train.add_argument("--weight", type=float, metavar="LAMBDA", help="λ: weight of the robust terms")
    train.add_argument("--players", choices=PLAYERS, help="who trains robustly")
    train.add_argument("--steps", type=int, help="gradient steps of a worst perturbation (the paper: 1)")
    train.add_argument(
        "--set", action="append", metavar="FIELD=VALUE", help=f"any other field of the recipe: {', '.join(SETTABLE)}"
    )
    train.add_argument("--iterations", type=int, help="generator steps in all")
    train.add_argument("--seed", type=int, help="of weights, noise and the order of the data (default 0)")
    train.add_argument("--out", required=True, help="the run's folder: checkpoint.safetensors, pictures, curves")
    train.add_argument("--resume", action="store_true", help="continue the run in OUT exactly where it was kept")

    probe = commands.add_parser("probe", help="search worst noise and compare it with random noise of equal length")
    probe.set_defaults(command=_probe)
    probe.add_argument("checkpoint")
    probe.add_argument("--samples", type=int, default=64)
    _add_search_options(probe)
    probe.add_argument(
        "--judge", metavar="FILE", help="default: the judge of the model's data that comes with RGAN Lab"
    )

    embed = commands.add_parser("embed", help="the paper's Figure 4 for two checkpoints: clouds, tests, an HTML file")
    embed.set_defaults(command=_embed)
    embed.add_argument("a", help="checkpoint of model A, usually a baseline")
    embed.add_argument("b", help="checkpoint of model B, usually its robust twin")
    embed.add_argument("--panel", choices=(*"abcd", "all"), default="all")
    embed.add_argument("--method", choices=("pca", "tsne", "umap"), default="tsne")
    embed.add_argument("--dimensions", type=int, choices=(2, 3), default=2)
    embed.add_argument("--neighbours", type=int, help="perplexity of t-SNE (default 30), neighbours of UMAP (15)")
    embed.add_argument("--points", type=int, default=500, help="of each cloud (default 500)")
    embed.add_argument("--seed", type=int, default=0)
    embed.add_argument("--radius", type=float, default=1.0, help="ε: largest move of worst noise in (a) (default 1)")
    embed.add_argument("--image-radius", type=float, default=1.0, help="ε₂: largest move of images in (b) (default 1)")
    embed.add_argument("--price", type=float, default=0.0, help="λ: price per squared unit of length (default 0)")
    embed.add_argument("--steps", type=int, default=10)
    embed.add_argument("--features", choices=("pixels", "critic-a", "critic-b", "judge"), default="pixels")
    embed.add_argument("--side", choices=("A", "B"), default="A", help="whose noise and critic (a) and (b) show")
    embed.add_argument("--arrows", action="store_true", help="draw where worst noise and images came from")
    embed.add_argument("--html", metavar="FILE", help="write an interactive page that works without a network")
    embed.add_argument("--device", choices=DEVICES, default="auto")

    evidence = commands.add_parser("evidence", help="whether worst noise makes worse images, by a judge, with controls")
    evidence.set_defaults(command=_evidence)
    evidence.add_argument("a", help="checkpoint of model A, usually a baseline")
    evidence.add_argument("b", help="checkpoint of model B, usually its robust twin")
    evidence.add_argument("--samples", type=int, default=256)
    evidence.add_argument("--seed", type=int, default=0)
    evidence.add_argument("--radius", type=float, default=1.0, help="ε: largest move of worst noise (default 1)")
    evidence.add_argument("--price", type=float, default=0.0, help="λ: price per squared unit of length (default 0)")
    evidence.add_argument("--steps", type=int, default=10)
    evidence.add_argument("--restarts", type=int, default=1, help="starting points of each sample (default 1)")
    evidence.add_argument("--keep-shell", action="store_true", help="search where z + r is as long as z")
    evidence.add_argument("--judge", metavar="FILE", help="default: the judge of A's data that comes with RGAN Lab")
    evidence.add_argument("--device", choices=DEVICES, default="auto")

    failures = commands.add_parser("failures", help="bad images among thousands: how common, which kinds, and a zip")
    failures.set_defaults(command=_failures)
    failures.add_argument("a", help="checkpoint of model A")
    failures.add_argument("b", nargs="?", help="checkpoint of model B, which is given the same noise")
    failures.add_argument("--out", required=True, help="folder of failures.csv, failures.zip and sheets of images")
    failures.add_argument("--pool", type=int, default=2000, help="noise to search (default 2000)")
    failures.add_argument("--keep", type=int, default=6, help="worst failures of each model in the zip (default 6)")
    failures.add_argument("--judge", metavar="FILE", help="default: the judge of A's data that comes with RGAN Lab")
    failures.add_argument("--device", choices=DEVICES, default="auto")
    _add_search_options(failures)

    for command in (train, probe):
        command.add_argument("--device", choices=DEVICES, default="auto")
        command.add_argument("--precision", choices=PRECISIONS, default="auto")

    inspect = commands.add_parser("inspect", help="say what a checkpoint of any program is, without loading it")
    inspect.set_defaults(command=_inspect)
    inspect.add_argument("checkpoint")

    convert = commands.add_parser("convert", help="make a checkpoint of another program a file of RGAN Lab")
    convert.set_defaults(command=_convert)
    convert.add_argument(
        "files", nargs="+", metavar="FILE", help="the generator's file and the critic's, or one of both"
    )
    convert.add_argument("out", metavar="OUT", help="the file to write, .safetensors")
    convert.add_argument(
        "--set",
        action="append",
        metavar="QUESTION=ANSWER",
        help="instead of a guess that `inspect` and `convert` print",
    )
    convert.add_argument("--data", help="what it was trained on: real images and a judge to hold it against")
    _add_data_options(convert)

    critic = commands.add_parser("critic", help="train a critic for an imported model that came without one")
    critic.set_defaults(command=_critic)
    critic.add_argument("checkpoint", help="a file that `convert` wrote from a generator alone")
    critic.add_argument("--data", help="real images to tell its own from (default: what the model was trained on)")
    critic.add_argument("--iterations", type=int, help="batches it learns from (default 3000)")
    critic.add_argument("--seed", type=int, default=0)
    critic.add_argument("--out", required=True, help="the file to write, .safetensors")
    critic.add_argument("--device", choices=DEVICES, default="auto")
    _add_data_options(critic)

    recipes = commands.add_parser("recipes", help="list every system and its robust presets")
    recipes.set_defaults(command=_recipes)

    score = commands.add_parser("score", help="IS, FID and KID of a model's images, as a judge or Inception sees them")
    score.set_defaults(command=_score)
    score.add_argument("checkpoint")
    score.add_argument("--samples", type=int, default=5000)
    score.add_argument("--seed", type=int, default=0)
    score.add_argument("--radius", type=float, default=0.0, help="ε: score images of worst noise (default 0: ordinary)")
    score.add_argument("--price", type=float, default=0.0, help="λ of that search")
    score.add_argument("--steps", type=int, default=10)
    score.add_argument("--features", choices=("judge", "inception"), default="judge", help="who looks (default judge)")
    score.add_argument(
        "--judge", metavar="FILE", help="default: the judge of the model's data that comes with RGAN Lab"
    )
    score.add_argument("--weights", metavar="FILE", help="of Inception (default: torch-fidelity's, fetched once)")
    score.add_argument(
        "--data-root", default="data", help="folder of the real images that Inception looks at (default data)"
    )
    score.add_argument("--device", choices=DEVICES, default="auto")

    reproduce = commands.add_parser("reproduce", help="the paper's Figures 1 to 3 and Table 2 from the models at hand")
    reproduce.set_defaults(command=_reproduce)
    reproduce.add_argument(
        "models", nargs="*", metavar="MODEL", help="checkpoints, or folders of them (default: checkpoints and runs)"
    )
    reproduce.add_argument("--out", required=True, help="folder of evaluations, CSV files and report.html")
    reproduce.add_argument("--radii", type=float, nargs="+", default=[0.01, 0.5, 1.0, 2.0], metavar="E",
                           help="ε of worst noise, rising (default 0.01 0.5 1 2)")  # fmt: skip
    reproduce.add_argument("--repeats", type=int, default=5, help="times with other noise (default 5, as the paper)")
    reproduce.add_argument("--samples", type=int, default=500, help="images each time (default 500; the paper: 50000)")
    reproduce.add_argument("--steps", type=int, default=10, help="gradient steps of the search (default 10)")
    reproduce.add_argument("--features", choices=("judge", "inception"), default="judge", help="what scores rest on")
    reproduce.add_argument("--weights", metavar="FILE", help="Inception's weights (default: torch-fidelity's, fetched)")
    reproduce.add_argument("--data-root", default="data", help="folder of the real images that Inception looks at")
    reproduce.add_argument("--device", choices=DEVICES, default="auto")

    judge = commands.add_parser("judge", help="train an independent judge of images on a labelled data set")
    judge.set_defaults(command=_judge)
    judge.add_argument("name", help="digits, mnist or cifar10")
    judge.add_argument("--out", required=True, help="the judge's file, .safetensors")
    judge.add_argument("--epochs", type=int, help="passes over the images (default: by data set)")
    judge.add_argument("--width", type=int, default=16, help="features of the first layer (default 16)")
    judge.add_argument("--seed", type=int, default=0)
    judge.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    _add_data_options(judge)

    data = commands.add_parser("data", help="list data sets, or fetch and prepare one")
    data.set_defaults(command=_data)
    data.add_argument("name", nargs="?", help=f"{', '.join(DATA_SETS)}, or a folder or zip of images")
    data.add_argument("--size", type=int, help="pixels (default: the data set's)")
    _add_data_options(data)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="one JSON line instead of words and progress bars")
    return parser


def _add_search_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--radius", type=float, default=1.0, help="ε: largest length of the change (default 1)")
    command.add_argument("--price", type=float, default=0.0, help="λ: price per squared unit of length (default 0)")
    command.add_argument("--steps", type=int, default=10)
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--method", choices=("ascent", "one-step"), default="ascent")
    command.add_argument("--restarts", type=int, default=1)
    command.add_argument("--keep-shell", action="store_true", help="keep the length of each noise vector")
    command.add_argument(
        "--against", choices=("critic", "judge", "change"), default="critic",
        help="what to raise: the loss by its critic (default), the distance by a judge, or the change of the image",
    )  # fmt: skip


def _add_data_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--data-root", default="data", help="folder of data files, torchvision's layout (default data)"
    )
    command.add_argument("--download", action="store_true", help="fetch the data set if it is not there")
