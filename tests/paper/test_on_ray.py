"""A study on a Ray cluster of two nodes, one of which is lost: the numbers are those of one machine."""

import pytest

from rgan.common.errors import RganError
from rgan.paper.plan import parse
from rgan.paper.pools import RayPool
from rgan.paper.runner import StudyRun
from tests.paper.test_runner import PLAN, finished, weights

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def near(tmp_path_factory):
    """A plan, and the study of it by this machine alone, made before Ray is there: folder and what was found."""
    plan, folder = parse(PLAN.format(iterations=40).replace("seeds = 1", "seeds = 2")), tmp_path_factory.mktemp("near")
    last, found = finished(folder, plan)
    assert not last.left_out and len(found.models) == 4
    return plan, folder, found


@pytest.fixture
def cluster(monkeypatch):
    """Ray on this machine: a head that computes nothing, and two nodes of a processor each."""
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    import ray

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    found = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    found.nodes = [found.add_node(num_cpus=1) for _ in range(2)]
    found.wait_for_nodes()
    yield found
    ray.shutdown()
    found.shutdown()


def test_a_lost_node_costs_its_tasks_alone_and_the_numbers_are_the_same(near, cluster, tmp_path):
    plan, folder, expected = near
    killed = []
    with StudyRun(plan, tmp_path / "far", RayPool(cluster.address)) as run:
        for state in run.steps():
            if len(state.working) >= 2 and state.share > 0.01 and not killed:
                killed.append(state)
                cluster.remove_node(cluster.nodes[0], allow_graceful=False)
        far = run.found()
    assert killed and not run.state.left_out and len(far.models) == 4
    for one, other in zip(far.models, expected.models, strict=True):
        theirs = weights(folder, other.name)
        assert all(value.equal(theirs[name]) for name, value in weights(tmp_path / "far", one.name).items())
        assert one.name == other.name and one.evaluation.rows == other.evaluation.rows


def test_a_cluster_that_is_not_there_is_said():
    pytest.importorskip("ray")
    with pytest.raises(RganError, match=r"expected a Ray cluster at 127\.0\.0\.1:1"):
        RayPool("127.0.0.1:1")
