# The region heap and its tests. Each configuration of tests/fit/config is built by itself, from the
# sources of fit/ as they are; random, calls, regions and misuse run in each, sizes in those named.
#
#   build/VARIANT/tests/fit/CONFIG/{random,calls,regions,misuse,sizes}
#   build/plain/tests/fit/m32-CONFIG/…    the same programs for a 32-bit machine, run by machine32

FIT_SRC := $(sort $(wildcard fit/*.c))
FIT_HEADERS := $(sort $(wildcard fit/*.h) include/larder/fit.h)
FIT_TESTS_DIR := $(BUILD_VARIANT)/tests/fit
FIT_SUPPORT := tap fixture model
FIT_CONFIGS := $(sort $(basename $(notdir $(filter-out %/hooks.h,$(wildcard tests/fit/config/*.h)))))
FIT_CONFIGS_32 := default full first good
FIT_CONFIGS_asan := default full canary bare
FIT_FLAGS := -std=c11 -D_GNU_SOURCE $(NO_BUILTIN) $(OPT) $(DEBUG) $(WARN) -Iinclude -Ifit \
    -Itests/fit -Itests/fit/config
# gcc-multilib cannot stand beside a cross compiler in Debian; only its libraries are installed.
FIT_FLAGS_32 := -m32 -isystem /usr/include/x86_64-linux-gnu

# $(1) folder under FIT_TESTS_DIR  $(2) configuration  $(3) flags for the machine
define fit_config
$(FIT_TESTS_DIR)/$(1)/fit-%.o: fit/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(FIT_FLAGS) $$(VARIANT_CFLAGS) $(3) -ffreestanding -fvisibility=hidden -pedantic \
	    -DLARDER_CONFIG_HEADER='"$(2).h"' -MMD -MP -c $$< -o $$@

$(FIT_TESTS_DIR)/$(1)/%.o: tests/fit/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(FIT_FLAGS) $$(VARIANT_CFLAGS) $(3) $$(FIT_SIZES_$(2)) \
	    -DLARDER_CONFIG_HEADER='"$(2).h"' -MMD -MP -c $$< -o $$@

$(addprefix $(FIT_TESTS_DIR)/$(1)/,random calls regions misuse damage small sizes): \
    $(FIT_TESTS_DIR)/$(1)/%: $(FIT_TESTS_DIR)/$(1)/%.o $(FIT_SUPPORT:%=$(FIT_TESTS_DIR)/$(1)/%.o) \
    $(FIT_SRC:fit/%.c=$(FIT_TESTS_DIR)/$(1)/fit-%.o)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(VARIANT_CFLAGS) $(3) $$^ -o $$@
endef

# Checking the whole heap at each step, every seventeenth size is enough.
FIT_SIZES_full := -DSIZES_STEP=17u
FIT_SIZES_wide := -DSIZES_STEP=7u
# Random runs of each policy in each configuration: as many as take a few seconds.
FIT_RUNS.plain := 40
FIT_RUNS.asan := 15
FIT_RUNS.coverage := 6
FIT_FLAGS += -DRANDOM_RUNS=$(or $(FIT_RUNS.$(VARIANT)),40)u

ifneq ($(VARIANT),plain)
FIT_SIZES_default := -DSIZES_STEP=37u
FIT_SIZES_first := -DSIZES_STEP=13u
FIT_SIZES_full := -DSIZES_STEP=97u
FIT_SIZES_wide := -DSIZES_STEP=97u
endif

$(foreach config,$(FIT_CONFIGS),$(eval $(call fit_config,$(config),$(config),)))

FIT_PROGRAMS := random calls regions misuse damage small
ifeq ($(VARIANT),plain)
$(foreach config,$(FIT_CONFIGS_32),\
    $(eval $(call fit_config,m32-$(config),$(config),$(FIT_FLAGS_32))))
TESTS += $(foreach config,$(FIT_CONFIGS),$(FIT_PROGRAMS:%=$(FIT_TESTS_DIR)/$(config)/%))
TESTS += $(foreach config,default full wide first,$(FIT_TESTS_DIR)/$(config)/sizes)
FIT_TESTS_32 := $(foreach config,$(FIT_CONFIGS_32),$(FIT_PROGRAMS:%=$(config),%)) default,sizes
TESTS += $(FIT_TESTS_32:%=tests/fit/machine32@%)
TEST_DEPS += $(foreach test,$(FIT_TESTS_32),$(FIT_TESTS_DIR)/m32-$(subst $(comma),/,$(test)))
TESTS += tests/fit/fuzz.sh tests/fit/amalgamation.sh
TEST_DEPS += $(BUILD)/fit/fuzz
endif
ifeq ($(VARIANT),asan)
TESTS += $(foreach config,$(FIT_CONFIGS_asan),$(FIT_PROGRAMS:%=$(FIT_TESTS_DIR)/$(config)/%))
TESTS += $(FIT_TESTS_DIR)/default/sizes $(FIT_TESTS_DIR)/pmr
endif
ifeq ($(VARIANT),coverage)
TESTS += $(foreach config,$(FIT_CONFIGS),$(FIT_PROGRAMS:%=$(FIT_TESTS_DIR)/$(config)/%))
TESTS += $(FIT_TESTS_DIR)/default/sizes tests/fit/coverage
TEST_OPTIONS += 'fit/coverage:last,serial,show,limit=300'
endif
TEST_OPTIONS += 'fit/*:limit=240' '*/fit/*:limit=240'

# ---- Fuzzing -------------------------------------------------------------------------------------
# At fixed addresses: the shape of a tree follows from them, and a seed must give the same run on
# each machine. That also keeps the program out of the way of the sanitizer's own mappings.
$(BUILD)/fit/fuzz: tests/fit/fuzz.c $(FIT_SUPPORT:%=tests/fit/%.c) $(FIT_SRC) $(FIT_HEADERS) \
    $(wildcard tests/fit/*.h)
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(FIT_FLAGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	    -fno-pie -no-pie \
	    -DLARDER_CONFIG_HEADER='"default.h"' $(filter %.c,$^) -o $@

# ---- Two files to copy ---------------------------------------------------------------------------
.PHONY: amalgamate
amalgamate: ## build/fit/larder_fit.c and .h: the region heap in two files that stand alone
	$(Q)tools/amalgamate $(BUILD)/fit

# ---- C++ -----------------------------------------------------------------------------------------
$(FIT_TESTS_DIR)/pmr: tests/fit/pmr.cpp include/larder/larder.hpp \
    $(FIT_SRC:fit/%.c=$(FIT_TESTS_DIR)/default/fit-%.o) $(FIT_TESTS_DIR)/default/tap.o
	$(call say,CXX,$@)
	$(Q)$(CXX) -std=c++17 -Wall -Wextra -Wconversion -Werror $(OPT) $(DEBUG) $(VARIANT_CFLAGS) \
	    -Iinclude -Itests/fit/config -DLARDER_CONFIG_HEADER='"default.h"' \
	    $(filter %.cpp %.o,$^) -o $@
