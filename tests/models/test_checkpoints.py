"""The file format: what is written comes back, and each way of being wrong has its own words."""

import json
import struct
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load as safetensors_load
from safetensors.torch import save as safetensors_save

from rgan.common.errors import CheckpointError, FileError
from rgan.models import checkpoints
from rgan.models.gan import Gan, Training, fresh
from rgan.models.recipes import Robust, recipe

KEY = "rgan-lab"


@pytest.fixture(scope="module")
def gan() -> Gan:
    made = recipe("dcgan", Robust(1.0, 1.0, 1.0), channels=1, width=2, latent=3, size=28)
    generator, critic = fresh(made, 0)
    average, _ = fresh(made, 1)
    training = Training("digits", 5, 7, 1.5, "cpu", "float32", ({"iteration": 5.0, "critic": 0.25},))
    reference = torch.arange(2 * 28 * 28).view(2, 1, 28, 28).to(torch.uint8)
    return Gan(made, generator, critic, average, training, reference)


@pytest.fixture(scope="module")
def data(gan, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("file") / "a.safetensors"
    checkpoints.save(gan, path)
    return path.read_bytes()


def header(data: bytes) -> dict:
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length])


def with_header(data: bytes, parsed: dict) -> bytes:
    length = struct.unpack("<Q", data[:8])[0]
    text = json.dumps(parsed).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def with_about(data: bytes, **changes) -> bytes:
    parsed = header(data)
    about = json.loads(parsed["__metadata__"][KEY]) | changes
    parsed["__metadata__"][KEY] = json.dumps(about)
    return with_header(data, parsed)


def with_tensors(data: bytes, **tensors) -> bytes:
    changed = {name: value for name, value in (safetensors_load(data) | tensors).items() if value is not None}
    return safetensors_save(changed, metadata=header(data)["__metadata__"])


def test_what_is_saved_comes_back(gan, tmp_path):
    path = tmp_path / "deep" / "b.safetensors"
    digest = checkpoints.save(gan, path)
    back = checkpoints.load(path)
    assert back.digest == digest and len(digest) == 64
    assert back.recipe == gan.recipe and back.training == gan.training
    assert torch.equal(back.reference, gan.reference)
    for mine, theirs in ((gan.generator, back.generator), (gan.critic, back.critic), (gan.average, back.average)):
        assert all(
            torch.equal(a, b) for a, b in zip(mine.state_dict().values(), theirs.state_dict().values(), strict=True)
        )
        assert not theirs.training and not any(p.requires_grad for p in theirs.parameters())
    z = gan.noise(3, 0)
    assert torch.equal(gan.probe().loss(z), back.probe().loss(z))
    assert [p.name for p in path.parent.iterdir()] == ["b.safetensors"]


def test_a_gan_without_average_training_or_references_comes_back(gan, tmp_path):
    bare = Gan(gan.recipe, gan.generator, gan.critic)
    checkpoints.save(bare, tmp_path / "c.safetensors")
    back = checkpoints.load(tmp_path / "c.safetensors")
    assert back.average is None and back.training is None and back.reference is None
    assert back.sampler is back.generator


def test_a_failed_write_leaves_the_old_file_and_nothing_else(gan, tmp_path, monkeypatch):
    path = tmp_path / "d.safetensors"
    checkpoints.save(gan, path)
    old = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileError, match="No space left on device; free some space"):
        checkpoints.save(replace(gan, training=None), path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_inspecting_reads_no_weight(data):
    found = checkpoints.inspect(data)
    assert found.recipe.system == "dcgan" and found.tensors["reference"] == ("U8", (2, 1, 28, 28))


WRONG = {
    "empty": (lambda d: b"", "at least 8 bytes"),
    "cut in the header": (lambda d: d[:40], "cut short or foreign"),
    "cut in the weights": (lambda d: d[:-100], "cut short: copy it again"),
    "a zip, as torch.save writes": (lambda d: b"PK\x03\x04" + bytes(200), "written by RGAN Lab"),
    "text": (lambda d: b"<!doctype html><html><body>not found</body></html>" * 9, "written by RGAN Lab"),
    "a huge header": (lambda d: struct.pack("<Q", 2**60) + d[8:], "written by RGAN Lab"),
    "no JSON": (lambda d: struct.pack("<Q", 20) + b"x" * 40, "written by RGAN Lab"),
    "another program's": (lambda d: safetensors_save({"w": torch.zeros(2)}), "another program with 1 tensors"),
    "a newer version": (lambda d: with_about(d, version=99), "format version 1, got 99"),
    "no recipe": (lambda d: with_about(d, recipe=None), "fields of a Recipe"),
    "an unknown field": (lambda d: with_about(d, recipe={"system": "dcgan", "evil": 1}), "unknown one, 'evil'"),
    "a width of text": (lambda d: with_about(d, recipe={"system": "dcgan", "width": "9"}), "width to be int"),
    "a number beyond any float": (
        lambda d: with_about(d, recipe={"system": "dcgan", "learning_rate": 10**400}),
        "learning_rate between",
    ),
    "constants that were never measured": (
        lambda d: with_about(d, recipe={"system": "bwgan", "critic_norm": "none", "critic_scale": 0.0}),
        "critic_scale as measured",
    ),
    "a generator batch of one": (
        lambda d: with_about(d, recipe={"system": "dcgan", "generator_batch": 1}),
        "generator_batch, if it is not 0, between",
    ),
    "a huge width": (lambda d: with_about(d, recipe={"system": "dcgan", "width": 10**9}), "width between 1 and 512"),
    "a foreign system": (lambda d: with_about(d, recipe={"system": "x"}), "system to be one of"),
    "an infinite radius": (
        lambda d: with_about(d, recipe={"system": "dcgan", "robust": {"noise_radius": float("inf")}}),
        "noise radius ε₁ between",
    ),
    "training without a seed": (lambda d: with_about(d, training={"data": "x"}), "training fact"),
    "history of text": (
        lambda d: with_about(
            d,
            training={
                "data": "x",
                "iterations": 1,
                "seed": 1,
                "seconds": 1,
                "device": "",
                "precision": "",
                "history": [{"critic": "high"}],
            },
        ),
        "number of the training history",
    ),
    "another recipe's shapes": (
        lambda d: with_about(d, recipe={"system": "dcgan", "width": 3, "latent": 3, "channels": 1, "size": 28}),
        "does not match its own recipe",
    ),
    "a missing weight": (lambda d: with_tensors(d, **{"critic.score.bias": None}), "critic.score.bias.*got absent"),
    "an extra tensor": (lambda d: with_tensors(d, extra=torch.zeros(1)), "extra to be absent"),
    "half precision": (
        lambda d: with_tensors(d, **{"critic.score.bias": torch.zeros(1, dtype=torch.float16)}),
        "got F16",
    ),
    "NaN": (
        lambda d: with_tensors(d, **{"critic.score.bias": torch.tensor([float("nan")])}),
        "NaN or infinity in critic",
    ),
    "infinity": (lambda d: with_tensors(d, **{"critic.score.bias": torch.tensor([float("inf")])}), "NaN or infinity"),
    "references of another size": (
        lambda d: with_tensors(d, reference=torch.zeros(2, 3, 28, 28, dtype=torch.uint8)),
        "reference images",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files_get_their_own_words(data, case):
    damage, words = WRONG[case]
    with pytest.raises(CheckpointError, match=words):
        checkpoints.loads(damage(data), "mine.safetensors")


def test_lying_offsets_are_refused(data):
    parsed = header(data)
    first = next(name for name in parsed if name != "__metadata__")
    parsed[first]["data_offsets"] = [0, 10**12]
    with pytest.raises(CheckpointError, match="cut short"):
        checkpoints.loads(with_header(data, parsed))
    parsed[first]["data_offsets"] = [0, 4]
    with pytest.raises(CheckpointError, match="whole file, got a damaged one"):
        checkpoints.loads(with_header(data, parsed))


def test_oversized_files_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "MAX_BYTES", 1000)
    path = tmp_path / "big.safetensors"
    path.write_bytes(bytes(2000))
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda self: pytest.fail("read although too large"))
    with pytest.raises(CheckpointError, match="at most"):
        checkpoints.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere"):
        checkpoints.load(tmp_path / "nowhere.safetensors")


@pytest.mark.parametrize("files", [400, pytest.param(2000, marks=pytest.mark.nightly)])
def test_random_damage_never_raises_anything_else(data, files):
    """Files with a few bytes changed, cut or inserted: a Gan or a CheckpointError, nothing else."""
    rng = torch.Generator().manual_seed(0)

    def below(limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=rng))

    refused = 0
    for _ in range(files):
        damaged = bytearray(data)
        limit = len(data) if below(2) else 3000  # half of the time in the header, where it matters
        for _ in range(1 + below(4)):
            position = below(min(limit, len(damaged)))
            match below(4):
                case 0:
                    damaged[position] = below(256)
                case 1:
                    del damaged[position : position + 1 + below(9)]
                case 2:
                    damaged[position:position] = bytes(below(256) for _ in range(1 + below(9)))
                case _:
                    damaged[position] ^= 1 << below(8)
        try:
            checkpoints.loads(bytes(damaged))
        except CheckpointError:
            refused += 1
    assert refused > files / 2
