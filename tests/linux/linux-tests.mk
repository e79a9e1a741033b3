# Tests of the malloc of the Linux home. Each .c file of this folder is a program that runs with
# build/linux/liblarder.so preloaded; each .sh file is a test too. support/ is linked into all.
#
#   build/plain/tests/linux/NAME          preloaded (it starts itself again: see support/tap.h)
#   build/linux-aarch64/tests/linux/NAME  the same for arm64, in an emulator: arm64.sh

LINUX_TESTS_DIR := $(BUILD)/plain/tests/linux
LINUX_TESTS_NAMES := $(patsubst tests/linux/%.c,%,$(sort $(wildcard tests/linux/*.c)))
LINUX_TESTS_SUPPORT := $(sort $(wildcard tests/linux/support/*.c))
LINUX_TESTS_SRC := $(sort $(wildcard tests/linux/*.c)) $(LINUX_TESTS_SUPPORT)
# A realloc() that fails leaves its block alive, which gcc does not believe.
LINUX_TESTS_CFLAGS := $(HOST_CFLAGS) -Itests/linux/support $(if $(findstring \
    clang,$(CC)),,-Wno-use-after-free)

# $(1) folder  $(2) compiler  $(3) flags. Static patterns: tests/tests.mk has rules that match these names too.
define linux_tests
$(patsubst tests/linux/%.c,$(1)/%.o,$(LINUX_TESTS_SRC)): $(1)/%.o: tests/linux/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(LINUX_TESTS_CFLAGS) -MMD -MP -c $$< -o $$@

# The region heap is no part of the library: a program brings its own, as one that uses it would.
$(1)/guests: $(1)/fit.o
$(1)/fit.o: $(wildcard fit/*.c fit/*.h) include/larder/fit.h
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(HOST_CFLAGS) -Ifit -r -nostdlib $(wildcard fit/*.c) -o $$@

# The programs export what they define, so that a test can stand in for a call of the library's.
$(addprefix $(1)/,$(LINUX_TESTS_NAMES)): $(1)/%: $(1)/%.o \
    $(LINUX_TESTS_SUPPORT:tests/linux/%.c=$(1)/%.o)
	$$(call say,LINK,$$@)
	$$(Q)$(2) -rdynamic $(3) $$^ -pthread -ldl -lm -o $$@
endef

ifeq ($(VARIANT),plain)
$(eval $(call linux_tests,$(LINUX_TESTS_DIR),$(CC),-Wl$(comma)-z$(comma)dynamic-undefined-weak))
$(eval $(call linux_tests,$(LINUX_AARCH64_DIR)/tests/linux,$(CC_AARCH64),))
TEST_DEPS += $(LINUX_AARCH64_DIR)/liblarder.so $(addprefix $(LINUX_AARCH64_DIR)/tests/linux/,$(LINUX_TESTS_NAMES))
TESTS += $(addprefix $(LINUX_TESTS_DIR)/,$(LINUX_TESTS_NAMES)) $(filter-out %/arm64.sh %/sanitized.sh,$(sort $(wildcard tests/linux/*.sh)))
# Every contract with each page size; loads once.
TESTS += tests/linux/arm64.sh@4096,contracts,startup,foreign,stress,realloc
TESTS += tests/linux/arm64.sh@16384,contracts,startup,foreign tests/linux/arm64.sh@65536,contracts,startup,foreign
TESTS += tests/linux/programs.sh@light,hardened
TEST_DEPS += $(LINUX_UNDEFINED_DIR)/liblarder.so $(LINUX_DIR)/liblarder-dlopen.so $(LINUX_DIR)/liblarder.so $(LINUX_DIR)/liblarder.a $(LINUX_AARCH64_DIR)/liblarder.a
ifneq ($(shell command -v $(CC_MUSL)),)
TEST_DEPS += $(LINUX_MUSL_DIR)/liblarder.so
endif
TEST_OPTIONS += 'linux/*:limit=300' 'linux/pages.sh:limit=900' 'linux/musl.sh:limit=600' 'linux/arm64.sh*:limit=600'
endif

# The seed is printed, and may be given: LARDER_SEED=7 ./dev fuzz-family
FUZZ_FAMILY_CASES ?= 2000
.PHONY: fuzz-family
fuzz-family: $(LINUX_DIR)/liblarder.so $(BUILD)/plain/tests/linux/fuzz ## the malloc family against a model, from a new seed, for FUZZ_FAMILY_CASES=2000
	LARDER_BUILD='$(BUILD)' LARDER_SEED=$${LARDER_SEED:-$$(date +%s)} $(BUILD)/plain/tests/linux/fuzz $(FUZZ_FAMILY_CASES)

.PHONY: test-programs
test-programs: $(LINUX_DIR)/liblarder.so ## large programs under larder's malloc: node, java, chromium, redis, postgres …
	$(Q)status=0; for weight in light heavy; do \
	    LARDER_BUILD='$(BUILD)' tests/linux/programs.sh $$weight || status=1; done; exit $$status
