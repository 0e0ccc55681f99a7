# One image, three commands: migrate, web, jobs. Both stages use one base, because the environment is moved whole.
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/opt/venv
RUN python3 -m pip install --no-cache-dir --break-system-packages uv==0.13.9
WORKDIR /src
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --no-install-project --extra clickhouse
COPY tools/sbom.py tools/sbom.py
COPY governance/static/vendor.lock.json governance/static/vendor.lock.json
RUN python3 -m tools.sbom /opt/sbom.cdx.json

FROM ${PYTHON_IMAGE} AS run
LABEL org.opencontainers.image.title="Governance Console" \
      org.opencontainers.image.description="Controls, evidence, assessments and signed reports for companies that ship AI"
# Unpinned on purpose: the base image's tag names the release, and its security updates are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin app \
 && install -d -o 10001 -g 10001 -m 0750 /var/lib/governance
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv
COPY --from=build /opt/sbom.cdx.json sbom.cdx.json
COPY app.py ./
COPY migrations migrations
COPY templates templates
COPY docs/verify_meridian.py docs/verify_meridian.py
COPY governance governance
RUN python3 -m compileall -q app.py governance migrations
# HOME and the caches are writable for fontconfig; PYTHONPATH lets the workers find the application.
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/srv PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp XDG_CACHE_HOME=/tmp/cache GOVERNANCE_VAR=/var/lib/governance
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=60s \
  CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["python3", "-m", "governance.app.cli"]
CMD ["web", "--host", "0.0.0.0"]
