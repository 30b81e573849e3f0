"""A search along ε for a player: rough pictures at once, better ones as the search goes on.

The radii of SEARCHED are searched in one batch; frames between two of them lie on the straight way from one answer to
the next. Frames are made after a first step, which costs one gradient a sample, and then after ever more gradients.
"""

from __future__ import annotations

from collections.abc import Iterator

from rgan.attack.objectives import CHANGE, objective_for
from rgan.attack.path import Request
from rgan.attack.search import Attack, run
from rgan.common.progress import Progress
from rgan.models.gan import Gan
from rgan.robustness.frames import Frames, frame_radii, frames
from rgan.robustness.measured import JudgedGan

FRAMES = 24  # radii of frames above 0
SEARCHED = tuple(at / FRAMES for at in (1, 2, 3, 4, 6, 9, 12, 18, 24))  # shares of the largest ε: some of the frames
MADE_AT = (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)  # gradients a sample after which there are new frames
ROUGH = 4  # radii of the first frames


def searched_radii(request: Request) -> tuple[float, ...]:
    """The radii ε that are searched: SEARCHED in hundredths, as sliders have them."""
    return tuple(sorted({max(0.01, round(share * request.reach, 2)) for share in SEARCHED}))


def play(source: JudgedGan | Gan, request: Request, *, model: str = "") -> Iterator[Progress[Frames]]:
    """The path of one model along ε, yielding after every step; `found` is there whenever there are new frames.

    Stop by not asking for the next.

    Args:
        source: the Gan with the judges that measure and are raised, or a Gan alone.
        model: its name.

    Raises:
        CheckpointError: the critic's loss is to be raised and there is no critic.
        SettingsError: the distance is to be raised and there is no judge; or the largest ε is 0.
    """
    gan = source.gan if isinstance(source, JudgedGan) else source
    z, seed = request.noise(gan), request.seed
    objective = (
        source.objective(request.objective, z, precision="auto")
        if isinstance(source, JudgedGan)
        else objective_for(gan, request.objective, z, precision="auto")
    )
    radii = frame_radii(request.reach, count=FRAMES)
    if request.objective != CHANGE:  # which has no first step
        step = Attack(searched_radii(request), request.price, 1, "one-step", request.keep_shell)
        rough = frame_radii(request.reach, count=ROUGH)
        found = run((objective.coarse or objective).loss, z, step)
        yield Progress(0.0, found=frames(source, found, rough, model=model, seed=seed))
    made = 0
    for found in objective.search(z, request.attack(*searched_radii(request)), seed=seed):
        due = found.done or any(made < at <= found.gradients for at in MADE_AT)
        made = found.gradients if due else made
        yield Progress(
            found.gradients / request.gradients,
            found=frames(source, found, radii, model=model, seed=seed) if due else None,
        )
