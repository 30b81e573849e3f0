"""A link to one failure: all that is needed to find it again, and what was found, to compare with."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import torch

from rgan import __version__
from rgan.attack.objectives import CHANGE, CRITIC, OBJECTIVES
from rgan.attack.search import BUDGETS, METHODS, Attack
from rgan.common.errors import SettingsError
from rgan.common.files import usable_name
from rgan.common.formatting import per_cent
from rgan.metrics.judges import Judge
from rgan.robustness.failures import pool
from rgan.robustness.failures.failure import Failure, failure
from rgan.robustness.failures.pool import PoolPlan
from rgan.robustness.measured import JudgedGan, ModelFacts

# Lowest and highest value of the numbers in a link; a screen may allow less.
LIMITS: dict[str, tuple[float, float]] = {
    **pool.LIMITS, "index": (0, pool.MOST - 1), "loss": (-1e30, 1e30), "badness": (0.0, 1.0)
}  # fmt: skip
TOLERANCE = 0.01  # of 1 + |loss|, and of the distance behind badness; see `compare`
PARAMETER = "failure"  # of the address of the app's Failures screen
REPRODUCED, DIFFERS, MISSING = "reproduced", "differs", "missing"
BRIEF = 16  # hexadecimal digits of a SHA-256 that an address has: enough to tell files apart
_DIGEST = re.compile(rf"[0-9a-f]{{{BRIEF},64}}")
_LETTERS = {  # fields in an address
    "checkpoint": "c", "judge": "j", "model": "m", "seed": "s", "index": "n", "radius": "e", "price": "p",
    "gradients": "g", "method": "h", "keep_shell": "k", "against": "a", "version": "v", "loss": "l", "badness": "b",
}  # fmt: skip


@dataclass(frozen=True)
class Permalink:
    """One failure and how it was found.

    checkpoint, judge: SHA-256 of their files, or its first BRIEF digits and more. model: a name for people. seed,
    index: of the noise. radius to keep_shell: of the search, see `attack.search.Attack`. against: what it raised.
    version: of RGAN Lab. loss, badness: of the worst image as it was found, NaN where nobody knows, as the loss without
    a critic.
    """

    checkpoint: str
    judge: str
    model: str = "model"
    seed: int = 0
    index: int = 0
    radius: float = 1.0
    price: float = 0.0
    gradients: int = BUDGETS["standard"]
    method: str = "ascent"
    keep_shell: bool = False
    against: str = CRITIC
    version: str = __version__
    loss: float = math.nan
    badness: float = math.nan

    @property
    def plan(self) -> PoolPlan:
        """The plan of a pool that has this row."""
        settings = Attack((self.radius,), self.price, self.gradients, self.method, keep_shell=self.keep_shell)
        return PoolPlan(settings, max(2, self.index + 1), self.seed, self.against)

    def query(self) -> dict[str, str]:
        """Parameters of a web address; `parse` reads them without loss."""
        return {name: _text(value) for name, value in dataclasses.asdict(self).items()}

    @property
    def address(self) -> str:
        """The end of the address of the app's Failures screen that opens it: "?failure=…", short enough to send.

        A letter and its value a field, what is usual left out; what was found has five digits.
        """
        brief = {name: value[:BRIEF] for name, value in self.query().items() if name in ("checkpoint", "judge")}
        found = {name: f"{value:.5g}" for name, value in (("loss", self.loss), ("badness", self.badness))}
        told = {
            name: value
            for name, value in (self.query() | brief | found).items()
            if name == "version" or value != _text(_USUAL[name])
        }
        return f"?{urlencode({PARAMETER: '~'.join(_LETTERS[name] + value for name, value in told.items())})}"

    def to_json(self) -> str:
        """As a small JSON file; `from_json` reads it without loss. What is no number is null."""
        values = {name: None if value != value else value for name, value in dataclasses.asdict(self).items()}
        return json.dumps(values, indent=2) + "\n"


def permalink(model: ModelFacts, found: Failure, name: str) -> Permalink:
    """The link to a failure of a model that is called `name`.

    Raises:
        SettingsError: the model or the judge has no file that a link could name.
    """
    for what, digest in (("model", model.digest), ("judge", model.judge.digest)):
        if not digest:
            raise SettingsError(f"expected a {what} that was read from a file, got one of memory alone; save it first")
    attack = found.plan.attack
    return Permalink(
        checkpoint=model.digest, judge=model.judge.digest, model=usable_name(name), seed=found.plan.seed,
        index=found.index, radius=found.plan.radius, price=attack.price, gradients=attack.gradients,
        method=attack.method, keep_shell=attack.keep_shell,
        against=found.plan.objective, loss=found.loss, badness=found.badness,
    )  # fmt: skip


def fields(text: str) -> dict[str, str]:
    """What stands in an address after "failure=", by the names that `parse` knows; also as links wrote it once."""
    if "=" in text:
        return dict(parse_qsl(text))
    names = {letter: name for name, letter in _LETTERS.items()}
    usual = {name: _text(value) for name, value in _USUAL.items() if not isinstance(value, type(dataclasses.MISSING))}
    told = {names[part[0]]: part[1:] for part in text.split("~") if part[:1] in names}
    return usual | {"version": "unknown"} | told


def parse(
    values: Mapping[str, object], limits: Mapping[str, tuple[float, float]] = LIMITS
) -> tuple[Permalink, tuple[str, ...]]:
    """A link of the parameters of an address, or the fields of its JSON file, and sentences on what was changed in it.

    What is out of `limits` is moved into them, what cannot be read or is missing becomes the usual value; unknown
    parameters are ignored.

    Args:
        limits: lowest and highest value by name, for all names of LIMITS.

    Raises:
        SettingsError: no SHA-256 of a checkpoint and of a judge, without which it is a link to nothing.
    """
    if "gradients" not in values and {"steps", "restarts"} & values.keys():  # as links named the budget once
        values = dict(values) | {"gradients": _product(values.get("steps", 10), values.get("restarts", 1))}
    reader = _Reader(values, limits)
    link = Permalink(
        checkpoint=reader.digest("checkpoint"),
        judge=reader.digest("judge"),
        model=usable_name(str(values.get("model", "model"))[:200]),
        seed=reader.whole("seed"),
        index=reader.whole("index"),
        radius=reader.number("radius"),
        price=reader.number("price"),
        gradients=reader.whole("gradients"),
        method=reader.word("method", METHODS),
        keep_shell=reader.word("keep_shell", ("0", "1")) == "1",
        against=reader.word("against", OBJECTIVES),
        version=usable_name(str(values.get("version", "unknown"))[:40]),
        loss=reader.found("loss"),
        badness=reader.found("badness"),
    )
    if link.against == CHANGE and link.method == "one-step":
        reader.said.append("method: the one-step method cannot raise the change of the image; taken as ascent.")
        link = dataclasses.replace(link, method="ascent")
    return link, tuple(reader.said)


def from_json(text: str) -> tuple[Permalink, tuple[str, ...]]:
    """As `parse`, of the text of a JSON file.

    Raises:
        SettingsError: it is no JSON object, or `parse` refuses it.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise SettingsError("expected the JSON file of a failure, got something else; choose the file that was kept")
    return parse({name: _text(value) for name, value in values.items() if value is not None})


def _product(steps: object, starts: object) -> str:
    """Gradients of so many steps from so many starts; what cannot be read stays as it is, for the reader to refuse."""
    try:
        return str(int(str(steps)) * int(str(starts)))
    except ValueError:
        return f"{steps} × {starts}"


_USUAL: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(Permalink)}


class _Reader:
    """Takes values one by one and notes what it had to change."""

    def __init__(self, values: Mapping[str, object], limits: Mapping[str, tuple[float, float]]):
        self.values, self.limits = values, limits
        self.said: list[str] = []

    def digest(self, name: str) -> str:
        text = str(self.values.get(name, "")).lower()
        if not _DIGEST.fullmatch(text):
            raise SettingsError(
                f"expected a link with the SHA-256 of a {name}, got {text[:20]!r}; copy the whole link again"
            )
        return text

    def whole(self, name: str) -> int:
        return int(self._limited(name, int))

    def number(self, name: str) -> float:
        return float(self._limited(name, float))

    def word(self, name: str, allowed: tuple[str, ...]) -> str:
        text = str(self.values.get(name, allowed[0]))
        if text in allowed:
            return text
        self.said.append(f"{name}: expected one of {', '.join(allowed)}, got {text[:20]!r}; taken as {allowed[0]}.")
        return allowed[0]

    def found(self, name: str) -> float:
        """What was found, NaN if the link does not say."""
        if str(self.values.get(name, math.nan)) == str(math.nan):
            return math.nan
        return float(self._limited(name, float))

    def _limited(self, name: str, kind: Callable[[str], float]) -> float:
        low, high = self.limits[name]
        value = self._read(name, kind)
        if value is None or math.isnan(value):
            usual = float(_USUAL[name])
            usual = usual if math.isnan(usual) else min(max(usual, low), high)
            self.said.append(f"{name}: expected a number, got {self._shown(name)}; taken as {usual:g}.")
            return usual
        if not low <= value <= high:
            value = min(max(value, low), high)
            limits = f"{_number(low)} to {_number(high)}"
            self.said.append(f"{name}: expected {limits}, got {self._shown(name)}; taken as {_number(value)}.")
        return value

    def _read(self, name: str, kind: Callable[[str], float]) -> float | None:
        try:
            return kind(str(self.values[name])[:400])
        except (KeyError, ValueError):
            return None

    def _shown(self, name: str) -> str:
        return repr(str(self.values[name])[:20]) if name in self.values else "none"


def _number(value: float) -> str:
    """Of a whole number all digits, in groups of three."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Outcome:
    """Whether a link could be followed: REPRODUCED, DIFFERS or MISSING, in words, and what was found."""

    kind: str
    sentence: str
    failure: Failure | None = None


def check(link: Permalink, judged_gans: Iterable[JudgedGan]) -> Outcome:
    """Follow a link with the models at hand, each with the judge that would judge it: one search of a block."""
    fitting = [judged for judged in judged_gans if judged.gan.digest.startswith(link.checkpoint)]
    if not fitting:
        return Outcome(MISSING, f"needs the file with SHA-256 {_shown(link.checkpoint)}, which was called {link.model}")
    judged = next((each for each in fitting if each.judge.digest.startswith(link.judge)), None)
    if judged is None:
        return Outcome(MISSING, f"needs the judge's file with SHA-256 {_shown(link.judge)}")
    return compare(link, failure(judged, link.plan, link.index), judged.judge)


def _shown(digest: str) -> str:
    return digest if len(digest) == 64 else f"{digest}…"


def compare(link: Permalink, found: Failure, judge: Judge) -> Outcome:
    """Hold what was found against what the link promises.

    Two processors round the same sums differently: by a millionth where the search takes the same way, by more where a
    near tie sends it another way. The loss may differ by TOLERANCE · (1 + |loss|), and badness as far as it does when
    the distance that it is a percentile of moves by that share. Between the AVX2 and the SSE4.1 code of one processor
    the more a search has spent, the more often a near tie does so.
    """
    if math.isnan(link.loss) and math.isnan(link.badness):
        return Outcome(MISSING, "cannot be compared: the link does not say what was found with these settings", found)
    loss, badness, distance = found.loss, found.badness, float(found.ways["straight"].distance[-1])
    differences = []
    if not math.isnan(link.loss) and not abs(loss - link.loss) <= TOLERANCE * (1 + abs(link.loss)):
        differences.append(f"a loss of {loss:.4g} instead of {link.loss:.4g}")
    if not math.isnan(link.badness) and not _badness_near(link.badness, distance, judge):
        differences.append(f"a badness of {per_cent(badness)} instead of {per_cent(link.badness)}")
    if not differences:
        return Outcome(REPRODUCED, "reproduced", found)
    why = "another processor rounds differently, which sends a few searches in a hundred another way"
    if link.version != __version__:
        why = f"it was made by version {link.version}, this is {__version__}"
    return Outcome(DIFFERS, f"differs by {' and '.join(differences)}; {why}", found)


def _badness_near(expected: float, distance: float, judge: Judge) -> bool:
    at = torch.tensor([distance * (1 - TOLERANCE), distance * (1 + TOLERANCE)])
    low, high = map(float, judge.badness(at))
    step = 1 / (1 + len(judge.calibration))
    return low - step <= expected <= high + step
