"""What the app shows at first of pairs of models, computed beforehand."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rgan.cli.common import Subparsers, print_report
from rgan.common.files import shipped_models

if TYPE_CHECKING:
    from rgan.common.answers import Answers
    from rgan.metrics.judges import Judge
    from rgan.models.gan import Gan
    from rgan.robustness.measured import JudgedGan

    Tell = Callable[..., None]  # told which share is done
T = TypeVar("T")
FOLDER = "answers"  # beside the models
PARTS = ("portraits", "learning", "paths", "blind", "evidence", "failures", "embeddings", "curves")  # cheap ones first


def add(commands: Subparsers) -> None:
    command = commands.add_parser("answers", help="compute beforehand what the app first shows of a pair of models")
    command.set_defaults(command=run)
    command.add_argument("pairs", nargs="+", metavar="NAME", help="baselines; each has its robust twin beside it")
    command.add_argument("--models", default=str(shipped_models()), help="folder of the models (default checkpoints)")
    command.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to compute (default all)")
    command.add_argument(
        "--runs", metavar="FOLDER", help="for `learning`: a folder of the runs that trained these models, known by "
        "their digests; without it, or where none is theirs, how they learned is left out",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    from rgan.attack.objectives import judge_for
    from rgan.common.answers import Answers
    from rgan.metrics.judges import MEASURING
    from rgan.models import checkpoints
    from rgan.robustness.measured import JudgedGan

    models = Path(options.models)
    kept = _Kept(Answers([models / FOLDER], most=2**40), bool(options.json))
    for name in options.pairs:
        gans = [checkpoints.load(models / f"{name}{end}.safetensors") for end in ("", "-robust")]
        judge = judge_for(gans, MEASURING)
        pair = None if judge is None else (JudgedGan(gans[0], judge), JudgedGan(gans[1], judge))
        if "portraits" in options.parts:
            _portraits(kept, name, gans)
        if "learning" in options.parts and options.runs:
            _learned(kept, name, gans, Path(options.runs))
        if "paths" in options.parts:
            _paths(kept, name, gans if pair is None else pair)
        if "blind" in options.parts:
            _blind(kept, name, (gans[0], gans[1]), judge)
        if pair is not None:
            _measured(kept, name, pair, options.parts)
        if "embeddings" in options.parts and gans[0].reference is not None:
            _embedded(kept, name, (gans[0], gans[1]))
    report = {"made": kept.made, "known": kept.known, "folder": str(models / FOLDER)}
    print_report(options, report, f"{models / FOLDER}: {len(kept.made)} made, {kept.known} were there")


def _portraits(kept: _Kept, name: str, gans: Sequence[Gan]) -> None:
    from rgan.models.portrait import Portrait, portrait, question

    for gan, end in zip(gans, ("", "-robust"), strict=True):

        def drawn(_: Tell, gan: Gan = gan) -> Portrait:
            return portrait(gan)

        kept.made_once(f"{name}{end}, portrait", Portrait, question(gan.digest), drawn)


def _learned(kept: _Kept, name: str, gans: Sequence[Gan], runs: Path) -> None:
    import hashlib

    from rgan.training.learned import Learned, learned, question
    from rgan.training.runs import CHECKPOINT, read

    trained = {hashlib.sha256(path.read_bytes()).hexdigest(): path.parent for path in runs.glob(f"*/{CHECKPOINT}")}
    for gan, end in zip(gans, ("", "-robust"), strict=True):
        if gan.digest not in trained:
            continue

        def of_run(_: Tell, folder: Path = trained[gan.digest]) -> Learned:
            return learned(read(folder))

        kept.made_once(f"{name}{end}, how it learned", Learned, question(gan), of_run)


def _paths(kept: _Kept, name: str, sources: Sequence[JudgedGan | Gan]) -> None:
    from rgan.models.gan import Gan
    from rgan.robustness.encoding import encoded
    from rgan.robustness.play import first_request, path_of, play

    first = sources[0]
    judged = not isinstance(first, Gan)
    request = first_request(first if isinstance(first, Gan) else first.gan, judged=judged)
    for source, end in zip(sources, ("", "-robust"), strict=True):
        of = path_of(source, request)
        if kept.knows(kept.answers.get(of)):
            continue
        with kept.told(f"{name}{end}, path") as tell:
            for step in play(source, request):
                tell(step.share, None)
        assert step.found is not None
        kept.answers.put(of, encoded(step.found))


def _blind(kept: _Kept, name: str, gans: tuple[Gan, Gan], judge: Judge | None) -> None:
    from rgan.attack.objectives import choices
    from rgan.robustness.blind_test import BROKEN, TRIALS, BlindTestPlan, Trials, pairs, question_of
    from rgan.robustness.first import RADIUS, SEED

    plan = BlindTestPlan(BROKEN, TRIALS, RADIUS, choices(gans, judge)[0], SEED)
    of = question_of(gans, plan, judge)
    kept.made_once(f"{name}, blind test", Trials, of, lambda _: Trials(pairs(gans, plan, judge), {}))


def _measured(kept: _Kept, name: str, pair: tuple[JudgedGan, JudgedGan], parts: tuple[str, ...]) -> None:
    from rgan.robustness.at_radius import AtRadius
    from rgan.robustness.curves import Curves
    from rgan.robustness.failures.pool import Pool
    from rgan.robustness.first import Hunt, Measured, Minimal
    from rgan.robustness.one_radius import Transfer

    first, hunt = Measured(pair), Hunt.first(pair)
    if "evidence" in parts:
        found = kept.made_once(f"{name}, evidence", AtRadius, first.at_radius_question, first.at_radius)
        kept.made_once(f"{name}, transfer", Transfer, first.transfer_question, lambda _: first.transfer(found))
    if "failures" in parts:
        kept.made_once(f"{name}, failures", Pool, hunt.question, hunt.pool)
    if "curves" in parts:
        along = kept.made_once(f"{name}, curves", Curves, first.curves_question, first.curves)
        kept.made_once(
            f"{name}, minimal radii", Minimal, first.minimal_question, lambda tell: first.minimal(along, tell)
        )


def _embedded(kept: _Kept, name: str, gans: tuple[Gan, Gan]) -> None:
    from rgan.embedding.figure4 import PANELS, Choice, Panel, Tested, findings, panel
    from rgan.embedding.look import POINTS, Look, drawing_question, look, question
    from rgan.embedding.projections import NEIGHBOURS, Embedding, Layout, fit

    choice = Choice(POINTS)
    for letter in PANELS:
        made: list[Panel] = []  # the panel, made where one of its results is missing

        def samples(tell: Tell, letter: str = letter, made: list[Panel] = made) -> Panel:
            if not made:
                made.append(panel(letter, *gans, choice, report=tell))
            return made[0]

        def drawn(layout: Layout) -> Callable[[Tell], Embedding]:
            def draw(tell: Tell) -> Embedding:
                of = samples(tell)
                return fit(of.first.sample.points, of.second.sample.points, layout)

            return draw

        what = f"{name}, panel {letter}"
        kept.made_once(what, Look, question("look", letter, gans, choice), lambda tell: look(samples(tell)))
        for method in ("pca", "tsne"):
            layout = Layout(method, neighbours=NEIGHBOURS[method], seed=choice.seed)
            kept.made_once(
                f"{what}, {method}", Embedding, drawing_question(letter, gans, choice, layout), drawn(layout)
            )
        kept.made_once(
            f"{what}, tests", Tested, question("tested", letter, gans, choice),
            lambda tell: findings(samples(tell), *gans, report=tell).alone,
        )  # fmt: skip


class _Kept:
    """The answers, with what of them was made and how many were there."""

    def __init__(self, answers: Answers, quiet: bool):
        self.answers, self.quiet = answers, quiet
        self.made: list[str] = []
        self.known = 0

    def knows(self, answer: object) -> bool:
        """Count an answer that is there."""
        self.known += answer is not None
        return answer is not None

    @contextmanager
    def told(self, what: str) -> Iterator[Tell]:
        """A bar of what is made."""
        from tqdm import tqdm

        with tqdm(total=1.0, desc=what, disable=self.quiet or None) as bar:
            yield lambda share, _=None: bar.update(share - bar.n) and None
        self.made.append(what)

    def made_once(self, what: str, kind: type[T], of: Mapping[str, Any], make: Callable[[Tell], T]) -> T:
        """The answer of that kind, made unless it is there."""
        known = self.answers.result(kind, of)
        if known is not None and self.knows(known):
            return known
        with self.told(what) as tell:
            result = make(tell)
        self.answers.keep(of, result)
        return result
