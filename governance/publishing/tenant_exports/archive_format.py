"""The format that the writer and the verifier of an archive share. Pure."""

FORMAT = "governance.tenant-export/1"
TITLE = "governance tenant export v1"
MANIFEST, NOTE, ALSO = "manifest.json", "manifest.note", "VERIFY.txt"


def signed_text(slug: str, digest: str) -> str:
    """Return the text under the signature. Its first line distinguishes it from a checkpoint."""
    return f"{TITLE}\n{slug}\nmanifest-sha256 {digest}\n"
