# `make help` lists the targets.
.PHONY: help run test build release check lint tidy unit-test fuzz fuzz-replay end-to-end-test format dependencies
.PHONY: smoke release-test sanitize sanitize-address sanitize-thread sanitize-short coverage bench
.PHONY: torture torture-short soak soak-short lifecycle lifecycle-short schemathesis attack attack-short ssrf supply-chain
.PHONY: test-dependencies venv clean toolchain image-test deploy-test deploy-venv checkov-venv test-integrations integration-dependencies
# The parts of a run share a build folder, the processors and the names of network namespaces.
.NOTPARALLEL:

LISTEN ?= 127.0.0.1:8080
PYTHON ?= python3
VENV := .venv
SYSTEMD_IMAGE := localhost/connectd-systemd:bookworm
# `make test AS_ROOT=sudo` builds as the current user. It runs the tests that create network namespaces as root.
AS_ROOT ?=
# With 1, a test fails if its program is not installed, instead of being skipped. Continuous integration sets it.
CONNECTD_REQUIRE_INTEGRATIONS ?=
# How many end-to-end tests run at once.
PARALLEL ?= $(shell echo $$((2 * $$(nproc))))
PYTEST := env CONNECTD=$(CURDIR)/.build/debug/connectd PYTHONDONTWRITEBYTECODE=1 \
    CONNECTD_REQUIRE_INTEGRATIONS=$(CONNECTD_REQUIRE_INTEGRATIONS) \
    $(VENV)/bin/python -m pytest -q -rfE
SOAK := env CONNECTD=$(CURDIR)/.build/release/connectd PYTHONDONTWRITEBYTECODE=1 $(VENV)/bin/python scripts/soak
ATTACK := env CONNECTD=$(CURDIR)/.build/release/connectd PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=Tests/Reliability:Tests/EndToEnd $(VENV)/bin/python -m attack
# The unit tests of `make smoke`: they wait for nothing, and cover what every check uses.
SMOKE_UNIT_TESTS := NetworkTypesTests|AccessPolicyTests|ErrorCatalogueTests|CheckModelTests|StrictJSONTests|ConfigurationTests|ConnectAPITests

# The end-to-end tests of `make release-test`, about a minute.
RELEASE_TESTS := $(addprefix Tests/EndToEnd/, checks/test_success.py cli/test_check.py \
    service/test_start.py service/test_graceful_shutdown.py service/test_reload_and_drain.py \
    project/test_hardening.py project/test_supply_chain.py)

# Installs missing packages, builds for release, starts the service in the foreground and prints example commands.
run: ## Build for release and start the service on $(LISTEN)
run: dependencies release
	@exec scripts/run $(LISTEN)

# Takes two minutes at most after the build. Tests/EndToEnd/conftest.py lists the end-to-end tests.
smoke: ## Run the most important tests in two minutes
smoke: build venv
	swift test --skip-build --no-parallel --filter '^($(SMOKE_UNIT_TESTS))\.'
	$(AS_ROOT) $(PYTEST) -n $(PARALLEL) --dist loadfile --no-loadscope-reorder \
	    -m 'smoke and not integration and not deadline' Tests/EndToEnd

# Every change must pass this target. Tests with large servers are in test-integrations.
test: ## Check style, run the unit tests, the fuzz corpora, and the end-to-end tests with small peers
test: check unit-test fuzz-replay end-to-end-test

check: ## Check the style, and build with warnings as errors
check: lint tidy build

lint: toolchain
	swift format lint --strict --recursive Package.swift Sources Tests Fuzz

# Checks limits, names of files and types, banned words, SAFETY comments and Markdown. It needs no build.
tidy: ## Check file names, limits, wording and Markdown
tidy: venv
	$(PYTEST) Tests/Tidy

# One build with one set of flags, for everything that `test` runs.
build: ## Build for debugging, with the unit tests
build: test-dependencies
	swift build --build-tests

release: ## Build the program for release
release: dependencies
	swift build -c release --static-swift-stdlib --disable-local-rpath --product connectd

# One test at a time: some measure deadlines, and others use all processors.
unit-test: ## Run the unit tests alone
unit-test: build
	swift test --skip-build --no-parallel

fuzz-replay: ## Build the fuzzers, and run each on its corpus
fuzz-replay: dependencies
	Fuzz/run replay

# Findings are stored in .build-fuzz. `make fuzz RUNS=10000000` takes as long as it needs.
fuzz: ## Fuzz for a minute in all, or RUNS times with each fuzzer
fuzz: dependencies
	Fuzz/run all $(if $(RUNS),0 -runs=$(RUNS),3)

# Each sanitizer has its own build folder. Tests/Sanitizers lists the suppressed reports.
sanitize: ## Run unit tests and a load test with the address sanitizer, then with the thread sanitizer (root)
sanitize: sanitize-address sanitize-thread

sanitize-short: ## Build with the address sanitizer, and run the load test for 20 seconds (root)
sanitize-address sanitize-thread sanitize-short: sanitize-%: test-dependencies venv
	AS_ROOT='$(AS_ROOT)' scripts/sanitize $*

# Tests/Torture/run --help says how to repeat one failure.
torture: ## Make each call that can fail do so, with each error: for hours (root)
torture-short: ## Make some calls of each kind fail: a minute (root)
torture torture-short: build venv
	$(AS_ROOT) env CONNECTD=$(CURDIR)/.build/debug/connectd PYTHONDONTWRITEBYTECODE=1 \
	    $(VENV)/bin/python Tests/Torture/run $(if $(findstring short,$@),--seconds 60,--long -v)

coverage: ## Print how many lines of each module the unit tests run
coverage: test-dependencies
	scripts/coverage

# Needs root; Benchmarks/README.md has the options.
bench: ## Compare the cost of a check with the C service and blackbox_exporter (root)
bench: release
	$(AS_ROOT) Benchmarks/run

# Runs the program in .build/debug. Tests that need root are skipped for other users, with a reason. Most tests wait more than
# they compute, so twice as many run at once as there are processors. Those marked `deadline` run alone afterwards.
end-to-end-test: ## Run the end-to-end tests with small peers alone
end-to-end-test: build venv
	status=0; \
	$(AS_ROOT) $(PYTEST) -n $(PARALLEL) --dist loadfile --no-loadscope-reorder \
	    -m 'not integration and not deadline' Tests/EndToEnd || status=$$?; \
	$(AS_ROOT) $(PYTEST) -m 'deadline and not integration' Tests/EndToEnd || status=$$?; \
	exit $$status

# The optimizer can break what works in a debug build: a crash at SIGTERM was in release builds only.
release-test: ## Test start, checks, reload and shutdown with the release build
release-test: release venv
	$(AS_ROOT) $(subst /debug/,/release/,$(PYTEST)) -m 'not integration' $(RELEASE_TESTS)

# A sample per second is in .build-soak.
soak: ## Compare a million checks, then 200 monitors for two hours, with known verdicts (root)
soak-short: ## Compare 20,000 checks, then 200 monitors for 40 seconds, with known verdicts (root)
soak soak-short: release venv
	$(AS_ROOT) $(SOAK) checks --count $(if $(findstring short,$@),20000,1000000)
	$(AS_ROOT) $(SOAK) monitors --seconds $(if $(findstring short,$@),40,7200)

# `make test` runs the short form too, with the debug build.
lifecycle: ## Test 100 SIGTERMs, 100 SIGKILLs, 300 reloads and more under load: 15 minutes (root)
lifecycle-short: ## Test signals, reloads, clocks, name servers and few descriptors under load: a minute (root)
lifecycle lifecycle-short: release venv
	$(AS_ROOT) env CONNECTD_LONG=$(if $(findstring short,$@),,1) $(subst /debug/,/release/,$(PYTEST)) Tests/EndToEnd/lifecycle

# `make test` runs the short form too, with the debug build.
schemathesis: ## Compare the service with its specification: schemathesis, and every pair of members of a check (root)
schemathesis: release venv
	$(AS_ROOT) env CONNECTD_LONG=1 $(subst /debug/,/release/,$(PYTEST)) -s $(addprefix Tests/EndToEnd/openapi/, \
	    test_schema_and_service.py test_responses.py test_schemathesis.py test_schemathesis_fuzzing.py)

# `make test` runs the short form: 10,000 vectors and more.
ssrf: ## Try 500,000 random addresses too, and half a minute of each race, judged by what the kernel saw (root)
ssrf: build venv
	$(AS_ROOT) env CONNECTD_SSRF_VECTORS=500000 CONNECTD_SSRF_RACE_SECONDS=30 $(PYTEST) Tests/EndToEnd/ssrf

# A service of its own in a network namespace and a control group of 64 MiB. The short form has wider limits, because it may
# share the machine.
attack: ## Flood a service with 64 MiB at twice the size of known attacks, next to honest clients (root)
attack-short: ## The same with smaller floods: a minute (root)
attack: FLOODS := --seconds 10
attack: ALL_AT_ONCE := --seconds 60
attack-short: FLOODS := --size 0.5 --seconds 0.5 --health-goal 500
attack-short: ALL_AT_ONCE := --seconds 6 --health-goal 500 --ratio 0.2 --p99 500 --failures 20
attack attack-short: release venv
	$(AS_ROOT) $(ATTACK) floods $(FLOODS)
	$(AS_ROOT) $(ATTACK) all-at-once $(ALL_AT_ONCE)

# Checks the hardening of the release build, exact versions, and the list of its software.
supply-chain: ## Check the release build's hardening and its list of software
supply-chain: release venv
	$(subst /debug/,/release/,$(PYTEST)) Tests/EndToEnd/project/test_hardening.py \
	    Tests/EndToEnd/project/test_supply_chain.py Tests/EndToEnd/project/test_release.py

# Checks the Dockerfile with hadolint and checkov, and builds the image without a container engine. Then it checks what is in
# the image, runs it, and prints the measured sizes and times.
image-test: ## Build the container image and test it (root, podman)
image-test: deploy-venv checkov-venv
	scripts/image-test

# Checks deploy/ with the tools that read it, and the units with systemd in a container. Tests without their tool are
# skipped, with a reason.
deploy-test: ## Test deploy/ with the tools that read it (root, podman)
deploy-test: build deploy-venv checkov-venv
	$(AS_ROOT) scripts/image-systemd .build-image $(SYSTEMD_IMAGE)
	$(AS_ROOT) env PATH=$(CURDIR)/$(VENV)/bin:$$PATH CONNECTD_SYSTEMD_IMAGE=$(SYSTEMD_IMAGE) \
	    $(PYTEST) Tests/EndToEnd/deploy

# Validators that are too large for the packages of `test`.
deploy-venv: venv $(VENV)/.deploy-installed

# checkov needs versions of packages that other tools do not accept.
checkov-venv: .venv-checkov/.installed

.venv-checkov/.installed: Tests/EndToEnd/requirements-checkov.txt Tests/EndToEnd/constraints-checkov.txt | test-dependencies
	$(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/pip install --quiet --disable-pip-version-check --no-input -r $<
	touch $@

$(VENV)/.deploy-installed: Tests/EndToEnd/requirements-deploy.txt $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-input -r Tests/EndToEnd/requirements-deploy.txt
	touch $@

# Real servers for STARTTLS, real monitoring systems for the examples in deploy/, and a browser for /docs.
test-integrations: ## Run the end-to-end tests with large servers (PostgreSQL, Postfix, Zabbix, ...)
test-integrations: integration-dependencies build venv
	$(AS_ROOT) $(PYTEST) -m integration Tests/EndToEnd

help: ## List the targets
	@sed -n 's/^\([a-z-]*\): ## /\1\t/p' $(MAKEFILE_LIST) | \
	    sed 's|$$(LISTEN)|$(LISTEN)|' | awk -F '\t' '{ printf "make %-18s %s\n", $$1, $$2 }'

format: ## Format the Swift files
format:
	swift format --in-place --recursive Package.swift Sources Tests Fuzz

# Explains what to do if swift is not on the PATH. sudo has its own PATH.
toolchain:
	@scripts/install-dependencies

# Installs missing Debian packages.
dependencies:
	@scripts/install-dependencies build

test-dependencies:
	@scripts/install-dependencies build test

integration-dependencies:
	@scripts/install-dependencies build test integrations

venv: $(VENV)/.installed

$(VENV)/.installed: Tests/EndToEnd/requirements.txt Tests/EndToEnd/constraints.txt | test-dependencies
	@echo "Installing Python packages from Tests/EndToEnd/requirements.txt into $(VENV):"
	@sed 's/^/    /' Tests/EndToEnd/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-input -r Tests/EndToEnd/requirements.txt
	touch $@

clean: ## Remove all build folders
clean:
	rm -rf .build .build-* $(VENV) .venv-*
