"""Ports: a lower feature's query has one provider, a default, or an error that names it."""

from collections.abc import Callable

import pytest

from governance.kernel.ports import AlreadyConnected, NotConnected, Port


def one() -> int:
    return 1


def two() -> int:
    return 2


def test_what_is_connected_answers():
    port: Port[Callable[[], int]] = Port("a number")
    port.connect(one)
    assert port()() == 1


def test_a_port_that_nobody_answers_says_which():
    with pytest.raises(NotConnected, match="No feature answers: a number"):
        Port("a number")()


def test_a_default_answers_until_a_feature_does():
    port: Port[Callable[[], int]] = Port("a number", default=one)
    assert port()() == 1
    port.connect(two)
    assert port()() == 2


def test_the_same_answer_again_is_no_change_and_another_one_stops_the_start():
    port: Port[Callable[[], int]] = Port("a number", default=one)
    port.connect(two)
    port.connect(two)
    with pytest.raises(AlreadyConnected, match="Two features answer one port: a number"):
        port.connect(one)
    assert port()() == 2
