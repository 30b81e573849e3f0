"""Residual networks: mimicry, GongXinyuu and the paper's official code, pytorch-gan-collections, StudioGAN."""

from __future__ import annotations

from rgan.importing.drafting import Draft

MIMICRY = "ResNet of mimicry"
GONG = "ResNet of sngan.pytorch and the official RGAN"


def sngan_generator(d: Draft) -> None:
    """mimicry and GongXinyuu have the same names and shapes, and differ in how they double: the wrapper tells."""
    blocks = [f"block{k}" for k in range(2, 2 + len(d.modules(r"block\d+\.c1")))]
    last = len(blocks) + 2
    d.need(blocks and d.rank("l1") == 2)
    gong = "gen_state_dict" in d.source
    if gong or "model_state_dict" in d.source:
        d.title = GONG if gong else MIMICRY
    mode = "nearest" if gong else "bilinear"
    d.noise(d.size("l1", 2)[1])
    d.linear("l1")
    d.view(d.size("block2.c1", 4)[1])
    for name in blocks:
        _up_block(d, f"{name}.", ("b1", "c1", "b2", "c2", "c_sc"), mode, "1e-5")
    _last(d, f"b{last}", f"c{last}", "1e-5")


def sngan_critic(d: Draft) -> None:
    """Their critics. mimicry's ReLU works in place, so its shortcuts see what the branch sees; Gong's do not."""
    blocks = [f"block{k}" for k in range(1, 1 + len(d.modules(r"block\d+\.c1")))]
    score = next((name for name in (f"l{len(blocks)}", f"l{len(blocks) + 1}") if d.rank(name) == 2), "")
    d.need(len(blocks) > 2 and score)
    mimicry = f"{score}.bias" in d.store
    d.title = MIMICRY if mimicry else GONG
    _first_block(d, "block1.", ("c1", "c2", "c_sc"))
    for name in blocks[1:]:
        # The last block of the networks for 48 pixels changes the channels and keeps the size.
        keeps = name == blocks[-1] and not (mimicry and score == f"l{len(blocks) + 1}")
        _down_block(d, f"{name}.", ("c1", "c2", "c_sc"), down=d.has(f"{name}.c_sc") and not keeps, in_place=mimicry)
    d.activation("relu")
    d.total("sum" if d.store.normalised or not mimicry else "mean")
    d.score(score, "hinge" if d.store.normalised or not mimicry else "wasserstein", product="l_y")


def collections_generator(d: Draft) -> None:
    """pytorch-gan-collections: blocks.N of residual and shortcut."""
    count = len(d.modules(r"blocks\.\d+\.residual\.0"))
    d.need(count and d.rank("linear") == 2)
    d.noise(d.size("linear", 2)[1])
    d.linear("linear")
    d.view(d.size("blocks.0.residual.0", 1)[0])
    parts = "residual.0", "residual.3", "residual.4", "residual.6", "shortcut.1"
    for k in range(count):
        _up_block(d, f"blocks.{k}.", parts, "nearest", "1e-5")
    _last(d, "output.0", "output.2", "1e-5")


def collections_critic(d: Draft) -> None:
    """Its critic: model.N."""
    blocks = d.modules(r"model\.\d+\.residual\.3")
    d.need(blocks and d.rank("linear") == 2)
    _first_block(d, "model.0.", ("residual.0", "residual.2", "shortcut.1"))
    for k in range(1, 1 + len(blocks)):
        name = f"model.{k}."
        outputs, inputs = d.size(f"{name}residual.3", 4)[0], d.size(f"{name}residual.1", 4)[1]
        keeps = k == len(blocks) and inputs != outputs
        down = d.has(f"{name}shortcut.0") and not keeps
        _down_block(d, name, ("residual.1", "residual.3", "shortcut.0"), down=down, in_place=False)
    d.activation("relu")
    d.total()
    d.score("linear", "hinge" if d.store.normalised else "wasserstein")


def studiogan_generator(d: Draft) -> None:
    """StudioGAN's resnet backbone, without classes or with batch norms that depend on one."""
    count = len(d.modules(r"blocks\.\d+\.0\.conv2d1"))
    d.need(count and d.rank("linear0") == 2)
    d.noise(d.size("linear0", 2)[1])
    d.linear("linear0")
    d.view(d.size("blocks.0.0.conv2d1", 4)[1])
    for k in range(count):
        _up_block(d, f"blocks.{k}.0.", ("bn1", "conv2d1", "bn2", "conv2d2", "conv2d0"), "nearest", "1e-4")
    _last(d, "bn4", "conv2d5", "1e-4")


def studiogan_critic(d: Draft) -> None:
    """Its critic, without classes or with a projection on one.

    Without batch norm its ReLU changes what the shortcut sees, being in place.
    """
    count = len(d.modules(r"blocks\.\d+\.0\.conv2d1"))
    d.need(count > 1 and d.rank("linear1") == 2)
    plain = not d.has("blocks.0.0.bn1")
    _first_block(d, "blocks.0.0.", ("conv2d1", "conv2d2", "conv2d0"), norms=() if plain else ("bn1", "bn0"))
    for k in range(1, count):
        name = f"blocks.{k}.0."
        _down_block(
            d,
            name,
            ("conv2d1", "conv2d2", "conv2d0"),
            down=d.has(f"{name}conv2d0") and k < count - 1,
            in_place=plain,
            norms=() if plain else ("bn1", "bn2", "bn0"),
        )
    d.activation("relu")
    d.total()
    d.drop("linear2", "the critic's guess of the class is left out")
    d.score("linear1", "hinge" if d.store.normalised else "non-saturating", product="embedding")


def _up_block(d: Draft, prefix: str, parts: tuple[str, str, str, str, str], mode: str, eps: str) -> None:
    """Norm, ReLU, doubling, conv, norm, ReLU, conv; beside it doubling and a 1×1 conv."""
    norm1, conv1, norm2, conv2, side = (prefix + part for part in parts)

    def branch(b: Draft) -> None:
        b.norm(norm1, eps)
        b.activation("relu")
        b.up(mode)
        b.conv(conv1, 1, 1)
        b.norm(norm2, eps)
        b.activation("relu")
        b.conv(conv2, 1, 1)

    def shortcut(b: Draft) -> None:
        b.up(mode)
        b.conv(side, 1, 0)

    d.block(branch, shortcut)


def _last(d: Draft, norm: str, conv: str, eps: str) -> None:
    d.norm(norm, eps)
    d.activation("relu")
    d.conv(conv, 1, 1)
    d.to_image()


def _first_block(d: Draft, prefix: str, parts: tuple[str, str, str], norms: tuple[str, ...] = ()) -> None:
    """Conv, ReLU, conv, pooling; beside it pooling and a 1×1 conv. `norms`: in the branch, and beside it."""
    conv1, conv2, side = (prefix + part for part in parts)

    def branch(b: Draft) -> None:
        b.conv(conv1, 1, 1)
        if norms:
            b.norm(prefix + norms[0], "1e-4")
        b.activation("relu")
        b.conv(conv2, 1, 1)
        b.pool()

    def shortcut(b: Draft) -> None:
        b.pool()
        if norms:
            b.norm(prefix + norms[1], "1e-4")
        b.conv(side, 1, 0)

    d.from_image()
    d.block(branch, shortcut)


def _down_block(
    d: Draft, prefix: str, parts: tuple[str, str, str], *, down: bool, in_place: bool, norms: tuple[str, ...] = ()
) -> None:
    """ReLU, conv, ReLU, conv, pooling if `down`; beside it a 1×1 conv, if there is one, and the same pooling."""
    conv1, conv2, side = (prefix + part for part in parts)
    if in_place:
        d.activation("relu")

    def branch(b: Draft) -> None:
        if norms:
            b.norm(prefix + norms[0], "1e-4")
        if not in_place:
            b.activation("relu")
        b.conv(conv1, 1, 1)
        if norms:
            b.norm(prefix + norms[1], "1e-4")
        b.activation("relu")
        b.conv(conv2, 1, 1)
        if down:
            b.pool()

    def shortcut(b: Draft) -> None:
        if norms:
            b.norm(prefix + norms[2], "1e-4")
        b.conv(side, 1, 0)
        if down:
            b.pool()

    d.block(branch, shortcut if d.has(side) else None)
