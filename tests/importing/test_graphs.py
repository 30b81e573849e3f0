"""Graphs with weights draw and judge what the modules do that they were exported from."""

import dataclasses
import io
import json
import warnings
import zipfile

import pytest
import torch
from torch.nn import functional

from benchmarks.onnx_file import model as onnx_model
from rgan.cli.main import main
from rgan.common.errors import CheckpointError
from rgan.importing import conversion
from rgan.models.gan import Gan
from tests.importing.graph_models import CRITICS, GENERATORS, Conditional, inputs, made
from tests.nightly import mostly_nightly


def scripted(network, given):
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(network), file)
    return file.getvalue()


def traced(network, given):
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(network, tuple(one[:2] for one in given)), file)
    return file.getvalue()


def exported(network, given):
    file = io.BytesIO()
    count = torch.export.Dim("count")
    torch.export.save(torch.export.export(network, given, dynamic_shapes=[{0: count}] * len(given)), file)
    return file.getvalue()


def onnx(network, given, *, dynamo):
    pytest.importorskip("onnx", reason="torch.onnx.export needs it")
    file = io.BytesIO()
    settings = {"dynamo": dynamo, "verbose": False}
    names = ["z", "onehot" if len(given) > 1 and given[1].is_floating_point() else "labels"][: len(given)]
    if dynamo:
        pytest.importorskip("onnxscript", reason="torch.onnx.export needs it")
        torch.onnx.export(network, given, input_names=names, **settings).save(file)
    else:
        axes = {name: {0: "n"} for name in names}
        torch.onnx.export(network, given, file, input_names=names, dynamic_axes=axes, **settings)
    return file.getvalue()


FORMATS = {
    "trace": traced,
    "script": scripted,
    "export": exported,
    "onnx": lambda network, given: onnx(network, given, dynamo=True),
    "old onnx": lambda network, given: onnx(network, given, dynamo=False),
}
QUICK = (
    ("trace", "dcgan"), ("trace", "one-hot"), ("script", "conditional"), ("export", "style"), ("script", "projection"),
    ("trace", "self-attention"), ("export", "self-attention"), ("onnx", "self-attention"), ("export", "tokens"),
    ("old onnx", "self-attention"),
)  # fmt: skip
NOT_EXPORTED = {
    ("script", "style"), ("script", "dense"), ("old onnx", "dense"), ("old onnx", "one-hot"), ("onnx", "tokens")
}  # fmt: skip


def cases(names):
    """Each format of each; torch itself does not export all."""
    return mostly_nightly([(f, name) for f in FORMATS for name in names if (f, name) not in NOT_EXPORTED], *QUICK)


def named(case):
    return "-".join(case)


def written(format, network, given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FORMATS[format](network, given)


@pytest.mark.parametrize("case", cases(GENERATORS), ids=named)
def test_an_exported_generator_draws_its_pictures(case):
    format, name = case
    kind, shape, told, (low, high) = GENERATORS[name]
    network, given = made(kind), inputs(shape, told)
    proposal = conversion.read([("g.bin", written(format, network, given))])
    gan = proposal.gan()
    with torch.no_grad():
        expected = (network(*given) - low) / (high - low) * 2 - 1
        labels = {} if not told else {"labels": torch.arange(len(given[0])) % int(told.split()[1])}
        drawn = gan.images(given[0].flatten(1), **labels)
    assert gan.classes == (int(told.split()[1]) if told else 0)
    torch.testing.assert_close(drawn, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("case", cases(CRITICS), ids=named)
def test_an_exported_critic_judges_as_it_did(case):
    format, name = case
    kind, shape, told = CRITICS[name]
    network, given = made(kind), inputs(shape, told)
    proposal = conversion.read([("g.bin", generator_of(shape)), ("d.bin", written(format, network, given))])
    gan = proposal.gan()
    assert isinstance(gan, Gan)
    with torch.no_grad():
        expected = network(*given).flatten()
        labels = {} if not told else {"labels": torch.arange(len(given[0])) % int(told.split()[1])}
        scores = gan.score(given[0], **labels)
        scores = torch.sigmoid(scores) if name == "convolutions" else scores
    torch.testing.assert_close(scores, expected, atol=1e-5, rtol=1e-4)


class Special(torch.Tensor):
    """A tensor of a kind of its own, which torch.export pickles."""


@pytest.mark.parametrize("as_what", [torch.Tensor.clone, torch.nn.Parameter, lambda x: x.as_subclass(Special)])
def test_pickled_weights_of_a_program_are_read_as_data(as_what):
    network = torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Tanh(), torch.nn.Unflatten(1, (1, 8, 8)))
    z = torch.randn(3, 4)
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(exported(network, (z,)))) as old, zipfile.ZipFile(file, "w") as new:
        (config,) = (name for name in old.namelist() if name.endswith("model_weights_config.json"))
        told = json.loads(old.read(config))
        pickled = {}
        for key, one in told["config"].items():
            one["use_pickle"] = True
            inner = io.BytesIO()
            torch.save(as_what(network.state_dict()[key]), inner)
            pickled[config.replace("model_weights_config.json", one["path_name"])] = inner.getvalue()
        changed = {**pickled, config: json.dumps(told).encode()}
        assert set(changed) < set(old.namelist())
        for name in old.namelist():
            new.writestr(name, changed.get(name, old.read(name)))
    gan = conversion.read([("g.pt2", file.getvalue())]).gan()
    with torch.no_grad():
        torch.testing.assert_close(gan.images(z), network(z))


def generator_of(shape):
    layers = [
        torch.nn.Linear(6, 6 * 16),
        torch.nn.ReLU(),
        torch.nn.Linear(96, torch.Size(shape).numel()),
        torch.nn.Tanh(),
    ]
    network = torch.nn.Sequential(*layers, torch.nn.Unflatten(1, shape))
    return written("trace", network, (torch.randn(2, 6),))


def conditional_onnx(*, activation="Relu", **changes):
    """A conditional generator with a residual block, norms and doubling, written operator by operator."""
    network = made(Conditional).state_dict()
    tensors = {
        "table": network["table.weight"], "w": network["start.weight"], "b": network["start.bias"],
        "k": network["conv.weight"][:8, :8], "kb": network["conv.bias"][:8], "end": network["end.weight"],
        "shape": torch.tensor([0, 8, 4, 4]), "scales": torch.tensor([1.0, 1.0, 2.0, 2.0]), "half": torch.tensor(0.5),
        "mean": torch.linspace(-1, 1, 8), "variance": torch.linspace(0.5, 2, 8), "one": torch.linspace(0.5, 1.5, 8),
        "places": torch.tensor([0, 1, 2, 3]), **changes,
    }  # fmt: skip
    nodes = [
        ("Gather", ["table", "label"], "class", {"axis": 0}),
        ("Concat", ["z", "class"], "both", {"axis": 1}),
        ("Gemm", ["both", "w", "b"], "flat", {"transB": 1}),
        ("Reshape", ["flat", "shape"], "maps", {}),
        ("BatchNormalization", ["maps", "one", "mean", "mean", "variance"], "normed", {"epsilon": 1e-3}),
        (activation, ["normed"], "active", {}),
        ("Conv", ["active", "k", "kb"], "branch", {"pads": [1, 1, 1, 1]}),
        ("Mul", ["branch", "half"], "small", {}),
        ("Add", ["maps", "small"], "sum", {}),
        ("Resize", ["sum", "", "scales"], "large",
         {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
        ("Gather", ["large", "places"], "few", {"axis": 1}),
        ("Conv", ["few", "end"], "last", {"pads": [2, 2, 2, 2]}),
        ("Sigmoid", ["last"], "image", {}),
    ]  # fmt: skip
    return onnx_model(nodes, tensors, {"label": (), "z": (9,)}, "image"), tensors


def test_an_onnx_model_draws_what_its_operators_say():
    data, t = conditional_onnx()
    z, labels = inputs((9,), "label 7")
    h = functional.linear(torch.cat([z, t["table"][labels]], 1), t["w"], t["b"]).view(-1, 8, 4, 4)
    normed = functional.batch_norm(h, t["mean"], t["variance"], t["one"], t["mean"], eps=1e-3)
    h = h + functional.conv2d(normed.relu(), t["k"], t["kb"], padding=1) * 0.5
    h = functional.interpolate(h, scale_factor=2.0)[:, :4]
    expected = functional.conv2d(h, t["end"], padding=2).sigmoid() * 2 - 1
    gan = conversion.read([("mine.onnx", data)]).gan()
    torch.testing.assert_close(gan.images(z, labels), expected, atol=1e-5, rtol=1e-4)


def test_the_first_operator_that_is_not_known_is_named():
    with pytest.raises(CheckpointError, match=r"the operator Det[^a-z].*state_dict\(\).*rgan.wrap"):
        conversion.read([("mine.onnx", conditional_onnx(activation="Det")[0])])

    class Own(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 64)

        def forward(self, z):
            return torch.cumsum(self.layer(z).view(-1, 1, 8, 8), 3)

    with pytest.raises(CheckpointError, match="the operator cumsum"):
        conversion.read([("mine.pt", traced(Own(), (torch.zeros(2, 4),)))])


def test_numbers_that_are_not_there_are_refused():
    data, _ = conditional_onnx()
    for cut in range(0, len(data), 97):
        with pytest.raises(CheckpointError, match=r"mine\.onnx"):
            conversion.read([("mine.onnx", data[:cut])])


def test_code_in_an_archive_is_text_and_takes_an_end():
    whole = traced(torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Unflatten(1, (1, 8, 8))), (torch.zeros(2, 4),))
    code = "class Sequential(Module):\n  def forward(self: Any, z: Tensor) -> Tensor:\n"
    for body, words in (
        ("    import os\n    os.system('true')\n    return z", "code of an unusual kind"),
        ("    return __import__('os').system('true')", "the operator __import__"),
        ("    while True:\n      pass\n    return z", "takes too long to follow"),
        ("    return (self).forward(z, )", "call each other without end"),
        ("    return torch.zeros([9999999, 9999999])", "a constant of .* numbers"),
        ("    return " + "(" * 5000 + "z" + ")" * 5000, "code that"),
        ("    return ops.aten.randn_like(z)", "the operator randn_like"),
    ):
        file = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(file, "w") as new:
            for name in old.namelist():
                mine = name.endswith("container.py") or ("container/" in name and name.endswith(".py"))
                new.writestr(name, code + body if mine else old.read(name))
        with pytest.raises(CheckpointError, match=words):
            conversion.read([("mine.pt", file.getvalue())])


def test_a_class_is_a_model_of_its_own():
    gan = dataclasses.replace(conversion.read([("mine.onnx", conditional_onnx()[0])]).gan(), digest="f" * 64)
    two, z = gan.of_class(2), gan.noise(4, 0)
    assert two.digest not in ("", gan.digest) and two is gan.of_class(2) and two.of_class(0) is gan
    torch.testing.assert_close(two.images(z), gan.images(z, 2))
    torch.testing.assert_close(gan.first_images(9)[7], gan.images(gan.noise(9, 0), 0)[7])


def test_describe_says_what_a_graph_is():
    told = conversion.describe("mine.onnx", conditional_onnx()[0])
    assert told.container == "onnx" and told.tensors["w"] == (128, 14) and not told.problem
    assert "ONNX graph, 7 classes, draws 3×8×8" in told.parts[0]


def test_commands_take_a_graph_and_its_classes(tmp_path, capsys):
    theirs, mine = tmp_path / "theirs.onnx", tmp_path / "mine.safetensors"
    theirs.write_bytes(conditional_onnx()[0])
    assert main(["inspect", str(theirs), "--json"]) == 0
    assert "ONNX graph, 7 classes" in json.loads(capsys.readouterr().out)["parts"][0]
    assert main(["convert", str(theirs), str(mine), "--json"]) == 0
    capsys.readouterr()
    probe = ["probe", str(mine), "--objective", "change", "--samples", "4", "--budget", "4", "--json"]
    found = []
    for label in ("0", "3"):
        assert main([*probe, "--class", label]) == 0
        found.append(json.loads(capsys.readouterr().out)["change"])
    assert main(probe) == 0
    assert json.loads(capsys.readouterr().out)["change"] == found[0] != found[1]
    assert main([*probe, "--class", "7"]) != 0
    assert "class" in capsys.readouterr().err
