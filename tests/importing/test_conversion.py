"""From strangers' files to a Gan: what is said when it works, what is said when it fails, and no way to break it."""

import gc
import io
import json
import os
import resource
import shutil
import tempfile
import weakref
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as safetensors_save
from torch import nn

from rgan.cli.main import main
from rgan.common import limits
from rgan.common.errors import CheckpointError, RganError, SettingsError
from rgan.importing import containers, conversion, formats, solver
from rgan.models import checkpoints
from rgan.models.gan import Gan
from tests.conftest import ROOT
from tests.importing.test_containers import in_this_process

STRANGERS = Path(ROOT.parent / "shared" / "uploads")


def saved(value, *, legacy=False) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def mlp(*sizes: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Weights of fully connected layers, named as in an nn.Sequential with activations between them."""
    rng = torch.Generator().manual_seed(seed)
    state = {}
    for k, (inputs, outputs) in enumerate(pairwise(sizes)):
        state[f"{2 * k}.weight"] = torch.randn(outputs, inputs, generator=rng) / inputs**0.5
        state[f"{2 * k}.bias"] = torch.randn(outputs, generator=rng)
    return state


def under(name: str, state: dict) -> dict:
    return {f"{name}.{key}": value for key, value in state.items()}


G, D = mlp(4, 6, 81), mlp(81, 6, 1)
WRAPPED = {
    "two files": [("g.pth", saved(G)), ("d.pth", saved(D))],
    "safetensors": [("g.safetensors", safetensors_save(G)), ("d.safetensors", safetensors_save(D))],
    "DataParallel": [("g.pth", saved(under("module", G))), ("d.pth", saved(under("_orig_mod.module", D)))],
    "one dictionary": [("both.pth", saved({"generator": G, "discriminator": D, "epoch": 4}))],
    "Lightning": [("last.ckpt", saved({"state_dict": under("generator", G) | under("discriminator", D)}, legacy=True))],
    "a list": [("both.pt", saved([G, D]))],
    "deep": [("both.pt", saved({"models": {"netG": {"state_dict": under("module", G)}, "netD": D}}))],
}


@pytest.mark.parametrize("case", WRAPPED)
def test_wrappers_are_taken_off(case):
    gan = conversion.read(WRAPPED[case]).gan()
    z = gan.noise(3, 0)
    images = ((z @ G["0.weight"].T + G["0.bias"]).relu() @ G["2.weight"].T + G["2.bias"]).tanh()
    assert torch.allclose(gan.generator(z).flatten(1), images, atol=1e-5)
    hidden = nn.functional.leaky_relu(images @ D["0.weight"].T + D["0.bias"], 0.2)
    scores = hidden @ D["2.weight"].T + D["2.bias"]
    assert torch.allclose(gan.critic(gan.generator(z)), scores[:, 0], atol=1e-5)


def test_the_moving_average_draws_and_that_is_said():
    other = mlp(4, 6, 81, seed=1)
    proposal = conversion.read([("m.pth", saved({"G": G, "G_ema": other, "D": D}))])
    gan, z = proposal.gan(), torch.zeros(1, 4)
    for drawn, state in ((gan.sampler(z), other), (gan.generator(z), G)):
        expected = (state["0.bias"].relu() @ state["2.weight"].T + state["2.bias"]).tanh()
        assert torch.allclose(drawn.flatten(), expected, atol=1e-5)
    assert proposal.notes() == ("the moving average of the generator's weights draws the images (m.pth, G_ema)",)
    alone = conversion.read([("m.pth", saved({"G_ema": other}))])
    assert alone.average is None and "no critic" in " ".join(alone.notes())
    with pytest.raises(CheckpointError, match="moving average of one generator, got two that differ"):
        conversion.read([("m.pth", saved({"G": G, "G_ema": mlp(4, 7, 81)}))]).gan()


def test_a_file_of_ours_is_a_gan_already(tmp_path):
    gan = conversion.read(WRAPPED["two files"]).gan()
    checkpoints.save(gan, tmp_path / "a.safetensors")
    data = (tmp_path / "a.safetensors").read_bytes()
    back = conversion.read([("a.safetensors", data)])
    assert isinstance(back, Gan) and back.recipe == gan.recipe
    assert conversion.describe("a.safetensors", data).ours
    with pytest.raises(CheckpointError, match="one file of RGAN Lab"):
        conversion.read([("a.safetensors", data), *WRAPPED["two files"]])


VAE = {"fc1": (20, 81), "fc21": (3, 20), "fc22": (3, 20), "fc3": (20, 3), "fc4": (81, 20)}
VAE = {f"{name}.weight": torch.zeros(shape) for name, shape in VAE.items()}
ALMOST = {"main.0.weight": torch.zeros(9, 8, 4, 4), "main.1.weight": torch.zeros(7, 3, 4, 4)}
FAILS = {
    "a critic alone": ([("d.pth", saved(D))], r"got a critic alone, which makes no images: critic, MLP, judges 1×9×9"),
    "two generators": ([("a.pth", saved(G)), ("b.pth", saved(G))], r"one generator, got 2: .*a\.pth.*b\.pth.*; leave"),
    "a critic of other images": ([("g.pth", saved(G)), ("d.pth", saved(mlp(64, 5, 1)))],
                                 r"critic of images of 1×9×9.*judges 1×8×8.*two files of one training"),
    "an autoencoder": ([("vae.pth", saved(VAE))], r"81 numbers of 81 \(fc1.*autoencoder, which is no GAN"),
    "a classifier": ([("c.pth", saved(mlp(81, 9, 10)))], "end in 10 numbers .*a classifier perhaps"),
    "a ResNet": ([("r.pth", saved({"layer1.0.conv1.weight": torch.zeros(1), "fc.weight": torch.zeros(9, 9)}))],
                 "a ResNet that classifies"),
    "a StyleGAN": ([("s.pth", saved({"mapping.w": torch.zeros(1), "synthesis.w": torch.zeros(1)}))], "a StyleGAN"),
    "one layer": ([("l.pth", saved({"weight": torch.zeros(4, 3), "bias": torch.zeros(4)}))],
                  "one layer alone, of 3 inputs and 4 outputs"),
    "names of players among layers": ([("g.pth", saved(under("g", G) | {"h.weight": torch.zeros(9, 9, 9, 9)}))],
                                      "no order that is known"),
    "numbers": ([("n.pth", saved({"lr": torch.zeros(1)}))], "1 tensors without a layer"),
    "no numbers": ([("n.pth", saved({"epoch": 3}))], "no tensors by name"),
    "layers in disorder": ([("x.pth", saved(G | {"9.weight": torch.zeros(9, 9, 9, 9)}))], "no order that is known"),
    "almost a DCGAN": ([("g.pth", saved(ALMOST))],
                       r"nearest to a generator of the DCGAN of pytorch/examples, but main.1 does not fit"),
    "no file": ([], "1 to 4 files, got 0"),
    "NaN": ([("g.pth", saved(G | {"0.bias": torch.full((6,), torch.nan)}))], "g.pth: 0.bias: expected finite"),
    "numbers that overflow": ([("g.pth", saved({k: v * 3e38 for k, v in G.items()}))], "finite"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILS)
def test_failures_say_what_was_found_and_what_to_do(case):
    files, words = FAILS[case]
    with pytest.raises(CheckpointError, match=words):
        conversion.read(files).gan({"output": "none"})


def test_what_was_read_is_let_go_at_once():
    """No object refers to itself in a circle, which would keep a file's weights until Python collects garbage."""
    gc.collect()
    gc.disable()
    try:
        proposal = conversion.read(WRAPPED["one dictionary"])
        kept = weakref.ref(proposal.generator.store), weakref.ref(proposal.critic.store), weakref.ref(proposal.gan())
        del proposal
        assert [one() for one in kept] == [None, None, None]
    finally:
        gc.enable()


def test_tensors_beside_two_players_are_left_out_and_that_is_said():
    state = under("generator", G) | under("discriminator", D)
    beside = {"validation_z": torch.zeros(8, 4), "fid.mean": torch.zeros(3)}
    proposal = conversion.read([("last.ckpt", saved({"state_dict": state | beside}))])
    gan, z = proposal.gan(), torch.zeros(1, 4)
    images = (G["0.bias"].relu() @ G["2.weight"].T + G["2.bias"]).tanh()
    hidden = nn.functional.leaky_relu(images @ D["0.weight"].T + D["0.bias"], 0.2)
    assert torch.allclose(gan.generator(z).flatten(), images, atol=1e-5)
    assert torch.allclose(gan.critic(gan.generator(z)), hidden @ D["2.weight"].T + D["2.bias"], atol=1e-5)
    assert "tensors of neither network left out: validation_z, fid.mean" in proposal.notes()


CROWDS = {
    "4,000 groups": lambda: {f"g{k}": {f"w{k}.weight": torch.zeros(2, 2)} for k in range(4000)},
    "4,000 players": lambda: {f"{'G.' * (1 + k % 90)}{'DGdg'[k % 4]}.{k}.w": torch.zeros(1) for k in range(4000)},
    "800 chains": lambda: {f"g{k}": {f"main.{2 * i}.weight": torch.zeros(1, 1, 1, 1) for i in range(5)}
                           for k in range(800)},
    "20 long chains": lambda: {f"g{k}": {f"main.{i}.weight": torch.zeros(1, 1, 1, 1) for i in range(200)}
                               for k in range(20)},
}  # fmt: skip


@pytest.mark.parametrize("case", CROWDS)
def test_crowds_of_networks_are_refused_before_they_are_looked_at(case, monkeypatch):
    """They would keep the app, which reads one file after another, for a minute."""
    for module, looks in ((formats, "readings"), (solver, "generators"), (solver, "critics")):
        monkeypatch.setattr(module, looks, lambda *_, **__: pytest.fail("looked at"))
    with pytest.raises(CheckpointError, match="at most 64 groups of tensors with 512 layers together, got"):
        conversion.read([("many.pth", saved(CROWDS[case]()))])


def test_many_lengths_are_not_all_tried(monkeypatch):
    """Each of these layers could be a critic's first, of images of another size."""
    tried = []
    recognise = formats.recognise
    monkeypatch.setattr(formats, "recognise", lambda *a, **k: tried.append(k["image"]) or recognise(*a, **k))
    many = {f"model.{2 * k}.weight": torch.zeros(1, (8 + k) ** 2) for k in range(200)}
    assert list(formats.images(formats.Store(many))) == []
    assert len(tried) < 2 * (limits.MAX_LENGTHS + len(formats.IMAGE_SIDES)) + 1


def test_answers_that_nobody_offered_are_refused():
    with pytest.raises(SettingsError, match=r"Activation in the generator.*to be one of relu"):
        conversion.read(WRAPPED["two files"]).gan({"activation": "eval"})


def test_networks_beyond_the_limits_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_WORK", 500)
    with pytest.raises(SettingsError, match="at most 500 multiplications an image"):
        conversion.read([("g.pth", saved(G))]).gan()


def test_what_a_file_is_is_told_without_reading_numbers(monkeypatch):
    monkeypatch.setattr(containers, "read", lambda *_: pytest.fail("read although only asked what it is"))
    told = conversion.describe(*WRAPPED["one dictionary"][0])
    assert told.tensors["generator/2.weight"] == (81, 6) and told.container == "zip"
    assert told.parts == (
        "generator, MLP, draws 1×9×9 (both.pth, generator)", "critic, MLP, judges 1×9×9 (both.pth, discriminator)"
    )  # fmt: skip


def test_inspect_lists_what_convert_takes(tmp_path, capsys):
    path, out = tmp_path / "both.pth", tmp_path / "out.safetensors"
    path.write_bytes(WRAPPED["one dictionary"][0][1])
    assert main(["inspect", str(path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["tensors"]["generator/2.weight"] == [81, 6] and report["container"] == "zip"
    assert [one["proposal"] for one in report["proposals"]] == list(range(1, len(report["proposals"]) + 1))
    first, second = report["proposals"][:2]
    assert first["image"] == [1, 9, 9] and first["latent"] == 4 and first["guesses"] != second["guesses"]
    assert main(["convert", str(path), str(out), "--proposal", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["answers"] == second["guesses"] and told["proposals"] == len(report["proposals"])
    assert main(["convert", str(path), str(out), "--proposal", "99"]) == 2
    assert f"--proposal of 1 to {len(report['proposals'])}, got 99" in capsys.readouterr().err
    assert main(["inspect", str(path)]) == 0
    said = capsys.readouterr().out
    assert "guessed: critic activation=leaky 0.2 (Activation in the critic; or relu" in said and "proposal 2:" in said
    path.write_bytes(saved(D))
    assert main(["inspect", str(path)]) == 0
    assert "a critic alone makes no images" in capsys.readouterr().out


def test_a_file_that_is_there_already_is_not_overwritten(tmp_path, capsys):
    """Least of all the last file to read, where the file to write was forgotten."""
    paths = [tmp_path / name for name, _ in WRAPPED["safetensors"]]
    for path, (_, data) in zip(paths, WRAPPED["safetensors"], strict=True):
        path.write_bytes(data)
    forgotten = ["convert", *map(str, paths)]
    assert main(forgotten) == 2
    assert "name the file to write behind it, else add --overwrite" in capsys.readouterr().err
    assert paths[1].read_bytes() == WRAPPED["safetensors"][1][1]
    trained = tmp_path / "trained.safetensors"
    shutil.copy(ROOT / "checkpoints" / "digits-dcgan.safetensors", trained)
    assert main([*forgotten, str(trained)]) == 2 and "there already" in capsys.readouterr().err
    out = tmp_path / "out.safetensors"
    assert main([*forgotten, str(out)]) == 0
    assert main([*forgotten, str(out)]) == 0, "what it wrote itself it may write again"
    assert main([*forgotten, str(trained), "--overwrite"]) == 0
    assert checkpoints.load(trained).origin is not None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_no_checkpoint(tmp_path, capsys):
    os.mkfifo(pipe := tmp_path / "pipe.safetensors")
    for command, words in (
        (["inspect", str(pipe)], "got a pipe or a device; name a file"),
        (["convert", str(pipe), str(tmp_path / "out.safetensors")], "got a pipe or a device; name a file"),
        (["convert", str(tmp_path / "g.pth"), str(pipe)], "there already"),
    ):
        assert main(command) == 2 and words in capsys.readouterr().err


def test_convert_writes_what_the_library_makes(tmp_path, capsys):
    paths = []
    for name, data in WRAPPED["two files"]:
        (tmp_path / name).write_bytes(data)
        paths.append(str(tmp_path / name))
    out = tmp_path / "out.safetensors"
    assert main(["convert", *paths, str(out), "--set", "activation=elu", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["answers"]["activation"] == "elu" and "activation" not in report["guessed"]
    assert "loss" in report["guessed"] and report["image"] == [1, 9, 9]
    gan = checkpoints.load(out)
    z = gan.noise(2, 0)
    hidden = nn.functional.elu(z @ G["0.weight"].T + G["0.bias"])
    images = (hidden @ G["2.weight"].T + G["2.bias"]).tanh()
    assert torch.allclose(gan.generator(z).flatten(1), images, atol=1e-5)
    assert main(["probe", str(out), "--samples", "8", "--steps", "2"]) == 0
    capsys.readouterr()
    for arguments, words in (
        ([*paths, "out.pth"], "ends in .safetensors"),
        ([str(out), str(tmp_path / "b.safetensors")], "got one of RGAN Lab"),
        ([*paths, str(out), "--set", "depth=3"], "--set with one of prior, activation"),
        ([str(tmp_path / "nowhere.pth"), str(out)], "readable checkpoint file"),
    ):
        assert main(["convert", *arguments]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize("layer", ["0", "2"])
def test_a_bias_of_another_length_is_no_network(layer):
    weights = mlp(2, 3, 64)
    for length in (2, 65):
        with pytest.raises(CheckpointError, match="expected the generator or critic"):
            conversion.read([("theirs", saved({"net_G": weights | {f"{layer}.bias": torch.zeros(length)}}))])


def mutated(data: bytes, rng: torch.Generator, hot: int) -> bytes:
    """A few bytes changed, cut or inserted, half of the time among the first `hot`, where the description is."""

    def below(limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=rng))

    made = bytearray(data)
    for _ in range(1 + below(4)):
        position = below(max(1, min(hot, len(made)) if below(2) else len(made)))
        match below(4):
            case 0:
                made[position : position + 1] = bytes([below(256)])
            case 1:
                del made[position : position + 1 + below(9)]
            case 2:
                made[position:position] = bytes(below(256) for _ in range(1 + below(9)))
            case _:
                made[position : position + 1] = bytes([made[position] ^ 1 << below(8)]) if made else b""
    return bytes(made)


@pytest.mark.parametrize("files", [160, pytest.param(800, marks=pytest.mark.nightly)])
def test_random_damage_gives_words_or_a_gan(files, tmp_path, monkeypatch):
    """Files of three formats with a few bytes changed: a finite Gan or an error of ours; nothing is left."""
    monkeypatch.setattr(containers, "_ask", in_this_process)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    both = {"net_G": mlp(2, 3, 64), "net_D": mlp(64, 2, 1), "epoch": 3}
    flat = under("generator", both["net_G"]) | under("discriminator", both["net_D"])
    rng = torch.Generator().manual_seed(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    worked = refused = 0
    for data in (saved(both), saved(both, legacy=True), safetensors_save(flat)):
        for _ in range(files):
            try:
                made = conversion.read([("theirs", mutated(data, rng, 1500))])
                worked += isinstance(made.gan(), Gan)
            except RganError as error:
                refused += 1
                assert "expected" in str(error) and "got" in str(error)
    assert worked > files / 8 and refused > 5 * files / 4
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("legacy", [False, True])
def test_random_damage_in_the_readers_own_process(legacy):
    data, rng = saved({"g": G}, legacy=legacy), torch.Generator().manual_seed(1)
    refused = 0
    for _ in range(12):
        try:
            conversion.read([("theirs", mutated(data, rng, 700))])
        except RganError as error:
            refused += 1
            assert "expected" in str(error)
    assert refused > 3


@pytest.mark.skipif(not STRANGERS.is_dir(), reason="there is no folder of real checkpoints")
class TestRealStrangers:
    """Files that people have published. The folder is not part of the project."""

    def files(self, *names: str) -> list[str]:
        return [str(STRANGERS / name) for name in names]

    def test_the_pair_works_from_end_to_end(self, tmp_path, capsys):
        out = str(tmp_path / "mlp.safetensors")
        assert main(["convert", *self.files("mlp-mnist-generator.ckpt", "mlp-mnist-critic.ckpt"), out]) == 0
        assert main(["probe", out, "--samples", "64", "--json"]) == 0
        loss = json.loads(capsys.readouterr().out.splitlines()[-1])["loss"]
        assert loss["worst"] > loss["original"] + 1 > loss["random"]
        digits = str(ROOT / "checkpoints" / "mnist-dcgan.safetensors")
        html = tmp_path / "page.html"
        few = ["--points", "40", "--steps", "2", "--method", "pca", "--html", str(html)]
        assert main(["embed", out, digits, *few]) == 0 and html.stat().st_size > 10_000
        images = checkpoints.load(out).probe().images(checkpoints.load(out).noise(64, 0))
        assert -1 <= images.min() < -0.9 and 0.9 < images.max() <= 1 and 0.05 < (images > 0).float().mean() < 0.3

    def test_the_others_get_the_right_words(self, tmp_path, capsys):
        out = str(tmp_path / "x.safetensors")
        assert main(["convert", *self.files("conditional-wgan-gp-mnist-generator.pth"), out, "--set", "class=7"]) == 0
        said = capsys.readouterr().out
        assert "10 classes" in said and "set: class=7" in said and "no critic" in said
        assert main(["probe", out]) == 2 and "a generator alone" in capsys.readouterr().err
        assert main(["convert", *self.files("dcgan-mnist-netD.pth"), out]) == 2
        assert "critic alone, which makes no images: critic, DCGAN of pytorch/examples" in capsys.readouterr().err
        assert main(["convert", *self.files("not-a-gan-vae.pth"), out]) == 2
        assert "an autoencoder, which is no GAN" in capsys.readouterr().err
