"""A study's plan: which models a TOML text stands for, and how what is none is refused."""

import pytest

from rgan.common.errors import SettingsError
from rgan.models.recipes import Robust, recipe
from rgan.paper.plan import parse

SMALL = """
title = "Small"
seeds = 2
data = "digits"

[recipes.tiny]
system = "dcgan"
iterations = 10
width = 2
latent = 4
size = 25

[robust.paper]
preset = "paper"
players = ["both", "critic"]

[robust.grid]
weight = [0.1, 1]
image_radius = [1, 4]
noise_radius = 0.01
seeds = [0]

[evaluation]
radii = [0.5]
repeats = 1
samples = 100
budget = 2
objectives = ["critic", "judge"]

[needs]
processors = 2
"""


def test_a_plan_is_every_choice_of_listed_values_and_each_training_once():
    plan = parse(SMALL)
    names = [model.name for model in plan.models]
    grid = [f"tiny-grid-weight{weight}-image-radius{radius}-s0" for weight in ("0.1", "1") for radius in "14"]
    # λ 0.1, ε₁ 0.01, ε₂ 4 is the paper's own setting, which has a name already
    assert names == [
        "tiny-plain-s0", "tiny-paper-both-s0", "tiny-paper-critic-s0", grid[0], *grid[2:],
        "tiny-plain-s1", "tiny-paper-both-s1", "tiny-paper-critic-s1",
    ]  # fmt: skip
    by_name = {model.name: model.training for model in plan.models}
    common = {"channels": 1, "width": 2, "latent": 4, "size": 25}
    assert by_name["tiny-plain-s1"].recipe == recipe("dcgan", **common) and by_name["tiny-plain-s1"].seed == 1
    assert by_name["tiny-paper-critic-s0"].recipe.robust == Robust(players="critic")
    assert by_name[grid[2]].recipe.robust == Robust(weight=1.0, image_radius=1.0)
    assert plan.evaluation.objectives == ("critic", "judge") and plan.evaluation.gradients == 2
    assert (plan.processors, plan.gpus, plan.text) == (2, 0, SMALL)


def test_families_are_grids_too_and_robust_parts_may_be_for_some_alone():
    text = """
    data = ["digits", "mnist"]
    seeds = [3]
    [recipes.a]
    system = "dcgan"
    iterations = 10
    width = [2, 4]
    betas = [0.5, 0.9]
    [recipes.b]
    system = "wgan-gp"
    iterations = 10
    width = 2
    [robust.own]
    weight = 1
    recipes = "b"
    data = ["digits"]
    """
    plan = parse(text)
    assert [model.name for model in plan.models] == [
        "a-width2-digits-plain-s3", "a-width4-digits-plain-s3", "a-width2-mnist-plain-s3", "a-width4-mnist-plain-s3",
        "b-digits-plain-s3", "b-digits-own-s3", "b-mnist-plain-s3",
    ]  # fmt: skip
    assert {model.training.recipe.betas for model in plan.models if model.name[0] == "a"} == {(0.5, 0.9)}
    falling = plan.models[4].training
    assert falling.recipe.decay in (0, 10), "a learning rate that falls reaches 0 at the end of the run"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[recipes.tiny]", "[recipe.tiny]", "expected one of title, seeds"),
        ("width = 2", "breadth = 2", "recipes.tiny.*'breadth'"),
        ("width = 2", "width = 'two'", "width to be int"),
        ("width = 2", "width = []", "values for width"),
        ("iterations = 10", "", "a line iterations"),
        ('system = "dcgan"', 'system = "stylegan"', "stylegan"),
        ("seeds = 2", "seeds = 0", "seeds to be their number"),
        ("seeds = 2", "seeds = [1.5]", "seeds to be their number"),
        ('data = "digits"', "", "expected data"),
        ('data = "digits"', 'data = "nothing-here"', "nothing-here"),
        ("seeds = [0]", "seeds = [7]", "seeds of this plan, got 7"),
        ("[robust.grid]", "[robust.plain]", "another name than plain"),
        ("[robust.grid]", '[robust.grid]\nrecipes = "huge"', "'huge'"),
        ('objectives = ["critic", "judge"]', 'objectives = ["beauty"]', "objective"),
        ('objectives = ["critic", "judge"]', "objectives = []", "objectives"),
        ("radii = [0.5]", "radii = ['x']", "numbers as radii"),
        ("samples = 100", "samples = 1", "samples"),
        ("samples = 100", "samples = '100'", "samples"),
        ("budget = 2", "budget = 'huge'", "huge"),
        ("processors = 2", "processors = 0", "processors"),
        ("[recipes.tiny]", "[recipes.Tiny]", "Tiny"),
        ("weight = [0.1, 1]", "weight = [[", "TOML"),
    ],
)
def test_what_is_no_plan_is_refused_with_the_place(old, new, said):
    from rgan.common.errors import RganError

    assert old in SMALL
    with pytest.raises(RganError, match=said):
        parse(SMALL.replace(old, new, 1))


def test_a_plan_of_too_many_models_is_refused_before_they_are_made():
    with pytest.raises(SettingsError, match="at most 2,000"):
        parse(SMALL.replace("seeds = 2", "seeds = 1000").replace("seeds = [0]", ""))
