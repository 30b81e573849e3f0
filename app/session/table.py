"""The table of controls: what stands in the address, with defaults, ranges, words, and what a teacher can hide.

A screen draws an entry with `controls.draw`; where a range depends on what is at hand, it narrows the entry with
`dataclasses.replace` before. `session.chosen` has the values.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from session.control import Control, Named, Number, OneOf, Switch, Text

from rgan.attack.objectives import CRITIC, OBJECTIVES
from rgan.attack.search import BUDGETS
from rgan.common.devices import DEVICES
from rgan.common.limits import MAX_CLASSES
from rgan.embedding.figure4 import FEATURES, PANELS
from rgan.embedding.figure4 import SIDES as MODEL_SIDES
from rgan.embedding.look import POINTS as FIRST_POINTS
from rgan.embedding.projections import METHODS, NEIGHBOURS
from rgan.models.gan import EACH
from rgan.models.recipes import PLAYERS
from rgan.models.systems import SYSTEMS
from rgan.paper.evaluation import MEASURES, EvaluationSettings
from rgan.robustness.blind_test import BROKEN, QUESTIONS
from rgan.robustness.blind_test import TRIALS as FIRST_TRIALS
from rgan.robustness.failures.pool import BY as RANKINGS
from rgan.robustness.failures.pool import NOISES
from rgan.robustness.first import POOL as NOISE_TRIED
from rgan.robustness.first import RADIUS
from rgan.theory.laboratory import points
from rgan.theory.laboratory.lessons import LESSONS
from rgan.theory.laboratory.settings import LOSSES, MOST_LAYERS, Settings
from rgan.theory.laboratory.twins import MOST_STEPS
from rgan.training.trainer import MAX_ITERATIONS, WHY_MAX_ITERATIONS

MOST_DIMENSIONS = 4096  # of the noise of any model
FIGURE_4 = "Figure 4"
_SHORT = {"a": "a noise", "b": "b worst images", "c": "c real and A", "d": "d real and B"}
_SCALES = (5, 10, 15, 20, 30, 50, 75, 100)
_SCALE_HELP = (
    "How many neighbours each point tries to keep. A second value is drawn beside: what changes with it was made by "
    "the method, not by the data."
)
_STUDY = EvaluationSettings()

# Two models.
A = Named(
    key="a", label="Model A", default="faces-dcgan", group="models",
    help="Usually a baseline; B follows to its twin.",
)  # fmt: skip
B = Named(
    key="b", label="Model B", default="faces-dcgan-robust", group="models",
    help="Usually the same system trained robustly.",
)  # fmt: skip

LABEL = OneOf(
    key="label", label="Class drawn", default=0, options=(*range(MAX_CLASSES), EACH), widget="box", group="noise",
    words=lambda one: "all in turn" if one == EACH else str(one),
    help="The class that a conditional model draws and judges, counted from 0, or all in turn: sample 0 of class 0, "
    "sample 1 of class 1, and so on. Worst noise moves the noise alone.",
)  # fmt: skip

# The search for worst noise.
EPS = Number(
    key="eps", label="ε, radius of the search", default=RADIUS, low=0.0, high=math.sqrt(MOST_DIMENSIONS) / 2, step=0.01,
    group="search", short="ε, radius",
)  # fmt: skip
OBJECTIVE = OneOf(
    key="against", label="Raise", default=CRITIC, options=OBJECTIVES, group="search",
    help="What worst noise is worst for. Critic: the generator's loss by its own critic, equation 8. Judge: the "
    "distance to the third nearest real image, as an independent judge sees images; it has seen neither model. Change: "
    "how far the image moves from that of the original noise; it needs nothing but a generator, and sets the direction "
    "of largest change beside random ones.",
)  # fmt: skip
LAM = OneOf(
    key="lam", label="λ, price of moving", default=0.0,
    options=(0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0), words="{:g}".format, widget="slider",
    group="search", short="λ, price",
    help="Paid per squared unit of length moved, in what is raised: λ_z of equation 8. 0 lets every sample use all "
    "of ε. The one-step method ignores it: its step always has length ε.",
)  # fmt: skip
ONE_STEP = "one-step"
METHOD = OneOf(
    key="method", label="Method", default="search", options=("search", ONE_STEP), group="search",
    help="Search: gradient ascent that keeps the best point found. One-step: the paper's r = ε·∇/‖∇‖, as in "
    "Algorithm 1 line 4; it overshoots when ε is large.",
)  # fmt: skip
BUDGET = OneOf(
    key="budget", label="Budget", default="standard", options=tuple(BUDGETS), group="search",
    help="Gradients a sample that a search may spend: live 10, standard 200, strong 2,000. A larger budget never finds "
    "less; the checks on Evidence say how much this one finds.",
)  # fmt: skip
SHELL = Switch(
    key="shell", label="Keep the length of z", group="search",
    help="Search on the sphere ‖z + r‖ = ‖z‖: worst noise stays as likely under the prior as ordinary noise.",
)  # fmt: skip

# The noise.
ROWS = Text(
    key="rows", label="Only these samples", default="", group="noise", placeholder="such as 3, 17, 250 or 5-9",
    help="Numbers of samples, the first being 0; the Embeddings screen sends its selection here. Empty: the first.",
)  # fmt: skip
SAMPLES = OneOf(
    key="samples", label="Samples", default=64, options=(16, 32, 64, 128, 256), widget="slider", group="noise",
    help="Noise vectors searched and drawn, for A and B alike.",
)  # fmt: skip
POOL = OneOf(
    key="pool", label="Noise tried", default=NOISE_TRIED, options=(256, 512, 1024, 2048, 4096, 8192), widget="slider",
    group="noise", help="How many noise vectors are searched, each in both models.",
)  # fmt: skip
SEED = Number(
    key="seed", label="Seed", default=0, low=0, high=2**31 - 3, step=1, widget="field", group="noise",
    help="The same seed gives the same noise and the same random directions on any machine.",
)  # fmt: skip

# What is shown of it.
SHOW = OneOf(
    key="show", label="Show", default="images", options=("images", "change"), group="pictures",
    help="Change: three times the difference from the original image; grey is no change.",
)  # fmt: skip
PICK = Number(
    key="pick", label="Sample on the way from original to worst", default=1, low=1, high=SAMPLES.options[-1],
    group="pictures", short="Sample on the way",
    help="The framed sample of every grid, on the straight line z + t·r, with its number under each picture.",
)  # fmt: skip
OPEN = Text(key="open", label="Opened sample", default="")
VIEW = OneOf(
    key="view", label="View", default="Control", group="pictures",
    options=("Control", "Curves", "Minimal radius", "Shell", "Transfer", "Checks", "Report"),
    former={"Break points": "Minimal radius", "Search health": "Checks"},
)  # fmt: skip
PANEL = OneOf(
    key="panel", label="Panel", default=FIGURE_4, options=(FIGURE_4, *PANELS), group="pictures",
    words=lambda one: _SHORT.get(one, one),
    help="The paper's Figure 4 has four: all of them, or one with its control and a second scale beside it.",
)  # fmt: skip

# The ranking of failures.
BY = OneOf(
    key="by", label="Rank by", default="badness", options=RANKINGS, group="ranking",
    help="What moving the noise adds to badness (rise), badness itself, both by the judge, the generator's loss by its "
    "critic, how far the image changes, or how many attributes the judge sees changed.",
)  # fmt: skip
OF = OneOf(
    key="of", label="Ranked", default="each", options=("each", *MODEL_SIDES),
    words={"each": "each its own", "A": "by A", "B": "by B"}.__getitem__, former={one: one for one in MODEL_SIDES},
    group="ranking",
    help="By one of them, the other is shown with the same noise. Noise that was chosen to be worst for one model is "
    "not worst for the other: to compare them, look at the own worst of each.",
)  # fmt: skip
KIND = OneOf(
    key="kind", label="Shown under", default="worst", options=("worst", "random", "original"), group="ranking",
    help="The same images before they were moved, and moved as far in a random direction.",
)  # fmt: skip
OPENED = OneOf(key="opened", label="Of model", default="A", options=MODEL_SIDES, group="ranking")
PLACE = Number(
    key="place", label="Place in the ranking", default=1, low=1, high=8192, step=1, widget="field", group="ranking",
    help="1 is the worst.",
)  # fmt: skip
assert set(KIND.options) == set(NOISES)

# The maps of Figure 4.
POINTS = OneOf(
    key="points", label="Points of each sample", default=FIRST_POINTS, options=(100, 250, 500), widget="slider",
    group="maps", short="Points", help="The paper draws 500 and 500.",
)  # fmt: skip
MAP = OneOf(
    key="map", label="Method", default="tsne", options=tuple(METHODS), words=METHODS.__getitem__, group="maps",
    short="Method of the maps",
    help="PCA: the two directions of largest variance, exact and at once. t-SNE and UMAP: neighbourhoods, "
    "drawn on demand; their sizes and distances mean nothing.",
)  # fmt: skip
SPACE = Switch(key="space", label="In space (3-D)", group="maps", short="In space")
PERPLEXITY = OneOf(
    key="tsne_scale", label="Perplexity", default=NEIGHBOURS["tsne"], options=_SCALES, widget="slider", group="maps",
    help=_SCALE_HELP,
)  # fmt: skip
UMAP_NEIGHBOURS = OneOf(
    key="umap_scale", label="Neighbours", default=NEIGHBOURS["umap"], options=_SCALES, widget="slider", group="maps",
    help=_SCALE_HELP,
)  # fmt: skip
SIDE = OneOf(
    key="side", label="Panels a and b show", default="A", options=MODEL_SIDES, group="maps",
    short="Whose panels a and b", help="Whose worst noise and whose critic.",
)  # fmt: skip
IMAGES_AS = OneOf(
    key="features", label="Images as", default="pixels", options=tuple(FEATURES), words=FEATURES.__getitem__,
    widget="box", group="maps",
    help="The space in which images are compared: their pixels, or what enters a critic's last layer.",
)  # fmt: skip
IMAGE_RADIUS = Number(
    key="e2b", label="ε₂, how far images may move", default=1.0, low=0.0, high=4.0, step=0.1, group="maps", short="ε₂",
    help="Length of the worst image step in panel b; pixels run from −1 to 1. The paper trains with ε₂ = 4.",
)  # fmt: skip
ARROWS = Switch(
    key="arrows", label="Arrows from original to worst", group="maps", short="Arrows",
    help="Where each point of panels a and b came from, placed into the finished picture.",
)  # fmt: skip

# The blind test.
QUESTION = OneOf(
    key="question", label="Question", default=BROKEN, options=QUESTIONS, group="test",
    help="Broken: original noise of A beside moved noise. Robust: A beside B, both under moved noise.",
)  # fmt: skip
TRIALS = OneOf(
    key="trials", label="Pairs", default=FIRST_TRIALS, options=(10, 20, 40), group="test", short="Number of pairs",
    help="Half of them, nobody knows which, are the control: random noise of the same length.",
)  # fmt: skip
CLASS = Text(
    key="class", label="Class", default="", group="test", placeholder="such as 7b",
    help="Tests under one name are counted together as well, so a link to this page with it gives a class its own "
    "result. Counts alone are kept, on this server, and nobody's name.",
)  # fmt: skip

# A study.
RADII = Text(
    key="radii", label="Worst noise within ε", default=" ".join(f"{radius:g}" for radius in _STUDY.radii),
    help="Radii of the search, rising. The paper trains with ε₁ = 0.01; it does not say what its Figure 3 takes.",
)  # fmt: skip
REPEATS = Number(
    key="repeats", label="Repeats", default=_STUDY.repeats, low=1, high=10,
    help="Every model is scored that often, each time on other noise. The paper: 5.",
)  # fmt: skip
STUDY_IMAGES = OneOf(
    key="images", label="Images a repeat", default=_STUDY.samples, widget="slider",
    options=(100, 200, 500, 1000, 2000, 5000, 10_000, 50_000),
    help="Of each kind of noise. The paper: 50,000. FID falls as their number grows.",
)  # fmt: skip
AT_HAND = "models at hand"
STUDY = Named(
    key="study", label="Study", default=AT_HAND,
    help="One that comes with RGAN Lab, one of your own, or the models at hand, evaluated here.",
)  # fmt: skip
PART = OneOf(
    key="show_part", label="Show", default="Table 2",
    options=("Frontier", "Table 1", "Table 2", "Figure 1", "Figure 2", "Figure 3", "Claims", "About"),
)  # fmt: skip
MEASURE = OneOf(
    key="measure", label="Measures by", default="score", options=tuple(MEASURES), words=_STUDY.title, widget="box"
)

# The plan of a training.
DATA = Named(
    key="data", label="Data", default="faces",
    help="Faces are drawn here and digits come with scikit-learn; `python -m rgan data NAME --download` fetches the "
    "others. A folder or zip of images put into data/ appears here too.",
)  # fmt: skip
SYSTEM = OneOf(
    key="system", label="System", default=next(iter(SYSTEMS)), options=tuple(SYSTEMS),
    words=lambda name: SYSTEMS[name].title, widget="box",
    help="The baseline GAN of the paper's tables: networks, loss and optimiser.",
)  # fmt: skip
ROBUST = OneOf(
    key="robust", label="Robust part", default="own", options=("off", "paper", "official", "own"), widget="box",
    help="Paper: λ 0.1, ε₁ 0.01, ε₂ 4 (Algorithm 1). Official: the coefficients of the paper's published code, "
    "which differ from its text. Own: yours; 1, 1, 1 made a visible difference on digits.",
)  # fmt: skip
ROBUST_PLAYERS = OneOf(
    key="players", label="Robust players", default=PLAYERS[0], options=PLAYERS, widget="box",
    help="Who trains against its worst case: the generator, the critic, or both (Table 2).",
)  # fmt: skip
TRAIN_NOISE_RADIUS = Number(
    key="e1", label="ε₁", default=1.0, low=0.0, high=100.0, widget="field",
    help="Length of the generator's worst noise step, in units of noise.",
)  # fmt: skip
TRAIN_IMAGE_RADIUS = Number(
    key="e2", label="ε₂", default=1.0, low=0.0, high=100.0, widget="field",
    help="Length of the critic's worst image step; pixels run from −1 to 1.",
)  # fmt: skip
WEIGHT = Number(
    key="weight", label="λ", default=1.0, low=0.0, high=100.0, widget="field",
    help="Weight of the robust terms in training (eq. 11); not the price λ of a search.",
)  # fmt: skip
SOLVER_STEPS = Number(
    key="solver_steps", label="Solver steps", default=1, low=1, high=10,
    help="Gradient steps of each worst perturbation. The paper: 1. Each further one costs another pass.",
)  # fmt: skip
ITERATIONS = Number(
    key="iterations", label="Iterations", default=2000, low=1, high=MAX_ITERATIONS, step=500, widget="field",
    help="Generator steps. Digits are readable after about 1,000, faces after 3,000. At most a million: "
    f"{WHY_MAX_ITERATIONS}.",
)  # fmt: skip
WIDTH = OneOf(
    key="width", label="Width", default=32, options=(8, 16, 32, 64, 128), widget="slider",
    help="Features of the narrowest layer. Published networks have 128, Miyato's and those of 48 and 64 pixels "
    "64: cost grows with its square.",
)  # fmt: skip
LATENT = OneOf(
    key="latent", label="Noise dimensions", default=64, options=(16, 32, 64, 100, 128), widget="slider",
    help="Length of z. Published networks have 128, DCGANs of 64 pixels 100.",
)  # fmt: skip
TRAIN_SEED = Number(
    key="train_seed", label="Seed", default=0, low=0, high=2**31 - 1, widget="field",
    help="Of first weights, noise and the order of the images. A pair shares it.",
)  # fmt: skip
DEVICE = OneOf(key="device", label="Device", default=DEVICES[0], options=DEVICES, widget="box")

# The theory, on a line.
PROPOSITION = "Worst distribution (Proposition 0.1)"
GAME = "Robust game (Lemmas 0.2, 0.3)"
BOUNDS = "How many samples (Lemmas 0.4, 0.5)"
STATEMENT = OneOf(
    key="statement", label="Statement", default=PROPOSITION, options=(PROPOSITION, GAME, BOUNDS), group="theory",
    former={"Proposition 0.1": PROPOSITION, "Lemmas 0.2 and 0.3": GAME, "Lemmas 0.4 and 0.5": BOUNDS},
)  # fmt: skip
CURVE = Text(key="curve", label="Loss drawn by hand", default="", group="theory")
STARTS = Text(key="starts", label="Points of P₀", default="", group="theory")
RHO = Number(
    key="rho", label="ρ, radius of the ball", default=0.5, low=0.0, high=6.0, step=0.05, group="theory", short="ρ",
    help="How far P may be from P₀: mean squared move of its mass.",
)  # fmt: skip
GAMMA = Number(
    key="gamma", label="γ, price of moving", default=0.25, low=0.0, high=3.0, step=0.001, group="theory", short="γ",
    help="Paid per squared unit moved. The paper writes γ in (4) and λ in (5).",
)  # fmt: skip
MIX = Number(
    key="mix", label="λ, share of the worst", default=0.5, low=0.0, high=1.0, step=0.05, group="theory",
    short="λ of the game", help="Each mixture is (1 − λ)p + λp′.",
)  # fmt: skip
REAL_RHO = Number(
    key="rho_r", label="ρ_r, ball of real ones", default=0.3, low=0.0, high=6.0, step=0.05, group="theory", short="ρ_r"
)  # fmt: skip
FAKE_RHO = Number(
    key="rho_g", label="ρ_g, ball of generated ones", default=0.3, low=0.0, high=6.0, step=0.05, group="theory",
    short="ρ_g",
)  # fmt: skip
FAKE_MEAN = Number(
    key="mean_g", label="Middle of p_g", default=1.0, low=-2.0, high=2.0, step=0.1, group="theory",
    help="p_r is normal around −1 with standard deviation 0.5.",
)  # fmt: skip
FAKE_SPREAD = Number(
    key="sd_g", label="Standard deviation of p_g", default=0.7, low=0.2, high=1.5, step=0.05, group="theory"
)  # fmt: skip
ERROR = OneOf(
    key="error", label="ε, largest |V_m − V|", default=0.1, options=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
    words="{:g}".format, widget="slider", group="theory", short="ε of the lemma",
)  # fmt: skip
FAILURE = OneOf(
    key="failure", label="η, how often it may be larger", default=0.05, options=(0.001, 0.01, 0.05, 0.1, 0.5),
    words="{:g}".format, widget="slider", group="theory", short="η",
)  # fmt: skip
WEIGHT_SLOPE = OneOf(
    key="k_theta", label="k_θ, slope in the critic’s weights", default=1.0, options=(0.01, 0.1, 1.0, 10.0, 100.0),
    words="{:g}".format, widget="slider", group="theory", short="k_θ", help="Enters by its logarithm alone.",
)  # fmt: skip

# The laboratory: what its twins are, and how they are trained.
_USUAL = Settings()
LAB_DATA = OneOf(
    key="lab_data", label="Data", default=_USUAL.data, options=tuple(points.DATA), words=points.DATA.__getitem__,
    widget="box", group="laboratory", help="What both generators learn. Another one begins the training anew.",
)  # fmt: skip
LAB_PRIOR = OneOf(
    key="lab_prior", label="Noise", default=_USUAL.prior, options=tuple(points.PRIORS),
    words=points.PRIORS.__getitem__, group="laboratory",
    help="Normal, or uniform in the square from −1 to 1, which a worst move may leave. Another one begins anew.",
)  # fmt: skip
LAB_DRAWN = Text(key="lab_drawn", label="Points drawn by hand", default="", group="laboratory")
LAB_SEED = Number(
    key="lab_seed", label="Seed", default=_USUAL.seed, low=0, high=2**31 - 1, step=1, widget="field",
    group="laboratory", help="Of first weights, points and noise, the same for A and B. Another one begins anew.",
)  # fmt: skip
LAB_LOSS = OneOf(
    key="lab_loss", label="Loss", default=_USUAL.loss, options=tuple(LOSSES), group="laboratory",
    help="Log: −log D for the generator, as in the paper. Wasserstein: with a gradient penalty. Hinge.",
)  # fmt: skip
_PENALTIES = (0.0, 0.01, 0.1, 1.0, 10.0)
LAB_PENALTY = OneOf(
    key="lab_penalty", label="Gradient penalty", default=_USUAL.penalty, options=_PENALTIES, words="{:g}".format,
    widget="slider", group="laboratory", help="Weight of (‖∇D‖ − 1)², which the Wasserstein loss needs.",
)  # fmt: skip
LAB_NOISE_RADIUS = Number(
    key="lab_e1", label="ε₁, noise radius of training", default=_USUAL.noise_radius, low=0.0, high=3.0, step=0.05,
    group="laboratory", short="ε₁ of the laboratory", help="Length of the worst noise step that B’s generator meets.",
)  # fmt: skip
LAB_IMAGE_RADIUS = Number(
    key="lab_e2", label="ε₂, image radius of training", default=_USUAL.image_radius, low=0.0, high=3.0, step=0.05,
    group="laboratory", short="ε₂ of the laboratory", help="Length of the worst step of points that B’s critic meets.",
)  # fmt: skip
LAB_WEIGHT = Number(
    key="lab_weight", label="λ, weight in training", default=_USUAL.weight, low=0.0, high=5.0, step=0.1,
    group="laboratory", short="λ of training", help="Of B’s robust terms (eq. 11). At 0 the twins stay alike.",
)  # fmt: skip
LAB_PLAYERS = OneOf(
    key="lab_players", label="Robust players", default=_USUAL.players, options=PLAYERS, widget="box",
    group="laboratory", help="Who trains against its worst case in B.",
)  # fmt: skip
LAB_SOLVER = Number(
    key="lab_solver", label="Solver steps", default=_USUAL.solver_steps, low=1, high=10, group="laboratory",
    help="Gradient steps of each worst perturbation in training. The paper: 1.",
)  # fmt: skip
_RATES = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01)
LAB_GENERATOR_RATE = OneOf(
    key="lab_g_rate", label="Learning rate, generator", default=_USUAL.generator_rate, options=_RATES,
    words="{:g}".format, widget="slider", group="laboratory",
)  # fmt: skip
LAB_CRITIC_RATE = OneOf(
    key="lab_c_rate", label="Learning rate, critic", default=_USUAL.critic_rate, options=_RATES,
    words="{:g}".format, widget="slider", group="laboratory",
)  # fmt: skip
LAB_CRITIC_STEPS = Number(
    key="lab_c_steps", label="Critic steps", default=_USUAL.critic_steps, low=1, high=10, group="laboratory",
    help="For each step of the generator.",
)  # fmt: skip
_WIDTHS = (4, 8, 16, 32, 64, 128)
LAB_GENERATOR_LAYERS = Number(
    key="lab_g_layers", label="Hidden layers, generator", default=_USUAL.generator_layers, low=1, high=MOST_LAYERS,
    group="laboratory",
)  # fmt: skip
LAB_GENERATOR_WIDTH = OneOf(
    key="lab_g_width", label="Width, generator", default=_USUAL.generator_width, options=_WIDTHS, widget="slider",
    group="laboratory",
)  # fmt: skip
LAB_CRITIC_LAYERS = Number(
    key="lab_c_layers", label="Hidden layers, critic", default=_USUAL.critic_layers, low=1, high=MOST_LAYERS,
    group="laboratory",
)  # fmt: skip
LAB_CRITIC_WIDTH = OneOf(
    key="lab_c_width", label="Width, critic", default=_USUAL.critic_width, options=_WIDTHS, widget="slider",
    group="laboratory",
)  # fmt: skip
LAB_EPS = Number(
    key="lab_eps", label="ε, radius of worst moves", default=0.5, low=0.0, high=3.0, step=0.05, group="laboratory",
    short="ε of the laboratory",
)  # fmt: skip
LAB_PRICE = Number(
    key="lab_lam", label="λ, price of moving", default=0.0, low=0.0, high=2.0, step=0.05, group="laboratory",
    short="λ, price in the laboratory", help="Paid per squared unit of length (eq. 8). The one-step method ignores it.",
)  # fmt: skip
LAB_METHOD = dataclasses.replace(METHOD, key="lab_method", group="laboratory", short="Method in the laboratory")
LAB_BUDGET = dataclasses.replace(
    BUDGET, key="lab_budget", default="strong", group="laboratory", short="Budget in the laboratory",
    help="Gradients a place that the search may spend: live 10, standard 200, strong 2,000. Looking everywhere, beside "
    "it, needs none.",
)  # fmt: skip
LAB_STEPS = Number(key="lab_steps", label="Steps of the training", default=0, low=0, high=MOST_STEPS)
LAB_PAST = Text(key="lab_past", label="What was changed on the way", default="")
LAB_LAYERS = Text(key="lab_show", label="What the laboratory draws", default="")
LESSON = OneOf(key="lesson", label="Lesson", default="", options=("", *(one.key for one in LESSONS)))
# The fields of `Settings`, by what sets them.
LABORATORY: Mapping[str, Control[Any]] = {
    "data": LAB_DATA, "prior": LAB_PRIOR, "seed": LAB_SEED, "loss": LAB_LOSS, "penalty": LAB_PENALTY,
    "noise_radius": LAB_NOISE_RADIUS, "image_radius": LAB_IMAGE_RADIUS, "weight": LAB_WEIGHT, "players": LAB_PLAYERS,
    "solver_steps": LAB_SOLVER, "generator_rate": LAB_GENERATOR_RATE, "critic_rate": LAB_CRITIC_RATE,
    "critic_steps": LAB_CRITIC_STEPS, "generator_layers": LAB_GENERATOR_LAYERS,
    "generator_width": LAB_GENERATOR_WIDTH, "critic_layers": LAB_CRITIC_LAYERS, "critic_width": LAB_CRITIC_WIDTH,
}  # fmt: skip

# What is looked at.
RUN = Named(key="run", label="Run", default="", help="Baseline and robust twin together.")
MODEL = Named(key="model", label="Model", default=B.default, help="What is known of it stands below.")

# By their names in links; the order is that of lists of controls.
_ALL: tuple[Control[Any], ...] = (
    A, B, LABEL, EPS, OBJECTIVE, LAM, METHOD, BUDGET, SHELL, ROWS, SAMPLES, POOL, SEED, SHOW, PICK, OPEN, VIEW, PANEL,
    BY, OF, KIND, OPENED, PLACE, POINTS, MAP, SPACE, PERPLEXITY, UMAP_NEIGHBOURS, SIDE, IMAGES_AS, IMAGE_RADIUS,
    ARROWS, QUESTION, TRIALS, CLASS,
    RADII, REPEATS, STUDY_IMAGES, STUDY, PART, MEASURE, DATA, SYSTEM, ROBUST, ROBUST_PLAYERS,
    TRAIN_NOISE_RADIUS, TRAIN_IMAGE_RADIUS, WEIGHT, SOLVER_STEPS, ITERATIONS, WIDTH, LATENT, TRAIN_SEED, DEVICE,
    STATEMENT, CURVE, STARTS, RHO, GAMMA, MIX, REAL_RHO, FAKE_RHO, FAKE_MEAN, FAKE_SPREAD, ERROR, FAILURE,
    WEIGHT_SLOPE, *LABORATORY.values(), LAB_DRAWN, LAB_EPS, LAB_PRICE, LAB_METHOD, LAB_BUDGET, LAB_STEPS, LAB_PAST,
    LAB_LAYERS, LESSON, RUN, MODEL,
)  # fmt: skip
CONTROLS: Mapping[str, Control[Any]] = {one.key: one for one in _ALL}
# The controls that a teacher can hide, by what a teacher calls them.
GROUPS: Mapping[str, tuple[Control[Any], ...]] = {
    group: tuple(one for one in CONTROLS.values() if one.group == group)
    for group in dict.fromkeys(one.group for one in CONTROLS.values() if one.group)
}
# What a result depends on; the others say what is looked at.
SETTINGS: Mapping[str, Control[Any]] = {
    key: one
    for key, one in CONTROLS.items()
    if one.group not in ("models", "pictures", "ranking")
    and one not in (OPEN, RUN, MODEL, STUDY, PART, MEASURE, LAB_STEPS, LAB_PAST, LAB_LAYERS, LESSON)
}
# The controls of the Worst noise screen, apart from what is raised.
SEARCH = (EPS, LAM, METHOD, BUDGET, SHELL, SAMPLES, ROWS, SEED, SHOW, PICK)


def defaults(*controls: Control[Any]) -> dict[str, object]:
    """The defaults of these controls."""
    return {one.key: one.default for one in controls}


def query(**state: object) -> dict[str, str]:
    """The parameters of a link to a page that sets these controls."""
    return {key: CONTROLS[key].write(value) for key, value in state.items()}
