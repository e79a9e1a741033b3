# Every target of larder. `make help` lists them; `./dev TARGET` installs what is missing first.
#
# HOW AN AREA HOOKS IN. Each area has one file, read at the end of this one: homes/kernel/kernel.mk
# homes/sim/sim.mk homes/linux/linux.mk lab/lab.mk tests/tests.mk tests/*/*.mk bench/bench.mk. It may define
# rules (outputs under $(BUILD) only) and append to these variables:
#
#   TESTS        += $(BUILD_VARIANT)/tests/unit/buddy     a program this Makefile knows how to make
#   TESTS        += tests/kernel/boot@raspberry-pi-4,2G   a script in the tree; what follows the @
#                                                         are its arguments, separated by commas
#   TEST_DEPS    += $(BUILD)/kernel/kernel8.img           made before any test runs
#   TEST_OPTIONS += 'kernel/*:limit=300'                  shell pattern over test names; options:
#                                                         limit=SECONDS (default 120), serial (no
#                                                         other test at its side), last (after all
#                                                         others), show (print its lines always)
#   BENCHES      += bench-core                            targets of `make bench`; `./dev bench core`
#   IMAGES       += kernel-image                          targets of `make image`
#   RUN_TARGET    = kernel-run                            what `make run` does (reads $(BOARD))
#
# A TEST is an executable. It prints TAP ("1..3", "ok 1 - name", "not ok 2 - name", "ok 3 # SKIP
# why") on stdout, or is a cmocka program (told by the environment to print TAP). It passes iff it
# exits 0, printed a plan, ran every test of the plan, at least one, and none is "not ok". It runs
# in the top folder with stdin empty and LARDER_BUILD, LARDER_VARIANT and CC in its environment. Its
# name is its path without build/ and tests/: plain/unit/buddy, kernel/boot@raspberry-pi-4,2G. Its
# output is in build/tests/log/NAME. tools/run-tests has the details.
#
# A VARIANT is one way to build the tests: plain, asan (ASan + UBSan), tsan, coverage. Make reads
# everything once per variant, with VARIANT set; so an area writes its programs to $(BUILD_VARIANT),
# compiles and links them with $(VARIANT_CFLAGS), and says which variants a test is for:
#
#   ifneq ($(filter plain asan coverage,$(VARIANT)),)
#   TESTS += $(BUILD_VARIANT)/tests/unit/buddy
#   endif
#
# Scripts that need no particular build belong to plain only.
#
# THE CORE FOR A HOME: $(eval $(call larder_core,DIR,COMPILER,FLAGS,BINUTILS-PREFIX)) makes
# DIR/core/*.o (hidden symbols usable: for tests of internals) and DIR/larder.o (one relocatable
# object in which only larder_* is visible: for everything else).

BUILD ?= build
VARIANT ?= plain
BUILD_VARIANT := $(BUILD)/$(VARIANT)
BOARD ?= raspberry-pi-4
JOBS ?= 2

# ---- Compilers ------------------------------------------------------------------------------------
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
CROSS ?= aarch64-linux-gnu-
CC_AARCH64 ?= $(CROSS)gcc
CLANG_AARCH64 ?= $(CLANG) --target=aarch64-linux-gnu

# ---- Flags ----------------------------------------------------------------------------------------
# The first line is proved by tools/check/canary: each of its flags must refuse its own bad file.
WARN := -Wall -Wextra -Wundef -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
OPT ?= -O2
DEBUG ?= -g

# The compiler must not see through the allocator, nor remove a malloc/free pair in a test (trap 42).
NO_BUILTIN := $(addprefix -fno-builtin-,malloc calloc realloc free aligned_alloc posix_memalign \
    memalign valloc pvalloc reallocarray strdup strndup)

# Everything of core/ and fit/, in every home. Add -Ihomes/<home>.
CORE_CFLAGS := -std=c11 -ffreestanding $(NO_BUILTIN) -fvisibility=hidden -fno-common $(OPT) \
    $(DEBUG) $(WARN) -Iinclude
# The core for arm64: no vector registers (interrupts would have to save them), no libgcc calls.
CORE_CFLAGS_AARCH64 := $(CORE_CFLAGS) -mgeneral-regs-only -mno-outline-atomics
# Programs on the host: tests, benches, the Linux home.
HOST_CFLAGS := -std=c11 -D_GNU_SOURCE $(NO_BUILTIN) $(OPT) $(DEBUG) $(WARN) -Iinclude

VARIANTS := plain asan tsan coverage
VARIANT_CFLAGS.plain := -DLARDER_ASSERTIONS=1
VARIANT_CFLAGS.asan := -DLARDER_ASSERTIONS=1 -fsanitize=address,undefined \
    -fno-sanitize-recover=all -fno-omit-frame-pointer
VARIANT_CFLAGS.tsan := -DLARDER_ASSERTIONS=1 -fsanitize=thread -fno-omit-frame-pointer
# Without assertions: a branch that only a broken core can take is not a branch to cover.
# Nothing in it runs on two threads: counters need not be atomic, which is four times as fast.
VARIANT_CFLAGS.coverage := -O0 --coverage -fno-inline
VARIANT_CFLAGS := $(VARIANT_CFLAGS.$(VARIANT))
ifeq ($(filter $(VARIANT),$(VARIANTS)),)
$(error VARIANT=$(VARIANT) is none of: $(VARIANTS))
endif

# ---- The core -------------------------------------------------------------------------------------
CORE_SRC := $(sort $(wildcard core/*.c))
CORE_HEADERS := $(sort $(wildcard core/*.h include/larder/*.h))

comma := ,

# V=1 shows the commands.
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)')

# $(1) folder  $(2) compiler  $(3) flags  $(4) binutils prefix. See the top of this file.
define larder_core
$(1)/core/%.o: core/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(3) -MMD -MP -c $$< -o $$@

$(1)/larder.o: $(CORE_SRC:core/%.c=$(1)/core/%.o)
	$$(call say,LD,$$@)
	$$(Q)$(4)ld -r -o $$@.all $$^
	$$(Q)$(4)objcopy --localize-hidden $$@.all $$@
	$$(Q)rm -f $$@.all
endef

TESTS :=
TEST_DEPS :=
TEST_OPTIONS :=
BENCHES :=
IMAGES :=
RUN_TARGET :=

# What a rule that failed left half done goes; objects between a source and a program stay. The
# latter holds only while no other file gives .SECONDARY a list of its own.
.DELETE_ON_ERROR:
.SECONDARY:

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9_-]*:.*## /{ printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  variables          BOARD=raspberry-pi-4|raspberry-pi-3|qemu-virt  VARIANT=plain|asan|tsan|coverage  V=1'

-include homes/kernel/kernel.mk homes/sim/sim.mk homes/linux/linux.mk lab/lab.mk tests/tests.mk \
    $(sort $(wildcard tests/*/*.mk)) homes/mcu/mcu.mk bench/bench.mk bench/fit/fit.mk bench/malloc/malloc.mk \
    bench/lab/lab.mk bench/page/page.mk bench/pause/pause.mk
include tools/tools.mk

# ---- Targets ---------------------------------------------------------------------------------------
.PHONY: run test check bench image core coverage clean compile_commands

run: $(RUN_TARGET) ## boot BOARD in the emulator: at the prompt on a terminal, else the demonstration
	$(if $(RUN_TARGET),,$(error nothing to run: homes/kernel/kernel.mk sets no RUN_TARGET))

bench: ## every benchmark, one after the other; ./dev bench core runs one
	$(if $(BENCHES),,$(error nothing to measure: bench/bench.mk adds no BENCHES))
	+@for bench in $(BENCHES); do $(MAKE) --no-print-directory -j1 $$bench || exit 1; done

image: $(IMAGES) ## files for a real SD card
	$(if $(IMAGES),,$(error nothing to make: homes/kernel/kernel.mk adds no IMAGES))

clean: ## remove everything that was built
	rm -rf $(BUILD) compile_commands.json

# Headers each object was made from.
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
