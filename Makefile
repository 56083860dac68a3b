# connectd: make run, make test; see README.md.
.PHONY: run test build release check lint unit-test fuzz fuzz-replay end-to-end-test format dependencies test-dependencies venv clean
.PHONY: toolchain image-test deploy-test deploy-venv test-integrations
# Parts of a run share one build folder, two cores and names in the kernel.
.NOTPARALLEL:

LISTEN ?= 127.0.0.1:8080
PYTHON ?= python3
VENV := .venv
SYSTEMD_IMAGE := localhost/connectd-systemd:bookworm
# `make test AS_ROOT=sudo` builds as yourself, and runs as root what makes network namespaces.
AS_ROOT ?=
PYTEST := env CONNECTD=$(CURDIR)/.build/debug/connectd PYTHONDONTWRITEBYTECODE=1 \
    $(VENV)/bin/python -m pytest -q -rfE -p no:cacheprovider

# Installs what is missing, builds for release, starts the service in the foreground and says what to try.
run: dependencies release
	@exec scripts/run $(LISTEN)

# Everything: style, unit tests, end-to-end tests, the specification against the running service.
test: check unit-test fuzz-replay end-to-end-test

# The style of every file, and a build in which each warning is an error.
check: lint build

lint: toolchain
	swift format lint --strict --recursive Package.swift Sources Tests Fuzz

# The program for debugging and the unit tests: one build, with one set of flags, for everything that `test` runs.
build: test-dependencies
	swift build --build-tests

release: dependencies
	swift build -c release --static-swift-stdlib --disable-local-rpath --product connectd

# One at a time: some hold a deadline against the clock, and others take all the processor they get.
unit-test: build
	swift test --skip-build --no-parallel

# Builds every fuzzer, and runs each on the files of its corpus.
fuzz-replay: toolchain
	Fuzz/run replay

# A minute for each fuzzer; what it finds stays in .build-fuzz.
fuzz: toolchain
	Fuzz/run json 60
	Fuzz/run answers 60

# Against the program that was just built. What needs root is skipped for everybody else, with its reason.
end-to-end-test: build venv
	$(AS_ROOT) $(PYTEST) Tests/EndToEnd

# Builds the image from the Dockerfile, without an engine, and runs it; as root. Prints the numbers of the README.
image-test: deploy-venv
	scripts/image-test

# What stands in deploy/, held against the tools that it is for, the units under a systemd in a container; what is missing
# here is skipped, with its reason.
deploy-test: build deploy-venv
	$(AS_ROOT) scripts/image-systemd .build-image $(SYSTEMD_IMAGE)
	$(AS_ROOT) env PATH=$(CURDIR)/$(VENV)/bin:$$PATH CONNECTD_SYSTEMD_IMAGE=$(SYSTEMD_IMAGE) \
	    $(PYTEST) Tests/EndToEnd/test_deploy_*.py

# Validators that are too large for what `test` installs.
deploy-venv: venv $(VENV)/.deploy-installed

$(VENV)/.deploy-installed: Tests/EndToEnd/requirements-deploy.txt $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-input -r Tests/EndToEnd/requirements-deploy.txt
	touch $@

# The examples of deploy/, each with the program that it is for; `test` leaves out what is large to install (Zabbix).
test-integrations: build venv
	@scripts/install-dependencies integrations
	$(AS_ROOT) $(PYTEST) Tests/EndToEnd/test_integrations_*.py

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

venv: $(VENV)/.installed

$(VENV)/.installed: Tests/EndToEnd/requirements.txt | test-dependencies
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-input -r Tests/EndToEnd/requirements.txt
	touch $@

clean:
	rm -rf .build $(VENV)
