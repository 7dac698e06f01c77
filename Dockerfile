# Three stages: the page, the Python environment, and what runs. Built for amd64 and arm64 alike: every wheel is
# there for both, and the page is the same everywhere.

FROM --platform=$BUILDPLATFORM node:22-slim AS page
WORKDIR /build/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-fund --no-audit
COPY web ./
RUN npm run build

FROM python:3.13-slim AS environment
WORKDIR /srv/jmgraph
COPY requirements.server.lock pyproject.toml README.md LICENSE ./
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.server.lock
COPY app.py worker.py cli.py ./
COPY schema schema
COPY resolvers resolvers
COPY services services
COPY rest rest
COPY commands commands
COPY demo demo
RUN .venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
 && .venv/bin/python -m compileall -q app.py worker.py cli.py schema resolvers services rest commands demo \
 && chmod -R a+rX .

FROM python:3.13-slim
LABEL org.opencontainers.image.title="jmgraph" org.opencontainers.image.licenses="MIT"
WORKDIR /srv/jmgraph
COPY --from=environment /srv/jmgraph /srv/jmgraph
COPY --from=page /build/web/dist web/dist
# Any user and group id may run it: what lies elsewhere is read only, and the data directory is open to all of them.
RUN mkdir -m 1777 /data
ENV PATH=/srv/jmgraph/.venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    JMGRAPH_HOST=0.0.0.0 \
    JMGRAPH_DATA_DIR=/data
VOLUME /data
EXPOSE 11111
USER 10001:0
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "commands.healthcheck"]
STOPSIGNAL SIGTERM
CMD ["jmgraph", "up"]
