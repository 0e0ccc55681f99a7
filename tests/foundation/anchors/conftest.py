import pytest

from tests.foundation.anchors.witness import Log, Ours


@pytest.fixture
def log(acting, database):
    return Log(acting)


@pytest.fixture
def witness(tmp_path):
    with Ours.serving(tmp_path) as made:
        yield made
