"""The standard operators of graphs, by PyTorch's names for them (aten), as layers of a `flows.Tape`.

Each function of `OPERATORS` takes the tape and the operator's arguments in aten's order. What depends on neither noise
nor image is computed: constants, and tables with a row a class; by torch's own functions, on sizes checked before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from rgan.common import limits
from rgan.importing.graphs.flows import BATCH, Flow, Products, Table, Tape, Turned, UnknownError, check_size, plain
from rgan.networks.described import (
    Activation,
    Conv,
    Function,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    Norm,
    Pad,
    Pool,
    Power,
    Prelu,
    Shape,
    Shuffle,
    Slice,
    Total,
    Transposed,
    Up,
)

Value = Any  # a Flow, a Turned, a Table, a tensor, or Python's None, numbers, text and lists of values
OPERATORS: dict[str, Callable[..., Value]] = {}
FLOATS, INTEGERS = (5, 6, 7, 15), (0, 1, 2, 3, 4)  # torch's numbers for dtypes


def operator(*names: str) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
    """Enter a function under these names."""

    def enter(function: Callable[..., Value]) -> Callable[..., Value]:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return enter


def call(tape: Tape, name: str, arguments: Sequence[Value], named: dict[str, Value]) -> Value:
    """What an operator makes of its arguments.

    Raises:
        UnknownError: it is no standard one, or used in a way that no layer is.
    """
    in_place = name.endswith("_") and not name.startswith("_") and not name.endswith("__")
    function = OPERATORS.get(name) or (OPERATORS.get(name.removesuffix("_")) if in_place else None)
    if function is None:
        raise UnknownError(f"the operator {name[:60]}")
    try:
        made = function(tape, *arguments, **named)
    except UnknownError as error:
        raise UnknownError(f"{error} (in the operator {name[:60]})") from error
    except (TypeError, ValueError, RuntimeError, IndexError, AttributeError, ArithmeticError, AssertionError) as error:
        raise UnknownError(f"the operator {name[:60]} with such arguments") from error
    if in_place and isinstance(made, Flow) and arguments and isinstance(arguments[0], Flow):
        return arguments[0].become(made)
    return made


def flowing(*values: Value) -> bool:
    """Whether any of these depends on noise or image."""
    return any(isinstance(value, (Flow, Turned, Products)) for value in values)


def rows(value: Value) -> Tensor:
    """A constant, or a table with its classes in front."""
    return value.rows if isinstance(value, Table) else plain(value)


def channels_last(value: Turned) -> bool:
    """Whether these are maps, or their pixels, with all channels of a pixel beside each other."""
    return value.order == (*range(1, len(value.order)), 0)


def known(function: Callable[..., Tensor], *values: Value, **settings: Any) -> Value:
    """A torch function of constants and tables; a table, if one of them is."""
    tables = [value for value in values if isinstance(value, Table)]
    made = function(*(rows(value) if isinstance(value, (Table, Tensor)) else value for value in values), **settings)
    if not tables:
        return made
    if made.shape[:1] != tables[0].rows.shape[:1]:
        raise UnknownError("classes mixed with each other")
    return Table(made)


def need(condition: object, why: str) -> None:
    """Go on only if `condition` holds."""
    if not condition:
        raise UnknownError(why)


def a_flow(t: Tape, value: Value) -> Flow:
    """A value as a flow in its own order; what depends on the class or on nothing is one that starts from zeros."""
    need(not isinstance(value, Turned), "permuted numbers")
    if isinstance(value, (Table, Tensor)):
        constant = plain(value) if isinstance(value, Tensor) else value.rows[:1]
        need(constant.dim() in (2, 4), f"a constant of the shape {tuple(constant.shape)}")
        zero = t.rescale(t.layer(t.native(t.start.viewed(t.nodes[0].shape)), Slice(0, 1)), 0.0, 0.0)
        if len(zero.shape) == 3 or constant.dim() == 4:
            zero = t.layer(zero, Slice(0, 1)) if len(zero.shape) == 1 else t.layer(zero, Total())
            zero = zero.viewed((1, 1, 1) if constant.dim() == 4 else (1,))
        return (
            t.label(zero, Table(rows(value).float()), "add")
            if isinstance(value, Table)
            else t.fixed(zero, one_sample(constant).float(), "add")
        )
    need(isinstance(value, Flow), "a number where maps are needed")
    assert isinstance(value, Flow)
    return value


def one_sample(value: Tensor) -> Tensor:
    """A constant (N, …) that is the same for all samples, for one."""
    need(bool((value == value[:1]).all()), "a constant for several samples")
    return value[0]


def each(tape: Tape, value: Value, layer: Layer | None, function: Callable[[Tensor], Tensor]) -> Value:
    """The same done to each number: as a layer, or at once."""
    if isinstance(value, Turned):
        return Turned(each(tape, value.flow, layer, function), value.order)
    if not isinstance(value, Flow):
        return known(function, value)
    need(layer, "of what depends on the noise")
    assert layer is not None
    return tape.each(value, layer)


# Functions of each number

_SIMPLE: dict[str, tuple[Layer, Callable[[Tensor], Tensor]]] = {
    "relu": (Activation("relu"), torch.relu),
    "relu6": (Activation("relu6"), functional.relu6),
    "tanh": (Activation("tanh"), torch.tanh),
    "sigmoid": (Activation("sigmoid"), torch.sigmoid),
    "selu": (Activation("selu"), torch.selu),
    "silu": (Activation("silu"), functional.silu),
    "mish": (Activation("mish"), functional.mish),
    "hardswish": (Activation("hardswish"), functional.hardswish),
    "hardsigmoid": (Activation("hardsigmoid"), functional.hardsigmoid),
    "softsign": (Activation("softsign"), functional.softsign),
    "exp": (Function("exp"), torch.exp),
    "erf": (Function("erf"), torch.erf),
    "sin": (Function("sin"), torch.sin),
    "cos": (Function("cos"), torch.cos),
    "abs": (Function("abs"), torch.abs),
    "sqrt": (Power(0.5), torch.sqrt),
    "rsqrt": (Power(-0.5), torch.rsqrt),
    "reciprocal": (Power(-1.0), torch.reciprocal),
    "square": (Power(2.0), torch.square),
}


def _simple(layer: Layer, function: Callable[[Tensor], Tensor]) -> Callable[..., Value]:
    return lambda t, x, *_, **__: each(t, x, layer, function)


OPERATORS |= {name: _simple(*pair) for name, pair in _SIMPLE.items()}


@operator("leaky_relu")
def leaky_relu(t: Tape, x: Value, negative_slope: float = 0.01, **_: Value) -> Value:
    slope = float(negative_slope)
    need(0 <= slope <= 1, f"a slope of {slope:g}")
    return each(t, x, Activation("leaky", slope), lambda y: functional.leaky_relu(y, slope))


@operator("elu")
def elu(t: Tape, x: Value, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0, **_: Value) -> Value:
    need((alpha, scale, input_scale) == (1, 1, 1), "an ELU of another scale")
    return each(t, x, Activation("elu"), functional.elu)


@operator("softplus")
def softplus(t: Tape, x: Value, beta: float = 1.0, threshold: float = 20.0, **_: Value) -> Value:
    made = each(t, scaled(t, x, float(beta)), Activation("softplus"), functional.softplus)
    return scaled(t, made, 1 / float(beta))


@operator("log_sigmoid")
def log_sigmoid(t: Tape, x: Value, **_: Value) -> Value:
    return scaled(t, softplus(t, scaled(t, x, -1)), -1)


@operator("gelu")
def gelu(t: Tape, x: Value, approximate: str = "none", **_: Value) -> Value:
    if approximate == "none":
        return each(t, x, Activation("gelu"), functional.gelu)
    inner = add(t, x, scaled(t, power(t, x, 3.0), 0.044715))
    gate = each(t, scaled(t, inner, math.sqrt(2 / math.pi)), Activation("tanh"), torch.tanh)
    return mul(t, scaled(t, x, 0.5), add(t, gate, 1.0))


@operator("glu")
def glu(t: Tape, x: Value, dim: int = -1, **_: Value) -> Value:
    one, gate = chunk(t, x, 2, dim)
    return mul(t, one, each(t, gate, Activation("sigmoid"), torch.sigmoid))


@operator("clamp", "hardtanh", "clip")
def clamp(t: Tape, x: Value, min: Value = None, max: Value = None, **_: Value) -> Value:
    low, high = (None if end is None else float(end) for end in (min, max))
    if not flowing(x):
        return known(lambda y: y.clamp(low, high), x)
    if low is None or high is None:
        if low is None and high is None:
            return x
        sign, end = (1.0, low) if high is None else (-1.0, high)
        assert end is not None
        above = each(t, scaled(t, x, sign, -sign * end), Activation("relu"), torch.relu)
        return scaled(t, above, sign, end)
    if (low, high) == (0, 6):
        return each(t, x, Activation("relu6"), functional.relu6)
    need(low < high, "a range that is empty")
    half, middle = (high - low) / 2, (high + low) / 2
    made = each(t, scaled(t, x, 1 / half, -middle / half), Activation("hardtanh"), functional.hardtanh)
    return scaled(t, made, half, middle)


@operator("clamp_min")
def clamp_min(t: Tape, x: Value, min: Value, **_: Value) -> Value:
    return clamp(t, x, min, None)


@operator("clamp_max")
def clamp_max(t: Tape, x: Value, max: Value, **_: Value) -> Value:
    return clamp(t, x, None, max)


@operator("prelu")
def prelu(t: Tape, x: Value, weight: Tensor, **_: Value) -> Value:
    slopes = plain(weight).flatten()
    return t.layer(a_flow(t, x), Prelu(len(slopes)), weight=slopes)


# Arithmetic


def scaled(t: Tape, x: Value, times: float, plus: float = 0.0) -> Value:
    """times · x + plus."""
    if isinstance(x, Turned):
        return Turned(scaled(t, x.flow, times, plus), x.order)
    if isinstance(x, Products):
        need(x.over is None and not plus, "weights of pixels in another range")
        return replace(x, scale=times * x.scale)
    if isinstance(x, Flow):
        return t.rescale(x, times, plus)
    return known(lambda y: y * times + plus, x)


def beside(x: Flow, value: Tensor) -> Tensor:
    """A constant as one sample's, with the dimensions that the flow has."""
    if value.dim() == len(x.shape) + 1:
        value = one_sample(value)
    need(value.dim() <= len(x.shape), "a constant of more dimensions")
    return value.reshape(*[1] * (len(x.shape) - value.dim()), *value.shape).float()


def arithmetic(t: Tape, one: Value, other: Value, how: str) -> Value:
    """The sum or the product ("add", "multiply") of any two values."""
    function = torch.add if how == "add" else torch.mul
    if not flowing(one, other):
        shapes = [tuple(rows(value).shape) for value in (one, other)]
        if any(not isinstance(value, (Tensor, Table)) for value in (one, other)) and not any(map(len, shapes)):
            return number(function(plain(one), plain(other)), one, other)
        check_size(torch.broadcast_shapes(*shapes))
        return known(lambda a, b: function(plain(a), plain(b)), one, other)
    if not flowing(one):
        one, other = other, one
    if isinstance(one, Turned):
        return _turned_arithmetic(t, one, other, how)
    if isinstance(one, Products):
        need(how == "multiply" and isinstance(other, (Tensor, float, int)) and plain(other).numel() == 1,
             "products of pixels with other numbers")  # fmt: skip
        return scaled(t, one, float(plain(other)))
    if isinstance(other, Flow):
        if how == "multiply" and other.node == one.node and other.shape == one.shape:
            return t.each(one, Power(2.0))
        if len(one.shape) != len(other.shape) and 0 in (len(one.shape), len(other.shape)):
            raise UnknownError("numbers of other shapes")
        return t.join(one, other, how)
    need(not isinstance(other, Turned), "permuted numbers")
    if isinstance(other, Table):
        if len(other.shape) == 0 and len(one.shape) == 0:
            other = Table(other.rows[:, None])
        need(len(other.shape) == max(1, len(one.shape)), "classes of another shape")
        return t.label(one, Table(other.rows.float()), how)
    constant = plain(other)
    if constant.numel() == 1 and constant.dim() <= len(one.shape) + 1:
        value = float(constant)
        need(abs(value) <= 1000, f"the number {value:g}")
        return t.rescale(one, *((value, 0.0) if how == "multiply" else (1.0, value)))
    return t.fixed(one, beside(one, constant), how)


def _turned_arithmetic(t: Tape, one: Turned, other: Value, how: str) -> Value:
    """With a number, with what is permuted alike, or with a number of each channel, which stand last."""
    if isinstance(other, Turned) and other.order == one.order:
        return Turned(arithmetic(t, one.flow, other.flow, how), one.order)
    need(not flowing(other) and not isinstance(other, Table), "permuted numbers")
    constant = plain(other).float()
    if constant.numel() == 1:
        return Turned(arithmetic(t, one.flow, constant, how), one.order)
    need(channels_last(one) and constant.numel() == constant.shape[-1] == one.shape[-1], "permuted numbers")
    made = t.fixed(t.maps(one.flow), constant.view(-1, 1, 1), how)
    return Turned(made.viewed(one.flow.shape), one.order)


def number(value: Tensor, *like: Value) -> Value:
    """Python's number again, where only such were given."""
    return value if any(isinstance(one, Tensor) for one in like) else value.item()


@operator("add", "__add__")
def add(t: Tape, x: Value, other: Value, alpha: float = 1, **_: Value) -> Value:
    return arithmetic(t, x, other if alpha == 1 else scaled(t, other, float(alpha)), "add")


@operator("sub", "subtract")
def sub(t: Tape, x: Value, other: Value, alpha: float = 1, **_: Value) -> Value:
    return arithmetic(t, x, negative(t, other, float(alpha)), "add")


def negative(t: Tape, x: Value, times: float = 1.0) -> Value:
    """−times · x; whole numbers stay so."""
    if flowing(x):
        return scaled(t, x, -times)
    return known(lambda y: plain(y) * -(int(times) if times == int(times) else times), x)


@operator("rsub")
def rsub(t: Tape, x: Value, other: Value, alpha: float = 1, **_: Value) -> Value:
    return sub(t, other, x, alpha)


@operator("neg", "negative")
def neg(t: Tape, x: Value, **_: Value) -> Value:
    return negative(t, x)


@operator("mul", "multiply")
def mul(t: Tape, x: Value, other: Value, **_: Value) -> Value:
    return arithmetic(t, x, other, "multiply")


@operator("div", "divide", "true_divide")
def div(t: Tape, x: Value, other: Value, rounding_mode: str | None = None, **_: Value) -> Value:
    if not flowing(x, other):
        shapes = [tuple(rows(value).shape) for value in (x, other)]
        check_size(torch.broadcast_shapes(*shapes))
        return known(lambda a, b: torch.div(plain(a), plain(b), rounding_mode=rounding_mode), x, other)
    need(rounding_mode is None, "rounding")
    return arithmetic(t, x, power(t, other, -1.0), "multiply")


@operator("pow")
def power(t: Tape, x: Value, exponent: Value, **_: Value) -> Value:
    need(not flowing(exponent), "a power that depends on the noise")
    if not flowing(x):
        return known(lambda a, b: torch.pow(plain(a).float(), b), x, exponent)
    exponent = float(plain(exponent))
    need(abs(exponent) <= 8, f"the power {exponent:g}")
    return x if exponent == 1 else each(t, x, Power(exponent), torch.abs)


# Layers with weights


@operator("linear")
def linear(t: Tape, x: Value, weight: Tensor, bias: Tensor | None = None, **_: Value) -> Value:
    if not flowing(x):
        check_size((*rows(x).shape[:-1], len(weight)))
        return known(functional.linear, x, weight.float(), bias)
    pixels = x.shape[:-1] if isinstance(x, Turned) else ()
    x = x.flow if isinstance(x, Turned) and channels_last(x) else a_flow(t, x)
    need(len(x.shape) == 1 + len(pixels) and weight.dim() == 2, f"of numbers of the shape {x.shape} a sample")
    need(x.shape[0] == weight.shape[1], f"of {x.shape[0]} numbers, where {weight.shape[1]} are needed")
    own = {} if bias is None else {"bias": plain(bias).float().expand(len(weight)).contiguous()}
    weight = weight.float().contiguous()
    if pixels:  # of each pixel, channels last
        made = t.layer(t.maps(x), Conv(len(weight), 1, bias=bool(own)), weight=weight[:, :, None, None], **own)
        return Turned(made.viewed((len(weight), *pixels)), (*range(1, len(pixels) + 1), 0))
    return t.layer(x, Linear(len(weight), bool(own)), weight=weight, **own)


@operator("matmul", "mm")
def matmul(t: Tape, x: Value, other: Value, **_: Value) -> Value:
    if not flowing(x, other):
        check_size((*rows(x).shape[:-1], rows(other).shape[-1]))
        return known(torch.matmul, x, other)
    if isinstance(other, Tensor):
        need(other.dim() == 2 and flowing(x), "of a constant with several samples")
        return linear(t, x, other.T)
    return product(t, x, other)


def product(t: Tape, x: Value, other: Value) -> Value:
    """The product of two that depend on the noise: of pixels with pixels, or of such products with values."""
    if isinstance(other, Products):
        return _taken(t, x, other)
    if isinstance(x, Products):
        made = _taken(t, transpose(t, other, 1, 2), x.turned())
        return transpose(t, made, 1, 2)
    one, two = (_pixels(t, value) for value in (transpose(t, x, 1, 2), other))
    need(one.shape[0] == two.shape[0], f"of {one.shape[0]} channels with {two.shape[0]}")
    return Products(one, two)


def _pixels(t: Tape, x: Value) -> Flow:
    """Maps whose pixels stand one behind the other, (channels, pixels)."""
    need(isinstance(x, Flow) and len(x.shape) == 2, "of two that depend on the noise")
    return t.maps(x)


def _taken(t: Tape, x: Value, weights: Products) -> Flow:
    """Values (channels, pixels) times weights: what each pixel of the second takes of all of the first."""
    need(isinstance(x, Flow) and len(x.shape) == 2, "of two that depend on the noise")
    need(x.shape[1] == weights.shape[0], f"of {x.shape[1]} pixels with {weights.shape[0]}")
    made = t.attend(weights.turned(), x)
    return made.viewed((made.shape[0], math.prod(made.shape[1:])))


@operator("bmm")
def bmm(t: Tape, x: Value, other: Value, **_: Value) -> Value:
    return product(t, x, other) if flowing(x, other) else known(torch.bmm, x, other)


@operator("baddbmm")
def baddbmm(t: Tape, x: Value, one: Value, other: Value, beta: float = 1, alpha: float = 1, **_: Value) -> Value:
    need(not beta and flowing(one, other), "added to what depends on the noise")
    return scaled(t, product(t, one, other), float(alpha))


@operator("einsum")
def einsum(t: Tape, equation: str, operands: Value, *_: Value, **__: Value) -> Value:
    values = list(operands)
    if not flowing(*values):
        return known(lambda *some: torch.einsum(equation, *some), *values)
    told = re.fullmatch(r"(\w*),(\w*)->(\w*)", str(equation).replace(" ", ""), re.ASCII)
    need(told is not None and len(values) == 2, "of such sides")
    assert told is not None
    one, other, output = told.groups()
    need(len(one) == len(other) == len(output) == 3, "of such sides")
    need(one[0] == other[0] == output[0], "of samples with each other")
    (shared,) = {*one[1:]} & {*other[1:]}
    first = values[0] if one[2] == shared else transpose(t, values[0], 1, 2)
    second = values[1] if other[1] == shared else transpose(t, values[1], 1, 2)
    made = product(t, first, second)
    return made if output[2] in other else transpose(t, made, 1, 2)


@operator("softmax", "_softmax", "special_softmax")
def softmax(t: Tape, x: Value, dim: int, *_: Value, **__: Value) -> Value:
    if not flowing(x):
        need(not isinstance(x, Table) or dim % len(shape_of(x)), "of classes with each other")
        return known(lambda y: torch.softmax(y.float(), dim), x)
    need(isinstance(x, Products) and x.over is None and dim % 3, "of other than products of pixels")
    return replace(x, over=dim % 3 - 1)


@operator("scaled_dot_product_attention")
def attention(
    t: Tape, query: Value, key: Value, value: Value, attn_mask: Value = None, dropout_p: float = 0.0,
    is_causal: Value = False, *, scale: float | None = None, **_: Value,
) -> Value:  # fmt: skip
    need(attn_mask is None and not is_causal, "with a mask")
    single = [len(shape_of(one)) == 4 and shape_of(one)[1] == 1 for one in (query, key, value)]
    if all(single):
        query, key, value = (squeeze(t, one, 1) for one in (query, key, value))
    need(len(shape_of(query)) == 3, "of several heads")
    scale = shape_of(query)[-1] ** -0.5 if scale is None else scale
    made = product(t, query, transpose(t, key, 1, 2))
    made = product(t, softmax(t, scaled(t, made, float(scale)), 2), value)
    return unsqueeze(t, made, 1) if all(single) else made


@operator("mv", "dot", "vdot")
def known_product(t: Tape, one: Value, other: Value, **_: Value) -> Value:
    need(not flowing(one, other), "of what depends on the noise")
    return known(torch.matmul, one, other)


@operator("addmm")
def addmm(t: Tape, bias: Value, x: Value, weight: Value, beta: float = 1, alpha: float = 1, **_: Value) -> Value:
    made = matmul(t, x, weight)
    made = scaled(t, made, float(alpha)) if alpha != 1 else made
    if alpha == 1 and beta == 1 and isinstance(x, Flow) and isinstance(bias, Tensor) and bias.dim() == 1:
        return linear(t, x, weight.T, bias)
    return add(t, made, bias if beta == 1 else scaled(t, bias, float(beta)))


def pair(value: Value, default: int) -> tuple[int, int]:
    """Two whole numbers, of one or two."""
    if value is None or (isinstance(value, (list, tuple)) and not value):
        return default, default
    if isinstance(value, (list, tuple, Tensor)):
        told = [int(one) for one in value]
        return (told[0], told[0]) if len(told) == 1 else (told[0], told[1])
    return int(value), int(value)


def same(what: str, value: Value, default: int) -> int:
    """The one number that holds for both dimensions."""
    one, other = pair(value, default)
    need(one == other, f"{what} of {one} and {other}")
    return one


@operator("convolution", "_convolution")
def convolution(
    t: Tape, x: Value, weight: Tensor, bias: Tensor | None, stride: Value, padding: Value, dilation: Value,
    transposed: bool, output_padding: Value, groups: int, *_: Value, **__: Value,
) -> Value:  # fmt: skip
    """A convolution of maps. One whose kernel is no square gets zeros around it."""
    x = t.native(a_flow(t, x))
    need(isinstance(weight, Tensor) and weight.dim() == 4 and len(x.shape) == 3, "of other than maps of two dimensions")
    weight, groups = weight.float(), int(groups)
    steps, spread = same("a stride", stride, 1), same("a dilation", dilation, 1)
    high, wide = pair(padding, 0)
    kernel = max(weight.shape[2:])
    add_high, add_wide = (kernel - side for side in weight.shape[2:])
    if add_high or add_wide:
        need(not add_high % 2 and not add_wide % 2, "of such a kernel")
        weight = functional.pad(weight, (add_wide // 2, add_wide // 2, add_high // 2, add_high // 2))
        high, wide = high + add_high // 2 * spread, wide + add_wide // 2 * spread
    if high != wide:
        need(not transposed, f"a padding of {high} and {wide}")
        x = t.layer(x, Pad((wide, wide, high, high)))
        high = wide = 0
    own = {"weight": weight.contiguous()} | ({} if bias is None else {"bias": plain(bias).float().contiguous()})
    need(x.shape[0] == (len(weight) if transposed else weight.shape[1] * groups), f"of {x.shape[0]} channels")
    if transposed:
        extra = same("an output padding", output_padding, 0)
        outputs = weight.shape[1] * groups
        return t.layer(x, Transposed(outputs, kernel, steps, high, extra, bias is not None, spread, groups), **own)
    return t.layer(x, Conv(len(weight), kernel, steps, high, bias is not None, spread, groups), **own)


@operator("conv2d")
def conv2d(
    t: Tape, x: Value, weight: Tensor, bias: Tensor | None = None, stride: Value = 1, padding: Value = 0,
    dilation: Value = 1, groups: int = 1, **_: Value,
) -> Value:  # fmt: skip
    if isinstance(padding, str):
        reach = [(side - 1) * step for side, step in zip(weight.shape[2:], pair(dilation, 1), strict=True)]
        if padding == "same" and any(one % 2 for one in reach):
            high, wide = reach
            sides = wide // 2, wide - wide // 2, high // 2, high - high // 2
            x, padding = t.layer(a_flow(t, x), Pad(sides)), 0
        else:
            padding = [one // 2 for one in reach] if padding == "same" else 0
    return convolution(t, x, weight, bias, stride, padding, dilation, False, 0, groups)


@operator("conv_transpose2d")
def conv_transpose2d(
    t: Tape, x: Value, weight: Tensor, bias: Tensor | None = None, stride: Value = 1, padding: Value = 0,
    output_padding: Value = 0, groups: int = 1, dilation: Value = 1, **_: Value,
) -> Value:  # fmt: skip
    return convolution(t, x, weight, bias, stride, padding, dilation, True, output_padding, groups)


@operator("embedding")
def embedding(t: Tape, weight: Value, indices: Value, *_: Value, **__: Value) -> Value:
    need(not flowing(weight, indices), "of what depends on the noise")
    check_size((*rows(indices).shape, weight.shape[-1]))
    return known(lambda table, place: functional.embedding(place.long(), table), weight, indices)


@operator("one_hot")
def one_hot(t: Tape, x: Value, num_classes: int = -1, **_: Value) -> Value:
    need(0 < num_classes <= limits.MAX_CLASSES, f"of {num_classes:,} classes")
    return known(lambda y: functional.one_hot(y.long(), num_classes), x)


# Norms


@operator("batch_norm")
def batch_norm(
    t: Tape, x: Value, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5, *_: Value,
    **__: Value,
) -> Value:  # fmt: skip
    if not flowing(x):
        need(running_mean is not None, "without statistics of its training")
        return known(lambda y: functional.batch_norm(y, running_mean, running_var, weight, bias, eps=float(eps)), x)
    x = t.native(a_flow(t, x))
    need(running_mean is not None and running_var is not None, "without statistics of its training")
    assert running_mean is not None and running_var is not None
    own = affine(weight, bias, len(running_mean))
    need(x.shape[0] == len(running_mean), f"of {x.shape[0]} channels")
    count = torch.zeros((), dtype=torch.int64)
    return t.layer(
        x, Norm(float(eps)), **own, running_mean=running_mean.float(), running_var=running_var.float(),
        num_batches_tracked=count,
    )  # fmt: skip


@operator("_native_batch_norm_legit_no_training")
def decomposed_batch_norm(
    t: Tape, x: Value, weight: Value, bias: Value, mean: Value, variance: Value, momentum: float, eps: float, **_: Value
) -> Value:
    return [batch_norm(t, x, weight, bias, mean, variance, False, momentum, eps), None, None]


@operator("native_batch_norm", "_native_batch_norm_legit")
def native_batch_norm(
    t: Tape, x: Value, weight: Value, bias: Value, mean: Value, variance: Value, training: Value, momentum: float,
    eps: float, **_: Value,
) -> Value:  # fmt: skip
    return [batch_norm(t, x, weight, bias, mean, variance, False, momentum, eps), None, None]


def affine(weight: Tensor | None, bias: Tensor | None, channels: int) -> dict[str, Tensor]:
    """A norm's scale and shift, where it has some."""
    scale = torch.ones(channels) if weight is None else plain(weight).float().flatten()
    shift = torch.zeros(channels) if bias is None else plain(bias).float().flatten()
    need(len(scale) == channels == len(shift), f"of {channels} channels")
    return {"weight": scale.contiguous(), "bias": shift.contiguous()}


@operator("instance_norm")
def instance_norm(
    t: Tape, x: Value, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None = None,
    running_var: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
    *_: Value, **__: Value,
) -> Value:  # fmt: skip
    if not use_input_stats:
        return batch_norm(t, x, weight, bias, running_mean, running_var, False, momentum, eps)
    x = a_flow(t, x)
    if len(x.shape) == 2:  # groups of channels as channels, as ONNX writes a group norm
        own = affine(weight, bias, x.shape[0])
        need(bool((own["weight"] == 1).all()) and not bool(own["bias"].any()), "of groups with a scale of their own")
        shape = t.nodes[x.node].shape
        made = group_norm(t, x.viewed(shape), x.shape[0], None, None, eps)
        assert isinstance(made, Flow)
        return made.viewed(x.shape)
    x = t.native(x)
    need(len(x.shape) == 3, "of features")
    return t.layer(x, GroupNorm(0, float(eps)), **affine(weight, bias, x.shape[0]))


@operator("group_norm")
def group_norm(
    t: Tape, x: Value, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5,
    *_: Value, **__: Value,
) -> Value:  # fmt: skip
    x = t.native(a_flow(t, x))
    return t.layer(x, GroupNorm(int(num_groups), float(eps)), **affine(weight, bias, x.shape[0]))


@operator("native_group_norm")
def native_group_norm(
    t: Tape, x: Value, weight: Value, bias: Value, n: Value, c: Value, hw: Value, group: int, eps: float, **_: Value
) -> Value:
    return [group_norm(t, x, group, weight, bias, eps), None, None]


@operator("layer_norm")
def layer_norm(
    t: Tape, x: Value, normalized_shape: Value, weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5, *_: Value, **__: Value,
) -> Value:  # fmt: skip
    over = tuple(int(side) for side in normalized_shape)
    if not flowing(x):
        return known(lambda y: functional.layer_norm(y, over, weight, bias, float(eps)), x)
    x = t.native(a_flow(t, x))
    need(over == x.shape, f"over {over} of numbers of the shape {x.shape} a sample")
    scale = torch.ones(over) if weight is None else weight.float().reshape(over)
    shift = torch.zeros(over) if bias is None else bias.float().reshape(over)
    return t.layer(x, LayerNorm(float(eps)), weight=scale.contiguous(), bias=shift.contiguous())


@operator("native_layer_norm")
def native_layer_norm(
    t: Tape, x: Value, normalized_shape: Value, weight: Value, bias: Value, eps: float, **_: Value
) -> Value:
    return [layer_norm(t, x, normalized_shape, weight, bias, eps), None, None]


@operator("_weight_norm")
def weight_norm(t: Tape, v: Tensor, g: Tensor, dim: int = 0, **_: Value) -> Value:
    need(not flowing(v, g), "of what depends on the noise")
    return torch._weight_norm(v, g, int(dim))


# Sizes of maps


def _resized(t: Tape, x: Value, mode: str, output_size: Value, factors: Value) -> Value:
    x = t.native(a_flow(t, x))
    need(len(x.shape) == 3, "of features")
    if output_size is not None and (not isinstance(output_size, list) or output_size):
        size = pair(output_size, 1)
        need(all(not new % old for new, old in zip(size, x.shape[1:], strict=True)), f"to {size[0]}×{size[1]} pixels")
        factors = [new // old for new, old in zip(size, x.shape[1:], strict=True)]
    factors = [float(one) for one in (factors if isinstance(factors, (list, tuple)) else [factors])]
    need(len(set(factors)) == 1 and factors[0] == int(factors[0]) and factors[0] >= 1, f"by a factor of {factors[0]:g}")
    return x if factors[0] == 1 else t.layer(x, Up(mode, int(factors[0])))


@operator("upsample_nearest2d", "_upsample_nearest_exact2d")
def upsample_nearest(
    t: Tape, x: Value, output_size: Value = None, scales: Value = None, *_: Value, **__: Value
) -> Value:
    return _resized(t, x, "nearest", output_size, scales)


@operator("upsample_bilinear2d")
def upsample_bilinear(
    t: Tape, x: Value, output_size: Value, align_corners: bool, scales: Value = None, *_: Value, **__: Value
) -> Value:
    return _resized(t, x, "aligned" if align_corners else "bilinear", output_size, scales)


@operator("upsample_bicubic2d")
def upsample_bicubic(
    t: Tape, x: Value, output_size: Value, align_corners: bool, scales: Value = None, *_: Value, **__: Value
) -> Value:
    need(not align_corners, "with corners on corners")
    return _resized(t, x, "bicubic", output_size, scales)


@operator("pixel_shuffle")
def pixel_shuffle(t: Tape, x: Value, upscale_factor: int, **_: Value) -> Value:
    return t.layer(a_flow(t, x), Shuffle(int(upscale_factor)))


def _pool(t: Tape, x: Value, of: str, kernel: Value, stride: Value, padding: Value, ceil: Value) -> Value:
    size, border = same("a kernel", kernel, 1), same("a padding", padding, 0)
    step = same("a stride", stride, size)
    x = t.native(a_flow(t, x))
    need(len(x.shape) == 3, "of features")
    need(not ceil or all((side + 2 * border - size) % step == 0 for side in x.shape[1:]), "that rounds up")
    return t.layer(x, Pool(of, size, step, border))


@operator("avg_pool2d")
def avg_pool(
    t: Tape, x: Value, kernel_size: Value, stride: Value = None, padding: Value = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: Value = None, **_: Value,
) -> Value:  # fmt: skip
    need(divisor_override is None and (count_include_pad or not any(pair(padding, 0))), "of another divisor")
    return _pool(t, x, "mean", kernel_size, stride, padding, ceil_mode)


@operator("max_pool2d", "max_pool2d_with_indices")
def max_pool(
    t: Tape, x: Value, kernel_size: Value, stride: Value = None, padding: Value = 0, dilation: Value = 1,
    ceil_mode: bool = False, **_: Value,
) -> Value:  # fmt: skip
    need(pair(dilation, 1) == (1, 1), "of dilated kernels")
    return _pool(t, x, "max", kernel_size, stride, padding, ceil_mode)


@operator("adaptive_avg_pool2d", "_adaptive_avg_pool2d")
def adaptive_pool(t: Tape, x: Value, output_size: Value, **_: Value) -> Value:
    x = t.native(a_flow(t, x))
    size = same("a size", output_size, 1)
    need(len(x.shape) == 3 and x.shape[1] == x.shape[2] and not x.shape[1] % size, f"to {size} pixels")
    if size == 1:
        return t.layer(x, Total(mean=True)).viewed((x.shape[0], 1, 1))
    return _pool(t, x, "mean", x.shape[1] // size, None, 0, False)


@operator("constant_pad_nd")
def constant_pad(t: Tape, x: Value, pad: Value, value: Value = 0, **_: Value) -> Value:
    if not flowing(x):
        made = [int(one) for one in pad]
        check_size([side + sum(made) for side in rows(x).shape])
        return known(lambda y: functional.pad(y, made, value=float(value or 0)), x)
    need(not float(value or 0), "of other numbers than 0")
    return _padded(t, x, pad, "constant")


@operator("reflection_pad2d")
def reflection_pad(t: Tape, x: Value, padding: Value, **_: Value) -> Value:
    return _padded(t, x, padding, "reflect")


@operator("replication_pad2d")
def replication_pad(t: Tape, x: Value, padding: Value, **_: Value) -> Value:
    return _padded(t, x, padding, "replicate")


@operator("pad")
def pad_any(t: Tape, x: Value, pad: Value, mode: str = "constant", value: Value = None, **_: Value) -> Value:
    return constant_pad(t, x, pad, value) if mode == "constant" else _padded(t, x, pad, mode)


def _padded(t: Tape, x: Value, sides: Value, border: str) -> Value:
    told = [int(one) for one in sides]
    told += [0] * (4 - len(told))
    need(len(told) >= 4 and not any(told[4:]), "of other than two sides of maps")
    if not any(told):
        return x
    return t.layer(a_flow(t, x), Pad(tuple(told[:4]), border))


# Shapes


def sample_shape(size: Sequence[Value], count: int) -> Shape:
    """The shape of one sample of `count` numbers in a view of the batch; what the graph has as the number of samples
    does not matter.
    """
    told = [int(one) for one in size]
    need(told, "a view without dimensions")
    rest = told[1:]
    if rest.count(-1) == 1:
        others = math.prod(one for one in rest if one != -1)
        need(others > 0 and not count % others, f"{count:,} numbers as {rest}")
        rest[rest.index(-1)] = count // others
    need(math.prod(rest) == count and min(rest, default=1) > 0, "a view across several samples")
    return tuple(rest)


@operator("view", "reshape", "_unsafe_view", "_reshape_alias", "view_copy")
def view(t: Tape, x: Value, size: Value, *_: Value, **__: Value) -> Value:
    if isinstance(size, Tensor):
        size = size.tolist()
    need(isinstance(size, (list, tuple)), "a view as another type")
    if isinstance(x, Turned):
        return _turned_view(x, sample_shape(size, math.prod(x.shape)))
    if isinstance(x, Products):
        need(sample_shape(size, math.prod(x.shape)) == x.shape, "products of pixels in another shape")
        return x
    if isinstance(x, Flow):
        return x.viewed(sample_shape(size, math.prod(x.shape)))
    if isinstance(x, Table):
        return Table(x.rows.reshape(len(x.rows), *sample_shape(size, math.prod(x.shape))))
    return plain(x).reshape([1 if one == BATCH else int(one) for one in size])


def _turned_view(x: Turned, shape: Shape) -> Value:
    """Maps with their channels last, or their pixels so, in the other's shape."""
    if shape == x.shape:
        return x
    need(channels_last(x) and shape[-1] == x.shape[-1], "permuted numbers in another shape")
    return Turned(x.flow.viewed((shape[-1], *shape[:-1])), (*range(1, len(shape)), 0))


@operator("view_as", "reshape_as")
def view_as(t: Tape, x: Value, other: Value, **_: Value) -> Value:
    return view(t, x, shape_of(other))


def shape_of(x: Value) -> list[int]:
    """A value's shape, as the graph sees it."""
    if isinstance(x, (Flow, Turned, Products, Table)):
        return [BATCH, *x.shape]
    return list(plain(x).shape)


@operator("size", "sym_size")
def size(t: Tape, x: Value, dim: int | None = None, **_: Value) -> Value:
    shape = shape_of(x)
    return shape if dim is None else shape[int(dim)]


@operator("dim")
def dim(t: Tape, x: Value, **_: Value) -> Value:
    return len(shape_of(x))


@operator("numel")
def numel(t: Tape, x: Value, **_: Value) -> Value:
    return math.prod(shape_of(x))


@operator("flatten")
def flatten(t: Tape, x: Value, start_dim: int = 0, end_dim: int = -1, **_: Value) -> Value:
    shape = shape_of(x)
    first, last = (side % len(shape) for side in (start_dim, end_dim))
    if isinstance(x, (Flow, Table)) and not first:
        need(math.prod(x.shape) == 1, "a view across several samples")
        return view(t, x, [-1])
    return view(t, x, [*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]])


@operator("unflatten")
def unflatten(t: Tape, x: Value, dim: int, sizes: Value, **_: Value) -> Value:
    shape = shape_of(x)
    place = dim % len(shape)
    need(place or not isinstance(x, (Flow, Table)), "a view across several samples")
    told = [int(one) for one in sizes]
    if told.count(-1) == 1:
        told[told.index(-1)] = shape[place] // -math.prod(told)
    return view(t, x, [*shape[:place], *told, *shape[place + 1 :]])


@operator("squeeze", "squeeze_copy")
def squeeze(t: Tape, x: Value, dim: Value = None, **_: Value) -> Value:
    shape = shape_of(x)
    places = (
        range(len(shape)) if dim is None else [one % len(shape) for one in (dim if isinstance(dim, list) else [dim])]
    )
    return view(t, x, [side for place, side in enumerate(shape) if side != 1 or place not in places])


@operator("unsqueeze", "unsqueeze_copy")
def unsqueeze(t: Tape, x: Value, dim: int, **_: Value) -> Value:
    shape = shape_of(x)
    place = int(dim) % (len(shape) + 1)
    need(place or not isinstance(x, (Flow, Table, Turned)), "a dimension before the samples")
    return view(t, x, [*shape[:place], 1, *shape[place:]])


@operator("permute", "permute_copy")
def permute(t: Tape, x: Value, dims: Value, **_: Value) -> Value:
    count = len(shape_of(x))
    order = [int(one) % count for one in dims]
    if isinstance(x, Products):
        need(not order[0], "samples mixed with each other")
        return x if order[1] == 1 else x.turned()
    if not isinstance(x, (Flow, Turned)):
        need(not isinstance(x, Table) or not order[0], "classes mixed with each other")
        return known(lambda y: y.permute(order), x)
    need(not order[0], "samples mixed with each other")
    flow, before = (x.flow, x.order) if isinstance(x, Turned) else (x, tuple(range(len(x.shape))))
    turned = tuple(before[one - 1] for one in order[1:])
    long = [side for side in turned if flow.shape[side] != 1]
    if long == sorted(long):  # only sides of one moved
        return flow.viewed(tuple(flow.shape[side] for side in turned))
    return Turned(flow, turned)


@operator("transpose", "transpose_copy", "swapaxes")
def transpose(t: Tape, x: Value, dim0: int, dim1: int, **_: Value) -> Value:
    order = list(range(len(shape_of(x))))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return permute(t, x, order)


@operator("t")
def turned(t: Tape, x: Value, **_: Value) -> Value:
    return transpose(t, x, 0, 1) if len(shape_of(x)) == 2 else x


@operator("expand", "expand_copy", "broadcast_to")
def expand(t: Tape, x: Value, size: Value, *_: Value, **__: Value) -> Value:
    told = [int(one) for one in (size.tolist() if isinstance(size, Tensor) else size)]
    shape = shape_of(x)
    shape = [1] * (len(told) - len(shape)) + shape
    made = [old if new in (-1, old, 1) else new for new, old in zip(told, shape, strict=True)]
    if isinstance(x, (Flow, Table)):
        need(len(shape_of(x)) == len(made), "a dimension before the samples")
        if tuple(made[1:]) == x.shape:
            return x
        check_size(made[1:])
        if isinstance(x, Table):
            check_size((len(x.rows), *made[1:]))
            return Table(x.rows.expand(-1, *made[1:]))
        return t.fixed(x, torch.ones(made[1:]), "multiply")
    made = [1 if one == BATCH else one for one in made]
    check_size(made)
    return plain(x).expand(made)


@operator("expand_as")
def expand_as(t: Tape, x: Value, other: Value, **_: Value) -> Value:
    return expand(t, x, shape_of(other))


@operator("repeat", "tile")
def repeat(t: Tape, x: Value, repeats: Value, **_: Value) -> Value:
    told = [1 if one == BATCH else int(one) for one in (repeats.tolist() if isinstance(repeats, Tensor) else repeats)]
    if isinstance(x, Flow):
        need(len(told) == len(x.shape) + 1, "other dimensions")
        if all(one == 1 for one in told[1:]):
            return x
        return expand(t, x, [BATCH, *(one * side for one, side in zip(told[1:], x.shape, strict=True))])
    if isinstance(x, Table):
        told = [1, *told[1:]]
    shape = [1] * (len(told) - rows(x).dim()) + list(rows(x).shape)
    check_size([one * side for one, side in zip(told, shape, strict=True)])
    return known(lambda y: y.repeat(told), x)


@operator("cat", "concat")
def cat(t: Tape, tensors: Value, dim: int = 0, **_: Value) -> Value:
    values = list(tensors)
    need(values, "of nothing")
    if not flowing(*values):
        tables = [value for value in values if isinstance(value, Table)]
        count = len(tables[0].rows) if tables else 0
        if tables:
            need(dim % len(shape_of(tables[0])), "samples behind each other")
            values = [
                value if isinstance(value, Table) else Table(plain(value).expand(count, *value.shape[1:]))
                for value in values
            ]
        check_size([sum(rows(value).numel() for value in values)])
        made = torch.cat([torch.atleast_1d(rows(value)) for value in values], int(dim))
        return Table(made) if tables else made
    ranks = {len(shape_of(value)) for value in values}
    need(len(ranks) == 1 and int(dim) % ranks.pop() == 1, "behind each other in another dimension")
    joined, *others = values
    for value in others:
        if isinstance(joined, Flow) and isinstance(value, Flow):
            joined = t.join(joined, value, "concat")
        elif isinstance(joined, Flow):
            joined = _beside(t, joined, value, first=False)
        elif isinstance(value, Flow):
            joined = _beside(t, value, joined, first=True)
        else:
            joined = cat(t, [joined, value], dim)
    return joined


def _beside(t: Tape, flow: Flow, value: Value, *, first: bool) -> Flow:
    need(isinstance(value, (Table, Tensor)), "permuted numbers")
    if isinstance(value, Table):
        return t.label(flow, Table(value.rows.float()), "concat", first=first)
    return t.fixed(flow, one_sample(value).float(), "concat", first=first)


@operator("stack")
def stack(t: Tape, tensors: Value, dim: int = 0, **_: Value) -> Value:
    return cat(t, [unsqueeze(t, value, dim) for value in tensors], dim)


@operator("slice", "slice_copy")
def slice_(t: Tape, x: Value, dim: int = 0, start: Value = None, end: Value = None, step: int = 1, **_: Value) -> Value:
    shape = shape_of(x)
    place = int(dim) % len(shape)
    first, last, step = slice(start and int(start), None if end is None else int(end), int(step)).indices(shape[place])
    if not isinstance(x, (Flow, Turned)):
        need(place or not isinstance(x, Table) or (first, last, step) == (0, shape[0], 1), "some of the samples")
        if isinstance(x, Table) and not place:
            return x
        return known(lambda y: y[(slice(None),) * place + (slice(first, last, step),)], x)
    if (first, last, step) == (0, shape[place], 1):
        return x
    need(place and step == 1, "some of the samples, or not all in a row")
    if isinstance(x, Turned):
        return Turned(slice_(t, x.flow, x.order[place - 1] + 1, first, last), x.order)
    if isinstance(x, Flow) and len(x.shape) == 2 and place == 1:
        return t.layer(t.maps(x), Slice(first, last)).viewed((last - first, x.shape[1]))
    x = t.native(a_flow(t, x))
    if place == 1:
        return t.layer(x, Slice(first, last))
    cut = -first, last - shape[place]
    return t.layer(x, Pad((0, 0, *cut) if place == 2 else (*cut, 0, 0)))


@operator("narrow")
def narrow(t: Tape, x: Value, dim: int, start: int, length: int, **_: Value) -> Value:
    return slice_(t, x, dim, start, start + length)


@operator("select", "select_copy")
def select(t: Tape, x: Value, dim: int, index: int, **_: Value) -> Value:
    shape = shape_of(x)
    place, index = int(dim) % len(shape), int(index)
    if not flowing(x):
        need(place or not isinstance(x, Table), "one of the samples")
        return known(lambda y: y.select(place, index), x)
    need(place == 1, "one of the samples")
    made = slice_(t, x, 1, index % shape[1], index % shape[1] + 1)
    return view(t, made, [BATCH, *shape[2:]])


@operator("split", "split_with_sizes", "split_copy", "split_with_sizes_copy")
def split(t: Tape, x: Value, split_size: Value, dim: int = 0, **_: Value) -> Value:
    side = shape_of(x)[int(dim)]
    if isinstance(split_size, (list, tuple)):
        sizes = [int(one) for one in split_size]
    else:
        need(side <= limits.MAX_TENSORS * int(split_size), "in too many parts")
        sizes = [min(int(split_size), side - first) for first in range(0, side, int(split_size))]
    ends = [sum(sizes[: k + 1]) for k in range(len(sizes))]
    return [slice_(t, x, dim, end - size, end) for end, size in zip(ends, sizes, strict=True)]


@operator("chunk")
def chunk(t: Tape, x: Value, chunks: int, dim: int = 0, **_: Value) -> Value:
    side = shape_of(x)[int(dim)]
    return split(t, x, -(-side // int(chunks)), dim)


@operator("unbind")
def unbind(t: Tape, x: Value, dim: int = 0, **_: Value) -> Value:
    count = shape_of(x)[int(dim)]
    need(count <= limits.MAX_TENSORS, "in too many parts")
    return [select(t, x, dim, k) for k in range(count)]


@operator("index")
def index(t: Tape, x: Value, indices: Value, **_: Value) -> Value:
    places = list(indices)
    if not flowing(x, *places):
        need(sum(one is not None for one in places) == 1 and places[0] is not None, "by several")
        return embedding(t, x, places[0]) if rows(x).dim() == 2 else known(lambda y, k: y[k.long()], x, places[0])
    x = a_flow(t, x)
    need(len(x.shape) == 3 and len(places) == 4 and places[0] is None and places[1] is None, "by such places")
    factors = set()
    for side, place in zip(x.shape[1:], places[2:], strict=True):
        told = plain(place).flatten().tolist()
        factor = len(told) // side
        need(told == [k // factor for k in range(side * factor)], "by such places")
        factors.add(factor)
    need(len(factors) == 1, "by such places")
    return t.layer(x, Up("nearest", factors.pop()))


@operator("index_select")
def index_select(t: Tape, x: Value, dim: int, index: Value, **_: Value) -> Value:
    need(not flowing(x, index), "of what depends on the noise")
    if isinstance(index, Table) and not dim:
        return embedding(t, x, index)
    return known(lambda y, k: y.index_select(int(dim), torch.atleast_1d(k.long())), x, index)


# Sums and means


def _reduced(t: Tape, x: Value, dims: Value, keep: Value, *, mean: bool) -> Value:
    if not flowing(x):
        over = None if dims is None else [int(one) for one in (dims if isinstance(dims, list) else [dims])]
        function = torch.mean if mean else torch.sum
        return known(lambda y: function(y.float(), dim=over, keepdim=bool(keep)), x)
    x = a_flow(t, x)
    need(dims is not None, "over several samples")
    count = len(x.shape) + 1
    over = sorted({int(one) % count for one in (dims if isinstance(dims, (list, tuple)) else [dims])})
    need(over and over[0] > 0, "over several samples")
    shape = tuple(1 if place in over else side for place, side in enumerate(x.shape, 1))
    kept = shape if keep else tuple(side for place, side in enumerate(x.shape, 1) if place not in over)
    long = [place for place in over if x.shape[place - 1] > 1]
    if not long:
        return x.viewed(kept)
    many = math.prod(x.shape[place - 1] for place in long)
    weight = 1 / many if mean else 1.0
    whole = [place for place, side in enumerate(x.shape, 1) if side > 1]
    if long == whole:
        made = linear(t, x.viewed((math.prod(x.shape),)), torch.full((1, many), weight))
        return made.viewed(kept)
    x = t.native(x)
    need(len(x.shape) == 3, "over some of its dimensions")
    if long == [1]:
        made = t.layer(x, Conv(1, 1, bias=False), weight=torch.full((1, many, 1, 1), weight))
        return made.viewed(kept)
    need(set(long) <= {2, 3} and all(place in long or x.shape[place - 1] == 1 for place in (2, 3)), "over rows alone")
    return t.layer(x, Total(mean=mean)).viewed(kept)


@operator("mean")
def mean(t: Tape, x: Value, dim: Value = None, keepdim: Value = False, *_: Value, **__: Value) -> Value:
    return _reduced(t, x, dim, keepdim, mean=True)


@operator("sum")
def total(t: Tape, x: Value, dim: Value = None, keepdim: Value = False, *_: Value, **__: Value) -> Value:
    return _reduced(t, x, dim, keepdim, mean=False)


@operator("linalg_vector_norm", "norm", "frobenius_norm")
def norm(t: Tape, x: Value, ord: Value = 2, dim: Value = None, keepdim: Value = False, *_: Value, **__: Value) -> Value:
    need(ord is None or float(ord) == 2, "of another order")
    if not flowing(x):
        return known(lambda y: torch.linalg.vector_norm(y, 2.0, dim=dim, keepdim=bool(keepdim)), x)
    return power(t, _reduced(t, mul(t, x, x), dim, keepdim, mean=False), 0.5)


# What changes nothing, and constants


@operator(
    "contiguous", "clone", "detach", "alias", "dropout", "dropout2d", "feature_dropout", "alpha_dropout", "lift_fresh",
    "lift_fresh_copy", "requires_grad_", "cpu", "cuda", "round", "native_dropout", "detach_copy", "alias_copy", "cast",
)  # fmt: skip
def same_value(t: Tape, x: Value, *_: Value, **__: Value) -> Value:
    return x


@operator("to", "_to_copy", "type", "type_as", "float", "double", "half", "long", "int", "byte", "_to_cpu")
def to(t: Tape, x: Value, *told: Value, dtype: Value = None, **_: Value) -> Value:
    if flowing(x) or not isinstance(x, (Tensor, Table)):
        return x
    kinds = [one for one in (dtype, *told) if isinstance(one, int) and not isinstance(one, bool)]
    if not kinds or kinds[0] not in (*FLOATS, *INTEGERS):
        return x
    return known(lambda y: y.float() if kinds[0] in FLOATS else y.long(), x)


def _filled(value: float, size: Value, whole: bool = False) -> Tensor:
    told = [1 if one == BATCH else int(one) for one in size]
    check_size(told)
    made = torch.full(told, float(value))
    return made.long() if whole else made


@operator("zeros", "new_zeros")
def zeros(t: Tape, size: Value, *told: Value, **_: Value) -> Value:
    return _filled(0, told[0] if isinstance(size, (Flow, Tensor, Table, Turned)) else size)


@operator("ones", "new_ones")
def ones(t: Tape, size: Value, *told: Value, **_: Value) -> Value:
    return _filled(1, told[0] if isinstance(size, (Flow, Tensor, Table, Turned)) else size)


@operator("full")
def full(t: Tape, size: Value, fill_value: Value, *_: Value, **__: Value) -> Value:
    return _filled(float(fill_value), size, isinstance(fill_value, int))


@operator("zeros_like")
def zeros_like(t: Tape, x: Value, *_: Value, **__: Value) -> Value:
    return _filled(0, shape_of(x))


@operator("ones_like")
def ones_like(t: Tape, x: Value, *_: Value, **__: Value) -> Value:
    return _filled(1, shape_of(x))


@operator("arange")
def arange(t: Tape, *told: Value, **_: Value) -> Value:
    numbers = [one for one in told[:3] if isinstance(one, (int, float)) and not isinstance(one, bool)]
    start, end, step = (0, numbers[0], 1) if len(numbers) == 1 else (numbers[0], numbers[1], 1)
    check_size([max(0, int(end - start))])
    return torch.arange(start, end, step)


@operator("tensor", "scalar_tensor")
def tensor(t: Tape, value: Value, *_: Value, **__: Value) -> Value:
    return torch.as_tensor(value)


@operator("item", "_local_scalar_dense")
def item(t: Tape, x: Value, **_: Value) -> Value:
    need(not flowing(x) and not isinstance(x, Table), "of what depends on noise or class")
    return x.item() if isinstance(x, Tensor) else x
