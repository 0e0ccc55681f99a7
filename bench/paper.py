"""One report, ours or bare, in its own process.

`python -m bench.paper ours|bare` prints seconds of CPU, wall, peak memory, pages.
"""

import json
import resource
import sys
import time
from pathlib import Path

from tests.publishing.reports import rmf_samples


def main(how: str) -> None:
    from governance.publishing.reports.ai_rmf.document import build

    built = build(rmf_samples.sample_snapshot())
    before, begun = _used(), time.perf_counter()
    data = _ours(built) if how == "ours" else _bare(built.html)
    wall, after = time.perf_counter() - begun, _used()
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    peak = max(_peak_of_this_process(), child)
    print(json.dumps({"cpu": after - before, "wall": wall, "peak": peak, "pages": _pages(data)}))


def _ours(built) -> bytes:
    from governance.kernel.pictures.pdf import render_in_child

    return render_in_child(
        built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
    )


def _bare(html: str) -> bytes:
    """Render with plain WeasyPrint: no limits, no child, no archive format, no tags.

    It may fetch our own static files.
    """
    from weasyprint import HTML

    from governance.kernel.pictures.pdf import _fetcher

    return HTML(string=html, url_fetcher=_fetcher()).write_pdf()


def _peak_of_this_process() -> float:
    """Return the peak memory since exec, in MB; ru_maxrss includes that of the parent process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _used() -> float:
    return sum(
        u.ru_utime + u.ru_stime
        for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _pages(data: bytes) -> int:
    import io

    import pikepdf

    with pikepdf.open(io.BytesIO(data)) as document:
        return len(document.pages)


if __name__ == "__main__":
    main(sys.argv[1])
