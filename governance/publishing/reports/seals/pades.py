"""PAdES signatures (ETSI EN 319 142, B-B) in PDFs: written in a child process, and read.

    seal(path, material, reason=…)      append a signature to the file; its own bytes don't change,
                                        so the unsigned document is the start of the file
    seals(data) -> [Seal]               the signatures in a file; raises what damaged files raise
    python -m governance.publishing.reports.seals.pades PATH       the child

The signature is invisible. Its field has a name for screen readers and its place in the tag tree,
which pyHanko omits and PDF/UA-1 (7.18.4) requires. Only the child and the verifier import pyHanko,
because it loads an HTTP client.
"""

import base64
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.kernel.errors import Unavailable
from governance.kernel.files import sandbox

FIELD, LABEL = "MeridianSeal", "Seal of this report"
LIMITS = sandbox.Limits(memory=1024 * sandbox.MIB, seconds=60)


@dataclass(frozen=True, slots=True)
class SealMaterial:
    """The signing material: certificate (DER), its issuers (PEM) and the private key (PKCS#8)."""

    name: str
    certificate: bytes
    chain: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature in a PDF. `covers_all` is false if bytes were added after it."""

    signer: str
    issuer: str
    certificate: str  # SHA-256 of it.
    is_valid: bool
    covers_all: bool


def seal(path: Path, material: SealMaterial, *, reason: str) -> None:
    """Sign the PDF at `path` in place. Raises Unavailable, and then leaves the file as it was."""
    order = {
        "name": material.name,
        "reason": reason,
        "certificate": base64.b64encode(material.certificate).decode(),
        "chain": material.chain.decode(),
        "key": base64.b64encode(material.key).decode(),
    }
    outcome = sandbox.run(
        "governance.publishing.reports.seals.pades",
        str(path.resolve()),
        limits=LIMITS,
        sent=json.dumps(order).encode(),
    )
    if not outcome.is_finished:
        raise Unavailable("The report couldn't be sealed right now. Try again in a moment.")


def main(path: Path) -> None:
    """Run the child. The order is JSON on standard input."""
    order = json.loads(sys.stdin.buffer.read())
    signed = _signed(path.read_bytes(), order)
    path.write_bytes(signed)


def _signed(content: bytes, order: dict[str, str]) -> bytes:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: PLC0415 - child only
    from pyhanko.sign import fields, signers  # noqa: PLC0415 - child only

    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    fields.append_signature_field(
        writer, fields.SigFieldSpec(FIELD, on_page=0, readable_field_name=LABEL)
    )
    _tag_field(writer)
    meta = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        name=order["name"],
        reason=order["reason"],
    )
    out = io.BytesIO()
    signers.PdfSigner(meta, signer=_signer(order)).sign_pdf(writer, output=out)
    return out.getvalue()


def _signer(order: dict[str, str]) -> Any:
    from cryptography import x509  # noqa: PLC0415 - child only
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - child only
    from cryptography.hazmat.primitives.serialization import pkcs12  # noqa: PLC0415 - child only
    from pyhanko.sign import signers  # noqa: PLC0415 - child only

    key: Any = serialization.load_der_private_key(base64.b64decode(order["key"]), None)
    chain = order["chain"].encode()
    packed = pkcs12.serialize_key_and_certificates(
        None,
        key,
        x509.load_der_x509_certificate(base64.b64decode(order["certificate"])),
        x509.load_pem_x509_certificates(chain) if chain else None,
        serialization.NoEncryption(),
    )
    return signers.SimpleSigner.load_pkcs12_data(packed, other_certs=[])


def _tag_field(writer: Any) -> None:
    """Put the field's widget into the tag tree, as a form element at the document's end."""
    from pyhanko.pdf_utils import generic as library  # noqa: PLC0415 - child only

    generic: Any = library  # Its constructors have no types.
    name = generic.pdf_name
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    annotations = page.get_object()["/Annots"]
    widget = annotations.raw_get(len(annotations) - 1)
    if "/StructTreeRoot" not in writer.root:
        return
    tree = writer.root["/StructTreeRoot"]
    document = tree["/K"].raw_get(0)
    numbers = tree["/ParentTree"]["/Nums"]
    place = max(int(each) for each in list(numbers)[::2]) + 1
    reference = generic.DictionaryObject(
        {name("/Type"): name("/OBJR"), name("/Obj"): widget, name("/Pg"): page}
    )
    element = writer.add_object(
        generic.DictionaryObject(
            {
                name("/Type"): name("/StructElem"),
                name("/S"): name("/Form"),
                name("/P"): document,
                name("/Pg"): page,
                name("/K"): generic.ArrayObject([reference]),
            }
        )
    )
    document.get_object()["/K"].append(element)
    writer.mark_update(document)
    numbers += [generic.NumberObject(place), element]
    writer.update_container(numbers)
    widget.get_object()[name("/StructParent")] = generic.NumberObject(place)
    writer.update_container(widget.get_object())


def seals(data: bytes) -> list[Seal]:
    """Return the signatures in a PDF, the oldest first."""
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415 - child only

    return [_seal(each) for each in PdfFileReader(io.BytesIO(data)).embedded_signatures]


def _seal(found: Any) -> Seal:
    from pyhanko.sign.validation.generic_cms import validate_sig_integrity  # noqa: PLC0415 - child only
    from pyhanko.sign.validation.status import SignatureCoverageLevel  # noqa: PLC0415 - child only

    certificate, digest = found.signer_cert, found.compute_digest()
    is_intact, is_valid = validate_sig_integrity(
        found.signer_info, certificate, expected_content_type="data", actual_digest=digest
    )
    coverage = found.evaluate_signature_coverage()
    return Seal(
        signer=str(
            certificate.subject.native.get("common_name", certificate.subject.human_friendly)
        ),
        issuer=str(certificate.issuer.native.get("common_name", certificate.issuer.human_friendly)),
        certificate=certificate.sha256.hex(),
        is_valid=bool(is_intact and is_valid),
        covers_all=coverage == SignatureCoverageLevel.ENTIRE_FILE,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
