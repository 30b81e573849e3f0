"""The Checkpoints screen: files are dropped, recognised, kept, renamed, deleted; or words say why not."""

import functools
import io
import os
import pickle
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

from benchmarks.serving import Server
from rgan.common import limits
from rgan.importing import conversion
from rgan.models import checkpoints
from rgan.models.recipes import recipe
from rgan.models.shelf import Shelf
from rgan.training import critic as critic_training
from rgan.training.runs import Record, TrainingPlan
from tests.app.test_screens import app, claims, waited, words
from tests.conftest import ROOT
from tests.nightly import nightly

sys.path.insert(0, str(ROOT / "app"))

from screens.checkpoints import lone_generator
from session import visitors
from session.tasks import GivenUpError

UPLOADS = Path(os.environ["RGAN_UPLOADS"])
STRANGER = UPLOADS / "stranger.safetensors"


@pytest.fixture(autouse=True)
def at_the_servers_own_machine(monkeypatch):
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda self: None))


def saved(network: nn.Module) -> bytes:
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.getvalue()


@pytest.fixture
def mlp():
    """The networks of a stranger: a generator 6 → 16 → 8×8 with leaky ReLU and tanh, and its critic."""
    rng = torch.Generator().manual_seed(3)
    generator = nn.Sequential(nn.Linear(6, 16), nn.LeakyReLU(0.2), nn.Linear(16, 64), nn.Tanh())
    critic = nn.Sequential(nn.Linear(64, 12), nn.LeakyReLU(0.2), nn.Linear(12, 1))
    for parameter in (*generator.parameters(), *critic.parameters()):
        parameter.data.normal_(generator=rng)
    return generator, critic


def drop(test, **files: bytes):
    """Send files, named by their stems."""
    test.file_uploader[0].set_value([(f"{name}.pth", data, "") for name, data in files.items()])
    return test.run()


def answer(test, question: str, words: str):
    return test.selectbox(key=f"answer:1:{question}").set_value(words).run()


def errors(test) -> str:
    return " ".join(error.value for error in test.error)


def keep(test, name: str) -> None:
    test.text_input(key="brought_name").set_value(name).run()
    next(button for button in test.button if button.label == "Keep this model").click().run()


@pytest.fixture
def kept(mlp):
    """The screen after the pair was dropped, told about and kept as "stranger"."""
    generator, critic = mlp
    test = drop(app("checkpoints"), digits_g=saved(generator), digits_d=saved(critic))
    answer(test, "activation", "leaky 0.2")
    test.selectbox(key="brought_data").set_value("not known").run()
    keep(test, "stranger")
    yield test
    for path in UPLOADS.glob("*.safetensors"):
        path.unlink()


def test_a_dropped_pair_is_recognised_told_about_and_kept(mlp, kept):
    generator, _ = mlp
    assert not kept.exception and not kept.error
    assert kept.selectbox(key="model").value == "uploads/stranger"
    gan = checkpoints.load(UPLOADS / "stranger.safetensors")
    z = gan.noise(5, 0)
    assert torch.allclose(gan.sampler(z).flatten(1), generator(z), atol=1e-5)
    assert gan.origin.answers["activation"] == "leaky 0.2" and gan.has_critic
    assert [name for name, _ in gan.origin.files] == ["digits_g.pth", "digits_d.pth"]
    assert gan.digest in [code.value for code in kept.code]
    assert "not known whether they were trained on the same data" in words(kept)
    assert stat.S_IMODE((UPLOADS / "stranger.safetensors").stat().st_mode) == 0o600


def test_a_kept_model_is_searched_like_any_other(kept):
    test = app("worst_noise", a="uploads/stranger", b="uploads/stranger", samples="16", budget="live")
    assert not test.exception and not test.error
    waited(test, lambda test: "played:worst_noise" in test.session_state)
    assert test.session_state["played:worst_noise"][0] == ("uploads/stranger", "uploads/stranger")


def test_renaming_and_deleting_ask_first(kept):
    kept.text_input(key="rename:uploads/stranger").set_value("friend").run()
    kept.button(key="do-rename:uploads/stranger").click().run()
    assert kept.selectbox(key="model").value == "uploads/friend"
    delete = kept.button(key="delete:uploads/friend")
    assert delete.disabled
    kept.checkbox(key="sure:uploads/friend").check().run()
    kept.button(key="delete:uploads/friend").click().run()
    assert not kept.exception and list(UPLOADS.glob("*.safetensors")) == []
    assert kept.selectbox(key="model").value == "faces-dcgan-robust"


def test_a_taken_name_is_refused_and_nothing_is_lost(mlp, kept):
    generator, critic = mlp
    drop(kept, g=saved(generator), d=saved(critic))
    keep(kept, "stranger")
    assert "expected a name that is free, got stranger" in errors(kept)
    assert kept.text_input(key="brought_name").value == "stranger"  # the files are still there, another name will do


def room_for_one(monkeypatch) -> None:
    """The operator's shelf takes no second model."""
    monkeypatch.setattr(visitors, "_own", lambda: Shelf(UPLOADS, 1, limits.MIB))


@pytest.mark.parametrize("case", ["a bad name", "a taken name", "a full shelf"])
def test_what_cannot_be_kept_is_said_on_a_page_that_goes_on(mlp, kept, case, monkeypatch):
    generator, critic = mlp
    name, said = {
        "a bad name": ("ÄÖÜ", "a name of small letters"),
        "a taken name": ("stranger", "a name that is free"),
        "a full shelf": ("other", "at most 1 models here"),
    }[case]
    if case == "a full shelf":
        room_for_one(monkeypatch)
    drop(kept, g=saved(generator), d=saved(critic))
    keep(kept, name)
    assert said in errors(kept).replace("\\", "") and not kept.exception
    assert [button.label for button in kept.button].count("Discard") == 1
    next(button for button in kept.button if button.label == "Discard").click().run()
    assert not kept.exception and not kept.error and list(UPLOADS.glob("*.safetensors")) == [STRANGER]


def test_two_files_of_one_name_are_two_files(mlp):
    test = app("checkpoints")
    test.file_uploader[0].set_value([("checkpoint.pth", saved(network), "") for network in mlp])
    test.run()
    assert not test.error and not test.exception
    assert any("generator, MLP" in said.value and "critic, MLP" in said.value for said in test.markdown)
    test = drop(app("checkpoints"), checkpoint=saved(mlp[1]))
    drop(test, checkpoint=saved(mlp[0]))
    assert not test.error and any("critic, MLP" in said.value for said in test.markdown)


def test_answers_change_the_picture(mlp):
    test = drop(app("checkpoints"), g=saved(mlp[0]))
    before = words(test)
    answer(test, "output", "sigmoid")
    assert words(test) != before
    assert "images with tanh" in words(test)  # each answer is shown beside its words


def test_a_critic_waits_for_its_generator(mlp):
    generator, critic = mlp
    test = drop(app("checkpoints"), d=saved(critic))
    assert "a critic alone" in errors(test) and "add its generator's file" in errors(test)
    drop(test, g=saved(generator))
    assert not test.error
    assert any("critic, MLP" in markdown.value for markdown in test.markdown)


def test_a_wrong_file_takes_nothing_away_that_was_right(mlp):
    generator, critic = mlp
    test = drop(app("checkpoints"), d=saved(critic))
    drop(test, page=b"<html>")
    assert "a web page" in errors(test) and "Still here\\: d.pth" in errors(test)
    drop(test, g=saved(generator))
    assert not test.error and any("critic, MLP" in said.value for said in test.markdown)
    drop(test, page=b"<html>")
    assert "a web page" in errors(test) and any("critic, MLP" in said.value for said in test.markdown)


def test_a_critic_is_trained_for_a_generator_without_one(mlp, monkeypatch):
    monkeypatch.setattr(critic_training, "train", functools.partial(critic_training.train, iterations=20))
    test = drop(app("checkpoints"), digits=saved(mlp[0]))
    keep(test, "lone")
    links = [link.proto.query_string for link in test.get("page_link")]
    assert sum("against=change" in link for link in links) == 1 == sum("against=judge" in link for link in links)
    assert test.selectbox(key="critic_data").value == "digits"
    test.button(key="train_critic").click().run()
    test = waited(test, lambda test: "uploads/lone-critic" in test.selectbox(key="model").options)
    assert not test.exception and not test.error
    gan = checkpoints.load(UPLOADS / "lone-critic.safetensors")
    assert gan.has_critic and "20 iterations on digits" in gan.origin.critic
    for path in UPLOADS.glob("*.safetensors"):
        path.unlink()


@pytest.fixture
def lone(mlp):
    """The screen with a generator alone, kept as "lone"."""
    test = drop(app("checkpoints"), digits=saved(mlp[0]))
    keep(test, "lone")
    yield test
    for path in UPLOADS.glob("*.safetensors"):
        path.unlink()


def test_a_second_critic_does_not_end_the_first(lone, monkeypatch):
    go_on = threading.Event()

    def slow(*arguments, **options):
        for progress in real(*arguments, iterations=3, **options):
            go_on.wait(60)
            yield progress

    real = critic_training.train
    monkeypatch.setattr(critic_training, "train", slow)
    other = app("checkpoints", model="uploads/lone")
    other.selectbox(key="critic_data").set_value("mnist").run()
    lone.button(key="train_critic").click().run()
    other.button(key="train_critic").click().run()
    assert "expected no critic in training" in errors(other) and not other.exception
    go_on.set()
    waited(lone, lambda test: "uploads/lone-critic" in test.selectbox(key="model").options)


def test_a_critic_is_given_up_when_its_visitor_has_left(mlp, tmp_path, monkeypatch):
    monkeypatch.setattr(critic_training, "train", functools.partial(critic_training.train, iterations=3))
    left = Shelf(tmp_path / "visitor", 4, limits.MIB)
    left.close()
    gan = conversion.read([("g.pth", saved(mlp[0]))]).gan()
    with pytest.raises(GivenUpError):
        lone_generator._train("mine", gan, "digits", left, lambda *_: None)
    assert not left.folder.exists()


def test_a_full_shelf_is_noticed_before_a_critic_is_trained(lone, monkeypatch):
    monkeypatch.setattr(critic_training, "train", lambda *_, **__: pytest.fail("trained in vain"))
    room_for_one(monkeypatch)
    lone.run().button(key="train_critic").click().run()
    assert "at most 1 models here" in errors(lone) and not lone.exception


def test_what_comes_with_rgan_lab_cannot_be_deleted():
    test = app("checkpoints", model="digits-wgan-gp")
    assert not any(button.key and button.key.startswith("delete:") for button in test.button)
    assert "It comes with RGAN Lab" in " ".join(caption.value for caption in test.caption)


def test_code_in_an_upload_never_runs(tmp_path):
    witness = tmp_path / "ran"

    class Bomb:
        def __reduce__(self):
            return (os.system, (f"touch {witness}",))

    test = drop(app("checkpoints"), bomb=pickle.dumps({"0.weight": Bomb()}))
    assert test.error and not test.exception and not witness.exists()


def test_files_uploaded_by_mistake_are_named():
    test = app("checkpoints")
    for data, what in ((b"<!DOCTYPE html><html>", "web page"), (b"\x89PNG\r\n\x1a\n" + bytes(64), "PNG image")):
        drop(test, mistake=data)
        assert what in errors(test)


def test_others_neither_upload_nor_see_uploads(kept, monkeypatch):
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda self: "192.0.2.7"))
    visitor = app("checkpoints")
    assert not visitor.file_uploader and "uploads/stranger" not in visitor.selectbox(key="model").options


@pytest.mark.parametrize(
    ("headers", "operator"),
    [
        ({"Host": "localhost:8501", "Origin": "http://localhost:8501"}, True),
        ({"Host": "127.1.2.3"}, True),
        ({"Host": "[::1]:8501", "Origin": "http://[::1]:8501"}, True),
        ({"Host": "lab.example.org", "Origin": "https://lab.example.org"}, False),
        ({"Host": "localhost:8501", "Origin": "https://lab.example.org"}, False),  # as a proxy rewrites it by default
        ({"Host": "192.0.2.7:8501"}, False),
        ({"Host": "localhost.example.org"}, False),
        ({"Host": "[", "Origin": "null"}, False),
        ({"Host": "localhost", "X-Forwarded-For": "127.0.0.1"}, False),
        ({"Host": "localhost", "x-forwarded-host": "lab.example.org"}, False),
        ({"Host": "localhost", "forwarded": "for=192.0.2.7"}, False),
        ({"Host": "localhost", "Via": "1.1 proxy"}, False),
    ],
)
def test_a_proxy_in_between_makes_nobody_the_operator(headers, operator, monkeypatch):
    monkeypatch.setattr(type(st.context), "headers", property(lambda self: headers))
    assert visitors.is_operator() == operator


def test_the_operators_headers_decide_who_may_upload(monkeypatch):
    monkeypatch.setattr(type(st.context), "headers", property(lambda self: {"Host": "lab.example.org"}))
    assert not app("checkpoints").file_uploader


@pytest.fixture
def run():
    """A finished run of the operator's."""
    folder = Path(os.environ["RGAN_RUNS"]) / "precious"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "checkpoints" / "digits-dcgan.safetensors", folder / "checkpoint.safetensors")
    yield "runs/precious"
    shutil.rmtree(folder)


def test_only_the_operator_renames_and_deletes_runs(run, monkeypatch):
    def offered() -> set[str]:
        test = app("checkpoints", model=run)
        assert not test.exception
        return {button.key.partition(":")[0] for button in test.button if button.key} & {"delete", "do-rename"}

    assert offered() == {"delete", "do-rename"}
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda self: "192.0.2.7"))
    assert offered() == set()
    monkeypatch.setenv("RGAN_VISITORS_UPLOAD", "1")
    assert offered() == set()


def test_only_the_operator_removes_runs_on_the_train_screen(monkeypatch):
    plan = TrainingPlan(recipe("dcgan", channels=1, width=1), "digits", 1)
    record = Record("precious", plan, "finished", "", 1, 1.0, (), (), None)

    def drawn() -> list[str]:
        return [button.label for button in AppTest.from_function(buttons, args=(record,)).run().button]

    def buttons(record) -> None:
        from screens.train import run_view

        run_view.buttons(record)

    assert drawn() == ["Delete for good"]
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda self: "192.0.2.7"))
    assert drawn() == []


def test_visitors_keep_their_models_whoever_comes_and_lose_them_with_the_server(mlp, monkeypatch):
    st.cache_resource.clear()  # as a server that has just started
    left = UPLOADS / "visitors" / "of-a-server-before" / "old.safetensors"
    left.parent.mkdir(parents=True)
    left.touch()
    monkeypatch.setenv("RGAN_VISITORS_UPLOAD", "1")
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda self: "192.0.2.7"))
    visitor = drop(app("checkpoints"), net=saved(mlp[0]))
    assert not left.exists()
    keep(visitor, "mine")
    assert visitor.selectbox(key="model").value == "uploads/mine"
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda self: None))
    app("checkpoints")
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda self: "192.0.2.7"))
    visitor.run()
    assert visitor.selectbox(key="model").value == "uploads/mine" and not visitor.exception
    shutil.rmtree(UPLOADS / "visitors")


@nightly
def test_visitors_who_may_upload_see_only_their_own(browser, mlp, tmp_path):
    """A real server; what a proxy says of where a browser comes from makes it a visitor's."""
    upload = tmp_path / "net.pth"
    upload.write_bytes(saved(mlp[0]))
    server = Server(environment={"RGAN_UPLOADS": str(tmp_path / "uploads"), "RGAN_VISITORS_UPLOAD": "1"})
    server.start()
    try:
        pages = []
        for _ in range(2):
            context = browser.new_context(extra_http_headers={"X-Forwarded-For": "192.0.2.7"})
            pages.append(context.new_page())
        mine, other = pages
        mine.goto(f"{server.address}/checkpoints")
        mine.locator("input[type=file]").set_input_files(upload)
        mine.get_by_role("button", name="Keep this model").click()
        mine.get_by_role("heading", name="uploads/net").wait_for()
        other.goto(f"{server.address}/checkpoints")
        other.get_by_role("heading", name="digits-dcgan", exact=True).wait_for()
        assert other.get_by_role("heading", name="uploads/net").count() == 0
        assert len(list((tmp_path / "uploads").rglob("*.safetensors"))) == 1
        mine.context.close()
        other.wait_for_timeout(1500)
        assert list((tmp_path / "uploads").rglob("*.safetensors")) == []
    finally:
        server.stop()


def test_screen_and_command_line_convert_alike(mlp, kept, tmp_path):
    generator, critic = mlp
    for name, network in (("digits_g", generator), ("digits_d", critic)):
        (tmp_path / f"{name}.pth").write_bytes(saved(network))
    command = [sys.executable, "-m", "rgan", "convert", *(str(tmp_path / f"digits_{one}.pth") for one in "gd")]
    command += [str(tmp_path / "out.safetensors"), "--set", "activation=leaky 0.2"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert (tmp_path / "out.safetensors").read_bytes() == (UPLOADS / "stranger.safetensors").read_bytes()


@pytest.fixture
def strangers():
    """Real files of other people's programs, where they are at hand."""
    folder = ROOT.parent / "shared" / "uploads"
    if not folder.is_dir():
        pytest.skip("no files of strangers here")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_strangers_pair_is_searched_drawn_and_mapped(strangers):
    test = app("checkpoints")
    names = ("mlp-mnist-generator.ckpt", "mlp-mnist-critic.ckpt")
    test.file_uploader[0].set_value([(name, strangers[name], "") for name in names])
    test.run()
    assert test.selectbox(key="brought_data").value == "mnist"
    keep(test, "mlp")
    gan = checkpoints.load(UPLOADS / "mlp.safetensors")
    assert gan.data == "mnist" and gan.reference.shape == (512, 1, 28, 28)  # of a shipped model's file
    noise = app("worst_noise", a="uploads/mlp", b="uploads/mlp", samples="16", budget="live")
    waited(noise, lambda test: "played:worst_noise" in test.session_state)
    assert not noise.exception and not noise.error
    maps = app("embeddings", a="uploads/mlp", b="mnist-dcgan", panel="c real and A", points="100", method="PCA")
    maps = waited(maps, lambda test: claims(test) == 1)
    assert not maps.exception and not maps.error
    (UPLOADS / "mlp.safetensors").unlink()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dcgan-mnist-netD.pth", "a critic alone, which makes no images"),
        ("not-a-gan-vae.pth", "an autoencoder, which is no GAN"),
    ],
)
def test_strangers_files_that_are_no_generators_get_their_words(strangers, name, said):
    test = app("checkpoints")
    test.file_uploader[0].set_value([(name, strangers[name], "")])
    test.run()
    assert said in errors(test) and not test.exception


def test_a_strangers_classes_can_be_picked(strangers):
    name = "conditional-wgan-gp-mnist-generator.pth"
    test = app("checkpoints")
    test.file_uploader[0].set_value([(name, strangers[name], "")])
    test.run()
    before = words(test)
    answer(test, "class", "7")
    assert words(test) != before and not test.error
    assert "no critic" in " ".join(markdown.value for markdown in test.markdown)
