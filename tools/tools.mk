# The core built alone as proof, the tests of all variants, coverage, the checks.

# ---- core: gcc and clang, x86-64 and arm64, once per home ------------------------------------------
# A home that has no port header yet is left out.
CORE_HOMES := $(patsubst homes/%/larder_port_home.h,%,$(sort $(wildcard homes/*/larder_port_home.h)))
CORE_HOMES_AARCH64 := $(CORE_HOMES)
CORE_HOMES_X86 := $(filter-out kernel,$(CORE_HOMES))
CORE_DIR := $(BUILD)/core

$(foreach home,$(CORE_HOMES_X86),\
    $(eval $(call larder_core,$(CORE_DIR)/$(home)-x86_64-gcc,$(CC),$(CORE_CFLAGS) -Ihomes/$(home),)) \
    $(eval $(call larder_core,$(CORE_DIR)/$(home)-x86_64-clang,$(CLANG),$(CORE_CFLAGS) -Ihomes/$(home),)))
$(foreach home,$(CORE_HOMES_AARCH64),\
    $(eval $(call larder_core,$(CORE_DIR)/$(home)-aarch64-gcc,$(CC_AARCH64),$(CORE_CFLAGS_AARCH64) -Ihomes/$(home),$(CROSS))) \
    $(eval $(call larder_core,$(CORE_DIR)/$(home)-aarch64-clang,$(CLANG_AARCH64),$(CORE_CFLAGS_AARCH64) -Ihomes/$(home),$(CROSS))))

CORE_OBJECTS := $(foreach home,$(CORE_HOMES_X86),$(CORE_DIR)/$(home)-x86_64-gcc/larder.o \
    $(CORE_DIR)/$(home)-x86_64-clang/larder.o) \
    $(foreach home,$(CORE_HOMES_AARCH64),$(CORE_DIR)/$(home)-aarch64-gcc/larder.o \
    $(CORE_DIR)/$(home)-aarch64-clang/larder.o)

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
RUN_TESTS = tools/run-tests --jobs $(JOBS) --build $(BUILD) $(foreach only,$(ONLY),--only '$(only)')

.PHONY: test-build test-variant
test-build: $(TEST_DEPS) $(foreach test,$(TESTS),$(firstword $(subst @, ,$(test))))
	@mkdir -p $(dir $(TEST_LIST))
	@{ printf 'test %s\n' $(TESTS); printf 'options %s\n' $(TEST_OPTIONS); } >$(TEST_LIST)
	@find $(BUILD_VARIANT) -name '*.gcda' -delete 2>/dev/null || :

test: ## every test of every variant; ONLY='unit/* kernel/*' picks some
	+@for variant in $(VARIANTS); do \
	    $(MAKE) --no-print-directory VARIANT=$$variant test-build || exit 1; done
	@CC='$(CC)' $(RUN_TESTS) $(VARIANTS:%=$(BUILD)/tests/list.%)

test-variant: test-build ## the tests of VARIANT only; ONLY as above
	@CC='$(CC)' $(RUN_TESTS) $(TEST_LIST)

coverage: ## the tests once more with gcov: lines and branches of core/ reached
	+@$(MAKE) --no-print-directory VARIANT=coverage test-variant

# ---- check -----------------------------------------------------------------------------------------
# The checks ask for what is really used to compile, so they get it from here.
CHECK_ENVIRONMENT = CC='$(CC)' CLANG='$(CLANG)' CC_AARCH64='$(CC_AARCH64)' \
    CORE_CFLAGS='$(CORE_CFLAGS)' CORE_CFLAGS_AARCH64='$(CORE_CFLAGS_AARCH64)' \
    HOST_CFLAGS='$(HOST_CFLAGS)' KERNEL_CFLAGS='$(KERNEL_CFLAGS)' \
    SYMBOLS_FOLDER='$(abspath $(CORE_DIR))'

check: ## style, layers, symbols, flags, links …; ONLY='format tidy' picks some
	+@$(if $(ONLY),$(if $(filter symbols,$(ONLY)),,:)) $(MAKE) --no-print-directory -k core; \
	    CORE_STATUS=$$? $(CHECK_ENVIRONMENT) tools/check/run $(ONLY)

.PHONY: format
format: ## let clang-format 14 write the C files
	@git ls-files --cached --others --exclude-standard -- $(addsuffix /*.[ch],include core fit homes \
	    tests bench) | sort -u | while read -r file; do [ ! -f "$$file" ] || echo "$$file"; done | \
	    xargs -r -n 8 clang-format-14 -i

compile_commands: ## compile_commands.json for editors
	@$(MAKE) --no-print-directory -Bnk V=1 test-build $(IMAGES) core 2>/dev/null | \
	    tools/compile-commands >compile_commands.json
