# connectd: make run, make test; see README.md.
.PHONY: run build release test unit-test end-to-end-test specification-test check format dependencies venv clean

LISTEN ?= 127.0.0.1:8080
PYTHON ?= python3
VENV := .venv
BINARY := .build/debug/connectd

# Starts the service, built for release, in the foreground.
run: dependencies release
	@echo "connectd listens on $(LISTEN). Try it from another terminal:"
	@echo
	@echo "  curl --json '{\"target\":\"tcp://$(LISTEN)\"}' http://$(LISTEN)/v1/checks   # 403: never its own listener"
	@echo "  curl --json '{\"target\":\"tcp://localhost:22\"}' http://$(LISTEN)/v1/checks"
	@echo
	exec .build/release/connectd serve --listen $(LISTEN)

build: dependencies
	swift build

release: dependencies
	swift build -c release --product connectd

# Everything: style, unit tests, end-to-end tests, the specification against the running service.
test: dependencies venv check unit-test end-to-end-test

unit-test: dependencies
	swift test

end-to-end-test: dependencies venv build
	$(VENV)/bin/python -m pytest -q Tests/EndToEnd

# The style of every file, and a build in which each warning is an error.
check: dependencies
	swift format lint --strict --recursive Package.swift Sources Tests
	swift build --build-tests

format:
	swift format --in-place --recursive Package.swift Sources Tests

# Debian packages that are missing.
dependencies:
	@scripts/install-dependencies

venv: $(VENV)/.installed

$(VENV)/.installed: Tests/EndToEnd/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r Tests/EndToEnd/requirements.txt
	touch $@

clean:
	rm -rf .build $(VENV)
