"""Laws of the projections on the ball and on the spherical cap, for any vectors."""

import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from rgan.common.geometry import lengths, project_ball, project_cap, random_directions, turn, unit

NUMBERS = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e3, 1e3))
RADII = st.one_of(st.integers(0, 3).map(float), st.floats(0, 1e3))
CLOSE = 1e-6  # of the vectors' size: near the opposite point angles have half of the digits


def vectors(count: int):
    """That many vectors of one number of dimensions, at least 2: a line has no sphere to turn on."""
    rows = st.integers(2, 5).flatmap(
        lambda d: st.lists(st.lists(NUMBERS, min_size=d, max_size=d), min_size=count, max_size=count)
    )
    return rows.map(lambda numbers: [torch.tensor([row], dtype=torch.float64) for row in numbers])


def around(point: Tensor, seed: int, many: int = 50) -> Tensor:
    """Directions of its dimensions, some of them close to the point's own."""
    directions = random_directions((many, point.shape[1]), torch.Generator().manual_seed(seed)).double()
    return torch.cat([directions, unit(unit(point) + 0.1 * directions), unit(point)])


@given(vectors(1), RADII, st.integers(0, 100))
def test_the_ball_takes_each_point_to_its_nearest(vector, limit, seed):
    (r,), radius = vector, torch.tensor([limit], dtype=torch.float64)
    found = project_ball(r, radius)
    assert lengths(found) <= limit * (1 + 1e-12)
    assert torch.allclose(project_ball(found, radius), found, rtol=1e-12)
    if lengths(r) <= limit:
        assert torch.equal(found, r)
    inside = torch.cat([share * limit * around(r, seed) for share in (0.0, 0.5, 1.0)])
    assert (lengths(inside - r) >= lengths(found - r) - 1e-9).all()


OPPOSITE = [torch.tensor([[1.0, 2.0]], dtype=torch.float64), torch.tensor([[-3.0, -6.0]], dtype=torch.float64)]


@given(vectors(2), RADII)
@example(OPPOSITE, 1.0)
def test_the_cap_keeps_lengths_and_the_radius(both, limit):
    (z, r), radius = both, torch.tensor([limit], dtype=torch.float64)
    size = float(lengths(z)) + 1e-9
    found = project_cap(z, r, radius)
    assert abs(float(lengths(z + found) - lengths(z))) <= CLOSE * size
    assert lengths(found) <= limit + CLOSE * size
    assert torch.allclose(project_cap(z, found, radius), found, atol=CLOSE * size)


@given(vectors(2), RADII, st.integers(0, 100))
@example(OPPOSITE, 1.0, 0)
def test_no_point_of_the_cap_is_nearer(both, limit, seed):
    (z, r), radius = both, torch.tensor([limit], dtype=torch.float64)
    size = float(lengths(z) + lengths(r)) + 1e-9
    found = project_cap(z, r, radius)
    sphere = lengths(z) * torch.cat([around(z, seed), around(z + r, seed), -unit(z)])
    cap = sphere[lengths(sphere - z) <= limit]
    assert (lengths(cap - z - r) >= lengths(found - r) - CLOSE * size).all()


@given(vectors(2), st.floats(0, 1))
def test_a_turn_keeps_the_length_and_goes_as_far_as_asked(both, share):
    z, direction = both
    distance = 2 * share * lengths(z)
    r = turn(z, direction, distance)
    size = float(lengths(z)) + 1e-9
    assert abs(float(lengths(z + r) - lengths(z))) <= CLOSE * size
    assert abs(float(lengths(r) - distance)) <= CLOSE * size
