# Ameron Sidecar. Needs Debian 12 and a Swift 6.3 toolchain; each target installs what else it needs. `make help` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

CONFIG ?= ameron-sidecar.yaml
IMAGE ?= ameron-sidecar:latest
DOCKER ?= docker
# More arguments for `swift test`, as in `make test TEST_ARGS='--filter Text'`.
TEST_ARGS ?=
MINUTES ?= 30
PREFIX ?= /usr/local
DESTDIR ?=

# `package=file`: not installed either where the file is there (another package may bring it).
PACKAGES := pkg-config=/usr/bin/pkg-config libmicrohttpd-dev libcurl4-openssl-dev librdkafka-dev libyaml-dev libsimdjson-dev libxxhash-dev libmimalloc-dev
TEST_PACKAGES := openssl=/usr/bin/openssl strace=/usr/bin/strace nginx-light=/usr/sbin/nginx
BENCH_PACKAGES := nginx-light=/usr/sbin/nginx haproxy=/usr/sbin/haproxy wrk=/usr/bin/wrk python3-venv curl=/usr/bin/curl
BUDGET_PACKAGES := strace=/usr/bin/strace valgrind=/usr/bin/valgrind binutils=/usr/bin/strip
INTEROP_PACKAGES := python3-venv nginx-light=/usr/sbin/nginx
UI_PACKAGES := chromium=/usr/bin/chromium fonts-dejavu-core wrk=/usr/bin/wrk python3-venv
INSTALL_PACKAGES := python3=/usr/bin/python3
INSTALL_TEST_PACKAGES := man-db=/usr/bin/man mandoc=/usr/bin/mandoc fish=/usr/bin/fish zsh=/usr/bin/zsh
LINT_PACKAGES := shellcheck=/usr/bin/shellcheck git=/usr/bin/git python3-venv

# Exit code 66, and the report in a file: so no report can get lost with a process that nobody waits for.
SANITIZER_OPTIONS = exitcode=66:log_path=$(CURDIR)/.build-$(1)/reports/report

.PHONY: help deps test-deps build man install uninstall tarball run run-all quick test test-release budgets test-faults test-bounds test-asan test-tsan test-install ui-test fuzz bench docker docker-push docs format lint interop schemathesis clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

deps: ## install the Debian packages that the build needs, where they are missing
	@scripts/deps.sh $(PACKAGES)

test-deps:
	@scripts/deps.sh $(TEST_PACKAGES)

build: deps ## build .build/release/ameron-sidecar
	scripts/release.sh

# `make install` takes what is there, so that `sudo make install` after `make build` needs no compiler.
.build/release/ameron-sidecar:
	$(MAKE) build

man: build ## write the man page .build/ameron-sidecar.1; `man -l` shows it
	@scripts/deps.sh $(INSTALL_PACKAGES)
	scripts/man.py .build/release/ameron-sidecar >.build/ameron-sidecar.1

install: .build/release/ameron-sidecar ## install program, man page, completions, example below PREFIX (/usr/local); DESTDIR
	@scripts/deps.sh $(INSTALL_PACKAGES)
	scripts/install.sh '$(DESTDIR)$(PREFIX)'

uninstall: ## delete what `make install` has installed
	scripts/install.sh --uninstall '$(DESTDIR)$(PREFIX)'

tarball: build ## pack what `make install` installs into .build/ameron-sidecar-VERSION-linux-ARCHITECTURE.tar.gz
	@scripts/deps.sh $(INSTALL_PACKAGES) binutils=/usr/bin/strip
	scripts/tarball.sh

run: build ## start the Sidecar with ameron-sidecar.yaml (or CONFIG=file); Ctrl-C stops it
	exec .build/release/ameron-sidecar serve --config $(CONFIG)

run-all: build ## start a local Kafka, an example model and the Sidecar (KAFKA=compose: Apache Kafka)
	@scripts/deps.sh curl=/usr/bin/curl
	@exec scripts/run-all.sh

# The end-to-end tests run on the release build here, and on debug builds in `make test-asan` and `make test-tsan`: these also
# check at run time that no variable is changed while it is in use.
test: deps test-deps ## run all tests
	swift build --build-tests
	SIDECAR=.build/debug/ameron-sidecar scripts/check-deploy.sh configurations
	swift test --skip-build $(or $(TEST_ARGS),--skip '^(FaultTests|EndToEndTests)[.]')
	$(if $(TEST_ARGS),,swift test --skip-build --filter '^FaultTests[.]')
	$(if $(TEST_ARGS),,$(MAKE) --no-print-directory test-release budgets test-install)

# What it leaves out, `make test` has: eight suites of unit tests that take almost three quarters of the time, mostly waiting for
# Kafka's own timers; the other end-to-end tests; all of these on the release build; faults; budgets. CONTRIBUTING.md has figures.
QUICK_SKIPS := KafkaInboxTests|KafkaRecoveryTests|ReporterConformance|KafkaConsumerTests|KafkaConsumerEndTests|KafkaReporterTests|FailureFileTests|SmokeFuzz
QUICK_SUITES := Route|Prediction|Identity|Header|RequestHead|ModelFault|ModelConnection|LifeCycle|KafkaProvider|Metrics|CommandLine
quick: deps ## run a core of the tests, between two thoughts: unit tests, simulation, rules of the tree, some end-to-end tests
	swift build --build-tests
	swift test --skip-build --filter '^(GatewayTests|TidyTests)[.]' --skip '^GatewayTests[.]($(QUICK_SKIPS))/'
	swift test --skip-build --filter '^EndToEndTests[.]($(QUICK_SUITES))Tests/'

test-release: build test-deps ## run the end-to-end tests on the release build, which is what ships
	swift build --build-tests
	AMERON_SIDECAR=$(CURDIR)/.build/release/ameron-sidecar swift test --skip-build --filter '^EndToEndTests[.]'

# On the release build: a debug build allocates in places where an optimized one does not.
budgets: build test-deps ## hold allocations, system calls and instructions per request to Tests/budgets/limits.txt
	@scripts/deps.sh $(BUDGET_PACKAGES)
	@mkdir -p .build/budgets
	clang -O1 -g -fPIC -shared -o .build/budgets/allocations.so Tests/budgets/allocations.c
	strip -g -o .build/budgets/ameron-sidecar .build/release/ameron-sidecar
	swift build --build-tests
	AMERON_BUDGETS=$(CURDIR)/.build/budgets AMERON_SIDECAR=$(CURDIR)/.build/release/ameron-sidecar \
	    swift test --skip-build --no-parallel --filter '^BudgetTests[.]'

# The tests of `make test` that go on for as long as it takes to believe them, one after the other; they print figures.
test-faults: deps test-deps ## kill the Sidecar 20 times, take the brokers down for 30 s at 2,000 requests/s
	swift build --build-tests
	AMERON_KILL_ROUNDS=20 AMERON_OUTAGE_SECONDS=30 swift test --skip-build --no-parallel --filter '^FaultTests[.]'

test-bounds: build ## try what clients and models can ask too much of, in 512 MiB (BOUNDS=slow_heads for some)
	python3 Tests/bounds/bounds.py .build/release/ameron-sidecar $(BOUNDS)

test-asan: deps test-deps ## run all tests under AddressSanitizer
	@rm -rf .build-asan/reports && mkdir -p .build-asan/reports
	ASAN_OPTIONS=$(call SANITIZER_OPTIONS,asan) \
	LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/lsan.supp:print_suppressions=0 \
	    scripts/sanitized.sh .build-asan --sanitize=address $(TEST_ARGS)

test-tsan: deps test-deps ## run all tests under ThreadSanitizer
	@rm -rf .build-tsan/reports && mkdir -p .build-tsan/reports
	TSAN_OPTIONS=$(call SANITIZER_OPTIONS,tsan):suppressions=$(CURDIR)/Tests/tsan.supp:print_suppressions=0 \
	    scripts/sanitized.sh .build-tsan --sanitize=thread $(TEST_ARGS)

test-install: build ## install the release build into a folder, try man page and completions there, uninstall
	@scripts/deps.sh $(INSTALL_PACKAGES) $(INSTALL_TEST_PACKAGES)
	Tests/install/run.sh

ui-test: build ## open the page at /ui in Chromium under load, compare it with /metrics (UI_ARGS='--screenshots docs/images')
	@scripts/deps.sh $(UI_PACKAGES)
	Tests/ui/run.sh $(UI_ARGS)

fuzz: deps ## fuzz what reads bytes of others, for MINUTES (30) in all; FUZZ=requests or responses, json, kafka-headers, spool for one
	@scripts/deps.sh $(INSTALL_PACKAGES)
	Tests/fuzz/run.sh $(MINUTES)

bench: build ## what a request costs beside nginx, haproxy, Envoy, MLServer (QUICK=1 for a short look)
	@scripts/deps.sh $(BENCH_PACKAGES)
	Benchmarks/run.sh

docker: ## build the container image (IMAGE=name:tag, DOCKER=podman), and print what it consists of and its size
	DOCKER=$(DOCKER) scripts/docker.sh $(IMAGE)

docker-push: ## publish the image: IMAGE=registry/name:tag
	@case $(IMAGE) in */*) ;; *) echo 'say where to: make docker-push IMAGE=registry/name:tag' >&2; exit 1;; esac
	$(DOCKER) push $(IMAGE)

docs: deps ## write docs/configuration.md anew from the program's table of keys
	swift build --product ameron-sidecar
	.build/debug/ameron-sidecar configuration >docs/configuration.md

format: ## format the Swift sources in place
	swift format --in-place --parallel --recursive Sources Tests Package.swift

lint: ## check format, scripts, deployments, documents and tree
	@scripts/deps.sh $(LINT_PACKAGES)
	swift format lint --strict --parallel --recursive Sources Tests Package.swift
	shellcheck .ci/run $(shell find scripts Benchmarks Tests examples deploy -name '*.sh')
	scripts/check-deploy.sh
	scripts/check_docs.py
	scripts/check-tree.sh

schemathesis: build ## try the REST Provider against its own OpenAPI document
	@scripts/deps.sh python3-venv curl=/usr/bin/curl
	Tests/schemathesis/run.sh

interop: build ## MLServer and LitServe through the Sidecar; request smuggling beside nginx (INTEROP=smuggling, mlserver or streams for one)
	@scripts/deps.sh $(INTEROP_PACKAGES)
	Tests/interop/run.sh

clean: ## delete what was built
	rm -rf .build .build-asan .build-tsan .build-fuzz .venv-interop .venv-smuggling .venv-streams .venv-ui .venv-bench .venv-deploy .venv-schemathesis
