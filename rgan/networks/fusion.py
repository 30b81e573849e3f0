"""Networks rearranged for evaluation: the same function of the input, in fewer and faster operations.

Batch norm is merged into the layer before it where there is one, and normalised weights are written out. Strided
convolutions with few image channels, which processors run at a fraction of their speed, become ordinary convolutions by
moving pixels into channels (Shi et al. 2016).
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad, pixel_shuffle, pixel_unshuffle
from torch.nn.utils import parametrize
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from rgan.networks.layers import PooledConv, Random, Residual, UpConv, four_taps

THIN = 4  # image channels up to which moving pixels into channels pays

# For each parity of a pixel: which of the 3 taps of the ordinary kernel holds which of the 5 of the strided one.
_UP_TAPS = ({0: 4, 1: 2, 2: 0}, {1: 3, 2: 1})
_DOWN_TAPS = ({0: 0, 1: 2, 2: 4}, {0: 1, 1: 3})


class _Cast(nn.Module):
    """Hands its input on in another dtype."""

    def __init__(self, dtype: torch.dtype):
        super().__init__()
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        return x.to(self.dtype)


class _Whole(nn.Module):
    """A copy of a network with a forward of its own, of any number of inputs, as it is."""

    def __init__(self, network: nn.Module, dtype: torch.dtype):
        super().__init__()
        self.network, self.dtype = copy.deepcopy(network).to(dtype), dtype

    def forward(self, *inputs: Tensor) -> Tensor:
        outputs: Tensor = self.network(*(x.to(self.dtype) for x in inputs))
        return outputs


class _Affine(nn.Module):
    """A batch norm in evaluation: one scale and shift a channel."""

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d):
        super().__init__()
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        self.scale = nn.Parameter(scale.detach())
        self.shift = nn.Parameter((norm.bias - norm.running_mean * scale).detach())

    def forward(self, x: Tensor) -> Tensor:
        shape = (1, -1) + (1,) * (x.dim() - 2)
        return x * self.scale.view(shape) + self.shift.view(shape)


class _ThinUp(nn.Module):
    """A 5×5 stride-2 transposed convolution to few channels as a 3×3 convolution and a pixel shuffle."""

    def __init__(self, layer: nn.ConvTranspose2d):
        super().__init__()
        assert layer.bias is not None
        kernel = _spread(layer.weight.transpose(0, 1), _UP_TAPS).permute(0, 2, 3, 1, 4, 5)
        self.weight = nn.Parameter(kernel.reshape(4 * layer.out_channels, layer.in_channels, 3, 3).contiguous())
        self.bias = nn.Parameter(layer.bias.detach().repeat_interleave(4))
        self.extra = int(layer.output_padding[0])

    def forward(self, x: Tensor) -> Tensor:
        side = 2 * x.shape[-1] - 1 + self.extra
        return pixel_shuffle(conv2d(x, self.weight, self.bias, padding=1), 2)[..., :side, :side]


class _ThinDown(nn.Module):
    """A 5×5 stride-2 convolution of few channels as a pixel unshuffle and a 3×3 convolution."""

    def __init__(self, layer: nn.Conv2d):
        super().__init__()
        kernel = _spread(layer.weight, _DOWN_TAPS)
        self.weight = nn.Parameter(kernel.reshape(layer.out_channels, 4 * layer.in_channels, 3, 3).contiguous())
        self.bias = layer.bias

    def forward(self, x: Tensor) -> Tensor:
        odd = x.shape[-1] % 2
        return conv2d(pixel_unshuffle(pad(x, (0, odd, 0, odd)), 2), self.weight, self.bias, padding=1)


def fold(network: nn.Module, dtype: torch.dtype, device: torch.device | str) -> nn.Module:
    """A frozen copy of `network` for evaluation on `device`, channels last, convolutions in `dtype`.

    Sequences and `Residual`s are rearranged; modules of any other kind are taken as they are, in float32. In low
    precision the linear layers stay in float32 as well: they are cheap, and noise rounded to bfloat16 would not notice
    a small r at all. Outputs equal the original's up to rounding.
    """
    precise = torch.promote_types(dtype, torch.float32)
    if isinstance(network, nn.Sequential) and type(network).forward is not nn.Sequential.forward:
        return _Whole(network, precise).to(memory_format=torch.channels_last).to(device).eval().requires_grad_(False)
    folded: list[nn.Module] = []
    current: torch.dtype | None = None
    layers = _merged(network) if isinstance(network, nn.Sequential) else [copy.deepcopy(network)]
    for layer in layers:
        if any(True for _ in layer.parameters()):
            wanted = dtype if _is_low(layer) else precise
            if wanted is not current:
                folded.append(_Cast(wanted))
            current = wanted
            layer = _thinned(layer).to(wanted)
        folded.append(layer)
    moved = nn.Sequential(*folded).to(memory_format=torch.channels_last).to(device)
    return moved.eval().requires_grad_(False)


# Kinds that run in the low precision, and Residuals that hold nothing but these.
_LOW = (nn.Conv2d, nn.ConvTranspose2d, _Affine, nn.GroupNorm)


def _is_low(layer: nn.Module) -> bool:
    if isinstance(layer, Residual):
        inner = [part for part in layer.modules() if next(part.parameters(recurse=False), None) is not None]
        return all(isinstance(part, _LOW) for part in inner)
    return isinstance(layer, _LOW)


def _merged(network: nn.Module) -> list[nn.Module]:
    """Copies of the layers with plain weights, batch norm merged into the one before where there is one."""
    layers: list[nn.Module] = []
    for layer in network.children():
        before = layers[-1] if layers else None
        if isinstance(layer, nn.BatchNorm1d) and isinstance(before, nn.Linear):
            layers[-1] = fuse_linear_bn_eval(before, layer)
        elif (
            isinstance(layer, nn.BatchNorm2d)
            and isinstance(before, (nn.Conv2d, nn.ConvTranspose2d))
            and before.groups == 1
        ):
            layers[-1] = fuse_conv_bn_eval(before, layer, transpose=isinstance(before, nn.ConvTranspose2d))
        elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layers.append(_Affine(layer))
        elif isinstance(layer, Residual):
            branch, shortcut = (nn.Sequential(*_merged(part)) for part in (layer.branch, layer.shortcut))
            layers.append(Residual(branch, shortcut, layer.how))
        elif type(layer) is nn.Sequential:
            layers += _merged(layer)
        elif not isinstance(layer, (nn.Identity, Random)):
            layers.append(_plain(layer))
    return layers


def _plain(layer: nn.Module) -> nn.Module:
    """The layer with its normalised weight written out, and its doubling or pooling taken into the kernel."""
    if isinstance(layer, PooledConv):
        return _conv(nn.Conv2d, layer, four_taps(layer.weight) / 4, (2, 2))
    if isinstance(layer, UpConv):
        return _conv(nn.ConvTranspose2d, layer, four_taps(layer.weight.flip(2, 3)).transpose(0, 1), (2, 2))
    ordinary = isinstance(layer, nn.Linear) or (
        isinstance(layer, nn.Conv2d)
        and layer.groups == 1
        and layer.dilation == (1, 1)
        and layer.padding_mode == "zeros"
    )
    if not (ordinary and parametrize.is_parametrized(layer, "weight")):
        return copy.deepcopy(layer)
    # Not by removing the parametrization: that would remove it from the original, whose class a copy shares.
    if isinstance(layer, nn.Linear):
        linear = nn.Linear(layer.in_features, layer.out_features, device="meta")
        return _filled(linear, layer.weight, layer.bias)
    assert isinstance(layer, nn.Conv2d)
    return _conv(nn.Conv2d, layer, layer.weight, layer.stride)


def _conv(
    kind: type[nn.Conv2d | nn.ConvTranspose2d], like: nn.Conv2d, kernel: Tensor, stride: tuple[int, ...]
) -> nn.Module:
    """A convolution with this kernel and stride, and the channels, padding and bias of `like`."""
    size, padding = tuple(kernel.shape[2:]), like.padding
    assert isinstance(padding, tuple)
    empty = kind(like.in_channels, like.out_channels, size, stride, padding, device="meta")  # type: ignore[arg-type]
    return _filled(empty, kernel, like.bias)


def _filled(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d, weight: Tensor, bias: Tensor | None) -> nn.Module:
    """`layer` with copies of these values, in evaluation mode."""
    layer.weight = nn.Parameter(weight.detach().clone(memory_format=torch.contiguous_format))
    layer.bias = None if bias is None else nn.Parameter(bias.detach().clone())
    return layer.eval()


def _thinned(layer: nn.Module) -> nn.Module:
    geometry = getattr(layer, "kernel_size", None), getattr(layer, "stride", None), getattr(layer, "padding", None)
    if geometry != ((5, 5), (2, 2), (2, 2)) or getattr(layer, "bias", None) is None:
        return layer
    if isinstance(layer, nn.ConvTranspose2d) and layer.out_channels <= THIN:
        return _ThinUp(layer)
    if isinstance(layer, nn.Conv2d) and layer.in_channels <= THIN:
        return _ThinDown(layer)
    return layer


def _spread(kernel: Tensor, taps: tuple[dict[int, int], ...]) -> Tensor:
    """5×5 kernels (O, I, 5, 5) sorted by the parity of the pixel they touch: (O, I, 2, 2, 3, 3)."""
    spread = kernel.new_zeros(*kernel.shape[:2], 2, 2, 3, 3)
    for y_parity, y_taps in enumerate(taps):
        for x_parity, x_taps in enumerate(taps):
            for y, from_y in y_taps.items():
                for x, from_x in x_taps.items():
                    spread[:, :, y_parity, x_parity, y, x] = kernel[:, :, from_y, from_x]
    return spread.detach()
