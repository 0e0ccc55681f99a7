"""The public page of a system's model card, and the card as PDF, JSON and ML-BOM.

Anybody who has the address reads it. It shows published content and nothing else of the tenant. Of
later changes, it names only parts that its readers know already.
"""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from governance.kernel import clock
from governance.kernel.errors import Gone, NotFound
from governance.kernel.files import storage
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work import generated_files
from governance.operations.evaluations import figures
from governance.operations.systems.models import AISystem
from governance.publishing.model_cards import card, queries
from governance.publishing.model_cards import record as system_record
from governance.publishing.model_cards.bom import ml_bom
from governance.publishing.model_cards.drawing import interval, limit_words
from governance.publishing.model_cards.models import ModelCard
from governance.publishing.model_cards.public_reader import NOTHING_HERE, reading
from governance.publishing.reports.signatures import signed_files

public = Feature("public_model_cards", __name__, scope="public")
HOME = "/model-cards/<tenant>/<token>"
GONE = 410


@public.after_request
def keep_out_of_search_engines(answer: Response) -> Response:
    """Tell search engines to skip a card: it is for readers who have its address."""
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@public.get(HOME, needs=PUBLIC)
def show(tenant: str, token: str) -> ResponseReturnValue:
    """Show the newest version, with a mark if the record has changed since."""
    with reading(tenant, token) as system:
        return _page(tenant, token, system, _newest(system))


@public.get(f"{HOME}/<int:number>", needs=PUBLIC)
def version(tenant: str, token: str, number: int) -> ResponseReturnValue:
    """Show an earlier version."""
    with reading(tenant, token) as system:
        return _page(tenant, token, system, queries.version(system.id, number))


def _newest(system: AISystem) -> ModelCard:
    found = queries.newest(system.id)
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


def _page(tenant: str, token: str, system: AISystem, found: ModelCard) -> ResponseReturnValue:
    rows = queries.versions_with_pdf(system.id)
    every, pdfs = [each for each, _pdf in rows], {each.number: pdf for each, pdf in rows}
    is_newest = found.number == every[0].number
    stale = [] if found.is_withdrawn or not is_newest else stale_parts(system, found)
    return page(
        "publishing/model_cards/public.html",
        status=GONE if found.is_withdrawn else 200,
        address={"tenant": tenant, "token": token},
        model_card=found,
        content=found.content,
        versions=every,
        is_newest=is_newest,
        stale=stale,
        has_pdf=not found.is_withdrawn and pdfs.get(found.number, False),
        interval=interval,
        limit_words=limit_words,
        day_of=card.day_of,
        in_force_words=card.in_force_words,
        data_set_words=card.data_set_words,
        figures=figures,
    )


def stale_parts(system: AISystem, found: ModelCard) -> list[str]:
    """Return the outdated parts of a published card, without the record's new values."""
    now = system_record.compared(system, found)
    parts = [each.part for each in card.changes(found.content, now.content)]
    return [*dict.fromkeys(parts), *card.outdated(found.content, clock.now())]


@public.get(f"{HOME}/<int:number>/card.json", needs=PUBLIC, answers=FILE)
def as_json(tenant: str, token: str, number: int) -> ResponseReturnValue:
    """Return one version as JSON."""
    with reading(tenant, token) as system:
        found = _published(system, number)
        return json_file(found.public_content, f"model-card-{found.number}.json")


@public.get(f"{HOME}/<int:number>/ml-bom.json", needs=PUBLIC, answers=FILE)
def as_bom(tenant: str, token: str, number: int) -> ResponseReturnValue:
    """Return one version as an ML-BOM, CycloneDX 1.7."""
    with reading(tenant, token) as system:
        found = _published(system, number)
        made = ml_bom(
            found.content,
            number=found.number,
            sha256=found.sha256,
            published_at=found.created_at.isoformat(),
        )
        return json_file(made, f"model-card-{found.number}.cdx.json")


@public.get(f"{HOME}/<int:number>/card.pdf", needs=PUBLIC, answers=FILE)
def as_pdf(tenant: str, token: str, number: int) -> ResponseReturnValue:
    """Return one version as a PDF."""
    with reading(tenant, token) as system:
        content, _signature, name = _signed(system, number)
        return _file(content, name, "application/pdf")


@public.get(f"{HOME}/<int:number>/card.pdf.sig", needs=PUBLIC, answers=FILE)
def signature(tenant: str, token: str, number: int) -> ResponseReturnValue:
    """Return the PDF's detached signature, for verification."""
    with reading(tenant, token) as system:
        _content, signature, name = _signed(system, number)
        return _file(signature.encode(), f"{name}.sig", "text/plain; charset=utf-8")


def _signed(system: AISystem, number: int) -> tuple[bytes, str, str]:
    """Return a version's PDF, signature and name. Raises NotFound until the PDF is generated."""
    row = queries.published_file(_published(system, number).id)
    if row is None:
        raise NotFound(NOTHING_HERE)
    stored = generated_files.to_download(row)
    with storage.store().open(stored.key) as file:
        content, signature = signed_files.unpack(file.read())
    return content, signature, stored.name.removesuffix(".zip") + ".pdf"


def _published(system: AISystem, number: int) -> ModelCard:
    """Return one version. Raises NotFound, or Gone if it was withdrawn."""
    found = queries.version(system.id, number)
    if found.is_withdrawn:
        raise Gone("This model card was withdrawn.")
    return found


def json_file(content: Mapping[str, Any], name: str) -> Response:
    """Return a JSON file for download."""
    body = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return _file(body.encode(), name, "application/json")


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(content, headers=headers)
