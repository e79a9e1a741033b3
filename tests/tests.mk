# Tests on the simulated home. Each .c file of unit/, model/, traps/, misuse/ and threads/ is a
# program; support/ is linked into all of them.
#
#   plain, asan, coverage   everything on coroutines
#   plain, tsan             threads/: real threads on the same core

TESTS_DIR := $(BUILD_VARIANT)/tests
# sim_expect_fatal() jumps back over its own statement only: nothing that matters is clobbered.
TESTS_CFLAGS = $(SIM_CFLAGS) -Itests/support -Icore -Wno-clobbered
TESTS_SUPPORT_OBJECTS := $(patsubst tests/support/%.c,$(TESTS_DIR)/support/%.o, \
    $(sort $(wildcard tests/support/*.c)))
# The thread sanitizer finds the suppressions of a program only if they are exported.
TESTS_LINK := $(if $(filter tsan,$(VARIANT)),-rdynamic)
TESTS_LIBRARY := $(TESTS_DIR)/libsupport.a
TESTS_LIBS := -lcmocka -lpthread

tests_of = $(patsubst %.c,$(BUILD_VARIANT)/%,$(sort $(wildcard tests/$(1)/*.c)))

$(TESTS_LIBRARY): $(TESTS_SUPPORT_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(TESTS_DIR)/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(TESTS_CFLAGS) -MMD -MP -c $< -o $@

$(TESTS_DIR)/%: $(TESTS_DIR)/%.o $(TESTS_LIBRARY) $(SIM_LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(VARIANT_CFLAGS) $(TESTS_LINK) $^ $(TESTS_LIBS) -o $@

$(TESTS_DIR)/threads/%.o: tests/threads/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(SIM_THREADS_CFLAGS) -Itests/support -Icore -MMD -MP -c $< -o $@

$(TESTS_DIR)/threads/%: $(TESTS_DIR)/threads/%.o $(TESTS_LIBRARY) $(SIM_THREADS_LIBRARY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(VARIANT_CFLAGS) $(TESTS_LINK) $^ $(TESTS_LIBS) -o $@

ifneq ($(filter plain asan coverage,$(VARIANT)),)
TESTS += $(foreach group,unit traps misuse model,$(call tests_of,$(group)))
endif
ifneq ($(filter tsan plain,$(VARIANT)),)
TESTS += $(call tests_of,threads)
endif

TEST_OPTIONS += 'model/*:limit=400' 'unit/*:limit=240' 'traps/*:limit=240'

# ---- Faults put back --------------------------------------------------------------------------------
# What tests/traps/mutations/run needs to build a broken core; it links the objects of the tests.
TESTS_MUTATIONS_ENV := $(BUILD)/plain/tests/mutations.env
TESTS_MUTATIONS_DEPS = $(TESTS_MUTATIONS_ENV) $(call tests_of,traps) $(addsuffix .o,$(call tests_of,traps))
$(TESTS_MUTATIONS_ENV): tests/tests.mk Makefile homes/sim/sim.mk
	@mkdir -p $(@D)
	@{ echo "CC='$(CC)'"; \
	  echo "CORE_FLAGS='$(CORE_CFLAGS) $(SIM_FLAGS) $(VARIANT_CFLAGS)'"; \
	  echo "CORE_OBJECTS='$(SIM_DIR)/core'"; \
	  echo "HOME_OBJECTS='$(TESTS_LIBRARY) $(SIM_SRC:homes/sim/%.c=$(SIM_DIR)/home/%.o)'"; \
	  echo "LIBRARIES='$(TESTS_LIBS)'"; } >$@

ifeq ($(VARIANT),plain)
TESTS += tests/traps/mutations/run
TEST_DEPS += $(TESTS_MUTATIONS_DEPS)
TEST_OPTIONS += 'traps/mutations/run:limit=400'
endif

.PHONY: test-mutations
test-mutations: $(TESTS_MUTATIONS_DEPS) ## put each fault of tests/traps back: its test must fail
	@LARDER_BUILD='$(BUILD)' tests/traps/mutations/run
