"""The numbers that the paper prints in its Tables 1 and 2, by system and row, and what is to be known of them."""

from __future__ import annotations

from dataclasses import dataclass

ROWS = {
    "none": "no robust part",
    "generator": "robust generator only",
    "critic": "robust critic only",
    "both": "both robust",
}

PROTOCOL = "CIFAR-10, Inception score of 50,000 images, the best of some 200 evaluations during one training"

NOTES = (
    "The paper's scores are Inception scores on CIFAR-10, each the best of some 200 evaluations during a training; the "
    "± are far smaller than what trainings of other seeds differ by, so they cannot be over seeds.",
    "The paper's tables disagree: DCGAN has 5.77 ± 0.021 in Table 1 and 5.70 ± 0.045 in Table 2, whose WGAN-GP "
    "baseline is 5.77 ± 0.021, digit for digit the DCGAN of Table 1. One of the rows was probably copied wrongly; "
    "Table 2 is taken here, and whose the other numbers of Table 1's DCGAN are (FID 42.18 and 53.23, STL-10) is not "
    "known.",
    "The ± 0.04 of SNGAN's FID on STL-10 in Table 1 is that of the Inception score beside it; Miyato et al. 2018 have "
    "40.1 ± 0.50.",
)


@dataclass(frozen=True)
class Value:
    """A published number as it is printed, "5.77 ± 0.021" or "7.76"."""

    words: str

    @property
    def mean(self) -> float:
        """5.77."""
        return float(self.words.split(" ± ")[0])

    @property
    def spread(self) -> float | None:
        """0.021; None where none is printed."""
        _, _, printed = self.words.partition(" ± ")
        return float(printed) if printed else None


# Table 2: Inception score on CIFAR-10 by players that train robustly.
TABLE_2: dict[str, dict[str, Value]] = {
    "wgan-gp": {
        "none": Value("5.77 ± 0.021"),
        "generator": Value("5.89 ± 0.020"),
        "critic": Value("5.87 ± 0.025"),
        "both": Value("5.91 ± 0.018"),
    },
    "wgan-gp-res": {"none": Value("7.76"), "generator": Value("7.86"), "critic": Value("8.01"), "both": Value("8.25")},
    "dcgan": {
        "none": Value("5.70 ± 0.045"),
        "generator": Value("5.80 ± 0.022"),
        "critic": Value("6.02 ± 0.019"),
        "both": Value("6.11 ± 0.017"),
    },
    "bwgan": {"none": Value("8.08"), "generator": Value("8.11"), "critic": Value("8.23"), "both": Value("8.40")},
}


@dataclass(frozen=True)
class Line:
    """A line of Table 1: Inception score and FID on CIFAR-10 and STL-10; None where nothing is printed.

    system: "" for real data. taken: where the paper has the values from; SOURCES says how they were measured there.
    """

    name: str
    system: str
    row: str
    taken: str
    score_cifar10: Value | None = None
    score_stl10: Value | None = None
    fid_cifar10: Value | None = None
    fid_stl10: Value | None = None

    @property
    def values(self) -> tuple[Value | None, ...]:
        """In the order of the printed columns."""
        return self.score_cifar10, self.score_stl10, self.fid_cifar10, self.fid_stl10


_MIYATO, _PLAIN, _OWN = "Miyato et al. 2018", "Miyato et al. 2018, plain CNN", "the paper's own run"

SOURCES = (
    "Miyato et al. 2018: scores of 10 × 5,000 images, FID of 5,000 generated against 10,000 test images, by Chainer's "
    "Inception, whose scores run some 5 % high. Their plain CNN cannot be held against ResNets.",
    "The paper's own runs: scores of 50,000 images, each the best of some 200 evaluations during one training; how "
    "many images its FID rests on is not said. Published by the systems' authors: BWGAN 8.31 of 10,000 images, "
    "WGAN-GP-res 7.86 ± 0.07.",
    "The others are quoted from papers that say no more of their protocol here; ALI's from another paper than its own.",
)

TABLE_1 = tuple(
    Line(name, system, row, taken, *(Value(printed) if printed else None for printed in values))
    for name, system, row, taken, *values in (
        ("Real data", "", "none", _MIYATO, "11.24 ± 0.12", "26.08 ± 0.26", "7.8", "7.9"),
        ("Weight clipping", "wgan", "none", _PLAIN, "6.41 ± 0.11", "7.57 ± 0.10", "42.6", "64.2"),
        ("Layer norm", "layer-norm", "none", _PLAIN, "7.19 ± 0.12", "7.61 ± 0.12", "33.9", "75.6"),
        ("Weight norm", "weight-norm", "none", _PLAIN, "6.84 ± 0.07", "7.16 ± 0.10", "34.7", "73.4"),
        ("Orthonormal", "orthonormal", "none", _PLAIN, "7.40 ± 0.12", "8.56 ± 0.07", "29.0", "46.7"),
        ("ALI", "ali", "none", "Warde-Farley & Bengio 2017", "5.34 ± 0.05"),
        ("BEGAN", "began", "none", "Berthelot et al. 2017", "5.62"),
        (
            "DCGAN", "dcgan", "none", f"{_OWN}; Table 2 differs",
            "5.77 ± 0.021", "7.36 ± 0.06", "42.18", "53.23",
        ),
        ("Improved GAN (−L+HA)", "improved-gan", "none", "Salimans et al. 2016", "6.86 ± 0.06"),
        ("EGAN-Ent-VI", "egan-ent-vi", "none", "Dai et al. 2017", "7.07 ± 0.10"),
        ("DFM", "dfm", "none", "Warde-Farley & Bengio 2017", "7.72 ± 0.13"),
        ("CT GAN", "ct-gan", "none", "Wei et al. 2018", "8.12 ± 0.12"),
        (
            "SNGAN", "sngan", "none", f"{_MIYATO}; they have 40.1 ± 0.50",
            "8.22 ± 0.05", "9.10 ± 0.04", "21.70", "40.1 ± 0.04",
        ),
        (
            "BWGAN", "bwgan", "none", _OWN,
            "8.08 ± 0.05", "", "25.67",
        ),
        (
            "WGAN-GP-res", "wgan-gp-res", "none", _OWN,
            "7.76", "9.06 ± 0.03", "22.19", "42.60",
        ),
        ("RGAN (WGAN-GP-res)", "wgan-gp-res", "both", _OWN, "8.25 ± 0.013", "9.16 ± 0.015", "19.79", "39.62"),
    )
)  # fmt: skip


def table_2(system: str, row: str) -> Value | None:
    """What Table 2 prints for a system's row; None where the paper has nothing."""
    return TABLE_2.get(system, {}).get(row)


def table_1(system: str, row: str, data: str, measure: str) -> Value | None:
    """What Table 1 prints of "score" or "fid" for a system's row on a data set; None where the paper has nothing."""
    for line in TABLE_1:
        if (line.system, line.row) == (system, row):
            value: Value | None = getattr(line, f"{measure}_{data}", None)
            return value
    return None


def comparison(data: str, as_published: bool) -> str:
    """Whether scores on that data set can be held against the paper's, in words.

    as_published: whether their features, images and splits are those of scores in papers.
    """
    if not as_published:
        return "other protocol: not comparable"
    if data != "cifar10":
        return "other data: not comparable"
    return "same protocol, but the paper took the best of some 200 evaluations"
