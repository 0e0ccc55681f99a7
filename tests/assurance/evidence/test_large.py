"""Large files: one byte too many, interrupted at 99 %, or without room; no partial file is left."""

import io
import tempfile

import pytest

from governance.assurance.evidence import queries, version_actions
from governance.assurance.evidence.models import EvidenceVersion
from governance.kernel.errors import TooLarge
from governance.kernel.files import storage
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.evidence.evidence_helpers import PDF, count_rows


def test_a_gibibyte_and_one_byte_is_refused_before_it_is_read(database):
    e = evidence_helpers.create_evidence()
    with tempfile.TemporaryFile() as file, make.acting("contributor"):
        file.write(PDF)
        file.truncate(1024**3 + 1)
        with pytest.raises(TooLarge, match="larger than the limit of 1024 MB. Nothing was saved"):
            version_actions.upload_version(
                queries.find_evidence(e), file, "large.pdf", **evidence_helpers.version_dates()
            )
    assert version_actions.MAX_FILE_BYTES == 1024**3 and count_rows(EvidenceVersion) == 0


def multipart_body(visitor, content=PDF + bytes(10**6)):
    """Return a version form as a browser sends it, with its content length and type."""
    mark = b"a-boundary-of-ours"
    sent = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (mark, name.encode(), str(value).encode())
        for name, value in {
            "csrf_token": visitor.csrf(),
            **evidence_helpers.version_dates(),
        }.items()
    )
    sent += b'--%b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%b' % (
        mark,
        content,
    )
    return sent, b"\r\n--%b--\r\n" % mark, f"multipart/form-data; boundary={mark.decode()}"


def send_body(visitor, e, sent, kind, length):
    return visitor.client.post(
        f"/t/acme/evidence/{e}/versions/new",
        input_stream=io.BytesIO(sent),
        content_length=length,
        content_type=kind,
    )


class UnreadBody(io.BytesIO):
    """A request body that must not be read."""

    def read(self, *_size):
        raise AssertionError("the body was read")

    readinto = readline = read1 = read


@pytest.mark.parametrize("who", ["as_viewer", "as_auditor", "as_stranger"])
def test_a_large_body_of_who_may_not_bring_anything_in_is_refused_unread(database, who, request):
    e, visitor = evidence_helpers.create_evidence(), request.getfixturevalue(who)
    reply = visitor.client.post(
        f"/t/acme/evidence/{e}/versions/new",
        input_stream=UnreadBody(bytes(20 * 1024 * 1024)),
        content_type="multipart/form-data; boundary=a",
    )
    assert reply.status_code == 413 and count_rows(EvidenceVersion) == 0


def test_who_may_bring_something_in_sends_more_than_a_page_takes(as_contributor):
    e = evidence_helpers.create_evidence()
    sent, end, kind = multipart_body(as_contributor, PDF + bytes(13 * 1024 * 1024))
    assert send_body(as_contributor, e, sent + end, kind, len(sent + end)).status_code == 303


def test_an_upload_that_is_cut_off_at_99_percent_leaves_nothing(as_contributor):
    e = evidence_helpers.create_evidence()
    before = sorted(storage.store().root.rglob("*"))
    sent, end, kind = multipart_body(as_contributor)
    reply = send_body(as_contributor, e, sent, kind, int(len(sent) / 0.99))
    assert reply.status_code == 400 and "The upload was interrupted." in reply.text
    assert count_rows(EvidenceVersion) == 0 and sorted(storage.store().root.rglob("*")) == before
    assert send_body(as_contributor, e, sent + end, kind, len(sent + end)).status_code == 303


def test_no_room_for_what_is_sent_is_said(as_contributor, monkeypatch):
    """Simulate a temporary folder that can't be written, with the kernel's own error."""
    e = evidence_helpers.create_evidence()
    sent, end, kind = multipart_body(as_contributor)
    monkeypatch.setattr(tempfile, "tempdir", "/proc/no-such-folder")
    reply = send_body(as_contributor, e, sent + end, kind, len(sent + end))
    assert reply.status_code == 503 and "The upload couldn&#39;t be stored" in reply.text
    assert count_rows(EvidenceVersion) == 0
