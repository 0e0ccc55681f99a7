"""Framework files in the publishers' formats, with texts of our own."""

import io
import json

from bs4 import BeautifulSoup

from tests.browser import words

RMF = "nist-ai-rmf-1.0"


def oscal_catalog(
    texts: dict[str, str], *, version: str = "1.0", title: str = "A catalogue"
) -> bytes:
    controls = [
        {
            "id": ref.lower().replace(" ", "-"),
            "title": ref,
            "parts": [{"name": "statement", "prose": text}],
        }
        for ref, text in texts.items()
    ]
    content = {
        "catalog": {
            "metadata": {"title": title, "version": version},
            "groups": [{"id": "g", "title": "G", "controls": controls}],
        }
    }
    return json.dumps(content).encode()


def oscal_with_parameters(
    title: str, controls: dict[str, str], params: list[dict[str, object]]
) -> bytes:
    """Return an OSCAL catalog whose statements insert parameters that its group defines."""
    nodes = [
        {
            "id": f"ai-rmf-{ref.lower().replace(' ', '-')}",
            "title": ref,
            "parts": [{"id": f"part-{number}", "name": "statement", "prose": prose}],
        }
        for number, (ref, prose) in enumerate(controls.items(), 1)
    ]
    group = {"id": "g", "title": "Group", "params": params, "controls": nodes}
    return json.dumps({"catalog": {"metadata": {"title": title}, "groups": [group]}}).encode()


def playbook_file(texts: dict[str, str]) -> bytes:
    return json.dumps(
        [
            {"title": ref, "section_about": text, "description": "Said otherwise."}
            for ref, text in texts.items()
        ]
    ).encode()


def upload_framework_file(
    visitor, data: bytes, name: str = "catalogue.json", *, key: str = RMF, then: int = 200
):
    return visitor.post(f"frameworks/{key}/import", then=then, file=(io.BytesIO(data), name))


def preview_fields(reply) -> dict[str, str]:
    """Return the fields that the preview's form submits."""
    form = BeautifulSoup(reply.text, "html.parser").find(
        "form", action=lambda a: a and a.endswith("/import/confirm")
    )
    assert form, "the preview offers nothing to confirm"
    fields = {i["name"]: i["value"] for i in form.find_all("input", type="hidden")}
    fields.pop("csrf_token")
    return fields


def confirm_import(visitor, fields: dict[str, str], *, key: str = RMF, then: int = 303, **other):
    return visitor.post(f"frameworks/{key}/import/confirm", then=then, **(fields | other))


def main_text(reply) -> str:
    """Return the visible text of the page's main part."""
    return words(reply)
