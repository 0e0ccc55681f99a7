"""The offline verification of a statement, which recomputes it from the minute counts.

    verify(data, key="") -> StatementVerdict    `sla-statement.json`, or the zip with PDF and data

It recomputes attainment, bands, cap and credit, without a database, network or clock. `key` is one
verifier key or several, one per line: that of the statements, and that of the audit log for its
checkpoint. Any edit breaks the signature, so the digests and sums in the file then name what was
altered: the first wrong minute, the term, the exclusion or the sum.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import rfc8785

from governance.foundation.audit import checkpoint
from governance.foundation.audit.verify import read_keys
from governance.kernel.files.verification_results import CheckResult, VerificationResult, plain
from governance.kernel.intervals import Span
from governance.kernel.months import MAX_MONTH_LENGTH, Month, ZonePeriod, month_span
from governance.kernel.safety.signed_note import NotSigned, VerifierKey, b64, split
from governance.operations.agreements.terms import fingerprint_of
from governance.publishing.reports.signatures import signing
from governance.publishing.statements import data_file
from governance.publishing.statements.data_file import DataFile, Unreadable
from governance.publishing.statements.minute_counts import Tally, decode
from governance.publishing.statements.removed_exclusions import removed
from governance.publishing.statements.statement_calculation import (
    MixedCurrencies,
    calculate,
    read_instant,
    read_span,
    rule_of,
)

MAX_NAMED = 5  # Findings of one check that its sentence names.
DAMAGE = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
    ZeroDivisionError,
    rfc8785.CanonicalizationError,
)


@dataclass(frozen=True, slots=True)
class StatementVerdict(VerificationResult):
    """The result of a check. `credit` is as recomputed.

    `number` is the statement's name on a valid signature, or None.
    """

    number: str | None = None
    credit: int | None = None

    @property
    def sentence(self) -> str:
        wrong = [each.sentence for each in self.checks if each.ok is False]
        return self.summary(
            "statement",
            "The statement is genuine and adds up: signature, minutes, attainment and credit.",
            " ".join(wrong[:2]),
        )


def verify(data: bytes, key: str = "") -> StatementVerdict:
    """Check the file. Each result is a sentence, and no content of a file makes this raise."""
    try:
        keys = read_keys(key) if key.strip() else []
    except NotSigned as problem:
        return _ended(CheckResult("key", ok=None, sentence=str(problem)))
    try:
        inside = data_file.unzip(data) if data[:2] == b"PK" else {data_file.NAME: data}
        file = data_file.read(inside[data_file.NAME])
    except Unreadable as problem:
        return _ended(CheckResult("file", ok=False, sentence=str(problem)))
    number, signature = _signature(file, keys)
    minutes, tallies = _minutes(file.statement)
    recomputed, credit = _recomputed(file.statement, tallies)
    checks = [
        signature,
        minutes,
        *_values(file),
        _accepted(file.statement),
        recomputed,
        *_log(file.statement, keys),
        *_pdf(inside, file, keys),
    ]
    return StatementVerdict(tuple(_plain(each) for each in checks), number, credit)


def _ended(check: CheckResult) -> StatementVerdict:
    return StatementVerdict((_plain(check),))


def _plain(check: CheckResult) -> CheckResult:
    return CheckResult(check.name, check.ok, plain(check.sentence), check.required)


def _signature(file: DataFile, keys: Sequence[VerifierKey]) -> tuple[str | None, CheckResult]:
    if not keys:
        return None, _without_key(file)
    problems = []
    for key in keys:
        try:
            number = data_file.open_signature(file, key)
        except (NotSigned, *DAMAGE) as problem:
            problems.append(str(problem))
        else:
            who = f"{key.name} signed {number} with the key {key.key_id.hex()}."
            return number, CheckResult("signature", ok=True, sentence=who)
    changed = next((each for each in problems if "content was changed" in each), problems[0])
    return None, CheckResult("signature", ok=False, sentence=f"Signature: {changed}")


def _without_key(file: DataFile) -> CheckResult:
    """Return the result without a key.

    It is never a pass: anyone can sign a file with their own key.
    """
    try:
        key = signing.parse_key(str(file.statement.get("signing_key")))
        number = data_file.open_signature(file, key)
    except (NotSigned, *DAMAGE) as problem:
        return CheckResult("signature", ok=False, sentence=f"Signature: {problem}")
    return CheckResult(
        "signature",
        ok=None,
        sentence=(
            f"The key that the file names, {key.name}+{key.key_id.hex()}, signed {number}. Pass"
            " --key with the key that you got elsewhere, to know that it is theirs."
        ),
    )


def _minutes(statement: Mapping[str, Any]) -> tuple[CheckResult, dict[str, Tally]]:
    """Read each indicator's minutes. The earliest wrong one is named first."""
    wrong: list[str] = []
    tallies: dict[str, Tally] = {}
    known = 0
    try:
        span = _month(statement)
        for each in statement["indicators"]:
            rule = rule_of(each)
            found = decode(each["days"], span, str(each["key"]), rule)
            tallies[each["key"]] = tally = Tally(found.counts, rule)
            sums = tally.counts([span])
            stated, counted = each["sums"], [sums.minutes, sums.down, sums.good, sums.total]
            wrong += found.wrong
            if not found.wrong and stated != counted:
                wrong.append(f"The sums of {each['key']} are {stated}; its days give {counted}.")
            known += sums.minutes
    except DAMAGE as problem:
        wrong.append(f"The minute counts can't be read: {_why(problem)}.")
    if wrong:
        return CheckResult("minutes", ok=False, sentence=_first(wrong)), tallies
    sentence = f"{known:,} minutes with data match their sums and digests."
    return CheckResult("minutes", ok=True, sentence=sentence), tallies


def _month(statement: Mapping[str, Any]) -> Span:
    """Return the month's span, after checking that it is that of the month in its zones."""
    span = read_span(statement["span"])
    if not timedelta(0) < span.end - span.start <= MAX_MONTH_LENGTH:
        raise ValueError("the span isn't that of a month")
    zones = [ZonePeriod(read_instant(since), str(zone)) for since, zone in statement["zones"]]
    if month_span(zones, Month.parse(statement["month"])) != span:
        raise ValueError("the span isn't that of the month in its time zone")
    return span


def _first(wrong: Sequence[str]) -> str:
    more = len(wrong) - MAX_NAMED
    return " ".join(wrong[:MAX_NAMED]) + (f" And {more} more." if more > 0 else "")


def _why(problem: BaseException) -> str:
    missing = f"{problem} is missing"
    return missing if isinstance(problem, KeyError) else str(problem) or type(problem).__name__


SECTIONS = (
    ("terms", ("versions/",), "The agreement's terms match their digests."),
    ("exclusions", ("exclusions",), "The exclusions match their digests."),
    ("values", ("",), "All other values match their digests."),
)


def _values(file: DataFile) -> Iterator[CheckResult]:
    """Compare each value with its digest, by section."""
    try:
        found = dict(data_file.leaves(file.statement))
        wrong = [
            path
            for path in [*found, *(path for path in file.checks if path not in found)]
            if path not in found
            or file.checks.get(path) != data_file.leaf_digest(path, found[path])
        ]
    except DAMAGE as problem:
        yield CheckResult("values", ok=False, sentence=f"The file can't be read: {_why(problem)}.")
        return
    for name, prefixes, right in SECTIONS:
        here = [path for path in wrong if path.startswith(prefixes)]
        wrong = [path for path in wrong if path not in here]
        gone = removed(file.statement, file.checks) if name == "exclusions" and here else []
        sentences = gone or [_altered(path, found, file) for path in here]
        yield CheckResult(name, ok=not here, sentence=_first(sentences) if here else right)


def _altered(path: str, found: Mapping[str, Any], file: DataFile) -> str:
    place = _place(path, file.statement)
    if path not in found:
        return f"{place} was removed."
    if path not in file.checks:
        return f"{place} was added: {json.dumps(found[path])}."
    return f"{place} was altered: it is {json.dumps(found[path])}."


def _place(path: str, statement: Mapping[str, Any]) -> str:
    """Return the path as a person reads it: "Term commitments/0/target of version 4"."""
    parts = path.split("/")
    try:
        match parts:
            case ["versions", _, "terms", *rest]:
                return f"Term {'/'.join(rest)} of version {_at(statement, parts[:2])['number']}"
            case ["exclusions", _, *rest]:
                return (
                    f"{'/'.join(rest).capitalize()} of exclusion {_at(statement, parts[:2])['ref']}"
                )
            case ["result", "lines", _, *rest]:
                line = _at(statement, parts[:3])
                return f"{'/'.join(rest).capitalize()} of {line['commitment']} in the result"
            case ["result", *rest]:
                return f"The result's {'/'.join(rest)}"
            case _:
                return f"The value {path}"
    except DAMAGE:
        return f"The value {path}"


def _at(statement: Any, parts: Iterable[str]) -> Any:
    for part in parts:
        statement = statement[int(part)] if isinstance(statement, list) else statement[part]
    return statement


def _accepted(statement: Mapping[str, Any]) -> CheckResult:
    """Check the terms against the fingerprint that both sides accepted."""
    wrong: list[str] = []
    try:
        wrong += [
            f"The terms of version {version['number']} don't have the fingerprint that was"
            " accepted."
            for version in statement["versions"]
            if version["fingerprint"] != fingerprint_of(version["terms"])
        ]
        count = len(statement["versions"])
    except DAMAGE as problem:
        wrong, count = [f"The terms can't be read: {_why(problem)}."], 0
    right = f"The terms of {'the version' if count == 1 else f'{count} versions'} in force have the"
    return CheckResult(
        "accepted",
        ok=not wrong,
        sentence=_first(wrong) if wrong else f"{right} accepted fingerprint.",
    )


def _recomputed(
    statement: Mapping[str, Any], tallies: Mapping[str, Tally]
) -> tuple[CheckResult, int | None]:
    try:
        result = calculate(statement, tallies)
        wrong = [*_differences(result, statement["result"])]
    except MixedCurrencies as problem:
        return CheckResult("result", ok=False, sentence=str(problem)), None
    except DAMAGE as problem:
        sentence = f"The result can't be recomputed: {_why(problem)}."
        return CheckResult("result", ok=False, sentence=sentence), None
    if wrong:
        return CheckResult("result", ok=False, sentence=_first(wrong)), result["credit"]
    lines = len(result["lines"])
    amount = f"{result['credit']:,} minor units of {result['currency']}"
    sentence = f"Recomputed {lines} commitments, the cap and the credit: {amount}."
    return CheckResult("result", ok=True, sentence=sentence), result["credit"]


def _differences(computed: Mapping[str, Any], stated: Mapping[str, Any]) -> Iterator[str]:
    lines = zip(computed["lines"], stated["lines"], strict=False)
    for line, other in lines:
        for name, value in line.items():
            if other.get(name) != value:
                yield (
                    f"{line['commitment']}: the statement says {name.replace('_', ' ')}"
                    f" {_text(other.get(name))}; recomputed from the minutes it is {_text(value)}."
                )
    if len(computed["lines"]) != len(stated["lines"]):
        yield f"The result has {len(stated['lines'])} lines instead of {len(computed['lines'])}."
    for name, value in computed.items():
        if name != "lines" and stated.get(name) != value:
            yield (
                f"The statement says {name.replace('_', ' ')} {_text(stated.get(name))};"
                f" recomputed it is {_text(value)}."
            )


def _text(value: Any) -> str:
    return "nothing" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _log(statement: Mapping[str, Any], keys: Sequence[VerifierKey]) -> Iterator[CheckResult]:
    """Check the audit log's checkpoint. Its signature is checked only if the log's key is given."""
    log = statement.get("log")
    if log is None:
        return
    try:
        stated = checkpoint.parse(split(log["note"])[0])
        mine = [key for key in keys if key.name == stated.origin]
        for key in mine[:1]:
            checkpoint.open_checkpoint(log["note"], key)
        named = (log["origin"], log["size"], log["root"])
        is_named = named == (stated.origin, stated.size, b64(stated.root))
    except (NotSigned, *DAMAGE) as problem:
        yield CheckResult("log", ok=False, sentence=f"Checkpoint of the audit log: {_why(problem)}")
        return
    if not is_named:
        yield CheckResult(
            "log", ok=False, sentence="The audit log's checkpoint isn't the one that is named."
        )
        return
    where = f"Checkpoint of {stated.origin} at {stated.size:,} entries"
    if mine:
        yield CheckResult("log", ok=True, sentence=f"{where}, signed by the log's key.")
    else:
        yield CheckResult(
            "log",
            ok=None,
            sentence=f"{where}: its signature was not checked. Pass --key with the log's key, too.",
        )


def _pdf(
    inside: Mapping[str, bytes], file: DataFile, keys: Sequence[VerifierKey]
) -> Iterator[CheckResult]:
    """Check the PDFs beside the data file in a zip."""
    for name in sorted(each for each in inside if each.endswith(".pdf")):
        note = inside.get(f"{name}.sig", b"").decode(errors="replace")
        sha256 = hashlib.sha256(inside[name]).hexdigest()
        stated, problem = None, "There is no signature for it"
        for key in keys:
            try:
                stated = signing.open_note(note, key)
            except NotSigned as found:
                problem = str(found)
            else:
                break
        if not keys:
            yield CheckResult("pdf", ok=None, sentence=f"{name}: not checked without --key.")
        elif stated is None:
            yield CheckResult("pdf", ok=False, sentence=f"{name}: {problem}")
        elif stated.sha256 != sha256:
            yield CheckResult("pdf", ok=False, sentence=f"{name} isn't the file that was signed.")
        elif stated.fingerprint != _sha256(file):
            yield CheckResult("pdf", ok=False, sentence=f"{name} was made from other data.")
        else:
            yield CheckResult("pdf", ok=True, sentence=f"{name} is signed, and shows this data.")


def _sha256(file: DataFile) -> str | None:
    """Return the digest. None for content that no signature can be over."""
    try:
        return file.sha256
    except DAMAGE:
        return None
