"""Infected files are rejected where ClamAV is configured."""

import io
import socket
from pathlib import Path

import pytest

from governance.app.settings import from_environment
from governance.assurance.evidence import scanning
from governance.assurance.evidence.models import EvidenceVersion
from governance.kernel.errors import Invalid, TooLarge, Unavailable
from tests.assurance.evidence import evidence_helpers
from tests.assurance.evidence.clamd_server import EICAR, Clamd
from tests.assurance.evidence.evidence_helpers import PDF, count_rows


@pytest.fixture(params=["unix", "tcp"])
def clamd(request, tmp_path):
    if request.param == "unix":
        door = socket.socket(socket.AF_UNIX)
        address = str(tmp_path / "clamd.ctl")
        door.bind(address)
    else:
        door = socket.socket()
        door.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{door.getsockname()[1]}"
    door.listen()
    server = Clamd(door)
    server.start()
    scanning.use(address)
    yield server
    scanning.use(None)
    door.close()


def test_a_clean_file_passes_whole_and_an_infected_one_is_named(clamd):
    stream = io.BytesIO(PDF * 300)
    stream.read(5)
    scanning.check_not_infected(stream, "report.pdf")
    assert clamd.seen == [PDF * 300] and stream.tell() == 0
    with pytest.raises(
        Invalid, match=r"bad.txt is infected \(Eicar-Signature\). Nothing was saved"
    ):
        scanning.check_not_infected(io.BytesIO(EICAR), "bad.txt")


def test_what_it_does_not_take_or_cannot_judge_stays_out(clamd):
    clamd.limit = 1000
    with pytest.raises(TooLarge, match="larger than the virus scanner accepts"):
        scanning.check_not_infected(io.BytesIO(bytes(5_000_000)), "large.txt")
    clamd.limit, clamd.answer = 10**6, b"Can't allocate memory ERROR"
    with pytest.raises(Unavailable, match="gave no result"):
        scanning.check_not_infected(io.BytesIO(b"x"), "a.txt")


def test_a_scanner_that_is_away_lets_nothing_in(tmp_path):
    try:
        for nobody in (str(tmp_path / "gone.ctl"), "tcp://127.0.0.1:1"):
            scanning.use(nobody)
            with pytest.raises(Unavailable, match="scanner isn't available"):
                scanning.check_not_infected(io.BytesIO(b"x"), "a.txt")
    finally:
        scanning.use(None)


@pytest.mark.parametrize("address", ["clamd.ctl", "http://127.0.0.1", "tcp://"])
def test_an_address_that_is_none_stops_the_start(address):
    with pytest.raises(SystemExit, match="GOVERNANCE_CLAMAV isn't an address of clamd"):
        from_environment({"GOVERNANCE_CLAMAV": address})


def test_an_infected_upload_is_refused_on_the_page_and_leaves_nothing(clamd, as_contributor):
    e = evidence_helpers.create_evidence()
    reply = as_contributor.post(
        f"evidence/{e}/versions/new", then=422, **evidence_helpers.version_form(EICAR, "notes.txt")
    )
    assert (
        "notes.txt is infected (Eicar-Signature)" in reply.text and count_rows(EvidenceVersion) == 0
    )
    as_contributor.post(f"evidence/{e}/versions/new", **evidence_helpers.version_form())
    assert Path and count_rows(EvidenceVersion) == 1
