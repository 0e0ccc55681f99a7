"""Pages of frameworks: the list, versions, crosswalk and the import of official texts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from flask import redirect, url_for

from governance.assurance.frameworks import (
    actions,
    catalogue,
    crosswalk_queries,
    import_queries,
    link_list,
    permissions,
    published_counts,
    queries,
)
from governance.assurance.frameworks.forms import ImportConfirmForm, TextImportForm
from governance.assurance.frameworks.importers import (
    ChangedText,
    ImportedFile,
    ImportedText,
    ImportPreview,
)
from governance.assurance.frameworks.link_list import LINKS
from governance.assurance.frameworks.parsing import MAX_FILE_BYTES
from governance.assurance.frameworks.publisher_file import ImportRefused
from governance.assurance.frameworks.queries import FrameworkView
from governance.foundation.people.queries import Moment, timeline
from governance.kernel.errors import NotFound, Stale
from governance.kernel.files.uploaded_files import keep_preview, previewed_file
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("frameworks", __name__)
operator_feature = Feature("operator_frameworks", __name__, scope="operator")
CHANGES_SHOWN = 200
# Limits of the excerpts of a changed text.
AROUND, WORDS_SHOWN, LETTERS_SHOWN = 8, 120, 2000


@feature.get("/frameworks/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    return page("assurance/frameworks/index.html", cards=import_queries.framework_cards())


@feature.post("/frameworks/<key>/adopt", needs=permissions.ADOPT)
def adopt(key: str) -> ResponseReturnValue:
    actions.adopt_framework(queries.framework(key))
    return redirect(url_for("frameworks.versions", key=key), 303)


# ---- Import: choose a file, preview, confirm


@feature.get("/frameworks/<key>/import", needs=permissions.IMPORT)
def choose(key: str) -> ResponseReturnValue:
    return _choose_page(queries.framework(key), TextImportForm())


def _choose_page(
    framework: FrameworkView,
    form: TextImportForm,
    *,
    status: int = 200,
    refused: Exception | None = None,
    other: FrameworkView | None = None,
) -> ResponseReturnValue:
    """Show the upload form. `other` is the framework that a rejected file belongs to."""
    return page(
        "assurance/frameworks/import.html",
        status=status,
        framework=framework,
        form=form,
        refused=refused,
        other=other,
        imports=import_queries.imports(framework.id),
    )


@feature.post("/frameworks/<key>/import", needs=permissions.IMPORT, writes=False)
def preview(key: str) -> ResponseReturnValue:
    """Show the changes that the file would make.

    The transaction is read-only. Only the file itself is stored, by its digest, for a day.
    """
    framework, form = queries.framework(key), TextImportForm()
    if not form.validate():
        return _choose_page(framework, form, status=422)
    data = form.file.data.read(MAX_FILE_BYTES + 1)
    try:
        imported, found = actions.read_import(data, form.filename, framework)
    except (ImportRefused, actions.NothingToImport) as refused:
        return _refused_page(framework, form, refused)
    keep_preview(data, limit=MAX_FILE_BYTES)
    return _preview_page(framework, imported, found, form.filename, len(data))


def _refused_page(
    framework: FrameworkView, form: TextImportForm, refused: Exception
) -> ResponseReturnValue:
    form.file.errors = [*form.file.errors, str(refused)]
    fits = getattr(refused, "fits", None)
    other = next((each for each in queries.frameworks() if each.key == fits), None)
    return _choose_page(framework, form, status=422, refused=refused, other=other)


def _preview_page(
    framework: FrameworkView,
    imported: ImportedFile,
    found: ImportPreview,
    filename: str,
    size: int,
    *,
    status: int = 200,
    stale: Stale | None = None,
) -> ResponseReturnValue:
    titles = {each.ref: each.title for each in queries.requirements(framework.id)}
    return page(
        "assurance/frameworks/preview.html",
        status=status,
        framework=framework,
        imported=imported,
        found=found,
        filename=filename,
        size=size,
        basis=actions.preview_basis(framework),
        stale=stale,
        titles=titles,
        changes=[(each, *_difference(each)) for each in found.changed[:CHANGES_SHOWN]],
        changes_shown=CHANGES_SHOWN,
        stale_rows=(
            [(name, old, new) for name, (old, new) in stale.changes.items()] if stale else []
        ),
        kinds=_by_kind(found),
        refs=len(imported.refs),
    )


def _by_kind(found: ImportPreview) -> list[tuple[str, int, int, int]]:
    """Return (kind, new, changed, unchanged) for each kind of text in the file."""
    new, changed, same = _counted(found.new), _counted(found.changed), _counted(found.unchanged)
    kinds = sorted(new.keys() | changed.keys() | same.keys(), key=import_queries.KIND_ORDER.index)
    return [(kind, new[kind], changed[kind], same[kind]) for kind in kinds]


def _counted(entries: Iterable[ImportedText | ChangedText]) -> Counter[str]:
    return Counter(each.kind for each in entries)


def _difference(change: ChangedText) -> tuple[str, str]:
    """Return excerpts of the old and new text, from the first to the last word that differs."""
    old, new = change.old.split(), change.new.split()
    if old == new:
        return "the same words", "different line breaks or spaces"
    before = _alike(old, new)
    behind = _alike(old[before:][::-1], new[before:][::-1])
    return _excerpt(old, before, len(old) - behind), _excerpt(new, before, len(new) - behind)


def _alike(one: Sequence[str], two: Sequence[str]) -> int:
    """Return the number of words at the start that are the same."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(two)))


def _excerpt(words: Sequence[str], first: int, last: int) -> str:
    start, end = max(0, first - AROUND), min(len(words), last + AROUND)
    shown = " ".join(words[start : min(end, start + WORDS_SHOWN)])[:LETTERS_SHOWN]
    more = max(0, end - start - WORDS_SHOWN)
    return (
        f"{'… ' if start else ''}{shown}{f' … and {more} more words' if more else ' …' if end < len(words) else ''}"
        or "no words"
    )


@feature.post("/frameworks/<key>/import/confirm", needs=permissions.IMPORT)
def confirm(key: str) -> ResponseReturnValue:
    """Import the previewed file if the texts it was compared with haven't changed."""
    framework, form = queries.framework(key), ImportConfirmForm()
    if not form.validate():
        raise NotFound("The import doesn't name a previewed file. Choose the file again.")
    data = previewed_file(form.sha256.data or "", limit=MAX_FILE_BYTES)
    filename, seen = (
        form.filename.data or "unnamed file",
        actions.ReviewedImport(form.sha256.data or "", form.basis.data or ""),
    )
    try:
        actions.import_texts(framework, data, filename=filename, seen=seen)
    except (ImportRefused, actions.NothingToImport) as refused:
        return _refused_page(framework, TextImportForm(), refused)
    except Stale as stale:
        imported, found = actions.read_import(data, filename, framework)
        return _preview_page(
            framework, imported, found, filename, len(data), status=409, stale=stale
        )
    return redirect(url_for("frameworks.versions", key=key, _anchor="imports"), 303)


# ---- A framework


@feature.get("/frameworks/<key>/versions", needs=permissions.VIEW)
def versions(key: str) -> ResponseReturnValue:
    framework = queries.framework(key)
    adoption, imports = import_queries.adoption(framework.id), import_queries.imports(framework.id)
    about = [each.id for each in imports] + ([adoption.id] if adoption else [])
    texts = import_queries.imported_texts(framework.id)
    return page(
        "assurance/frameworks/versions.html",
        framework=framework,
        adoption=adoption,
        imports=imports,
        counts=published_counts.counts(framework.key, queries.requirements(framework.id)),
        built_in=_built_in_digest(framework.key),
        revision=queries.newest_revision(framework.id),
        texts=len(texts),
        worded=len({ref for ref, _ in texts}),
        moments=_lines(timeline(about)) if about else [],
        others=[
            each for each in queries.installed() if each.key == key and each.id != framework.id
        ],
    )


def _built_in_digest(key: str) -> str | None:
    return (
        catalogue.catalogue_digest(catalogue.load_catalogue(key)) if key in catalogue.KEYS else None
    )


def _lines(moments: Sequence[Moment]) -> list[dict[str, Any]]:
    return [
        {"kind": "ok", "text": f"{each.who} {each.says}", "meta": _meta(each), "at": each.at}
        for each in moments
    ]


def _meta(moment: Moment) -> str:
    facts = moment.facts
    if moment.action == actions.ADOPTED.name:
        return f"version {facts.get('version')}, digest {str(facts.get('digest'))[:8]}"
    return (
        f"{facts.get('format')}: {facts.get('new')} new, {facts.get('changed')} changed,"
        f" {facts.get('unchanged')} unchanged"
    )


@feature.get("/frameworks/<key>/crosswalk", needs=permissions.VIEW)
def crosswalk(key: str) -> ResponseReturnValue:
    framework, judged, derived = (
        queries.framework(key),
        crosswalk_queries.crosswalk_of(key),
        crosswalk_queries.derived_of(key),
    )
    others = [(each.key, each.name) for each in queries.frameworks() if each.key != key]
    kinds = [("derived", f"derived over two steps ({len(derived):,})")]
    list_request = LINKS.read(place={"key": key}, choices={"to": others, "kind": kinds})
    pool = derived if list_request.value("kind") else judged
    return page(
        "assurance/frameworks/crosswalk.html",
        framework=framework,
        asked=list_request,
        links=link_list.filter_links(pool, list_request),
        judged=len(judged),
        derived=len(derived),
        refs=len({each.ref for each in judged}),
    )


# ---- Operator


@operator_feature.get("/frameworks", needs=permissions.INSTALLED, endpoint="index")
def installed() -> ResponseReturnValue:
    rows = [
        (each, queries.requirements(each.id), _built_in_digest(each.key))
        for each in queries.installed()
    ]
    return page("assurance/frameworks/operator.html", rows=[_installed(*row) for row in rows])


def _installed(
    each: FrameworkView, nodes: Sequence[queries.RequirementView], built_in: str | None
) -> dict[str, Any]:
    return {
        "framework": each,
        "nodes": len(nodes),
        "assessable": sum(node.assessable for node in nodes),
        "current": each.digest == built_in,
        "counts_agree": all(count.agrees for count in published_counts.counts(each.key, nodes)),
    }
