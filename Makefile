# Each target brings what it needs: uv, the packages of uv.lock, the system libraries. Repeating one costs nothing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8000
DATA ?= var/demo
ONCE ?=
ONLY ?=
TESTS ?=
JOBS ?= 2
PDF_PACKAGES := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
TEST_PACKAGES := chromium qpdf prometheus poppler-utils mupdf-tools
BENCH_PACKAGES := wrk
PYTEST = .venv/bin/python -m pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder

export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_PREFERENCE := only-system
export UV_PYTHON_DOWNLOADS := never
export PYTHONUNBUFFERED := 1
export PIP_ROOT_USER_ACTION := ignore
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

.PHONY: help demo test nightly calendar coverage mutate check format migration bench licenses hooks sbom pdf-libraries test-programs bench-programs

help:  ## Say what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */make \1\t/' | expand -t 16

demo: .venv/.ready pdf-libraries  ## The demo world on http://127.0.0.1:8000 (PORT=…, DATA=…, TODAY=2027-01-01); ONCE=1 makes the report and leaves
	@PORT="$(PORT)" DATA="$(DATA)" exec .venv/bin/governance demo $(if $(ONCE),--once)

test: .venv/.ready pdf-libraries test-programs  ## The suite but for what is left to make nightly, in random order; writes var/tests.xml
	@exec $(PYTEST) --durations=20 --junitxml=var/tests.xml

nightly: .venv/.clickhouse-ready pdf-libraries test-programs  ## What takes minutes, properties with 25 times the examples, and every day of make calendar (ONLY="2027-01-01")
	@$(PYTEST) -m "nightly or hypothesis" --hypothesis-profile=nightly --timeout=3600 --durations=20 || failed=1
	JOBS="$(JOBS)" .venv/bin/python -m tools.calendar_days $(ONLY) || failed=1
	exit $${failed:-0}

calendar: .venv/.ready pdf-libraries test-programs  ## The demo and the tests that depend on a date, on the days of a year that differ from others (ONLY="2027-01-01"; ONLY=today: fast tests, one of the days)
	@JOBS="$(JOBS)" exec .venv/bin/python -m tools.calendar_days $(ONLY)

coverage: .venv/.clickhouse-ready pdf-libraries test-programs  ## make test and the tests of make nightly with line coverage; fails below the floor in pyproject.toml
	@export COVERAGE_CORE=sysmon
	exec $(PYTEST) -m "nightly or not nightly" --cov --cov-report=term:skip-covered

mutate: .venv/.mutation-ready pdf-libraries  ## Change a module in one place after another and say which changes its tests miss: ONLY=governance/kernel/safety/access.py (TESTS="tests/…")
	@exec .venv/bin/python -m tools.mutate $(ONLY) $(TESTS)

check: .venv/.ready pdf-libraries  ## Format, lint, types, import contracts, templates, dependencies, tests without a database: under 60 s
	@export PATH="$$PWD/.venv/bin:$$PATH"
	{ mypy; lint-imports; djlint templates --lint --quiet; deptry .; } & others=$$!
	trap 'kill $$others 2>/dev/null || true' EXIT
	ruff format --check .
	ruff check .
	python -m pytest -n 0 -m "not database and not slow and not browser" --hypothesis-profile=quick
	wait $$others

format: .venv/.ready  ## Sort imports and lay out every Python file as `make check` wants it
	@.venv/bin/ruff check --quiet --select I --fix .
	exec .venv/bin/ruff format .

migration: .venv/.ready pdf-libraries  ## Write the next migration from what the models declare: name=risk_owners
	@exec .venv/bin/python -m tools.new_migration "$(name)"

bench: .venv/.ready pdf-libraries bench-programs  ## Ratios against the limit of the same machine in the same run (ONLY="pages report"); writes var/bench/latest.json
	@exec .venv/bin/python -m bench.run $(if $(ONLY),--only $(ONLY))

licenses: .venv/.mutation-ready  ## Write docs/licenses.md: the license of each package of uv.lock
	@exec .venv/bin/python -m tools.licenses

hooks:  ## Have git check the subject of each commit (CONTRIBUTING.md); `git config --unset core.hooksPath` ends it
	@exec git config core.hooksPath tools/hooks

sbom: .venv/.ready  ## The software bill of materials (CycloneDX) of uv.lock and the shipped files: var/sbom.cdx.json
	@exec .venv/bin/python -m tools.sbom

# ---- what they need

.venv/.ready: pyproject.toml uv.lock
	@$(call sync,)

.venv/.clickhouse-ready: .venv/.ready
	@$(call sync,--group clickhouse-tests)

.venv/.mutation-ready: .venv/.clickhouse-ready
	@$(call sync,--group clickhouse-tests --group mutation)

# Installs what uv.lock names for the groups given, and nothing else.
define sync
uv=$$(command -v uv || true)
if [ -z "$$uv" ] || ! "$$uv" --version >/dev/null 2>&1; then
  uv=.tools/bin/uv
  [ -x "$$uv" ] || python3 -m pip install --quiet --disable-pip-version-check --target .tools 'uv>=0.13,<1' \
    || { echo "This needs uv, or python3 with pip (apt-get install python3-pip)." >&2; exit 1; }
fi
"$$uv" python find --system --no-project '>=3.12' >/dev/null 2>&1 \
  || { echo "This needs Python 3.12 or newer on this machine (apt-get install python3)." >&2; exit 1; }
"$$uv" sync --quiet --locked --all-extras $(1)
touch $@
endef

pdf-libraries: .venv/.ready
	@.venv/bin/python -c 'import ctypes; [ctypes.CDLL(n) for n in ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")]' 2>/dev/null && exit 0
	$(call install,$(PDF_PACKAGES))
	exit 1

test-programs:
	@{ command -v chromium || command -v google-chrome; } >/dev/null && command -v qpdf >/dev/null \
	  && command -v prometheus >/dev/null && command -v pdfsig >/dev/null && command -v mutool >/dev/null && exit 0
	$(call install,$(TEST_PACKAGES))

bench-programs:
	@command -v wrk >/dev/null && exit 0
	$(call install,$(BENCH_PACKAGES))
	exit 1

# Installs where it may (root, apt) and leaves the recipe; otherwise prints the one line that a person has to run.
define install
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=180 update >/dev/null </dev/null
  apt-get -qq -o DPkg::Lock::Timeout=180 install -y --no-install-recommends $(1) >/dev/null </dev/null
  exit 0
fi
echo "Missing here. Install it with:  sudo apt-get install -y --no-install-recommends $(1)" >&2
endef
