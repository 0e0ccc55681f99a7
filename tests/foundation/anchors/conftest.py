import pytest

from tests.foundation.anchors.witness_servers import DemoWitness, DrivenLog


@pytest.fixture
def log(acting, database):
    return DrivenLog(acting)


@pytest.fixture
def witness(tmp_path):
    with DemoWitness.serving(tmp_path) as made:
        yield made
