"""Generators that nobody has seen before, a family each, and those that people published: the true network is among the
first two readings of their files.
"""

import importlib.util
import math
import sys
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT
from tests.nightly import mostly_nightly


def benchmark(name: str):
    """A benchmark's module."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


strangers, census = benchmark("strangers"), benchmark("census")


@pytest.mark.parametrize("family", mostly_nightly(strangers.FAMILIES, "DCGAN", "PReLU", "embedded label"))
def test_a_stranger_of_each_family_is_read(family):
    read = strangers.look(strangers.stranger(family, seed=1000, steps=70))
    assert read.right, f"{read.agreement}, {read.problem}"


@pytest.mark.parametrize("family", mostly_nightly(("embedded label", "label through a layer"), "embedded label"))
def test_the_columns_of_a_class_tell_where_it_stands(family):
    """Without a norm nothing else does: class first, where most programs have it last."""
    one = strangers.stranger(family, seed=501)
    assert one.network.parts[0].first
    for proposal in strangers.conversion.read([("g.pth", one.file())]).ranked[:2]:
        assert proposal.gan().recipe.layers.generator[0].first


def test_agreement_tells_the_true_network_from_others():
    """The measure is worth something: other weights, or another order of the classes, do not agree."""
    one = strangers.stranger("norm in the last layer", 3, steps=20)
    found = strangers.conversion.read([("g.pth", one.file())])
    best = max(found.ranked, key=lambda each: strangers.agreement(each, one))
    assert strangers.agreement(best, one) > 0.999
    with torch.no_grad():
        one.network.parts[0].weight.mul_(-1)
    assert strangers.agreement(best, one) < 0.9
    other = strangers.stranger("PReLU", 2, steps=0)
    assert other.image != one.image and math.isnan(strangers.agreement(best, other))


ENTRIES = census.entries() if census.CENSUS.is_dir() else []
QUICK = ("02-conv", "06-conv-critic", "09-conv", "13-conv-module", "15-mlp", "22-mlp-critic", "25-mlp", "27-mlp-labels")


@pytest.mark.skipif(not ENTRIES, reason="there is no folder of published generators")
@pytest.mark.parametrize(
    "path",
    [pytest.param(one, id=one.stem, marks=() if one.stem in QUICK else pytest.mark.nightly) for one in ENTRIES],
)
def test_published_generators_and_critics_are_read(path: Path):
    read = census.look(path)
    assert read.right, f"{read.agreement}, {read.problem}"
