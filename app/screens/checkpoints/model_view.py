"""One model on the Checkpoints screen: what it draws, what is known of it, and what can be done with it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from components import into_view, learning, opened
from screens.checkpoints import lone_generator
from screens.train import run_view
from session import chosen, visitors
from session.chosen import Slot
from session.state import TRAINED, UPLOADED, jobs, load, models, own_name
from session.table import MODEL, A, query
from theme import language
from theme.html import part

from rgan.attack.search import Attack
from rgan.common.errors import RganError
from rgan.common.formatting import counted, duration, signed
from rgan.common.images import grid, png, to_uint8
from rgan.models import own
from rgan.models.comparability import comparability
from rgan.models.gan import Gan
from rgan.models.shelf import Shelf
from rgan.report.parts import Picture
from rgan.robustness.read_noise import Gallery, kept_by_critic, reads, worst_of

SAMPLES, COLUMNS = 64, 16
WORST_OF = 2.0  # ε of the worst noise of real images
PROBLEM = Slot("checkpoints_problem", "")
PART = "shown_model"  # of the page, where the model is chosen and shown


def choose(name: str) -> None:
    """Make it the model that is shown, and show where."""
    chosen.put(MODEL, name)
    into_view.ask(PART)


def state_of(name: str) -> str:
    """How far the training is that a model comes from; "" of one that was not trained here."""
    if not name.startswith(TRAINED):
        return ""
    try:
        return run_view.state_of(jobs().record(own_name(name)))
    except RganError:
        return ""


def show(name: str, gan: Gan, path: Path, beside: tuple[str, Gan], shelf: Shelf | None) -> None:
    """Everything about one model; `beside` is the one it is held against."""
    if said := PROBLEM.pop():
        st.error(language.plain(said))
    picture, about = st.columns([3, 2], gap="large")
    with picture:
        drawn = Picture(_samples(name, gan.digest), f"{SAMPLES} samples of {name}")
        picks = [(str(row), f"Noise {row} of seed 0. Open it.") for row in range(SAMPLES)]
        st.html(part("board.html", "card", drawn, "", (), picks, COLUMNS))
        _opened(name, gan)
        st.caption(f"{SAMPLES} images from the noise of seed 0.")
        _actions(name, path, shelf)
        if not gan.has_critic and not own.is_own(path):
            lone_generator.offers(name, gan, shelf)
        for gallery in _galleries(name, gan.digest):
            st.html(part("board.html", "card", Picture(gallery.picture, gallery.words)))
            st.caption(gallery.words)
        _comparable(name, gan, *beside)
        if gan.training is not None:
            side = "B" if gan.recipe.robust else "A"
            learning.charts([(name, side, gan.training.history)])
    with about:
        st.html(part("board.html", "facts", _facts(gan, path), "about-model"))
        st.caption("SHA-256 of the file")
        st.code(gan.digest, language=None, wrap_lines=True)


def _opened(name: str, gan: Gan) -> None:
    """The sample that the address names."""
    opened.listen("checkpoints")
    pick = opened.asked()
    if not pick:
        return
    row = opened.number(pick, SAMPLES)
    if row is None:
        opened.unknown()
        return
    image = gan.first_images(SAMPLES)[row : row + 1]
    facts = [("Noise", f"‖z‖ {float(gan.noise(SAMPLES, 0)[row].norm()):.2f}, usually about {gan.prior_radius:.1f}")]
    if gan.has_critic:
        facts.append(("Critic’s output", f"{signed(float(gan.score(image)[0]))}, larger is more real"))
    words = f"Noise {row} of seed 0"
    picture = Picture(png(grid(to_uint8(image), 1, scale=4)), words, words)
    opened.show(opened.Opened(words, [picture], facts, {"a": name, "b": name, "seed": 0, "rows": pick}))


def broken(name: str, words: str, shelf: Shelf | None) -> None:
    """A file that cannot be opened, and a way to be rid of it."""
    st.warning(language.plain(f"{name} cannot be opened. {words}"), icon=":material/warning:")
    _delete(name, shelf)


@st.cache_data(max_entries=64, show_spinner=False)
def _samples(name: str, digest: str) -> bytes:
    gan = load(name)
    images = to_uint8(gan.first_images(SAMPLES))
    return png(grid(images, COLUMNS, scale=2))


@st.cache_data(max_entries=16, show_spinner=False)
def _galleries(name: str, digest: str) -> list[Gallery]:
    """What its companion lets one see: what an auto-encoding critic keeps, the worst of real images."""
    gan = load(name)
    found = [] if (kept := kept_by_critic(gan, COLUMNS)) is None else [kept]
    if gan.reference is not None and reads(gan):
        attack = Attack.within(WORST_OF, budget="live")
        found.append(worst_of(gan, gan.reference[:COLUMNS], attack)[1])
    return found


def _facts(gan: Gan, path: Path) -> list[tuple[str, str]]:
    recipe, training, origin = gan.recipe, gan.training, gan.origin
    generator, critic = (sum(p.numel() for p in network.parameters()) for network in (gan.generator, gan.critic))
    beside = sum(value.numel() for value in gan.companion.state_dict().values())
    found = [
        ("System", recipe.title),
        ("Images", f"{recipe.size}×{recipe.size} pixels, {'grey' if recipe.channels == 1 else 'colour'}"),
        ("Noise", f"{recipe.latent} dimensions, ‖z‖ about {gan.prior_radius:.1f}"),
        ("Weights", f"generator {generator:,}, " + (f"critic {critic:,}" if gan.has_critic else "no critic")),
        *([("Beside them", f"{beside:,} numbers")] if beside else []),
        *([("Classes", f"{gan.classes}, drawn in turn here")] if gan.classes else []),
        ("Trained on", gan.data or "not known"),
        ("Robust part", gan.robust_words),
    ]
    if training is not None:
        found += [
            ("Training", f"{counted(training.iterations, 'iteration')}, seed {training.seed}"),
            ("It took", f"{duration(training.seconds)} on {training.device}, {training.precision}"),
        ]
    found += [
        ("Draws with", "a moving average of its weights" if gan.average is not None else "its last weights"),
        ("Real images in the file", f"{len(gan.reference):,}" if gan.reference is not None else "none"),
    ]
    if own.is_own(path):
        found.append(("Its code", f"{own_name(str(path))}, which the operator named"))
    else:
        found.append(("Size of the file", f"{path.stat().st_size / 2**20:.1f} MiB"))
    if origin is not None:
        found += [(f"From {file}", f"SHA-256 {digest[:12]}…") for file, digest in origin.files]
        found += [(f"Taken for the {question}", answer) for question, answer in origin.answers.items()]
        found += [("Critic", origin.critic)] if origin.critic else []
    return found


def _comparable(name: str, gan: Gan, other: str, opened: Gan) -> None:
    """Yes or no, because …"""
    if gan.digest == opened.digest:
        st.html(part("checkpoints.html", "check", "good", f"{name} is the model you have open.", (), ()))
        return
    found = comparability(opened, gan)
    state, answer = ("poor", "no, because") if found.against else ("fair" if found.care else "good", "yes")
    words = f"Comparable with {other}: {answer}"
    st.html(part("checkpoints.html", "check", state, words, found.against, found.care))


def _actions(name: str, path: Path, shelf: Shelf | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            language.WORST_NOISE, label="Find its worst noise", query_params=query(a=name, b=name),
            icon=":material/explore:",
        )  # fmt: skip
        if not own.is_own(path):
            st.download_button(
                "Download", path.read_bytes, f"{own_name(name)}.safetensors", on_click="ignore",
                icon=":material/download:", key=f"download:{name}",
            )  # fmt: skip
        _rename(name, shelf)
        _delete(name, shelf)
    if not _own(name, shelf):
        whose = "is the operator's" if name.startswith(TRAINED) or own.is_own(path) else "comes with RGAN Lab"
        st.caption(f"It {whose} and stays.")


def _own(name: str, shelf: Shelf | None) -> bool:
    """Whether whoever looks may change it: what was trained here is the operator's, uploads are their visitor's."""
    return shelf is not None and name.startswith((TRAINED, UPLOADED) if visitors.is_operator() else UPLOADED)


def _rename(name: str, shelf: Shelf | None) -> None:
    if not _own(name, shelf):
        return
    kind, _, short = name.rpartition("/")
    with st.popover("Rename", icon=":material/edit:"):
        new = st.text_input("New name", short, key=f"rename:{name}")
        st.button("Rename it", key=f"do-rename:{name}", on_click=_renamed, args=(kind + "/", short, new, shelf),
                  disabled=new == short)  # fmt: skip


def _delete(name: str, shelf: Shelf | None) -> None:
    if not _own(name, shelf):
        return
    kind, _, short = name.rpartition("/")
    with st.popover("Delete", icon=":material/delete:"):
        what = "with its pictures and curves" if kind + "/" == TRAINED else "from this server"
        st.write(f"Delete {language.plain(short)} {what}? This cannot be undone.")
        sure = st.checkbox(f"Yes, delete {language.plain(short)}", key=f"sure:{name}")
        st.button("Delete for good", key=f"delete:{name}", disabled=not sure, on_click=_deleted,
                  args=(kind + "/", short, shelf))  # fmt: skip


def _renamed(kind: str, name: str, new: str, shelf: Shelf) -> None:
    try:
        (jobs().rename if kind == TRAINED else shelf.rename)(name, new)
    except RganError as error:
        PROBLEM.set(str(error))
    else:
        choose(kind + new)


def _deleted(kind: str, name: str, shelf: Shelf) -> None:
    try:
        (jobs().remove if kind == TRAINED else shelf.remove)(name)
    except RganError as error:
        PROBLEM.set(str(error))
    else:
        for one in (MODEL, A):
            if chosen.current(one) == kind + name:
                chosen.put(one, min(models(), key=lambda name: name != one.default, default=one.default))
