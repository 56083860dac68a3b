# connectd: make help lists the targets; see README.md.
.PHONY: help run test build release check lint unit-test fuzz fuzz-replay end-to-end-test format dependencies
.PHONY: test-dependencies venv clean toolchain image-test deploy-test deploy-venv test-integrations integration-dependencies
# Parts of a run share one build folder, two cores and names in the kernel.
.NOTPARALLEL:

LISTEN ?= 127.0.0.1:8080
PYTHON ?= python3
VENV := .venv
SYSTEMD_IMAGE := localhost/connectd-systemd:bookworm
# `make test AS_ROOT=sudo` builds as yourself, and runs as root what makes network namespaces.
AS_ROOT ?=
# With 1, a test that would be skipped because a program is missing fails. Continuous integration sets it.
CONNECTD_REQUIRE_INTEGRATIONS ?=
PYTEST := env CONNECTD=$(CURDIR)/.build/debug/connectd PYTHONDONTWRITEBYTECODE=1 \
    CONNECTD_REQUIRE_INTEGRATIONS=$(CONNECTD_REQUIRE_INTEGRATIONS) \
    $(VENV)/bin/python -m pytest -q -rfE -p no:cacheprovider

# Installs what is missing, builds for release, starts the service in the foreground and says what to try.
run: ## Build for release and start the service on $(LISTEN)
run: dependencies release
	@exec scripts/run $(LISTEN)

# What each change has to pass. Tests with large servers are in test-integrations.
test: ## Check style, run the unit tests, the fuzz corpora, and the end-to-end tests with small peers
test: check unit-test fuzz-replay end-to-end-test

# The style of every file, and a build in which each warning is an error.
check: ## Check the style, and build with warnings as errors
check: lint build

lint: toolchain
	swift format lint --strict --recursive Package.swift Sources Tests Fuzz

# The program for debugging and the unit tests: one build, with one set of flags, for everything that `test` runs.
build: ## Build for debugging, with the unit tests
build: test-dependencies
	swift build --build-tests

release: ## Build the program for release
release: dependencies
	swift build -c release --static-swift-stdlib --disable-local-rpath --product connectd

# One at a time: some hold a deadline against the clock, and others take all the processor they get.
unit-test: ## Run the unit tests alone
unit-test: build
	swift test --skip-build --no-parallel

# Builds every fuzzer, and runs each on the files of its corpus.
fuzz-replay: ## Build every fuzzer, and run each on its corpus
fuzz-replay: toolchain
	Fuzz/run replay

# A minute for each fuzzer; what it finds stays in .build-fuzz.
fuzz: ## Fuzz for a minute with each fuzzer
fuzz: toolchain
	Fuzz/run json 60
	Fuzz/run answers 60

# Against the program that was just built. What needs root is skipped for everybody else, with its reason.
end-to-end-test: ## Run the end-to-end tests with small peers alone
end-to-end-test: build venv
	$(AS_ROOT) $(PYTEST) -m 'not integration' Tests/EndToEnd

# Builds the image from the Dockerfile, without an engine, and runs it; as root. Prints the numbers of docs/performance.md.
image-test: ## Build the container image and test it (root, podman)
image-test: deploy-venv
	scripts/image-test

# What stands in deploy/, held against the tools that it is for, the units under a systemd in a container; what is missing
# here is skipped, with its reason.
deploy-test: ## Test deploy/ with the tools that read it (root, podman)
deploy-test: build deploy-venv
	$(AS_ROOT) scripts/image-systemd .build-image $(SYSTEMD_IMAGE)
	$(AS_ROOT) env PATH=$(CURDIR)/$(VENV)/bin:$$PATH CONNECTD_SYSTEMD_IMAGE=$(SYSTEMD_IMAGE) \
	    $(PYTEST) Tests/EndToEnd/test_deploy_*.py

# Validators that are too large for what `test` installs.
deploy-venv: venv $(VENV)/.deploy-installed

$(VENV)/.deploy-installed: Tests/EndToEnd/requirements-deploy.txt $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-input -r Tests/EndToEnd/requirements-deploy.txt
	touch $@

# Real servers for STARTTLS, the examples of deploy/ with the programs that they are for, a browser for /docs.
test-integrations: ## Run the end-to-end tests with large servers (PostgreSQL, Postfix, Zabbix, ...)
test-integrations: integration-dependencies build venv
	$(AS_ROOT) $(PYTEST) -m integration Tests/EndToEnd

help: ## List the targets
	@sed -n 's/^\([a-z-]*\): ## /\1\t/p' $(MAKEFILE_LIST) | \
	    sed 's|$$(LISTEN)|$(LISTEN)|' | awk -F '\t' '{ printf "make %-18s %s\n", $$1, $$2 }'

format: ## Format the Swift files
format:
	swift format --in-place --recursive Package.swift Sources Tests Fuzz

# Says what to do where swift is not on the PATH, which is another one under sudo.
toolchain:
	@scripts/install-dependencies

# Debian packages that are missing.
dependencies:
	@scripts/install-dependencies build

test-dependencies:
	@scripts/install-dependencies build test

integration-dependencies:
	@scripts/install-dependencies build test integrations

venv: $(VENV)/.installed

$(VENV)/.installed: Tests/EndToEnd/requirements.txt | test-dependencies
	@echo "Installing Python packages into $(VENV), as Tests/EndToEnd/requirements.txt lists them:"
	@sed 's/^/    /' Tests/EndToEnd/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-input -r Tests/EndToEnd/requirements.txt
	touch $@

clean: ## Remove what was built
clean:
	rm -rf .build $(VENV)
