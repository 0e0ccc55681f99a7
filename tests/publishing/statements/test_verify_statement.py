"""Offline verification of the signed data file.

One altered minute, term, exclusion or sum is named.
"""

import io
import json
import stat
import warnings
import zipfile
from contextlib import suppress

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.kernel.files.verification_results import CheckOutcome
from governance.kernel.safety.signed_note import b64, verifier_key
from governance.publishing.statements import data_file, sandboxed_verify
from governance.publishing.statements.data_file import MAX_BYTES, Unreadable, unzip
from governance.publishing.statements.verify import verify
from tests.publishing.statements import statement_samples as samples

pytestmark = pytest.mark.slow

NINTH = 9  # The position of 9 October: the month starts on 30 September, 22:00 UTC.


@pytest.fixture(scope="module")
def file():
    return samples.signed()


def altered(file, change):
    content = json.loads(file)
    change(content["statement"])
    return rfc8785.dumps(content)


def problems(found):
    return {check.name: check.sentence for check in found.checks if check.ok is False}


def test_a_statement_as_it_was_signed_adds_up(file):
    found = verify(file, samples.KEY)
    assert found.ok and found.credit == 76_000 and found.number == "acme-AGR-2-2026-10-r2"
    assert "76,000 minor units of EUR" in str(found.checks)


def test_without_a_key_it_is_never_a_pass(file):
    found = verify(file)
    assert found.outcome is CheckOutcome.NOT_CHECKED
    assert "Pass --key" in found.checks[0].sentence


def test_another_key_is_refused(file):
    other = verifier_key(Ed25519PrivateKey.from_private_bytes(b"o" * 32), "console.example")
    assert "signature" in problems(verify(file, other))


def hour(statement, day=NINTH, at=6):
    return statement["indicators"][0]["days"][day]["hours"][at]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "14*3 3/2 45*3",
            (
                "Minute 2026-10-09T06:14Z of claims-triage-availability: recorded good 3"
                " of 2. The hour's sums say good 3 of 3."
            ),
        ),
        (
            "14*3 0/3 45*3",
            (
                "Minute 2026-10-09T06:14Z of claims-triage-availability: recorded good 0"
                " of 3. The hour's sums say good 3 of 3."
            ),
        ),
        (
            "14*3 - 45*3",
            (
                "Minute 2026-10-09T06:14Z of claims-triage-availability: recorded no data."
                " The hour's sums say good 3 of 3."
            ),
        ),
        (
            "14*3 2*0/3 44*3",
            (
                "The hour 2026-10-09T06Z of claims-triage-availability: minutes down 0,"
                " but its minutes add up to 2"
            ),
        ),
        ("59*3", "has 59 minutes instead of 60"),
        ("61*3", "it has more than 60 minutes"),
        ("14*3 x 45*3", "'x' is no count"),
    ],
)
def test_an_altered_minute_is_named(file, text, sentence):
    found = verify(altered(file, lambda s: hour(s).__setitem__(1, text)), samples.KEY)
    assert sentence in problems(found)["minutes"]
    assert "changed after it was signed" in problems(found)["signature"]
    assert found.outcome is CheckOutcome.WRONG
    assert sentence[:30] in found.sentence


def test_the_first_wrong_minute_comes_first(file):
    def two(statement):
        hour(statement, 20)[1] = "59*3 0/3"
        hour(statement, 11)[1] = "0/3 59*3"

    assert problems(verify(altered(file, two), samples.KEY))["minutes"].startswith(
        "Minute 2026-10-11T06:00Z"
    )


def test_an_altered_sum_of_an_hour_and_of_a_day_is_named(file):
    found = verify(altered(file, lambda s: hour(s)[2].__setitem__(2, 179)), samples.KEY)
    assert "good events 179, but its minutes add up to 180" in problems(found)["minutes"]

    def day(statement):
        statement["indicators"][0]["days"][NINTH]["sums"][3] += 1

    assert "The sums of 2026-10-09" in problems(verify(altered(file, day), samples.KEY))["minutes"]


def test_a_missing_and_a_doubled_hour_are_named(file):
    found = verify(
        altered(file, lambda s: s["indicators"][0]["days"][NINTH]["hours"].pop(6)), samples.KEY
    )
    assert (
        "The hour 2026-10-09T06Z of claims-triage-availability is missing"
        in problems(found)["minutes"]
    )

    def twice(statement):
        hours = statement["indicators"][0]["days"][NINTH]["hours"]
        hours.append(hours[6])

    assert "is there twice" in problems(verify(altered(file, twice), samples.KEY))["minutes"]


@pytest.mark.parametrize(
    ("change", "name", "sentence"),
    [
        (
            lambda s: s["versions"][0]["terms"]["commitments"][0].update(target="0.98"),
            "terms",
            'Term commitments/0/target of version 4 was altered: it is "0.98"',
        ),
        (
            lambda s: s["versions"][0]["terms"].pop("credit_cap"),
            "terms",
            "Term credit_cap of version 4 was removed",
        ),
        (
            lambda s: s["exclusions"][1].update(to="2026-10-18T05:00:00Z"),
            "exclusions",
            "To of exclusion MNT-5 was altered",
        ),
        (
            lambda s: s["exclusions"].append(samples.exclusion("MNT-9", samples.at(12), 600)),
            "exclusions",
            "of exclusion MNT-9 was added",
        ),
        (
            lambda s: s["exclusions"].pop(0),
            "exclusions",
            "Exclusion MNT-4 from 2026-10-04T02:00Z was removed.",
        ),
        (
            lambda s: s["exclusions"].pop(1),
            "exclusions",
            "Exclusion MNT-5 from 2026-10-18T02:00Z was removed.",
        ),
        (
            lambda s: s["exclusions"].clear(),
            "exclusions",
            "Exclusion MNT-4 from 2026-10-04T02:00Z was removed. Exclusion MNT-5 from",
        ),
        (
            lambda s: s["exclusions"].reverse(),
            "exclusions",
            "Ref of exclusion MNT-5 was altered",
        ),
        (
            lambda s: s["result"].update(credit=52_000),
            "values",
            "The result's credit was altered: it is 52000",
        ),
        (
            lambda s: s["result"]["lines"][0].update(lost=400),
            "values",
            "Lost of claims-triage · Availability in the result was altered: it is 400",
        ),
        (lambda s: s.update(revision=3), "values", "The value revision was altered: it is 3"),
    ],
)
def test_an_altered_term_exclusion_or_sum_is_named(file, change, name, sentence):
    found = verify(altered(file, change), samples.KEY)
    assert sentence in problems(found)[name]
    assert "signature" in problems(found)


def test_a_credit_that_does_not_follow_is_named_even_if_its_signature_holds():
    wrong = samples.statement()
    wrong["result"]["lines"][1]["credit"] = 0
    wrong["result"]["credit"] = 52_000
    signed = samples.data_file.sign(samples.PRIVATE, "console.example", "acme", wrong)
    found = problems(verify(signed, samples.KEY))
    assert set(found) == {"result"}
    assert (
        "support-assistant · First token: the statement says credit 0; recomputed from the"
        " minutes it is 24,000."
    ) in found["result"]


def test_terms_that_nobody_accepted_are_named_even_if_the_signature_holds():
    its = samples.facts()
    its["versions"][0]["terms"]["commitments"][0]["target"] = "0.5"
    found = problems(verify(samples.signed(its), samples.KEY))
    assert set(found) == {"accepted"}


# ---- the audit log's checkpoint


def test_the_checkpoint_is_checked_with_the_logs_key():
    found = verify(samples.with_checkpoint(), f"{samples.KEY}\n{samples.LOG_KEY}\n")
    assert found.ok
    assert "Checkpoint of log.example at 1,139 entries, signed by the log's key." in str(found)


def test_without_the_logs_key_the_checkpoint_is_not_checked_and_the_summary_says_so():
    alone = verify(samples.with_checkpoint(), samples.KEY)
    assert alone.outcome is CheckOutcome.NOT_CHECKED
    assert [each.name for each in alone.checks if not each.ok] == ["log"]
    assert alone.sentence == (
        "No check failed for this statement, but a requested check could not run. Checkpoint of"
        " log.example at 1,139 entries: its signature was not checked. Pass --key with the log's"
        " key, too."
    )
    nothing = verify(samples.with_checkpoint())
    assert {each.name for each in nothing.checks if each.ok is None} == {"signature", "log"}


def test_a_checkpoint_of_another_log_is_named_even_if_the_statements_signature_holds():
    stranger = verifier_key(Ed25519PrivateKey.from_private_bytes(b"o" * 32), "log.example")
    found = problems(verify(samples.with_checkpoint(), f"{samples.KEY}\n{stranger}\n"))
    assert set(found) == {"log"} and found["log"].startswith("Checkpoint of the audit log")


@pytest.mark.parametrize(
    "changed", [{"size": 1140}, {"root": b64(b"q" * 32)}, {"origin": "other.example"}]
)
def test_a_checkpoint_that_isnt_the_one_that_is_named_is_found(changed):
    found = problems(verify(samples.with_checkpoint(**changed), samples.KEY))
    assert found == {"log": "The audit log's checkpoint isn't the one that is named."}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"%PDF-1.7",
        b"PK\x03\x04 no zip",
        b"[" * 100_000,
        b'{"format": 1e400}',
        b'{"format": NaN}',
        b'{"format": "a", "format": "b"}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_statement_is_said_so(data):
    found = verify(data, samples.KEY)
    assert found.outcome is CheckOutcome.WRONG
    assert found.checks[0].name == "file"


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.clear(),
        lambda s: s.update(indicators=None),
        lambda s: s.update(span=["2026-10-01T00:00:00Z", "2999-10-01T00:00:00Z"]),
        lambda s: s.update(versions=[{}]),
        lambda s: s["indicators"][0].update(days={"a": 1}),
        lambda s: s["result"].update(lines=[]),
        lambda s: s.update(log={"note": 3}),
        lambda s: s["indicators"][0].update(floor="abc"),
    ],
)
def test_a_bent_statement_is_wrong_and_never_an_error(file, change):
    assert verify(altered(file, change), samples.KEY).outcome is CheckOutcome.WRONG


@pytest.mark.parametrize("where", ["statement", "terms"])
def test_values_nested_a_thousand_levels_deep_are_wrong_and_never_an_error(file, where):
    deep = "[" * 3000 + "]" * 3000
    head = f'"{where}":{{'
    assert head in file.decode()
    bent = file.decode().replace(head, f'{head}"deep":{deep},', 1).encode()
    assert verify(bent, samples.KEY).outcome is CheckOutcome.WRONG
    assert verify(bent).outcome is CheckOutcome.WRONG


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED]
)
def test_a_damaged_zip_is_said_so_wherever_the_damage_is(file, method):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("sla-statement.json", file)
    whole = packed.getvalue()
    places = [*range(30, 300, 9), *range(len(whole) - 120, len(whole) - 2)]
    for place in places:
        for byte in (0, 0x7F, 0xFF):
            bent = bytearray(whole)
            bent[place] = byte
            with suppress(Unreadable):
                unzip(bytes(bent))


def test_a_zip_that_unpacks_to_too_much_is_not_unpacked():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("sla-statement.json", bytes(MAX_BYTES + 1))
    assert "unpacks to more" in str(verify(packed.getvalue(), samples.KEY).checks)


def test_a_zip_holds_the_data_file(file):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("sla-statement.json", file)
    assert verify(packed.getvalue(), samples.KEY).ok
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("sla-statement.json", file)
        archive.writestr("sla-statement.pdf", b"%PDF-1.7")
    assert "pdf" in problems(verify(packed.getvalue(), samples.KEY))


def zipped(*files):
    """Return a zip of (name or ZipInfo, content)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Two files of one name, on purpose.
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


def linked(name):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Statement.PDF", "which no statement has"),
        ("statement.html", "which no statement has"),
        ("/etc/passwd.pdf", "which no statement has"),
        ("../statement.pdf", "which no statement has"),
        ("october/sla-statement.json", "which no statement has"),
        ("october\\sla-statement.json", "which no statement has"),
        ("statement\u202efdp.pdf", "which no statement has"),
        (linked("statement.pdf"), "is a link or a folder"),
        ("sla-statement.json", "two of one name"),
    ],
)
def test_a_zip_vouches_for_no_file_that_isnt_checked(file, name, sentence):
    for files in ([(data_file.NAME, file), (name, b"x")], [(name, b"x"), (data_file.NAME, file)]):
        found = verify(zipped(*files), samples.KEY)
        assert found.outcome is CheckOutcome.WRONG and sentence in found.sentence


def test_a_zip_of_a_hundred_thousand_files_is_not_read(file):
    files = [(f"{n}.pdf", b"") for n in range(100_000)]
    found = verify(zipped((data_file.NAME, file), *files), samples.KEY)
    assert "more files than a statement" in found.sentence


def test_a_zip_that_lies_about_its_size_is_damaged(file):
    packed = bytearray(zipped((data_file.NAME, bytes(1_000_000))))
    size = (1_000_000).to_bytes(4, "little")
    place = packed.rindex(size)  # The size that the directory states.
    packed[place : place + 4] = (10).to_bytes(4, "little")
    assert verify(bytes(packed), samples.KEY).outcome is CheckOutcome.WRONG


def signed_as(number, private=samples.PRIVATE, **changed):
    """Return a statement of its signer, genuine except for the changes."""
    statement = samples.statement() | changed
    return data_file.sign(private, "console.example", number, statement)


@pytest.mark.parametrize(
    ("number", "changed"),
    [
        ("acme-AGR-2-2026-10-r1", {"revision": 1}),
        ("globex-AGR-2-2026-10-r2", {"tenant": {"slug": "globex", "name": "Globex"}}),
    ],
)
def test_a_signature_is_not_carried_from_one_statement_to_another(file, number, changed):
    content = json.loads(signed_as(number, **changed))
    assert verify(rfc8785.dumps(content), samples.KEY).number == number
    content["signature"] = json.loads(file)["signature"]
    found = verify(rfc8785.dumps(content), samples.KEY)
    assert "changed after it was signed" in problems(found)["signature"]
    assert found.number is None


def test_the_key_of_the_same_name_and_id_that_is_another_key_is_refused(file):
    """Ignore a key that claims another's id, since the id is a hash of name and key."""
    private = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    name, key_id, public = samples.KEY.split("+", 2)
    forged = f"{name}+{key_id}+{verifier_key(private, name).split('+', 2)[2]}"
    assert forged != samples.KEY and public != forged.split("+", 2)[2]
    content = json.loads(file)
    own = json.loads(signed_as("acme-AGR-2-2026-10-r2", private))
    content["signature"] = own["signature"]
    for key in (forged, samples.KEY):
        assert not verify(rfc8785.dumps(content), key).ok


def test_in_its_child_it_says_the_same_and_too_much_is_a_failed_check(file):
    assert sandboxed_verify.verify(file, samples.KEY) == verify(file, samples.KEY)
    found = sandboxed_verify.verify(file, samples.KEY, memory=40 * 1024 * 1024)
    assert found.outcome is CheckOutcome.WRONG
