"""Graphs with weights draw and judge what the modules do that they were exported from."""

import io
import warnings

import pytest
import torch

from rgan.importing import conversion
from rgan.models.gan import Gan
from tests.importing.graph_models import CRITICS, GENERATORS, inputs, made


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
    "script": scripted,
    "trace": traced,
    "export": exported,
    "onnx": lambda network, given: onnx(network, given, dynamo=True),
    "old onnx": lambda network, given: onnx(network, given, dynamo=False),
}


NOT_EXPORTED = {("script", "style"), ("script", "dense"), ("old onnx", "dense"), ("old onnx", "one-hot")}


def written(format, network, given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FORMATS[format](network, given)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", GENERATORS)
def test_an_exported_generator_draws_its_pictures(format, name):
    kind, shape, told, (low, high) = GENERATORS[name]
    if (format, name) in NOT_EXPORTED:
        pytest.skip("torch itself does not export it so")
    network, given = made(kind), inputs(shape, told)
    proposal = conversion.read([("g.bin", written(format, network, given))])
    gan = proposal.gan()
    with torch.no_grad():
        expected = (network(*given) - low) / (high - low) * 2 - 1
        labels = {} if not told else {"labels": torch.arange(len(given[0])) % int(told.split()[1])}
        drawn = gan.images(given[0].flatten(1), **labels)
    assert gan.classes == (int(told.split()[1]) if told else 0)
    torch.testing.assert_close(drawn, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", CRITICS)
def test_an_exported_critic_judges_as_it_did(format, name):
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


def generator_of(shape):
    layers = [
        torch.nn.Linear(6, 6 * 16),
        torch.nn.ReLU(),
        torch.nn.Linear(96, torch.Size(shape).numel()),
        torch.nn.Tanh(),
    ]
    network = torch.nn.Sequential(*layers, torch.nn.Unflatten(1, shape))
    return traced(network, (torch.randn(2, 6),))
