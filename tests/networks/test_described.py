"""Networks described layer by layer: they are what torch makes of them, survive a file, and cannot be bent."""

import dataclasses
import json
import struct

import pytest
import torch
from torch import nn
from torch.nn import functional

from rgan.attack import search
from rgan.common import limits
from rgan.common.errors import CheckpointError, SettingsError
from rgan.models import checkpoints
from rgan.models.gan import Gan, fresh
from rgan.models.recipes import Recipe
from rgan.networks.described import (
    LAYER_TYPES,
    Activation,
    Attend,
    Attention,
    Block,
    ClassNormed,
    Conv,
    Fixed,
    Flat,
    Function,
    GroupNorm,
    Label,
    LayerNorm,
    Layers,
    Linear,
    Norm,
    Pad,
    Pool,
    Power,
    Prelu,
    Projected,
    Rescale,
    Shuffle,
    Slice,
    Total,
    Transposed,
    Uniform,
    Up,
    View,
    follow,
)
from rgan.networks.fusion import fold
from rgan.networks.labels import labelled

UP = Block(
    (Norm(1e-4), Activation("relu"), Up("bilinear"), Conv(4, 3, 1, 1), Norm(), Activation("elu"), Conv(4, 3, 1, 1)),
    (Up("bilinear"), Conv(4, 1)),
)
GENERATOR = (
    Uniform(), Linear(5 * 9), Norm(0.8), Activation("leaky", 0.1), View(5), UP, Transposed(3, 4, 2, 1, bias=False),
    Transposed(2, 3, 2, 1, 1), Activation("sigmoid"), Rescale(2.0, -1.0),
)  # fmt: skip
CRITIC = (
    Conv(4, 5, 2, 2), Activation("relu"), Block((Conv(4, 3, 1, 1), Pool()), (Pool(),)), Total(mean=True), Linear(1),
    Activation("leaky"),
)  # fmt: skip
LAYERS = Layers("a network of tests", GENERATOR, CRITIC, score=4)
CLASSED = Layers(
    "a network of classes",
    (Label(3, "concat", (2,)), Linear(8 * 9), LayerNorm(), Prelu(72), View(8), Shuffle(), GroupNorm(2), ClassNormed(3),
     Label(3, "multiply", (2, 6, 6)), Activation("tanh")),
    (Conv(4, 3, 1, 1), Prelu(), Label(3, "add", (4, 6, 6)), Total(), Projected(3)), score=4,
)  # fmt: skip


def made(layers: Layers = LAYERS, seed: int = 0) -> Gan:
    """A Gan of these layers with drawn weights, its batch norms included."""
    recipe = Recipe("imported", size=24, channels=2, latent=3, loss="hinge", layers=layers)
    generator, critic = (network.to_empty(device="cpu") for network in recipe.networks())
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for network in (generator, critic):
            for name, value in network.state_dict().items():
                if value.is_floating_point():
                    value.copy_(torch.rand(value.shape, generator=rng) - (0 if "running_var" in name else 0.4))
                else:
                    value.zero_()
    return Gan(recipe, generator, critic)


def test_every_layer_is_what_torch_makes_of_it():
    gan = made()
    state, z = gan.generator.state_dict(), gan.noise(4, 0)

    def part(prefix):
        return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}

    x = 2 * torch.distributions.Normal(0, 1).cdf(z) - 1
    dense = nn.Sequential(nn.Linear(3, 45), nn.BatchNorm1d(45, 0.8), nn.LeakyReLU(0.1), nn.Unflatten(1, (5, 3, 3)))
    dense.load_state_dict({f"{int(key[0]) - 1}{key[1:]}": state[key] for key in state if key[:2] in ("1.", "2.")})
    x = dense.eval()(x)
    first, second = nn.BatchNorm2d(5, 1e-4), nn.BatchNorm2d(4)
    convs = nn.Conv2d(5, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(5, 4, 1)
    names = ("5.branch.0.", "5.branch.4.", "5.branch.3.", "5.branch.6.", "5.shortcut.1.")
    for module, prefix in zip((first, second, *convs), names, strict=True):
        module.eval().load_state_dict(part(prefix))
    double = nn.Upsample(scale_factor=2, mode="bilinear")
    x = convs[1](nn.functional.elu(second(convs[0](double(first(x).relu()))))) + convs[2](double(x))
    x = nn.functional.conv_transpose2d(x, state["6.weight"], stride=2, padding=1)
    x = nn.functional.conv_transpose2d(x, state["7.weight"], state["7.bias"], 2, 1, 1)
    assert torch.allclose(gan.generator(z), 2 * x.sigmoid() - 1, atol=1e-6)
    images, state = gan.generator(z), gan.critic.state_dict()
    y = nn.functional.conv2d(images, state["0.weight"], state["0.bias"], 2, 2).relu()
    half = nn.functional.avg_pool2d
    y = half(nn.functional.conv2d(y, state["2.branch.0.weight"], state["2.branch.0.bias"], padding=1), 2) + half(y, 2)
    features = y.mean((2, 3))
    scores = nn.functional.leaky_relu(features @ state["score.weight"].T + state["score.bias"], 0.2)
    assert gan.critic(images).shape == (4,)
    assert torch.allclose(gan.critic(images), scores[:, 0], atol=1e-5)
    assert torch.allclose(gan.features(images), features, atol=1e-5)


def test_an_imported_gan_is_searched_saved_and_read_like_any_other(tmp_path):
    gan = made()
    path = tmp_path / "a.safetensors"
    checkpoints.save(gan, path)
    back = checkpoints.load(path)
    assert back.recipe == gan.recipe and hash(back.recipe) == hash(gan.recipe)
    assert back.recipe.title == "a network of tests"
    z, probe = gan.noise(5, 1), back.probe()
    with torch.no_grad():
        loss = -gan.critic(gan.generator(z))
    assert torch.allclose(probe.loss(z), loss, atol=1e-5)
    worst = search.run(probe.loss, z, search.Attack((0.5,)))
    assert (worst.loss[0] >= worst.original).all() and (worst.loss[0] > worst.original + 1e-4).any()
    assert back.recipe.parameters() == tuple(
        sum(p.numel() for p in net.parameters()) for net in (gan.generator, gan.critic)
    )


def test_a_generator_alone_draws_and_says_what_it_lacks(tmp_path):
    gan = made(Layers("alone", GENERATOR))
    checkpoints.save(gan, tmp_path / "b.safetensors")
    back = checkpoints.load(tmp_path / "b.safetensors")
    z = gan.noise(2, 0)
    assert torch.allclose(back.probe().images(z), gan.generator(z), atol=1e-6)
    for ask in (
        lambda: back.probe().loss(z),
        lambda: back.probe().images_and_loss(z),
        lambda: back.features(gan.generator(z)),
    ):
        with pytest.raises(CheckpointError, match=r"with a critic, got a generator alone.*import it again"):
            ask()


def test_nobody_trains_what_was_imported():
    with pytest.raises(SettingsError, match="recipe to train by"):
        fresh(made().recipe, 0)


def plain(**changes) -> dict:
    return LAYERS.to_dict() | changes


def nested(depth):
    return {"kind": "block", "branch": [nested(depth - 1)] if depth else []}


WRONG = {
    "no title": ({"generator": []}, "title and a generator"),
    "text": ("layers", "fields of a Layers"),
    "an endless title": (plain(title="x" * 1000), "title of 1 to 200"),
    "an unknown layer": (plain(generator=[{"kind": "eval"}]), "layer of kind linear, .*got 'eval'"),
    "no layer": (plain(generator=[7]), "layer of kind"),
    "a list as kind": (plain(generator=[{"kind": []}]), "layer of kind"),
    "no outputs": (plain(generator=[{"kind": "linear"}]), "all fields of a linear"),
    "outputs of text": (plain(generator=[{"kind": "linear", "outputs": "9"}]), "outputs to be int"),
    "outputs without end": (plain(generator=[{"kind": "linear", "outputs": 10**12}]), "of a linear layer between"),
    "a kernel of zero": (plain(critic=[{"kind": "conv", "outputs": 1, "kernel": 0}]), "kernel between"),
    "an infinite factor": (plain(generator=[{"kind": "rescale", "times": float("inf"), "plus": 0}]), "rescale"),
    "NaN as eps": (plain(generator=[{"kind": "norm", "eps": float("nan")}]), "eps of a batch norm"),
    "a foreign activation": (plain(generator=[{"kind": "activation", "name": "system"}]), "activation to be one of"),
    "blocks without end": (plain(generator=[nested(20)]), "nested at most 12 deep"),
    "a score beyond": (plain(score=99), "position of the critic's score"),
    "too many layers": (plain(generator=[{"kind": "flat"}] * 300), "at most 256 layers"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_descriptions_have_their_own_words(case):
    told, words = WRONG[case]
    with pytest.raises(SettingsError, match=words):
        Layers.from_dict(told)


LARGE = {
    "weights": ((Linear(2**15), Linear(2**15)), "at most 67,108,864 weights"),
    "numbers between layers": ((Linear(2**15), View(2**15), *[Up()] * 5), "numbers between two layers"),
    "multiplications": ((Linear(2**12), View(1), *[Conv(256, 5, 1, 2)] * 8), "multiplications an image"),
    "weights within a block": ((Linear(3), View(3), Block((Linear(9),))), "features before a linear"),
    "too small for its kernel": ((Linear(9), View(1), Conv(1, 5)), "maps large enough for a conv"),
    "no square": ((Linear(7), View(1)), "7 features to be 1 square maps"),
    "an image of other size": ((Linear(9), View(1)), r"makes \(1, 4, 4\) of \(3,\), got \(1, 3, 3\)"),
}


@pytest.mark.parametrize("case", LARGE)
def test_what_does_not_fit_or_costs_too_much_is_refused(case):
    generator, words = LARGE[case]
    with pytest.raises(SettingsError, match=words):
        Recipe("imported", size=4, channels=1, latent=3, layers=Layers("x", generator))


def test_a_critic_must_give_one_number():
    ends = Layers("x", (Linear(16), View(1)), (Flat(), Linear(2)))
    with pytest.raises(SettingsError, match=r"one number of \(1, 4, 4\), got \(2,\)"):
        Recipe("imported", size=4, channels=1, latent=3, layers=ends)


def test_only_imported_gans_have_layers():
    with pytest.raises(SettingsError, match="system of layers"):
        Recipe("dcgan", size=24, channels=2, latent=3, layers=LAYERS)
    with pytest.raises(SettingsError, match="system to be one of"):
        Recipe("imported")


WIRED = Layers(
    "a graph",
    (
        Fixed("concat", (1,), first=True), Linear(36), View(4), Pad((1, 0, 1, 0), "reflect"),
        Block((Slice(0, 2), Power(2.0)), (Slice(2, 4), Function("sin"), Fixed("multiply", (1, 4, 4))), "multiply"),
        Block((Conv(1, 3, 1, 2, False, 2),), (), "concat"), Conv(3, 1, groups=3),
        Block((Block((Total(mean=True), View(3)), (), "multiply"),), ()), Up("aligned", 2), Pool("max", 3, 1, 1),
    ),
)  # fmt: skip


def test_branches_fixed_numbers_and_functions_are_what_torch_makes_of_them():
    generator = WIRED.build_generator(3).eval()
    rng = torch.Generator().manual_seed(0)
    state = {name: torch.rand(value.shape, generator=rng) - 0.5 for name, value in generator.state_dict().items()}
    generator.load_state_dict(state)
    z = torch.randn(5, 3, generator=rng)
    x = torch.cat([state["0.value"].expand(5, 1), z], 1) @ state["1.weight"].T + state["1.bias"]
    x = functional.pad(x.view(5, 4, 3, 3), (1, 0, 1, 0), "reflect")
    x = x[:, :2].square() * (x[:, 2:].sin() * state["4.shortcut.2.value"])
    x = torch.cat([functional.conv2d(x, state["5.branch.0.weight"], padding=2, dilation=2), x], 1)
    x = functional.conv2d(x, state["6.weight"], state["6.bias"], groups=3)
    x = x + x * x.mean((2, 3), keepdim=True)
    x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)
    with torch.no_grad():
        torch.testing.assert_close(generator(z), functional.max_pool2d(x, 3, 1, 1))
    torch.testing.assert_close(fold(generator, torch.float32, "cpu")(z), functional.max_pool2d(x, 3, 1, 1))


def test_json_keeps_every_field():
    for layers in (LAYERS, CLASSED, WIRED, ATTENDING):
        assert Layers.from_dict(json.loads(json.dumps(layers.to_dict()))) == layers
    seen = [
        *GENERATOR,
        *CRITIC,
        *UP.branch,
        *CLASSED.generator,
        *CLASSED.critic,
        *ATTENDING.generator,
        Flat(),
        Attention(2),
    ]
    for layer in WIRED.generator:
        seen += [layer] if not isinstance(layer, Block) else [layer, *layer.branch, *layer.shortcut]
    assert {layer.kind for layer in seen} == set(LAYER_TYPES)


def test_layers_of_classes_are_what_torch_makes_of_them():
    recipe = Recipe("imported", size=6, channels=2, latent=3, loss="hinge", layers=CLASSED)
    generator, critic = (network.to_empty(device="cpu").eval() for network in recipe.networks())
    rng = torch.Generator().manual_seed(0)
    g, c = ({k: torch.rand(v.shape, generator=rng) for k, v in n.state_dict().items()} for n in (generator, critic))
    generator.load_state_dict(g)
    critic.load_state_dict(c)
    z, labels = torch.randn(5, 3, generator=rng), torch.tensor([2, 0, 1, 1, 2])
    x = functional.linear(torch.cat([z, g["0.table"][labels]], dim=1), g["1.weight"], g["1.bias"])
    x = functional.prelu(functional.layer_norm(x, (72,), g["2.weight"], g["2.bias"]), g["3.weight"])
    x = functional.group_norm(functional.pixel_shuffle(x.view(5, 8, 3, 3), 2), 2, g["6.weight"], g["6.bias"])
    each = [
        functional.batch_norm(one[None], g["7.running_mean"], g["7.running_var"], g["7.weight"][k], g["7.bias"][k])
        for one, k in zip(x, labels, strict=True)
    ]
    x = (torch.cat(each) * g["8.table"][labels]).tanh()
    with torch.no_grad(), labelled(labels):
        assert torch.allclose(generator(z), x, atol=1e-5)
        score = critic(x)
    y = functional.prelu(functional.conv2d(x, c["0.weight"], c["0.bias"], padding=1), c["1.weight"])
    y = (y + c["2.table"][labels]).sum((2, 3))
    expected = functional.linear(y, c["score.weight"], c["score.bias"])[:, 0] + (y * c["score.table"][labels]).sum(1)
    assert torch.allclose(score.flatten(), expected, atol=1e-4)
    with labelled(1), torch.no_grad():
        assert torch.allclose(generator(z)[2:4], x[2:4], atol=1e-5)
    with labelled(labels[:2]), pytest.raises(ValueError, match="a label for each of 5 images, got 2"):
        generator(z)


def test_self_attention_is_what_torch_makes_of_it():
    layer = Attention(2)
    module = layer.module((4, 5, 5))
    rng = torch.Generator().manual_seed(0)
    state = {name: torch.randn(value.shape, generator=rng) for name, value in module.state_dict().items()}
    module.load_state_dict(state)
    x = torch.randn(3, 4, 5, 5, generator=rng)
    pixels = x.flatten(2).transpose(1, 2)  # a row a pixel
    query, key, value = (
        functional.linear(pixels, state[f"{name}.weight"].flatten(1), state[f"{name}.bias"])
        for name in ("query", "key", "value")
    )
    attended = functional.scaled_dot_product_attention(query, key, value, scale=1.0)
    with torch.no_grad():
        assert torch.allclose(module(x), x + state["gamma"] * attended.transpose(1, 2).view_as(x), atol=1e-5)
    with pytest.raises(SettingsError, match=r"at most 2,048 pixels that attend to each other, got 4,096"):
        layer.after((4, 64, 64))


ATTENDING = Layers("attending", (Attend((Conv(2, 1),), (Conv(2, 1), Pool("max")), (Pool("max"),), 0.5),))


def test_attention_of_branches_is_what_torch_makes_of_it():
    (layer,) = ATTENDING.generator
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, 6, 6, generator=rng)
    for one in (layer, dataclasses.replace(layer, queries=True)):
        assert one.after((4, 6, 6)) == (4, 6, 6)
        module = one.module((4, 6, 6)).requires_grad_(False)
        query, key = functional.conv2d(x, *(module.state_dict()[f"query.0.{name}"] for name in ("weight", "bias"))), x
        key = functional.max_pool2d(functional.conv2d(key, *module.key[0].state_dict().values()), 2)
        value = functional.max_pool2d(x, 2).flatten(2)
        scores = torch.einsum("nci,ncj->nij", query.flatten(2), key.flatten(2)) / 2
        taken = torch.einsum("nij,ncj->nci", scores.softmax(1 if one.queries else 2), value).view(3, 4, 6, 6)
        torch.testing.assert_close(module(x), taken)
        torch.testing.assert_close(fold(module, torch.float32, "cpu")(x), taken)
    wide = Attend((), (Conv(3, 1),), ())
    with pytest.raises(SettingsError, match="keys that fit queries and values"):
        wide.after((4, 6, 6))
    with pytest.raises(SettingsError, match=r"at most 2,048 pixels that attend to each other, got 4,096"):
        Attend((), (), ()).after((4, 64, 64))


def test_costs_are_those_of_the_modules():
    course = follow(GENERATOR[:-2], (3,))
    weights = [m.weight.numel() for m in made().generator.modules() if getattr(m, "weight", None) is not None]
    assert course.weights == sum(weights)
    assert course.layers == len(GENERATOR) - 2 + 9 and course.shapes[-1] == (2, 24, 24)


def test_a_file_whose_layers_were_bent_is_refused(tmp_path):
    checkpoints.save(made(), tmp_path / "c.safetensors")
    data = (tmp_path / "c.safetensors").read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    for old, new, words in (
        ('\\"eps\\": 0.8', '\\"eps\\": 8e9', "eps of a batch norm"),
        ('\\"kind\\": \\"up\\"', '\\"kind\\": \\"os\\"', "layer of kind"),
        ('\\"outputs\\": 45', '\\"outputs\\": 80', "makes|does not match"),
    ):
        header = data[8 : 8 + length].decode()
        assert old in header
        bent = header.replace(old, new).encode()
        with pytest.raises(CheckpointError, match=words):
            checkpoints.loads(struct.pack("<Q", len(bent)) + bent + data[8 + length :])
    assert 100 * length < limits.MAX_HEADER_BYTES
