"""The GANs of the paper's tables, and how its published code made them robust.

A system is a family of networks and the recipe fields in which it differs from `recipes.Recipe`'s defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rgan.common.errors import one_of
from rgan.networks import ali, began, cnn, dcgan, dfm, egan, improved, resnet
from rgan.networks.layers import Family

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class System:
    """A GAN: its name, its networks and its recipe fields.

    official: the key of OFFICIAL whose robust terms make this system's preset "official": its own, or the nearest's
    where the paper's code has none for it. source: where the settings come from, for people. by_size: fields that
    published networks of a certain size change.
    """

    title: str
    family: Family
    fields: Fields
    official: str
    source: str
    by_size: Mapping[int, Fields] = field(default_factory=dict)


# LitterQ/RGAN, the paper's published code, by system: the fields of `recipes.Robust`, and those of the recipe that it
# changes as well. ε₂ is the length over the whole image; its PyTorch part (SNGAN) scales each pixel by mistake.
OFFICIAL: dict[str, tuple[Fields, Fields]] = {
    # Its 0.3 is not halved as the clean critic loss is.
    "dcgan": ({"weight": 1.0, "image_radius": 1.0, "critic_image": 0.0, "critic_noise": 0.6, "consistency": 0.1}, {}),
    "wgan-gp": (
        {
            "weight": 1.0,
            "generator_image": 0.001,
            "critic_image": 0.01,
            "critic_noise": 1.0,
            "critic_noise_image": 0.01,
            "noise_with_real": True,
        },
        {"critic_steps": 2},
    ),
    "wgan-gp-res": (
        {
            "weight": 1.0,
            "critic_image": 0.15,
            "critic_noise": 1.0,
            "critic_noise_image": 0.15,
            "image_penalty": 1.0,
            "noise_with_real": True,
        },
        {},
    ),
    "sngan": (
        {
            "weight": 1.0,
            "critic_image": 0.001,
            "critic_noise": 1.0,
            "critic_noise_image": 0.001,
            "noise_with_real": True,
        },
        {},
    ),
}

_WGAN_GP: Fields = {"loss": "wasserstein", "critic_norm": "none", "gradient_penalty": 10.0, "critic_steps": 5}
_RESNET: Fields = {"learning_rate": 2e-4, "betas": (0.0, 0.9), "generator_batch": 128}
_WGAN_GP_RES: Fields = {**_WGAN_GP, **_RESNET, "dequantise": True, "decay": 100_000}
_BWGAN: Fields = {"gradient_penalty": 0.0, "critic_scale": 0.0, "exponent": 10.0, "drift": 1e-5, "ema": 0.99}
# Published settings differ. With betas (0.5, 0.999) this network collapsed to one digit within 800 iterations on MNIST,
# under the log loss and under hinge; with pytorch-gan-collections' it did not.
_MIYATO_CNN: Fields = {"width": 64, "learning_rate": 2e-4, "betas": (0.0, 0.9)}

_STL: Fields = {"width": 64}
_CELEBA: Fields = {
    "width": 64,
    "critic_norm": "layer",
    "learning_rate": 1e-4,
    "decay": 0,
    "generator_batch": 0,
    "dequantise": False,
}
_EXAMPLE: Fields = {"width": 64, "latent": 100}

SYSTEMS: dict[str, System] = {
    "dcgan": System(
        "DCGAN", dcgan.FAMILY, {}, "dcgan", "Radford et al. 2015; igul222, at 64 px PyTorch's example", {64: _EXAMPLE}
    ),
    "wgan-gp": System(
        "WGAN-GP",
        dcgan.FAMILY,
        {**_WGAN_GP, "learning_rate": 1e-4, "betas": (0.5, 0.9)},
        "wgan-gp",
        "Gulrajani et al. 2017, small network; igul222, at 64 px PyTorch's DCGAN example",
        {64: _EXAMPLE},
    ),
    "wgan-gp-res": System(
        "WGAN-GP (ResNet)",
        resnet.FAMILY,
        _WGAN_GP_RES,
        "wgan-gp-res",
        "Gulrajani et al. 2017, ResNet; igul222, at 48 px Miyato's network",
        {48: _STL, 64: _CELEBA},
    ),
    "bwgan": System(
        "BWGAN",
        resnet.FAMILY,
        {**_WGAN_GP_RES, **_BWGAN, "dequantise": False},
        "wgan-gp-res",
        "Adler & Lunz 2018, p = 10, s = 0, with WGAN-GP's first weights",
        {48: _STL, 64: _CELEBA},
    ),
    "sngan": System(
        "SNGAN (ResNet)",
        resnet.SPECTRAL,
        {
            **_RESNET,
            "loss": "hinge",
            "critic_norm": "spectral",
            "critic_steps": 5,
            "decay": 50_000,
            "dequantise": True,
        },
        "sngan",
        "Miyato et al. 2018, ResNet; pfnet-research",
        {48: _STL},
    ),
    "sngan-cnn": System(
        "SNGAN (CNN)",
        cnn.FAMILY,
        {**_MIYATO_CNN, "critic_norm": "spectral"},
        "sngan",
        "Miyato et al. 2018, CNN; the third of their six Adam settings, but pytorch-gan-collections' betas (0, 0.9), "
        "since its (0.5, 0.999) collapsed on MNIST under log and hinge loss; log loss, batch 64",
    ),
    "wgan": System(
        "WGAN (weight clipping)",
        dcgan.FAMILY,
        {"loss": "wasserstein", "clip": 0.01, "critic_steps": 5, "optimiser": "rmsprop", "learning_rate": 5e-5},
        "wgan-gp",
        "Arjovsky et al. 2017 without its longer critic training at the start; igul222's networks",
        {64: _EXAMPLE},
    ),
    "layer-norm": System(
        "Layer norm",
        cnn.FAMILY,
        {**_MIYATO_CNN, "critic_norm": "layer"},
        "sngan",
        "Ba et al. 2016, on Miyato's CNN, trained like SNGAN (CNN)",
    ),
    "weight-norm": System(
        "Weight norm",
        cnn.FAMILY,
        {**_MIYATO_CNN, "critic_norm": "weight"},
        "sngan",
        "Salimans & Kingma 2016, on Miyato's CNN, trained like SNGAN (CNN)",
    ),
    "orthonormal": System(
        "Orthonormal",
        cnn.FAMILY,
        {**_MIYATO_CNN, "critic_norm": "none", "orthonormal": 0.01},
        "sngan",
        "Brock et al. 2016, on Miyato's CNN, trained like SNGAN (CNN); its weight was never published",
    ),
    "ct-gan": System(
        "CT-GAN",
        resnet.FAMILY,
        {**_WGAN_GP_RES, "consistency": 2.0, "dropout": 0.5},
        "wgan-gp-res",
        "Wei et al. 2018, ResNet",
        {48: _STL, 64: _CELEBA},
    ),
    "began": System(
        "BEGAN",
        began.FAMILY,
        {
            "loss": "wasserstein",
            "critic_norm": "none",
            "latent": 64,
            "diversity": 0.5,
            "balance_rate": 0.001,
            "learning_rate": 1e-4,
            "halving": 100_000,
            "batch": 16,
        },
        "wgan-gp",
        "Berthelot et al. 2017; carpedm20, with N(0, I) as noise. Minus the reconstruction loss L plays the part of "
        "log D: worst noise raises L(G(z)), worst images raise L(x) and lower k·L(G(z))",
    ),
    "ali": System(
        "ALI",
        ali.FAMILY,
        {
            "width": 32,
            "latent": 64,
            "critic_norm": "none",
            "dropout": 0.5,
            "learning_rate": 1e-4,
            "betas": (0.5, 0.999),
            "batch": 100,
        },
        "dcgan",
        "Dumoulin et al. 2017; the authors' CIFAR-10 code, the critic's loss halved as in all log losses here. "
        "The joint critic's log D of a pair: worst noise moves both members of (G(z), z), worst images those of "
        "(x, E(x)), for the encoder too, which pays −log(1 − D)",
    ),
    "improved-gan": System(
        "Improved GAN (−L+HA)",
        improved.FAMILY,
        {
            "width": 96,
            "latent": 100,
            "critic_norm": "weight",
            "dropout": 0.5,
            "label_smoothing": 0.1,
            "minibatch": 100,
            "historical_averaging": 0.001,
            "learning_rate": 3e-4,
            "betas": (0.5, 0.999),
            "batch": 100,
        },
        "dcgan",
        "Salimans et al. 2016, the row without labels and with historical averaging, whose weight was never published; "
        "openai's networks, with N(0, I) as noise, one generator step a critic step and without virtual batch norm. "
        "The critic's log D, label smoothing included; averages and matched features are not perturbed",
    ),
    "egan-ent-vi": System(
        "EGAN-Ent-VI",
        egan.FAMILY,
        {
            "width": 64,
            "latent": 100,
            "loss": "energy",
            "drift": 0.01,
            "drift_fake": 0.01,
            "entropy": 0.1,
            "weight_decay": 2e-5,
            "critic_rate": 0.1,
            "learning_rate": 2e-4,
            "betas": (0.5, 0.999),
            "batch": 128,
        },
        "wgan-gp",
        "Dai et al. 2017; the authors' CIFAR-10 code, with N(0, I) as noise and without its cap of 500 on gradients. "
        "Minus the energy plays the part of log D; the entropy bound is not perturbed",
    ),
    "dfm": System(
        "DFM",
        dfm.FAMILY,
        {"width": 64, "denoising": 0.03, "learning_rate": 1e-4, "betas": (0.5, 0.9)},
        "dcgan",
        "Warde-Farley & Bengio 2017; chainer-gan-lib, the critic's loss halved as in all log losses here. The critic's "
        "log D; the denoised features are not perturbed",
    ),
}


def size_near(system: str, size: int) -> int:
    """The smallest size of at least `size` pixels that the system has networks for; else its largest.

    Raises:
        SettingsError: an unknown system.
    """
    one_of("system", system, tuple(SYSTEMS))
    sizes = SYSTEMS[system].family.sizes
    return next((one for one in sizes if one >= size), sizes[-1])
