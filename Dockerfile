# Three stages: the page, the Python environment with the wheel, and what runs. Built for amd64 and arm64 alike: every
# wheel is there for both, and the page is the same everywhere.

FROM --platform=$BUILDPLATFORM node:22-slim AS page
WORKDIR /build/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-fund --no-audit
COPY web ./
RUN npm run build

FROM python:3.13-slim AS environment
WORKDIR /build
COPY requirements.server.lock ./
RUN python -m venv /opt/jmgraph \
 && /opt/jmgraph/bin/pip install --no-cache-dir --require-hashes --requirement requirements.server.lock
COPY pyproject.toml README.md LICENSE app.py worker.py cli.py ./
COPY tools tools
COPY schema schema
COPY resolvers resolvers
COPY services services
COPY rest rest
COPY commands commands
COPY demo demo
COPY --from=page /build/rest/static rest/static
RUN /opt/jmgraph/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/jmgraph/bin/pip uninstall --yes editables hatchling pathspec pluggy trove-classifiers pip \
 && chmod -R a+rX /opt/jmgraph

FROM python:3.13-slim
LABEL org.opencontainers.image.title="jmgraph" org.opencontainers.image.licenses="MIT"
COPY --from=environment /opt/jmgraph /opt/jmgraph
# Any user and group id may run it: everything else is read-only, and the data directory is writable for all of them.
RUN mkdir -m 1777 /data
WORKDIR /data
ENV PATH=/opt/jmgraph/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    JMGRAPH_HOST=0.0.0.0 \
    JMGRAPH_DATA_DIR=/data
VOLUME /data
EXPOSE 11111
USER 10001:0
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-P", "-m", "commands.healthcheck"]
STOPSIGNAL SIGTERM
CMD ["jmgraph", "up"]
