"""The log's pages: the list with its filters, one entry and its proof, one actor, the checkpoints,
views that were saved.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, current_app, flash, g, jsonify, redirect, request, url_for

from governance.foundation.anchors import queries as anchors
from governance.foundation.audit import checkpoint, logs, merkle, personal_field_encryption
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import AuditEntry, Checkpoint
from governance.foundation.audit.record import SYSTEM
from governance.foundation.audit.registry import registry
from governance.foundation.logbook import (
    actions,
    checkpoint_list,
    entry_links,
    log_list,
    permissions,
    queries,
)
from governance.foundation.logbook.checkpoint_list import CHECKPOINTS
from governance.foundation.logbook.filters import WHOLE, Filters, parse
from governance.foundation.logbook.forms import SaveViewForm
from governance.foundation.logbook.proof_view import prove
from governance.foundation.logbook.queries import LogPage, NumberedEntry
from governance.foundation.logbook.search import search
from governance.foundation.privacy import queries as privacy
from governance.kernel import clock, current, formatting
from governance.kernel.access import allowed
from governance.kernel.db import find
from governance.kernel.downloads import FILE
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.feature import Feature
from governance.kernel.forms import accepted, constraint, uuid_or_none
from governance.kernel.list_export import BATCH, csv_file, every_page
from governance.kernel.pages import page
from governance.kernel.signed_note import NotSigned
from governance.kernel.visibility_scope import limits
from governance.kernel.web import ResponseReturnValue

feature = Feature("logbook", __name__)
constraint(
    "uq_saved_views_tenant_id_name",
    "A view of that name was saved at the same moment. Choose another name.",
    field="name",
)

KINDS = {  # kind of actor → (letter of its pseudonym, icon, in words)
    "person": ("p", "user", "a person"),
    "job": ("j", "clock-cog", "the console's own work"),
    "api_key": ("k", "key", "a machine with a key"),
    "operator": ("o", "building", "an operator"),
}
OUTCOMES = {"done": "ok", "denied": "bad", "failed": "bad", "waits": "due", "requested": "due"}
YEARS = 12  # months in one


# ---- what is shown of an entry


@dataclass(frozen=True, slots=True)
class ActorView:
    """An actor as the log shows him."""

    pseudonym: str
    label: str
    icon: str
    kind: str


def who(pseudonym: str, kind: str) -> ActorView:
    """p-7k3f-91ac: the kind's letter and the first eight digits."""
    letter, icon, meaning = KINDS.get(kind, ("p", "user", kind))
    short = "console" if pseudonym == SYSTEM else f"{pseudonym[:4]}-{pseudonym[4:8]}"
    return ActorView(pseudonym, f"{letter}-{short}", icon, meaning)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One row of the list."""

    entry: AuditEntry
    number: str
    at: datetime
    who: ActorView
    target: str
    outcome: str


def _lines(rows: Sequence[NumberedEntry]) -> list[tuple[str, list[LogLine]]]:
    """The rows under their days, in the tenant's time zone."""
    zone, named = formatting.zone(), queries.target_words([each.entry for each in rows])
    days: list[tuple[str, list[LogLine]]] = []
    for each in rows:
        at = each.entry.at.astimezone(zone)
        day = (
            f"{at:%A} {formatting.long_day(at.date())}"
            if at.year != clock.now().year
            else f"{at:%A} {at.day} {at:%B}"
        )
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(_line(each, at, named[each.entry.id]))
    return days


def _line(row: NumberedEntry, at: datetime, target: str) -> LogLine:
    number = "waits" if row.index is None else formatting.thousands(row.index + 1)
    actor = who(row.entry.actor, row.entry.actor_kind)
    return LogLine(row.entry, number, at, actor, target, OUTCOMES.get(row.entry.outcome, "info"))


def _zone_name(zone: ZoneInfo) -> str:
    """Europe/Berlin → Berlin."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def _offered(endpoint: str, **values: Any) -> str | None:
    """The address of another feature's page, where there is one and the reader may open it."""
    view = current_app.view_functions.get(endpoint)
    return (
        url_for(endpoint, **values) if view is not None and allowed(vars(view)["needs"]) else None
    )


# ---- the list


@feature.get("/audit/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked, zone = parse(request.args), formatting.zone()
    after, chosen = request.args.get("after"), uuid_or_none(request.args.get("entry"))
    listing = log_list.request_of(asked, after=after, sort=request.args.get("sort", ""))
    found = (
        search(asked, zone.key, after=after)
        if asked.words
        else queries.listed(asked, zone.key, after=after)
    )
    context: dict[str, Any] = {
        "days": _lines(found.rows),
        "shown": len(found.rows),
        "asked": asked,
        "kept": asked.address,
        "listing": listing,
        "after": after,
        "zone": _zone_name(zone),
        "extent": queries.extent(),
        "years": _years(),
        "views": _views(asked),
        "next": _next(asked, found),
        "searched_to": formatting.thousands(found.searched_to) if found.searched_to else None,
        "mark": _mark(found, after),
        "export": _offered("log_exports.index", **asked.address),
        "verify": _offered("log_check.page"),
        "chosen": _shown(queries.row(chosen)) if chosen else None,
        "here": _list_address(asked, after=after),
    }
    return page("foundation/logbook/index.html", **context)


def _list_address(asked: Filters, **more: Any) -> str:
    values: dict[str, Any] = {
        **asked.address,
        **{name: value for name, value in more.items() if value},
    }
    return url_for("logbook.index", **values)


def _next(asked: Filters, found: LogPage) -> str | None:
    return _list_address(asked, after=found.next) if found.next else None


def _mark(found: LogPage, after: str | None) -> str | None:
    """From where on an entry is new to this reader; a page further back has no tail."""
    if after is not None:
        return None
    newest = max(
        ((row.entry.at, row.entry.id) for row in found.rows), default=(clock.now(), UUID(int=0))
    )
    return f"{newest[0].isoformat()}~{newest[1]}"


def _years() -> str:
    """How long sealed parts are kept: "7 years"."""
    rule = privacy.retention()
    months = rule.months if rule else privacy.DEFAULT_MONTHS
    return (
        formatting.plural(months // YEARS, "year")
        if months % YEARS == 0
        else formatting.plural(months, "month")
    )


def _views(asked: Filters) -> list[dict[str, Any]]:
    return [
        {
            "id": view.id,
            "name": view.name,
            "href": url_for("logbook.index", **view.query),
            "current": view.query == asked.address,
        }
        for view in queries.views()
    ]


@feature.get("/audit/live", needs=permissions.VIEW, attended=False)
def live() -> ResponseReturnValue:
    """How many entries came under the same filters since the page was made."""
    at, entry_id = _marked(request.args.get("mark", ""))
    person = current.actor().person_id
    own = personal_field_encryption.pseudonym(person) if person else ""
    count = queries.newer(
        parse(request.args),
        formatting.zone().key,
        at,
        entry_id,
        own=own,
        own_action=actions.PAGE_VIEWED.name,
    )
    many = "99+" if count >= queries.MOST_NEW else str(count)
    return jsonify(count=count, words=f"{many} new {'entry' if count == 1 else 'entries'}")


def _marked(text: str) -> tuple[datetime, UUID]:
    at, _, entry_id = text.partition("~")
    try:
        moment, identity = datetime.fromisoformat(at), UUID(entry_id)
    except ValueError:
        # no moment at all, refused below
        moment, identity = datetime.min, UUID(int=0)  # noqa: DTZ901
    # what PostgreSQL and a time zone can reckon with
    if moment.tzinfo is None or not 1970 <= moment.year <= 9000:  # noqa: PLR2004
        raise Invalid("The mark of the live tail cannot be read. Reload the list.")
    return moment, identity


# ---- one entry


@feature.get("/audit/entries/<uuid:entry_id>", needs=permissions.VIEW)
def entry(entry_id: UUID) -> ResponseReturnValue:
    """A page of its own; beside the list only its panel."""
    alone = request.headers.get("HX-Request") != "true"
    return page(
        "foundation/logbook/entry.html",
        chosen=_shown(queries.row(entry_id)),
        alone=alone,
        fragments=("panel",),
    )


def _shown(row: NumberedEntry) -> dict[str, Any]:
    """Everything that is shown of one entry."""
    entry, proof = row.entry, prove(row)
    g.also_read = [str(entry.id)] if request.endpoint == "logbook.index" else []
    deed, subjects = (
        registry.get(entry.action),
        {entry.actor, *(each["subject"] for each in _sealed(entry).values())},
    )
    names = privacy.unmasked(subjects)
    beside = queries.beside(row.index) if row.index is not None else {}
    return {
        "entry": entry,
        "index": row.index,
        "number": None if row.index is None else formatting.thousands(row.index + 1),
        "local": entry.at.astimezone(formatting.zone()),
        "utc": f"{entry.at:%Y-%m-%d %H:%M:%S.%f} UTC",
        "who": who(entry.actor, entry.actor_kind),
        "says": deed.says if deed else "",
        "name": names.get(entry.actor),
        "unmask": _unmask(entry.actor, entry.actor_kind),
        "target": queries.target_words([entry])[entry.id],
        "target_noun": entry_links.noun(entry.target_type),
        "target_href": _target_href(entry),
        "sealed": list(_opened(entry, names)),
        "facts": [
            (name, _said(_masked(name, value))) for name, value in sorted(entry.facts.items())
        ],
        "changes": [
            (name, _said(_masked(name, old)), _said(_masked(name, new)))
            for name, (old, new) in _pairs(entry)
        ],
        "newer": beside.get((row.index or 0) + 1),
        "older": beside.get((row.index or 0) - 1),
        "proof": proof,
        "outcome": OUTCOMES.get(entry.outcome, "info"),
    }


def _unmask(pseudonym: str, kind: str) -> str | None:
    """Where to ask who a person is; the console's own work is nobody."""
    return (
        _offered("privacy.ask_unmask", subject=pseudonym)
        if kind in {"person", "operator"} and pseudonym != SYSTEM
        else None
    )


def _target_href(entry: AuditEntry) -> str | None:
    """The page of what an entry is about, where the reader has one: an auditor reads the whole log,
    and has his scope's pages.
    """
    found, held = entry_links.page(entry.target_type, entry.target_id), limits()
    if held is not None and not entry_links.is_within(held, entry.target_type, entry.target_id):
        return None
    return _offered(found[0], **found[1]) if found else None


def _sealed(entry: AuditEntry) -> dict[str, dict[str, str]]:
    return {
        name: held
        for name, held in sorted(entry.sealed.items())
        if isinstance(held, dict) and "subject" in held
    }


def _opened(entry: AuditEntry, names: Mapping[str, str]) -> Iterator[tuple[str, str | None, bool]]:
    """(field, its text while its person is unmasked for this reader, whether it can be read at
    all).
    """
    for name, held in _sealed(entry).items():
        is_open = held["subject"] in names
        text = personal_field_encryption.unseal(name, held) if is_open else None
        yield ("reason" if name == "reason" else name, text, not is_open or text is not None)


def _pairs(entry: AuditEntry) -> Iterator[tuple[str, list[Any]]]:
    """Each field that changed, and what it was and is."""
    for name, pair in sorted(entry.changes.items()):
        if isinstance(pair, list) and len(pair) == 2:  # noqa: PLR2004 - before, after
            yield name, pair


def _masked(name: str, value: Any) -> Any:
    """An owner is a person, written by his pseudonym: shown in short, as an actor is."""
    return who(str(value), "person").label if name == "owner" and value else value


def _said(value: Any) -> str | None:
    """A value of the log in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_said(each) or "none" for each in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items()) or "none"
    return None if value is None else str(value)


@feature.get("/audit/entries/<uuid:entry_id>/proof", needs=permissions.VIEW, answers=FILE)
def proof(entry_id: UUID) -> ResponseReturnValue:
    """The proof as a file (C2SP tlog-proof), for other people's verifiers."""
    row = queries.row(entry_id)
    found = prove(row)
    if found is None or found.standing is None:
        raise DomainError(
            found.trouble
            if found
            else "The entry has no place in a signed tree yet. It gets one within seconds."
        )
    return _file(
        str(found.standing.proof).encode(),
        f"entry-{found.standing.index}.tlog-proof",
        "text/plain; charset=utf-8",
    )


@feature.get("/audit/entries/<uuid:entry_id>/bytes", needs=permissions.VIEW, answers=FILE)
def body(entry_id: UUID) -> ResponseReturnValue:
    """What is hashed: the entry's canonical JSON, with what is sealed in it as ciphertext."""
    row = queries.row(entry_id)
    return _file(
        row.entry.body,
        f"entry-{entry_id if row.index is None else row.index}.json",
        "application/json",
    )


def _file(content: bytes, name: str, media_type: str) -> Response:
    return Response(
        content,
        content_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


# ---- one actor


@feature.get("/audit/actors/<pseudonym>", needs=permissions.VIEW)
def actor(pseudonym: str) -> ResponseReturnValue:
    """What one pseudonym did."""
    done = queries.doings(pseudonym) if len(pseudonym) == WHOLE else None
    if done is None:
        raise NotFound("This log knows no such actor.")
    after = request.args.get("after")
    asked = Filters(actor=pseudonym)
    found = queries.listed(asked, formatting.zone().key, after=after)
    more = url_for("logbook.actor", pseudonym=pseudonym, after=found.next) if found.next else None
    return page(
        "foundation/logbook/actor.html",
        who=who(pseudonym, done.kind),
        done=done,
        days=_lines(found.rows),
        shown=len(found.rows),
        next=more,
        after=after,
        zone=_zone_name(formatting.zone()),
        name=privacy.unmasked([pseudonym]).get(pseudonym),
        unmask=_unmask(pseudonym, done.kind),
    )


# ---- checkpoints


@feature.get("/audit/checkpoints", needs=permissions.VIEW)
def checkpoints() -> ResponseReturnValue:
    keys = logs.all_keys()
    asked = CHECKPOINTS.read(
        choices={"key": [(key_id, key_id) for key_id in map(logs.key_id, keys)]}
    )
    found = queries.checkpoints(
        asked.wanted, sort=asked.sort, after=asked.after, size=CHECKPOINTS.size
    )
    older, newer = _number(request.args.get("from"), "from"), _number(request.args.get("to"), "to")
    return page(
        "foundation/logbook/checkpoints.html",
        asked=asked,
        rows=found.rows,
        next=found.next,
        log=audit.head(),
        receipts=anchors.receipts([each.id for each in found.rows]) if found.rows else {},
        places=checkpoint_list.places(),
        anchors_href=_offered("anchors.index"),
        keys=[(key, str(logs.verifier(key)), logs.key_id(key)) for key in keys],
        older=older,
        newer=newer,
        compared=_compared(older, newer) if older is not None and newer is not None else None,
    )


@feature.get("/audit/checkpoints.csv", needs=permissions.VIEW, answers=FILE)
def export_checkpoints() -> ResponseReturnValue:
    """What is filtered, whole."""
    asked = CHECKPOINTS.read()
    pages = every_page(
        lambda after: queries.checkpoints(asked.wanted, sort=asked.sort, after=after, size=BATCH)
    )
    return csv_file(
        f"{current.actor().tenant_slug}-checkpoints",
        checkpoint_list.HEAD,
        map(checkpoint_list.cells, pages),
    )


def _number(text: str | None, name: str) -> int | None:
    if not text:
        return None
    # digits of a bigint
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004
        raise Invalid(f"The checkpoint in “{name}” should be a number such as 80.", field=name)
    return int(text)


def _compared(older: int, newer: int) -> tuple[str, str, str]:
    """(kind, lead, text): whether the one log is the beginning of the other, and by how many hashes
    that is proved.
    """
    try:
        first, last = sorted(
            (audit.checkpoint(older), audit.checkpoint(newer)), key=lambda each: each.number
        )
    except NotFound:
        return (
            "warn",
            "Nothing was compared.",
            f"There is no checkpoint {older} or no checkpoint {newer} here.",
        )
    if first.size == 0:
        return (
            "info",
            f"Checkpoint {first.number} is of an empty log,",
            "which is the beginning of every log: that proves nothing.",
        )
    try:
        path = audit.consistency(first.size, last.size)
        merkle.verify_consistency(
            first.size, last.size, path, *(_root(each) for each in (first, last))
        )
    except (merkle.ProofFails, NotSigned, NotFound) as problem:
        return (
            "bad",
            f"Checkpoint {first.number} is not the beginning of checkpoint {last.number}.",
            str(problem),
        )
    except (ValueError, LookupError):
        return (
            "bad",
            "The stored tree cannot be read.",
            "Tell the operator to run governance audit fsck.",
        )
    said = (
        "their roots are the same"
        if first.size == last.size
        else f"proved by {formatting.plural(len(path), 'hash', 'hashes')}"
    )
    return (
        "ok",
        f"Checkpoint {first.number} is the beginning of checkpoint {last.number}:",
        f"{said}, and both signatures hold.",
    )


def _root(signed: Checkpoint) -> bytes:
    """What was signed, not what the row says."""
    key = next((key for key in logs.all_keys() if logs.key_id(key) == signed.key_id), None)
    if key is None:
        raise NotSigned(
            f"Checkpoint {signed.number} was signed with a key that is none of this log."
        )
    return checkpoint.open_checkpoint(signed.note, logs.verifier(key)).root


@feature.get("/audit/checkpoints/<uuid:checkpoint_id>/note", needs=permissions.VIEW, answers=FILE)
def note(checkpoint_id: UUID) -> ResponseReturnValue:
    """One checkpoint as it was signed (C2SP tlog-checkpoint)."""
    signed = find(Checkpoint, checkpoint_id, what="checkpoint")
    name = f"{current.actor().tenant_slug}-checkpoint-{signed.number}.txt"
    return _file(signed.note.encode(), name, "text/plain; charset=utf-8")


# ---- saved views


@feature.get("/audit/views/new", needs=permissions.KEEP)
def saving() -> ResponseReturnValue:
    return _saving(SaveViewForm(), parse(request.args))


def _saving(form: SaveViewForm, asked: Filters, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "foundation/logbook/save_view.html",
        status=status,
        form=form,
        asked=asked,
        kept=asked.address,
        chips=log_list.request_of(asked).chips,
    )


@feature.post("/audit/views/new", needs=permissions.KEEP)
def save() -> ResponseReturnValue:
    form, asked = SaveViewForm(), parse(request.args)
    if not accepted(form, lambda: actions.save_view(form.name.data or "", asked.address)):
        return _saving(form, asked, status=form.status)
    flash(f"Saved as “{(form.name.data or '').strip()}”.")
    return redirect(_list_address(asked), 303)


@feature.post("/audit/views/<uuid:view_id>/remove", needs=permissions.KEEP)
def remove(view_id: UUID) -> ResponseReturnValue:
    actions.remove_view(queries.view(view_id))
    flash("The saved view is gone.")
    return redirect(url_for("logbook.index"), 303)
