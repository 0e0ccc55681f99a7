"""Write the software bill of materials (CycloneDX, JSON) of what an installation runs.

    python -m tools.sbom [FILE]          by default var/sbom.cdx.json

uv writes the Python packages of uv.lock, each with its digests. This module adds the third-party
files that governance/static ships (vendor.lock.json). The same locks give the same file.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = (ROOT / "uv.lock", ROOT / "governance" / "static" / "vendor.lock.json")
DEFAULT = ROOT / "var" / "sbom.cdx.json"
EXPORT = (
    "export --locked --offline --quiet --no-dev --extra clickhouse --format cyclonedx1.5"
    " --preview-features sbom-export"
)


def bill_of_materials() -> dict[str, Any]:
    """Return the complete bill. Requires uv on the PATH or in .tools/bin."""
    uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    done = subprocess.run(  # noqa: S603 - our own command line
        [uv, *EXPORT.split()], cwd=ROOT, check=True, capture_output=True, text=True
    )
    bill: dict[str, Any] = json.loads(done.stdout)
    bill["components"] += shipped_files()
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}"
    # The locks identify the content, so the same locks must give the same file.
    del bill["metadata"]["timestamp"]
    return bill


def shipped_files() -> list[dict[str, Any]]:
    """Return a component for each npm package whose files we ship."""
    packages = {
        (each["package"], each["version"]): each for each in json.loads(LOCKS[1].read_bytes())
    }
    return [
        _component(*name, packages[name]) for name in sorted(packages) if packages[name]["version"]
    ]


def _component(package: str, version: str, entry: dict[str, Any]) -> dict[str, Any]:
    purl = f"pkg:npm/{package.replace('@', '%40')}@{version}"
    found = {"type": "library", "bom-ref": purl, "name": package, "version": version, "purl": purl}
    algorithm, _, digest = (entry["integrity"] or "").partition("-")
    hashes = [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}]
    return found | {
        "licenses": [{"license": {"name": entry["licence"]}}],
        **({"hashes": hashes} if algorithm == "sha512" else {}),
    }


def main() -> None:
    target = Path(sys.argv[1]) if sys.argv[1:] else DEFAULT
    bill = bill_of_materials()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill, indent=1, ensure_ascii=False) + "\n")
    sys.stdout.write(f"{target}: {len(bill['components'])} components\n")


if __name__ == "__main__":
    main()
