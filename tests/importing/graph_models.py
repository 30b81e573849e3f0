"""Small generators and critics of many kinds, as people write them, to be exported as graphs."""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations


class Dcgan(nn.Module):
    """Noise of one pixel, transposed convolutions."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(12, 16, 4, 1, 0, bias=False), nn.BatchNorm2d(16), nn.ReLU(True),
            nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(True),
            nn.ConvTranspose2d(8, 3, 4, 2, 1, bias=False), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z):
        return self.main(z.view(z.size(0), 12, 1, 1))


class Mlp(nn.Module):
    """Fully connected, dropout, images between 0 and 1."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(10, 32), nn.LeakyReLU(0.2), nn.Linear(32, 48), nn.BatchNorm1d(48, 0.8), nn.GELU(),
            nn.Dropout(0.3), nn.Linear(48, 196), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, z):
        return self.net(z).reshape(-1, 1, 14, 14)


class _Up(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm, self.norm2 = nn.BatchNorm2d(inputs), nn.GroupNorm(2, outputs)
        self.conv, self.conv2 = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        h = functional.interpolate(functional.relu(self.norm(x)), scale_factor=2.0, mode="nearest")
        h = self.conv2(functional.silu(self.norm2(self.conv(h))))
        return h + self.skip(functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False))


class Resnet(nn.Module):
    """Residual blocks that double their maps."""

    def __init__(self):
        super().__init__()
        self.start = nn.Linear(8, 128)
        self.blocks = nn.ModuleList([_Up(8, 8), _Up(8, 6)])
        self.end = nn.Conv2d(6, 1, 3, padding=1)

    def forward(self, z):
        h = self.start(z).view(-1, 8, 4, 4)
        for block in self.blocks:
            h = block(h)
        return torch.tanh(self.end(functional.leaky_relu(h, 0.1)))


class Conditional(nn.Module):
    """A class's embedding beside the noise, its map beside the maps, pixel shuffle."""

    def __init__(self):
        super().__init__()
        self.table, self.map = nn.Embedding(7, 5), nn.Embedding(7, 16)
        self.start = nn.Linear(14, 128)
        self.conv = nn.Conv2d(9, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1)
        self.end = nn.Conv2d(4, 3, 5, padding=2)

    def forward(self, z, labels):
        h = functional.relu(self.start(torch.cat((self.table(labels), z), dim=1))).view(-1, 8, 4, 4)
        h = torch.cat([h, self.map(labels).view(-1, 1, 4, 4)], 1)
        h = functional.elu(self.up(functional.pixel_shuffle(self.conv(h), 2)))
        return torch.tanh(self.end(h))


class OneHot(nn.Module):
    """One-hot labels beside the noise, as floats, and a norm of each class."""

    def __init__(self):
        super().__init__()
        self.start = nn.Linear(6 + 4, 64)
        self.gain, self.shift = nn.Linear(4, 4, bias=False), nn.Linear(4, 4)
        self.norm = nn.BatchNorm2d(4, affine=False)
        self.net = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z, onehot):
        h = self.norm(self.start(torch.cat([z, onehot], -1)).view(-1, 4, 4, 4))
        h = h * (1 + self.gain(onehot)).unsqueeze(2).unsqueeze(3) + self.shift(onehot).unsqueeze(2).unsqueeze(3)
        return self.net(h)


class Style(nn.Module):
    """A learnt constant, styles of the noise, noise of unit length, skips to the image (as StyleGAN2 has them)."""

    def __init__(self):
        super().__init__()
        self.mapping = nn.Sequential(nn.Linear(9, 16), nn.LeakyReLU(0.2), nn.Linear(16, 16), nn.LeakyReLU(0.2))
        self.constant = nn.Parameter(torch.randn(1, 8, 4, 4))
        self.styles = nn.ModuleList([nn.Linear(16, 16), nn.Linear(16, 16)])
        self.convs = nn.ModuleList([nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)])
        self.images = nn.ModuleList([nn.Conv2d(8, 3, 1), nn.Conv2d(8, 3, 1)])

    def forward(self, z):
        w = self.mapping(z * torch.rsqrt(z.pow(2).mean(1, keepdim=True) + 1e-8))
        h = self.constant.expand(z.shape[0], -1, -1, -1)
        image = torch.zeros(1)
        for style, conv, last in zip(self.styles, self.convs, self.images, strict=True):
            h = functional.interpolate(h, scale_factor=2.0)
            scale, shift = style(w)[:, :, None, None].chunk(2, 1)
            h = functional.leaky_relu(functional.instance_norm(conv(h)) * (scale + 1) + shift, 0.2)
            made = last(h)
            image = made if image.dim() == 1 else made + functional.interpolate(image, scale_factor=2.0)
        return image.clamp(-1, 1)


class Dense(nn.Module):
    """Maps beside maps, reflected borders, grouped and dilated convolutions, normalised weights, 0 to 255 at last."""

    def __init__(self):
        super().__init__()
        self.start = nn.Linear(8, 128)
        self.one = nn.Conv2d(8, 4, 3, padding=1, padding_mode="reflect")
        self.two = parametrizations.weight_norm(nn.Conv2d(12, 8, 3, padding=2, dilation=2, groups=2))
        self.three = parametrizations.spectral_norm(nn.ConvTranspose2d(20, 3, 2, 2))

    def forward(self, z):
        x = functional.mish(self.start(z)).view(-1, 8, 4, 4)
        x = functional.interpolate(x, size=(8, 8), mode="bilinear", align_corners=True)
        y = torch.cat([x, functional.hardswish(self.one(x))], 1)
        z2 = torch.cat([y, functional.softplus(self.two(y))], 1)
        return (torch.tanh(self.three(z2)) + 1) * 127.5


class _Sagan(nn.Module):
    """Self-attention as SAGAN's programs have it, with a scale that was learnt."""

    def __init__(self, channels):
        super().__init__()
        self.query, self.key = nn.Conv2d(channels, 2, 1), nn.Conv2d(channels, 2, 1)
        self.value, self.gamma = nn.Conv2d(channels, channels, 1), nn.Parameter(torch.tensor([0.7]))

    def forward(self, x):
        n, c, h, w = x.size()
        query = self.query(x).view(n, -1, h * w).permute(0, 2, 1)
        weights = torch.softmax(torch.bmm(query, self.key(x).view(n, -1, h * w)), dim=-1)
        found = torch.bmm(self.value(x).view(n, -1, h * w), weights.permute(0, 2, 1))
        return self.gamma * found.view(n, c, h, w) + x


class _Biggan(nn.Module):
    """As BigGAN has it: keys and values of pooled maps, half as many channels, a convolution behind."""

    def __init__(self, channels):
        super().__init__()
        self.theta, self.phi = nn.Conv2d(channels, 2, 1, bias=False), nn.Conv2d(channels, 2, 1, bias=False)
        self.g, self.o = nn.Conv2d(channels, 4, 1, bias=False), nn.Conv2d(4, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.tensor(0.6))

    def forward(self, x):
        theta = self.theta(x).flatten(2)
        phi = functional.max_pool2d(self.phi(x), 2).flatten(2)
        g = functional.max_pool2d(self.g(x), 2).flatten(2)
        beta = functional.softmax(torch.matmul(theta.transpose(1, 2), phi), -1)
        return self.gamma * self.o(torch.matmul(g, beta.transpose(1, 2)).view(-1, 4, x.size(2), x.size(3))) + x


class Attentive(nn.Module):
    """Two kinds of self-attention between transposed convolutions."""

    def __init__(self):
        super().__init__()
        self.start, self.up, self.end = nn.Linear(10, 128), nn.ConvTranspose2d(8, 6, 4, 2, 1), nn.Conv2d(6, 3, 3, 1, 1)
        self.sagan, self.biggan = _Sagan(8), _Biggan(6)

    def forward(self, z):
        h = self.sagan(functional.relu(self.start(z)).view(-1, 8, 4, 4))
        return torch.tanh(self.end(self.biggan(functional.relu(self.up(h)))))


class Tokens(nn.Module):
    """Pixels as tokens: linear layers of channels that stand last, scaled products; and products named by letters."""

    def __init__(self):
        super().__init__()
        self.start, self.qkv, self.out = nn.Linear(10, 128), nn.Linear(8, 24), nn.Linear(8, 8)
        self.query, self.key, self.end = nn.Conv2d(8, 3, 1), nn.Conv2d(8, 3, 1), nn.ConvTranspose2d(8, 1, 4, 2, 1)

    def forward(self, z):
        h = self.start(z).view(-1, 8, 4, 4)
        query, key, value = self.qkv(h.flatten(2).transpose(1, 2)).chunk(3, dim=-1)
        taken = self.out(functional.scaled_dot_product_attention(query, key, value))
        h = functional.leaky_relu(h + taken.transpose(1, 2).reshape(-1, 8, 4, 4), 0.2)
        weights = torch.einsum("bci,bcj->bij", self.query(h).flatten(2), self.key(h).flatten(2)) / 3**0.5
        h = h.flatten(2) + torch.einsum("bcj,bij->bci", h.flatten(2), weights.softmax(1))
        return torch.tanh(self.end(h.view(-1, 8, 4, 4)))


class ConvCritic(nn.Module):
    """Convolutions down to one number, and its probability."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(8, 12, 4, 2, 1), nn.BatchNorm2d(12),
            nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(12, 1, 4, 1, 0), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x):
        return self.main(x).view(-1)


class MlpCritic(nn.Module):
    """Fully connected."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(196, 24), nn.LeakyReLU(0.1), nn.LayerNorm(24), nn.Linear(24, 1))

    def forward(self, x):
        return self.net(torch.flatten(x, 1)).squeeze(1)


class Projection(nn.Module):
    """Residual, pooled, and the class's row times the features."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.skip, self.score = nn.Conv2d(3, 8, 1), nn.Linear(8, 1)
        self.table = nn.Embedding(7, 8)

    def forward(self, x, labels):
        h = functional.avg_pool2d(self.two(functional.relu(self.one(x))), 2) + self.skip(functional.avg_pool2d(x, 2))
        h = functional.relu(h).sum(dim=(2, 3))
        return self.score(h) + (self.table(labels) * h).sum(1, keepdim=True)


Z = torch.Generator().manual_seed(3)
GENERATORS = {  # with the noise and the class that they take, and the range of their images
    "dcgan": (Dcgan, (12,), "", (-1, 1)),
    "mlp": (Mlp, (10,), "", (0, 1)),
    "residual": (Resnet, (8,), "", (-1, 1)),
    "conditional": (Conditional, (9,), "label 7", (-1, 1)),
    "one-hot": (OneHot, (6,), "one-hot 4", (-1, 1)),
    "style": (Style, (9,), "", (-1, 1)),
    "dense": (Dense, (8,), "", (0, 255)),
    "self-attention": (Attentive, (10,), "", (-1, 1)),
    "tokens": (Tokens, (10,), "", (-1, 1)),
}
CRITICS = {
    "convolutions": (ConvCritic, (3, 16, 16), ""),
    "fully connected": (MlpCritic, (1, 14, 14), ""),
    "projection": (Projection, (3, 16, 16), "label 7"),
}


def made(kind: type[nn.Module]) -> nn.Module:
    """A network with numbers that show every mistake: norms that remember, scales and shifts that are not 1 and 0."""
    torch.manual_seed(0)
    network = kind()
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
        if (
            isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm))
            and module.weight is not None
        ):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    return network.eval()


def inputs(shape: tuple[int, ...], told: str, count: int = 5) -> tuple[torch.Tensor, ...]:
    """Noise or images, and classes."""
    stream = torch.Generator().manual_seed(1)
    x = torch.randn((count, *shape), generator=stream)
    if not told:
        return (x,)
    kind, classes = told.split()
    labels = torch.arange(count) % int(classes)
    return x, labels if kind == "label" else functional.one_hot(labels, int(classes)).float()
