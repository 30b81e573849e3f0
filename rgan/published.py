"""The numbers that the paper prints in its Tables 1 and 2, by system and row, and what is to be known of them."""

from __future__ import annotations

from dataclasses import dataclass

ROWS = {
    "none": "no robust part",
    "generator": "robust generator only",
    "critic": "robust critic only",
    "both": "both robust",
}

SYSTEMS = {"wgan-gp": "WGAN-GP", "wgan-gp-res": "WGAN-GP (res)", "dcgan": "DCGAN", "bwgan": "BWGAN"}

PROTOCOL = "CIFAR-10, Inception score of 50,000 images, the best of some 200 evaluations during one training"

NOTES = (
    "The paper's scores are Inception scores on CIFAR-10, each the best of some 200 evaluations during a training; the "
    "± are far smaller than what trainings of other seeds differ by, so they cannot be over seeds.",
    "The paper's tables disagree: DCGAN has 5.77 ± 0.021 in Table 1 and 5.70 ± 0.045 in Table 2, whose WGAN-GP "
    "baseline is 5.77 ± 0.021, digit for digit the DCGAN of Table 1. One of the rows was probably copied wrongly; "
    "Table 2 is taken here.",
)


@dataclass(frozen=True)
class Value:
    """A published number with its ±, where one is printed, and the decimals it is printed with."""

    mean: float
    spread: float | None = None

    @property
    def words(self) -> str:
        """ "5.77 ± 0.021"."""
        return f"{self.mean:.2f}" if self.spread is None else f"{self.mean:.2f} ± {self.spread:g}"


# Table 2: Inception score on CIFAR-10 by players that train robustly.
TABLE_2: dict[str, dict[str, Value]] = {
    "wgan-gp": {
        "none": Value(5.77, 0.021),
        "generator": Value(5.89, 0.020),
        "critic": Value(5.87, 0.025),
        "both": Value(5.91, 0.018),
    },
    "wgan-gp-res": {"none": Value(7.76), "generator": Value(7.86), "critic": Value(8.01), "both": Value(8.25)},
    "dcgan": {
        "none": Value(5.70, 0.045),
        "generator": Value(5.80, 0.022),
        "critic": Value(6.02, 0.019),
        "both": Value(6.11, 0.017),
    },
    "bwgan": {"none": Value(8.08), "generator": Value(8.11), "critic": Value(8.23), "both": Value(8.40)},
}


@dataclass(frozen=True)
class Line:
    """A line of Table 1: Inception score and FID on CIFAR-10 and STL-10; None where nothing is printed."""

    name: str
    system: str
    row: str
    score_cifar10: Value | None = None
    score_stl10: Value | None = None
    fid_cifar10: Value | None = None
    fid_stl10: Value | None = None


# Table 1: the lines whose systems can be trained here. The ± 0.04 of SNGAN's FID on STL-10 is printed so.
TABLE_1 = (
    Line("Weight clipping", "wgan", "none", Value(6.41, 0.11), Value(7.57, 0.10), Value(42.6), Value(64.2)),
    Line("Layer norm", "layer-norm", "none", Value(7.19, 0.12), Value(7.61, 0.12), Value(33.9), Value(75.6)),
    Line("Weight norm", "weight-norm", "none", Value(6.84, 0.07), Value(7.16, 0.10), Value(34.7), Value(73.4)),
    Line("Orthonormal", "orthonormal", "none", Value(7.40, 0.12), Value(8.56, 0.07), Value(29.0), Value(46.7)),
    Line("DCGAN", "dcgan", "none", Value(5.77, 0.021), Value(7.36, 0.06), Value(42.18), Value(53.23)),
    Line("CT GAN", "ct-gan", "none", Value(8.12, 0.12)),
    Line("SNGAN", "sngan", "none", Value(8.22, 0.05), Value(9.10, 0.04), Value(21.70), Value(40.1, 0.04)),
    Line("BWGAN", "bwgan", "none", Value(8.08, 0.05), None, Value(25.67)),
    Line("WGAN-GP-res", "wgan-gp-res", "none", Value(7.76), Value(9.06, 0.03), Value(22.19), Value(42.60)),
    Line(
        "RGAN (WGAN-GP-res)", "wgan-gp-res", "both",
        Value(8.25, 0.013), Value(9.16, 0.015), Value(19.79), Value(39.62),
    ),
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
