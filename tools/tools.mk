# The core built alone as proof, the tests of all variants, coverage, the checks.

# ---- core: gcc and clang, x86-64 and arm64, once per home ------------------------------------------
# A home takes part as soon as it has its .mk file. What its port header needs beside
# -Ihomes/<home> it says there: CORE_HOME_FLAGS.<home> (more flags) and CORE_HOME_DEPS.<home> (files
# that must be generated first).
CORE_HOMES := $(foreach home,$(patsubst homes/%/larder_port_home.h,%,$(sort $(wildcard \
    homes/*/larder_port_home.h))),$(if $(wildcard homes/$(home)/$(home).mk),$(home)))
CORE_DIR := $(BUILD)/core
CORE_HOME_FLAGS.kernel ?= -I$(KERNEL)
CORE_HOME_DEPS.kernel ?= $(KERNEL_HEADERS)
core_flags = -Ihomes/$(1) $(CORE_HOME_FLAGS.$(1))

# $(1) home  $(2) machine  $(3) gcc  $(4) clang  $(5) flags  $(6) binutils prefix
define core_proof
$(call larder_core,$(CORE_DIR)/$(1)-$(2)-gcc,$(3),$(5) $(call core_flags,$(1)),$(6))
$(call larder_core,$(CORE_DIR)/$(1)-$(2)-clang,$(4),$(5) $(call core_flags,$(1)),$(6))
$(CORE_SRC:core/%.c=$(CORE_DIR)/$(1)-$(2)-gcc/core/%.o): | $(CORE_HOME_DEPS.$(1))
$(CORE_SRC:core/%.c=$(CORE_DIR)/$(1)-$(2)-clang/core/%.o): | $(CORE_HOME_DEPS.$(1))
CORE_OBJECTS += $(CORE_DIR)/$(1)-$(2)-gcc/larder.o $(CORE_DIR)/$(1)-$(2)-clang/larder.o
endef
CORE_OBJECTS :=
# The kernel's header has instructions of arm64 in it.
$(foreach home,$(filter-out kernel,$(CORE_HOMES)),\
    $(eval $(call core_proof,$(home),x86_64,$(CC),$(CLANG),$(CORE_CFLAGS),)))
$(foreach home,$(CORE_HOMES),$(eval $(call \
    core_proof,$(home),aarch64,$(CC_AARCH64),$(CLANG_AARCH64),$(CORE_CFLAGS_AARCH64),$(CROSS))))

core: $(CORE_OBJECTS) ## the core alone: gcc and clang, x86-64 and arm64, for each home
	$(if $(CORE_OBJECTS),,$(error nothing to build: no homes/*/larder_port_home.h))

# ---- test ------------------------------------------------------------------------------------------
# The tests of the build system itself.
ifeq ($(VARIANT),plain)
TESTS += $(sort $(wildcard tests/tools/*.sh))
endif

# How much of the core the others reached.
ifeq ($(VARIANT),coverage)
ifneq ($(TESTS),)
TESTS += tools/coverage
TEST_OPTIONS += 'tools/coverage:last,show,limit=300'
endif
endif

TEST_LIST = $(BUILD)/tests/list.$(VARIANT)
RUN_TESTS = tools/run-tests --jobs $(JOBS) --build $(BUILD) \
    $(if $(LIMIT_FACTOR),--limit-factor $(LIMIT_FACTOR)) $(foreach only,$(ONLY),--only '$(only)')

.PHONY: test-build test-list test-variant
test-build: $(TEST_DEPS) $(foreach test,$(TESTS),$(firstword $(subst @, ,$(test))))

test-list:
	@mkdir -p $(dir $(TEST_LIST))
	@{ printf 'test %s\n' $(TESTS); printf 'options %s\n' $(TEST_OPTIONS); } >$(TEST_LIST)
	@find $(BUILD_VARIANT) -name '*.gcda' -delete 2>/dev/null || :

# $(1) variants. What cannot be built does not hide the rest: it counts as a failure of its own.
define run_tests
	+@broken=; for variant in $(1); do \
	    $(MAKE) --no-print-directory VARIANT=$$variant test-list && \
	    $(MAKE) --no-print-directory -k VARIANT=$$variant test-build || \
	    broken="$$broken --broken build:$$variant"; done; \
	CC='$(CC)' $(RUN_TESTS) $$broken $(patsubst %,$(BUILD)/tests/list.%,$(1))
endef

test: ## every test of every variant; ONLY='unit/* kernel/*' picks some
	$(call run_tests,$(VARIANTS))

# One variant only: make test-variant VARIANT=asan
test-variant: ## the tests of VARIANT only; ONLY as above
	$(call run_tests,$(VARIANT))

coverage: ## the tests once more with gcov: lines and branches of core/ reached
	+@$(MAKE) --no-print-directory VARIANT=coverage test-variant

# ---- check -----------------------------------------------------------------------------------------
# The checks ask for what is really used to compile, so they get it from here.
CHECK_ENVIRONMENT = CC='$(CC)' CLANG='$(CLANG)' CC_AARCH64='$(CC_AARCH64)' \
    CORE_CFLAGS='$(CORE_CFLAGS)' CORE_CFLAGS_AARCH64='$(CORE_CFLAGS_AARCH64)' \
    HOST_CFLAGS='$(HOST_CFLAGS)' KERNEL_CFLAGS='$(KERNEL_FLAGS)' \
    SYMBOLS_FOLDER='$(abspath $(CORE_DIR))' HOMES='$(CORE_HOMES)' \
    $(foreach home,$(CORE_HOMES),HOME_FLAGS_$(home)='$(call core_flags,$(home))')

check: $(foreach home,$(CORE_HOMES),$(CORE_HOME_DEPS.$(home))) ## style, layers, symbols, flags, links …; ONLY='format tidy' picks some
	@mkdir -p $(BUILD)
	+@$(if $(filter-out symbols,$(or $(filter symbols,$(ONLY)),$(if $(ONLY),none,symbols))),:,$(MAKE) \
	    --no-print-directory -k core) >$(BUILD)/core.log 2>&1; \
	    CORE_STATUS=$$? CORE_LOG=$(abspath $(BUILD))/core.log $(CHECK_ENVIRONMENT) \
	    tools/check/run $(ONLY)

.PHONY: format
format: ## let clang-format 14 write the C files
	@git ls-files --cached --others --exclude-standard -- $(patsubst %,'%/*.[ch]',include core fit \
	    homes tests bench lab) | sort -u | while read -r file; do [ ! -f "$$file" ] || echo "$$file"; done | \
	    xargs -r -n 8 clang-format-14 -i

compile_commands: ## compile_commands.json for editors
	@$(MAKE) --no-print-directory -Bnk V=1 test-build $(IMAGES) core 2>/dev/null | \
	    tools/compile-commands >compile_commands.json
