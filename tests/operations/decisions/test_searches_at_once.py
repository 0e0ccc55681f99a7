"""A key that sends 40 SCIM searches of 61 kB at once to two workers of `governance web`.

Each is rejected, and another tenant's page and decisions are answered meanwhile.
"""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from governance.foundation.api_keys import actions as keys
from tests import make
from tests.operations.decisions.conftest import open_connections

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("following")]

SEARCHES, ROUNDS = 40, 3
BODY = json.dumps(
    {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": " or ".join(['userName eq "a"'] * 2900),
    }
)
REFUSALS = {400, 429, 503}  # Too many terms, over the key's rate, over its share of the threads.


def ask(port, method, path, body=None, **fields):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, fields)
        reply = connection.getresponse()
        reply.read()
        return reply.status
    finally:
        connection.close()


def test_searches_of_one_key_delay_no_other_tenant(installation):
    assert 60_900 < len(BODY) < 62_000
    port, _ = installation
    with make.acting("admin"):
        _, key = keys.create("attacker", ("scim",))
    neighbor = {"Cookie": f"session={make.cookie('admin', 'globex')}"}
    search = {"Authorization": f"Bearer {key}", "Content-Type": "application/scim+json"}

    def attack(_number):
        return ask(port, "POST", "/scim/v2/Users/.search", BODY, **search)

    [line, *_] = open_connections(installation, 1)
    with ThreadPoolExecutor(SEARCHES) as attackers:
        for _ in range(ROUNDS):
            sent = [attackers.submit(attack, number) for number in range(SEARCHES)]
            assert ask(port, "GET", "/t/globex/settings/sessions", **neighbor) == 200
            assert line.ask("switch.support-assistant")[0] == 200
            statuses = {each.result() for each in sent}
            assert statuses <= REFUSALS
    assert ask(port, "GET", "/t/globex/settings/sessions", **neighbor) == 200
