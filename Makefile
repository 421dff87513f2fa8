# A thin front on Meson, so that two commands do everything on a fresh Debian 12:
#   make scan DIR=~/Downloads      make test
# Each target first installs the Debian packages it needs, if any is missing (tools/deps.txt).

BUILD ?= build
PREFIX ?= /usr/local
NINJA_JOBS ?= 2
FUZZ_SECONDS ?= 60

export NINJA_JOBS BUILD DIR

.PHONY: help deps build scan test test-random bench bench-tlog bench-update fuzz install clean \
        deps-build deps-test deps-bench

help:
	@echo 'make scan DIR=path   build, compile the shipped rules, scan the folder'
	@echo '                     (ends with an error when something was found)'
	@echo 'make test            every test; the last line is the count'
	@echo 'make test-random     the unit and end-to-end tests with a fresh seed'
	@echo 'make build           $(BUILD)/vitrine, and $(BUILD)/clamscan for it'
	@echo 'make install         to PREFIX=$(PREFIX), below DESTDIR'
	@echo 'make bench           side by side with clamscan, yara and Vectorscan'
	@echo '                     (BENCH_OPTIONS=--quick for a short one)'
	@echo 'make bench-tlog      log, witness and proofs beside what hashes and disk allow'
	@echo 'make bench-update    what verifying an update costs beside hashing its files'
	@echo 'make fuzz            each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make deps            install all Debian packages that any target needs'
	@echo 'make clean           remove what was built'

deps: deps-bench
deps-build deps-test deps-bench:
	@tools/deps $(@:deps-%=%)

$(BUILD)/build.ninja: | deps-build
	CC=$${CC:-gcc} meson setup --prefix=$(PREFIX) $(BUILD)

build: deps-build $(BUILD)/build.ninja
	@tools/build-programs $(BUILD)

scan: build
	@test -n "$$DIR" || { echo 'usage: make scan DIR=path' >&2; exit 2; }
	@tools/scan-folder "$$DIR"

test: deps-test
	@tools/run-tests

test-random: deps-test
	@tools/run-tests --random --only gcc,unit,asan,e2e

bench: deps-bench build
	@meson configure -Dbench=true $(BUILD)
	@ninja -j $(NINJA_JOBS) -C $(BUILD) >/dev/null
	@bench/run $(BENCH_OPTIONS)

bench-tlog: deps-build build
	@meson configure -Dbench=true $(BUILD)
	@ninja -j $(NINJA_JOBS) -C $(BUILD) >/dev/null
	@bench/tlog $(BENCH_OPTIONS)

bench-update: deps-build build
	@meson configure -Dbench=true $(BUILD)
	@ninja -j $(NINJA_JOBS) -C $(BUILD) bench/update_verify >/dev/null
	@$(BUILD)/bench/update_verify $(BENCH_OPTIONS)

fuzz: deps-test
	@test -f build-asan/build.ninja || CC=clang meson setup -Dfuzz=true -Db_sanitize=address,undefined \
	    -Db_lundef=false -Dbuildtype=debugoptimized build-asan
	@ninja -j $(NINJA_JOBS) -C build-asan fuzzers
	@tools/fuzz --seconds $(FUZZ_SECONDS) build-asan

install: build
	meson configure $(BUILD) --prefix=$(PREFIX)
	@tools/build-programs $(BUILD)
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-clang build-asan
