"""The layout of a model card as a PDF. Pure.

of_version(published, …)           the data of a published version, as in its JSON
of_draft(content, …)               the data of a draft, with what is missing
build(data) -> Built               the input of kernel/pdf.render

The data is attached as snapshot.json, and the signature confirms its digest.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from governance.kernel import clock
from governance.kernel.pictures.pdf import Attachment
from governance.operations.evaluations import figures
from governance.publishing.model_cards.card import data_set_words, in_force_words, without_ids
from governance.publishing.model_cards.drawing import interval, limit_words
from governance.publishing.reports.ai_rmf.attachments import with_manifest
from governance.publishing.reports.ai_rmf.snapshot import canonical, fingerprint
from governance.publishing.reports.built_document import Built
from governance.publishing.reports.page_environment import environment
from governance.publishing.reports.wording import capital, is_, out_of

FORMAT = "governance.model-card/1"
SNAPSHOT = "snapshot.json"  # The name under which every report attaches its data.
PUBLIC = "Public: anybody with its address may read it"
DRAFT = "Draft: not published"


def of_version(
    published: Mapping[str, Any], *, requested_at: datetime, signing_key: str
) -> dict[str, Any]:
    """Return the data of a version. `published` is ModelCard.public_content."""
    return {
        **published,
        **_frame(published["card"], f"v{published['version']}", requested_at, signing_key),
        "as_of": published["published_at"],
        "missing": [],
        "is_draft": False,
    }


def of_draft(
    content: Mapping[str, Any],
    *,
    sha256: str,
    missing: Sequence[str],
    requested_at: datetime,
    signing_key: str,
) -> dict[str, Any]:
    """Return the data of a draft, from the record as it is now."""
    now = clock.now()
    return {
        "version": None,
        "published_at": None,
        "sha256": sha256,
        "card": without_ids(content),
        **_frame(content, f"draft-{now.date().isoformat()}", requested_at, signing_key),
        "as_of": now.isoformat(),
        "missing": list(missing),
        "is_draft": True,
    }


def _frame(
    content: Mapping[str, Any], version: str, requested_at: datetime, signing_key: str
) -> dict[str, Any]:
    """Return the frame that every signed report has.

    Readers of a card don't learn the tenant's slug.
    """
    name = re.sub(r"[^A-Za-z0-9]+", "-", content["system"]["name"]).strip("-").lower()
    return {
        "schema": FORMAT,
        "tenant": {"slug": "", "name": content["tenant"]},
        "document": {"number": f"model-card-{name[:80]}", "version": version},
        "requested_at": requested_at.isoformat(),
        "signing_key": signing_key,
        "log": None,
    }


def build(data: Mapping[str, Any]) -> Built:
    """Return the card with its data and the manifest attached."""
    snapshot = canonical(data)
    files = with_manifest(
        data,
        (Attachment(SNAPSHOT, snapshot, "What the model card says"),),
        {"draft": data["is_draft"], "missing": len(data["missing"]), "card": data["sha256"]},
    )
    print_, card = fingerprint(snapshot), data["card"]
    methods = {each["suite_key"]: each for each in card["figures"]}
    html = (
        environment()
        .get_template("publishing/model_cards/pdf/card.html")
        .render(
            data=data,
            card=card,
            position=position(card["figures"]),
            failures=_failures(card["known_failures"]),
            last_run=max((each["ran_at"] or "" for each in card["figures"]), default=""),
            methods=list(methods.values()),
            models=[_model(each) for each in card["system"]["models"]],
            data_sets=[data_set_words(each) for each in card["system"]["data_sets"]],
            figures=figures,
            interval=interval,
            limit_words=limit_words,
            in_force_words=in_force_words,
            kind="Draft of a model card" if data["is_draft"] else f"Model card {data['version']}",
            classification=DRAFT if data["is_draft"] else PUBLIC,
            fingerprint=print_,
            signing_key="+".join(data["signing_key"].split("+", 2)[:2]),
        )
    )
    name = f"{data['document']['number']}-{data['document']['version']}.pdf"
    return Built(html, files, print_, name, datetime.fromisoformat(data["as_of"]))


def _model(each: Mapping[str, str]) -> str:
    return " ".join(each[name] for name in ("provider", "name", "version") if each[name])


def position(every: Sequence[Mapping[str, Any]]) -> str:
    """Return the conclusion of the card, such as "one of three limits is missed"."""
    limited = [each for each in every if each["limit"] is not None]
    whole = len(limited)
    if not limited:
        return "no figure has a limit" if every else "no figure yet"
    missed = sum(each["verdict"] == "fail" for each in limited)
    met = sum(each["verdict"] == "pass" for each in limited)
    if whole == 1:
        return f"its limit is {'missed' if missed else 'met' if met else 'undecided'}"
    if missed:
        return f"{out_of(missed, whole, 'limit')} {is_(missed)} missed"
    if met == whole:
        return f"every limit is met: {whole} of {whole}"
    return f"{out_of(met, whole, 'limit')} {is_(met)} met"


def _failures(every: Sequence[Mapping[str, Any]]) -> str:
    """Return the conclusion of the known failures."""
    if not every:
        return "None is known of the last 12 months"
    still = sum(not each["ended"] for each in every)
    if len(every) == 1:
        return f"The known failure is {'still open' if still else 'over'}"
    if not still:
        return f"Every known failure is over: {len(every)} of {len(every)}"
    return f"{capital(out_of(still, len(every), 'known failure'))} {is_(still)} still open"
