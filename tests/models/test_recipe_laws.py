"""Recipes through JSON, and the metadata of safetensors files: what is written is read, and nothing else is."""

import dataclasses
import json

import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from rgan.common.errors import SettingsError
from rgan.common.safetensors_header import parse_header
from rgan.models.recipes import COEFFICIENTS, OPTIMISERS, PLAYERS, Recipe, Robust, parsed, recipe
from rgan.models.systems import SYSTEMS
from tests.networks.test_described import LAYERS

COEFFICIENT = st.floats(0, 1000)
ROBUST = st.builds(
    Robust, COEFFICIENT, COEFFICIENT, COEFFICIENT, st.sampled_from(PLAYERS), st.integers(1, 100),
    noise_with_real=st.booleans(), **dict.fromkeys(COEFFICIENTS, COEFFICIENT),
)  # fmt: skip
SHARE = st.floats(0, 0.999999)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "channels": st.integers(1, 16), "width": st.integers(1, 512), "latent": st.integers(1, 4096),
        "orthonormal": COEFFICIENT, "clip": COEFFICIENT, "drift": COEFFICIENT, "dropout": st.floats(0.01, 0.9),
        "critic_steps": st.integers(1, 100), "optimiser": st.sampled_from(OPTIMISERS), "ema": SHARE,
        "learning_rate": st.floats(0, 1), "betas": st.tuples(SHARE, SHARE), "decay": st.integers(0, 10**7),
        "batch": st.integers(64, 65536), "generator_batch": st.integers(2, 65536), "dequantise": st.booleans(),
        "drift_fake": COEFFICIENT, "label_smoothing": st.floats(0, 0.5), "halving": st.integers(0, 10**7),
        "critic_rate": st.floats(1e-6, 1e6), "weight_decay": st.floats(0, 1),
    },
)  # fmt: skip
MADE = st.builds(
    lambda system, robust, changes: recipe(system, robust, **changes),
    st.sampled_from(sorted(SYSTEMS)), st.none() | st.sampled_from(["paper", "official"]) | ROBUST, CHANGES,
)  # fmt: skip
IMPORTED = Recipe("imported", size=24, channels=2, latent=3, loss="hinge", layers=LAYERS)
RECIPES = MADE | st.builds(lambda robust: dataclasses.replace(IMPORTED, robust=robust), st.none() | ROBUST)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [each.name for each in dataclasses.fields(Recipe)]


@given(RECIPES)
def test_recipes_survive_json(made):
    written = json.dumps(made.to_dict())
    back = Recipe.from_dict(json.loads(written))
    assert back == made and type(back.betas) is tuple
    assert json.dumps(back.to_dict()) == written


@given(CHANGES)
def test_settings_on_the_command_line_say_the_same_as_json(changes):
    assert parsed(f"{name}={json.dumps(value)}" for name, value in changes.items()) == changes


@given(RECIPES, st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1, max_size=3))
def test_a_recipe_with_other_values_is_read_as_they_say_or_refused(made, others):
    told = made.to_dict() | others
    try:
        back = Recipe.from_dict(told)
    except SettingsError as error:
        assert "expected" in str(error)
        return
    kept = back.to_dict()
    for name, value in others.items():
        if name not in ("robust", "layers", "betas"):  # which have defaults within
            assert kept[name] == value


@given(st.dictionaries(st.sampled_from([each.name for each in dataclasses.fields(Robust)]), JSON, max_size=3))
def test_a_robust_part_of_any_values_is_read_or_refused(values):
    try:
        Recipe.from_dict({"system": "dcgan", "robust": values})
    except SettingsError as error:
        assert "expected" in str(error)


@given(JSON)
def test_layers_of_any_values_are_read_or_refused(value):
    first = {**LAYERS.to_dict(), "generator": value}
    for layers in (value, first, {**LAYERS.to_dict(), "score": value}):
        try:
            Recipe.from_dict(IMPORTED.to_dict() | {"layers": layers})
        except SettingsError as error:
            assert "expected" in str(error)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TENSORS = st.dictionaries(
    TEXT.filter(lambda name: name and name != "__metadata__"),
    st.lists(st.integers(0, 3), max_size=3),
    min_size=1,  # safetensors writes a broken header where there is none
    max_size=3,
)
COUNTS = st.lists(st.integers(0, 9), min_size=2, max_size=2)


@given(st.dictionaries(TEXT, TEXT, max_size=4), TENSORS)
def test_metadata_and_shapes_of_safetensors_are_read_as_written(metadata, shapes):
    data = save({name: torch.zeros(shape) for name, shape in shapes.items()}, metadata=metadata)
    read, tensors, begin = parse_header(data)
    assert read == metadata
    assert {name: list(shape) for name, (_, shape, _, _) in tensors.items()} == shapes
    assert all(kind == "F32" for kind, *_ in tensors.values())
    assert begin + max((end for *_, end in tensors.values()), default=0) == len(data)


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_other_header_is_read_or_refused(header):
    for data in (header, len(header).to_bytes(8, "little") + header):
        try:
            metadata, _, begin = parse_header(data)
        except ValueError:
            continue
        assert all(type(value) is str for value in metadata.values()) and begin <= len(data)


@given(JSON | st.dictionaries(TEXT, JSON, max_size=3), COUNTS | JSON, COUNTS | JSON)
def test_a_header_with_other_values_is_read_or_refused(metadata, shape, offsets):
    tensor = {"dtype": "F32", "shape": shape, "data_offsets": offsets}
    header = json.dumps({"__metadata__": metadata, "w": tensor}).encode()
    try:
        read, tensors, _ = parse_header(len(header).to_bytes(8, "little") + header)
    except ValueError:
        return
    assert all(type(value) is str for value in read.values())
    assert all(type(size) is int for _, sizes, *_ in tensors.values() for size in sizes)
