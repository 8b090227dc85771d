# SPDX-License-Identifier: Apache-2.0
# A thin front: Meson and Ninja do the work, tools/ and tests/ the rest.
#   make           build; the programs are then in build/bin/
#   make run       install what is missing, build, make a small image, run a container that shows itself
#   make test      install what is missing, build, run every check and test
#   make conformance   what runtimes take, refuse and answer, held against berth-runtime (RUNTIME=runc: against another);
#                  SUITE=DIRECTORY: the programs of that checkout of opencontainers/runtime-tools (AGAINST=runc: beside runc)
#   make kills     berth-runtime and what it makes are killed at each of their system calls, not at a sample: a quarter of an hour
#   make bench     measure against the kernel's floor and the engines that are installed
#   make install   into $(DESTDIR)$(PREFIX)
PREFIX ?= /usr/local
DESTDIR ?=
# program to try in "make conformance"
RUNTIME ?= berth-runtime
# a checkout of runtime-tools, and the program that its results are compared with
SUITE ?=
AGAINST ?=
# seconds for each fuzzer of "make fuzz"
FUZZ_TIME ?= 30

all: build/build.ninja
	@ninja -C build
	@mkdir -p build/bin
	@find build/src/prog -maxdepth 1 -type f -perm /111 -exec ln -srft build/bin {} +

build/build.ninja:
	@tools/install-deps build
	@meson setup build --prefix=$(PREFIX)

run:
	@tools/install-deps build run
	@$(MAKE) --no-print-directory all
	@tools/demo

test:
	@tools/install-deps build test callers
	@$(MAKE) --no-print-directory all
	@tests/run

check:
	@tools/install-deps build test
	@tests/run gates unit

conformance: all
	@tools/install-deps conformance $(if $(SUITE),suite)
	@tests/conformance/$(if $(SUITE),suite $(SUITE) $(if $(AGAINST),--against $(AGAINST)),run) --runtime $(RUNTIME)

kills: all
	@tools/install-deps build test
	@BERTH_TEST_SAMPLES=all BERTH_TEST_KILLS=/dev/stderr BATS_TEST_TIMEOUT=3600 tests/lib/reaper bats --tap --print-output-on-failure \
	  tests/integration/kill_runtime.bats

bench: all
	@tools/install-deps bench
	@PEERS="docker podman containerd" tests/lib/with-peers bench/run

bench-peers:
	@tools/install-deps bench-peers

fuzz:
	@tests/fuzz/run $(FUZZ_TIME)

format:
	@tools/check-format --fix

install: all
	@meson configure build -Dprefix=$(PREFIX)
	@ninja -C build --quiet
	@DESTDIR=$(DESTDIR) meson install -C build --no-rebuild --quiet

clean:
	@rm -rf build build-*

.PHONY: all run test check conformance kills bench bench-peers fuzz format install clean
