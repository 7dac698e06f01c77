# Start with `make demo` or `make test`. Everything runs from .venv, which they create.

PY := .venv/bin/python
NODE := $(shell node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null && command -v npm 2>/dev/null)

.PHONY: install demo test lint format structure bench soak schema web test-web test-image clients lock clean

# What runs, without the developers' tools. The page is built where Node 20 or later is installed; without it, or
# without the npm registry, the rest works.
install: .venv/server
	@$(if $(NODE),$(MAKE) --no-print-directory web || echo "The page can't be built now; everything else works." >&2,:)

demo: install
	$(PY) -m cli demo

test: .venv/installed
	$(PY) -m pytest -n 2 --dist loadfile

lint: .venv/installed
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

format: .venv/installed
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

structure: .venv/installed
	$(PY) tools/structure.py

bench: .venv/installed
	$(PY) -m benchmarks

soak: .venv/installed
	$(PY) -m benchmarks.soak

schema: .venv/installed
	$(PY) -m cli schema > schema.graphql

# The typed clients, from the schema. ariadne-codegen needs another graphql-core than we do: it has a folder of its own.
clients: schema node_modules/.package-lock.json build/codegen/installed
	npm run --silent generate
	PYTHONPATH=build/codegen $(PY) -m ariadne_codegen --config clients/python/pyproject.toml client

node_modules/.package-lock.json: package-lock.json
	npm ci --no-fund --no-audit
	@touch $@

build/codegen/installed: clients/python/codegen.lock .venv/installed
	rm -rf build/codegen
	$(PY) -m pip install --quiet --require-hashes --target build/codegen --requirement $<
	@touch $@

web: rest/static/index.html

rest/static/index.html: $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null | sed 's/ /\\ /g')
	cd web && npm ci --no-fund --no-audit && npm run build

test-web: .venv/installed web
	cd web && npm test

# As root, with buildah and debootstrap from Debian; makes its base images in build/image once.
test-image: .venv/installed
	$(PY) -m pytest -n 0 -m image tests/e2e/test_image.py

.venv/server: requirements.server.lock pyproject.toml tools/make-venv
	@sh tools/make-venv requirements.server.lock
	@touch $@

# Everything: the packages that run, at the same versions, and the tools to test and check.
.venv/installed: requirements.lock pyproject.toml tools/make-venv
	@sh tools/make-venv requirements.lock
	@touch $@ .venv/server

# Pins every version with hashes and without URLs; needs uv, from the package index. The image's packages are a
# subset of the tested ones, at the same versions.
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --no-header --quiet --all-extras pyproject.toml
lock:
	$(LOCK) --group dev -o requirements.lock
	cp requirements.lock requirements.server.lock
	$(LOCK) --group build -o requirements.server.lock
	$(subst --all-extras pyproject.toml,clients/python/codegen.in,$(LOCK)) -o clients/python/codegen.lock

clean:
	rm -rf .venv rest/static web/node_modules node_modules build/codegen clients/typescript/dist examples/typescript/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
