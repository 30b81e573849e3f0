"""The report: a headline only where every control holds, and a page that is whole, true to its numbers and alone."""

import base64
import dataclasses
import io
import json
import shlex
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import pytest
import torch
from PIL import Image
from scipy import stats

from rgan.attack.search import Attack
from rgan.cli.main import main
from rgan.common import records
from rgan.common.errors import FileError, SettingsError
from rgan.common.formatting import per_cent
from rgan.metrics import judges
from rgan.metrics.judges import Opinion
from rgan.models import checkpoints
from rgan.models.comparability import Comparability
from rgan.models.gan import Gan, fresh
from rgan.models.recipes import recipe
from rgan.report.robustness_page import robustness_page
from rgan.robustness.checks import Check
from rgan.robustness.failures import links
from rgan.robustness.measured import JudgedGan, Measures
from rgan.robustness.one_radius import OneRadius
from rgan.robustness.summary import WORST, Asked, Robustness, differences, examine, headline
from tests.robustness.made_up import perturbation

NAMES = {"A": "plain", "B": "tough"}
FINE = Check("Steps", "fair", "finds 90 %", "", "Choose more Steps.")
CHECKS = {"A": (FINE,), "B": (FINE,)}
EQUAL = Comparability((), ("different seeds",))
ASKED = Asked(radius=1.5, gradients=2, samples=8, pool=70, seed=3)


def made_up(start, worst, random):
    """One radius of 60 samples whose mean badness is given, with a spread of its own in each number."""
    rng = torch.Generator().manual_seed(round(100 * (start + 3 * worst)))

    def measure(mean):
        badness = mean + 0.05 * torch.rand(60, generator=rng)
        return Measures(badness, Opinion(badness, badness, badness, badness, badness), badness[:, None])

    means = {"original": start, "worst": worst, "random": random, "best": random, "fresh": start}
    return OneRadius(perturbation(Attack((1.5,)), 60), {kind: measure(mean) for kind, mean in means.items()})


def test_a_headline_is_given_where_everything_holds():
    at_radius = {"A": made_up(0.3, 0.7, 0.3), "B": made_up(0.3, 0.5, 0.3)}
    found = headline(NAMES, at_radius, CHECKS, EQUAL)
    assert found.claim == "tough (B) loses less to worst noise than plain (A)." and not found.against
    rise = [(one.measures["worst"].badness - one.measures["original"].badness).numpy() for one in at_radius.values()]
    theirs = stats.ttest_rel(*rise).confidence_interval(0.95)
    expected = f"+{100 * (rise[0] - rise[1]).mean():.1f} points (95 % interval +{100 * theirs.low:.1f} to "
    assert expected in found.numbers and found.numbers.endswith("more in A.")
    turned = headline(NAMES, {"A": made_up(0.6, 0.7, 0.6), "B": made_up(0.3, 0.8, 0.3)}, CHECKS, EQUAL)
    assert turned.claim.startswith("plain (A) loses less to worst noise than tough (B), but it has less to lose")
    alone = headline({"A": "plain"}, {"A": made_up(0.3, 0.7, 0.3)}, {"A": (FINE,)}, None)
    assert alone.claim.startswith("Worst noise makes the images of plain worse than random noise")


@pytest.mark.parametrize(
    ("a", "b", "checks", "comparable", "why"),
    [
        ((0.3, 0.7, 0.7), (0.3, 0.5, 0.3), CHECKS, EQUAL, ("A: worst noise is not shown", "Random noise of the same")),
        ((0.3, 0.7, 0.3), (0.3, 0.4, 0.4), CHECKS, EQUAL, ("B: worst noise is not shown",)),
        ((0.3, 0.7, 0.6), (0.3, 0.4, 0.3), CHECKS, EQUAL, ("Random noise of the same length may explain",)),
        ((0.3, 0.5, 0.3), (0.3, 0.5, 0.3), CHECKS, EQUAL, ("Which loses less cannot be said",)),
        (
            (0.3, 0.7, 0.3), (0.3, 0.5, 0.3), CHECKS | {"B": (FINE, dataclasses.replace(FINE, state="poor"))}, EQUAL,
            ("B's search is not to be trusted (Steps: finds 90 %). Choose more Steps.",),
        ),
        (
            (0.3, 0.7, 0.3), (0.3, 0.5, 0.3), CHECKS, Comparability(("they draw other things",), ()),
            ("They are not to be compared: they draw other things.",),
        ),
        ((0.3, 0.5, 0.5), (0.3, 0.5, 0.5), CHECKS, EQUAL, ("A: worst", "B: worst", "Which loses less")),
    ],
)  # fmt: skip
def test_a_headline_is_refused_with_every_reason(a, b, checks, comparable, why):
    found = headline(NAMES, {"A": made_up(*a), "B": made_up(*b)}, checks, comparable)
    assert found.claim == found.numbers == "" and len(found.against) == len(why)
    assert all(sentence.startswith(start) for sentence, start in zip(found.against, why, strict=True))
    assert found.words.startswith("No headline: ")


def test_differences_are_of_pairs():
    a, b = made_up(0.3, 0.7, 0.4), made_up(0.2, 0.5, 0.3)
    for found, before in zip(differences(a, b), ("original", "random"), strict=True):
        rise = [(one.measures["worst"].badness - one.measures[before].badness).double().numpy() for one in (a, b)]
        theirs = stats.ttest_rel(*rise).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
        assert found.mean == pytest.approx((theirs.low + theirs.high) / 2, abs=1e-6)
    short = dataclasses.replace(b, perturbation=perturbation(Attack((1.5,)), 9))
    with pytest.raises(SettingsError, match="as many samples"):
        differences(a, short)


def test_impossible_questions_are_refused():
    for wrong in ({"radius": 0.0}, {"samples": 1}, {"pool": 1}, {"gradients": 0}, {"seed": -1}):
        with pytest.raises(SettingsError, match="expected"):
            Asked(**wrong)


class Page(HTMLParser):
    """Pictures, links to failures, and every address that the page would load."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.addresses, self.links, self.text = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "img":
            self.pictures.append(found)
        self.addresses += [found[name] for name in ("src", "href", "srcset") if name in found]

    def handle_data(self, data):
        if self.cdata_elem is None:
            self.text += data
            self.links += [data] if data.startswith("?") else []


@pytest.fixture(scope="module")
def judged_gans():
    made = recipe("dcgan", channels=1, width=4, latent=6)
    return [JudgedGan(Gan(made, *fresh(made, seed)), judges.shipped("digits"), device="cpu") for seed in (1, 2)]


@pytest.fixture(scope="module")
def found(judged_gans):
    steps = list(examine(judged_gans, ["one <&", "two"], ASKED))
    shares = [step.share for step in steps]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert all(step.found is None for step in steps[:-1])
    return steps[-1].found


def test_the_page_stands_alone_and_has_the_numbers(found):
    text = robustness_page(found, "python -m rgan report a b")
    page = Page(text)
    assert page.addresses and all(each.startswith("data:image/png;base64,") for each in page.addresses)
    assert len(page.pictures) >= 2 * (1 + 3 + 3 + WORST)
    for picture in page.pictures:
        assert len(picture["alt"]) > 10
        Image.open(io.BytesIO(base64.b64decode(picture["src"].partition(",")[2]))).load()
    assert "one <&" in page.text and "one <&" not in text
    for side, corner in found.at_radius.found.items():
        for kind, measure in corner.measures.items():
            assert per_cent(float(measure.badness.mean())) in page.text, (side, kind)
        assert all(check.number in page.text for check in found.at_radius.checks[side])
        bad = found.pool.rows[side].measures["worst"].bad
        assert f"{int(bad.sum())} of 70" in page.text
    assert "flatter" not in page.text and "B beyond A" in page.text
    assert found.headline.against and all(reason in page.text for reason in found.headline.against)
    assert "No headline" in page.text, "nobody has trained these two"


def test_everything_measured_survives_a_round_trip_to_disk(found, tmp_path):
    """The page of what was read again is the same to the letter, without any model at hand."""
    path = tmp_path / "robustness.safetensors"
    records.save(found, path)
    again = records.load(Robustness, path)
    assert robustness_page(again, "made so") == robustness_page(found, "made so")
    worst, kept = (one.at_radius.found["B"].perturbation for one in (found, again))
    assert torch.equal(worst.r, kept.r) and torch.equal(worst.loss_worst, kept.loss_worst)
    with pytest.raises(FileError, match="expected a result of type OneRadius"):
        records.load(OneRadius, path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(FileError, match="missing or damaged"):
        records.load(Robustness, path)


def test_one_model_has_a_page_of_its_own(judged_gans):
    texts = []
    for _ in range(2):
        *_, last = examine(judged_gans[:1], ["one"], ASKED)
        texts.append(robustness_page(last.found, "again"))
    assert texts[0] == texts[1], "the same settings, the same bytes"
    page = Page(texts[0])
    assert last.found.comparability is None and "B beyond A" not in page.text and len(page.pictures) >= 10


def test_the_command_writes_the_page_and_names_itself(judged_gans, tmp_path, capsys):
    paths = [str(tmp_path / f"{name}.safetensors") for name in ("a", "b")]
    for judged, path in zip(judged_gans, paths, strict=True):
        checkpoints.save(judged.gan, path)
    out = tmp_path / "r.html"
    judge = str(judges.SHIPPED / "digits.safetensors")
    command = ASKED.command(paths, str(out), ["--judge", judge, "--device", "cpu"])
    assert main([*shlex.split(command)[3:], "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    text = out.read_text()
    page = Page(text)
    assert command in page.text
    opened = [links.parse(links.fields(dict(parse_qsl(code[1:]))["failure"])) for code in page.links]
    assert len(opened) == 2 * WORST and all(link.seed == 3 and not said for link, said in opened)
    assert report["headline"]["against"] and all(reason in page.text for reason in report["headline"]["against"])
    assert report["radius"] == 1.5 and report["pool"] == 70
    assert per_cent(report["models"]["B"]["badness"]["worst"]) in text
