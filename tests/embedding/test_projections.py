"""Embeddings: joint, reproducible, against numpy and scikit-learn; nothing but the points decides."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from rgan.common.errors import SettingsError
from rgan.embedding.projections import Layout, as_csv, fit, pace, rows, seconds
from tests.nightly import nightly


def blobs(seed=0, count=40, dimensions=12, apart=6.0):
    """Two clouds that mix two blobs, so that labels and neighbourhoods disagree."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((2 * count, dimensions))
    points[::2, 0] += apart
    return points[:count], points[count:]


def test_pca_is_numpys_singular_value_decomposition_of_both_clouds():
    first, second = blobs()
    both = np.concatenate([first, second])
    centred = both - both.mean(axis=0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    drawn = fit(first, second, Layout("pca"))
    found = np.concatenate([drawn.first, drawn.second])
    for k in range(2):
        assert abs(np.corrcoef(found[:, k], left[:, k])[0, 1]) == pytest.approx(1, abs=1e-5)
        share = values[k] ** 2 / np.square(values).sum()
        assert drawn.axes[k] == f"PC {k + 1}, {100 * share:.0f} % of variance"


def check_neighbours(first, second, drawn):
    """scikit-learn's trustworthiness, and the blobs, which both clouds share, come apart."""
    both, found = np.concatenate([first, second]), np.concatenate([drawn.first, drawn.second])
    assert trustworthiness(both, found, n_neighbors=5) > 0.75
    blob = both[:, 0] > 15
    nearest = np.square(found[:, None] - found[None]).sum(axis=-1) + np.diag(np.full(80, np.inf))
    assert (blob[nearest.argmin(axis=1)] == blob).mean() > 0.97


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_same_settings_give_the_same_picture(method, dimensions):
    first, second = blobs()
    layout = Layout(method, dimensions, 10, seed=3)
    drawn, again = fit(first, second, layout), fit(first, second, layout)
    assert drawn.first.shape == (40, dimensions) and np.isfinite(drawn.second).all()
    assert np.array_equal(drawn.first, again.first) and np.array_equal(drawn.second, again.second)
    if method == "tsne":
        assert not np.array_equal(drawn.first, fit(first, second, Layout(method, dimensions, 20, seed=3)).first)


def test_tsne_keeps_neighbours_across_both_clouds():
    first, second = blobs(apart=30.0)
    check_neighbours(first, second, fit(first, second, Layout("tsne", neighbours=10)))


@nightly  # its library is compiled first
def test_umap_is_reproducible_keeps_neighbours_and_places_starts():
    """All in one: compiling it takes 10 s a process."""
    first, second = blobs(apart=30.0)
    layout = Layout("umap", neighbours=10)
    drawn, placed = fit(first, second, layout), fit(first, second, layout, starts=(None, second))
    assert np.array_equal(drawn.first, placed.first) and np.array_equal(drawn.second, placed.second)
    check_neighbours(first, second, drawn)
    check_starts(placed)


def check_starts(drawn):
    """A point placed anew comes to lie near its first place, much nearer than the cloud is wide."""
    assert drawn.starts[0] is None and drawn.starts[1].shape == (40, 2)
    away = np.linalg.norm(drawn.starts[1] - drawn.second, axis=1)
    assert np.median(away) < 0.4 * np.linalg.norm(drawn.second.std(axis=0))


def test_labels_play_no_part():
    """Which cloud a point belongs to changes nothing: only the order of all points is kept."""
    first, second = blobs()
    both = np.concatenate([first, second])
    one, other = (
        fit(first, second, Layout("tsne", neighbours=8)),
        fit(both[:10], both[10:], Layout("tsne", neighbours=8)),
    )
    assert np.array_equal(np.concatenate([one.first, one.second]), np.concatenate([other.first, other.second]))


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_starts_are_placed_into_the_finished_picture(method):
    first, second = blobs()
    layout = Layout(method, neighbours=10)
    shares = []
    drawn = fit(first, second, layout, starts=(None, second), report=shares.append)
    assert np.array_equal(drawn.second, fit(first, second, layout).second)
    assert shares == sorted(shares) and shares[-1] == 1.0
    check_starts(drawn)
    if method == "pca":
        assert np.allclose(drawn.starts[1], drawn.second, atol=1e-4)


def test_impossible_layouts_are_refused():
    first, second = blobs()
    with pytest.raises(SettingsError, match="at most 26 neighbours for 80 points, got 30"):
        fit(first, second, Layout("tsne", neighbours=30))
    for wrong in ({"method": "isomap"}, {"dimensions": 4}, {"neighbours": 1}, {"seed": -1}):
        with pytest.raises(SettingsError, match="expected"):
            Layout(**wrong)


def test_rows_name_every_point():
    first, second = blobs(count=4)
    drawn = fit(first, second, Layout("pca", 3))
    table = rows(drawn, (("r0", "r1", "r2", "r3"), ("a", "b", "c", "d")))
    assert [row["name"] for row in table][3:5] == ["r3", "a"]
    assert [table[4][axis] for axis in "xyz"] == drawn.second[0].tolist()
    lines = as_csv(drawn, (("r0", "r1", "r2", "r3"), ("a", "b", "c", "d"))).decode().splitlines()
    assert lines[0] == "name,x,y,z" and lines[5].startswith("a,") and len(lines) == 9


def test_the_estimate_grows_with_the_points():
    found = pace(Layout("pca"))
    assert found > 0 and seconds(found, 1000) > 2 * seconds(found, 500)
