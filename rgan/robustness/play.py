"""A search along ε for a player: rough pictures at once, better ones as the search goes on.

The radii of SEARCHED are searched in one batch; frames between two of them lie on the straight way from one answer to
the next. Frames are made after a first step, which costs one gradient a sample, and then after ever more gradients.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from rgan.attack.objectives import CHANGE, CRITIC, JUDGE, objective_for
from rgan.attack.path import Request, reach
from rgan.attack.search import BUDGETS, Attack, WorstNoise, run, surveyed
from rgan.common.progress import Progress
from rgan.models.gan import Gan
from rgan.robustness import encoding
from rgan.robustness.frames import Frames, frame_radii, in_steps
from rgan.robustness.measured import JudgedGan

VERSION = 1  # of the way frames are made
SAMPLES = 16
FRAMES = 24  # radii of frames above 0
SEARCHED = tuple(at / FRAMES for at in (1, 2, 3, 4, 6, 9, 12, 18, 24))  # shares of the largest ε: some of the frames
MADE_AT = (4, 20, 80, 200, 600, 2000)  # gradients a sample after which there are new frames, which cost some ten
ROUGH = 3  # radii of the first frames


def first_request(gan: Gan, judged: bool) -> Request:
    """What a player shows of a model before anybody asks for something else: SAMPLES images, raised against a judge
    where there is one, by the critic where there is none, and by the change of the image without both."""
    objective = JUDGE if judged else CRITIC if gan.has_critic else CHANGE
    return Request(SAMPLES, 0, 0.0, BUDGETS["standard"], "ascent", False, reach(gan), objective=objective)


def path_of(source: JudgedGan | Gan, request: Request) -> dict[str, Any]:
    """All that the frames of `play` depend on, as plain values."""
    gan = source.gan if isinstance(source, JudgedGan) else source
    judges = [source.judge.digest, source.raised.digest] if isinstance(source, JudgedGan) else []
    asked = dataclasses.asdict(request) | {"rows": list(request.rows)}
    del asked["judge"]  # a name, where the digests say which
    made = surveyed(request.price, gan.recipe.latent)
    return (
        {"what": "path", "version": [VERSION, encoding.VERSION], "model": gan.digest, "judges": judges} | asked | made
    )


def searched_radii(request: Request) -> tuple[float, ...]:
    """The radii ε that are searched: SEARCHED in hundredths, as sliders have them."""
    return tuple(sorted({max(0.01, round(share * request.reach, 2)) for share in SEARCHED}))


def play(source: JudgedGan | Gan, request: Request, *, model: str = "") -> Iterator[Progress[Frames]]:
    """The path of one model along ε, yielding after every step of the search, and of making frames; `found` is there
    whenever there are new ones.

    Stop by not asking for the next.

    Args:
        source: the Gan with the judges that measure and are raised, or a Gan alone.
        model: its name.

    Raises:
        CheckpointError: the critic's loss is to be raised and there is no critic.
        SettingsError: the distance is to be raised and there is no judge; or the largest ε is 0.
    """
    source = source.of_samples(request.numbers)
    gan = source.gan if isinstance(source, JudgedGan) else source
    z, seed = request.noise(gan), request.seed
    objective = (
        source.objective(request.objective, z, precision="auto")
        if isinstance(source, JudgedGan)
        else objective_for(gan, request.objective, z, precision="auto")
    )
    radii = frame_radii(request.reach, count=FRAMES)

    def shown(found: WorstNoise, radii: Sequence[float], share: float) -> Iterator[Progress[Frames]]:
        steps = in_steps(source, found, radii, model=model, seed=seed)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                yield Progress(share, found=end.value)
                return
            yield Progress(share)

    if request.objective != CHANGE:  # which has no first step
        rough = frame_radii(request.reach, count=ROUGH)
        step = Attack(rough[1:], request.price, 1, "one-step", request.keep_shell)
        found = run((objective.coarse or objective).loss, z, step)
        found = dataclasses.replace(found, attack=request.attack(*step.radii), done=False)
        yield from shown(found, rough, 0.0)
    made = 0
    for found in objective.search(z, request.attack(*searched_radii(request)), seed=seed):
        share = found.gradients / request.gradients
        if found.done or any(made < at <= found.gradients for at in MADE_AT):
            made = found.gradients
            yield from shown(found, radii, share)
        else:
            yield Progress(share)
