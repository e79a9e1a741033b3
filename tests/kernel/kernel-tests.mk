# Tests of what a person meets in the kernel: its pure parts on the host, then the kernel itself in
# the emulator.

KERNEL_SHELL_PURE := keys history line words out map
KERNEL_HOST_TESTS := line_test words_test map_test

ifneq ($(filter plain asan coverage,$(VARIANT)),)
KERNEL_TEST_DIR := $(BUILD_VARIANT)/tests/kernel
KERNEL_TEST_CFLAGS := $(HOST_CFLAGS) $(VARIANT_CFLAGS)
KERNEL_TEST_SHELL := $(KERNEL_SHELL_PURE:%=$(KERNEL_TEST_DIR)/shell/%.o)

$(KERNEL_TEST_DIR)/shell/%.o: homes/kernel/shell/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(KERNEL_TEST_CFLAGS) -MMD -MP -c $< -o $@

$(KERNEL_TEST_DIR)/%.o: tests/kernel/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(KERNEL_TEST_CFLAGS) -MMD -MP -c $< -o $@

$(KERNEL_HOST_TESTS:%=$(KERNEL_TEST_DIR)/%): %: %.o $(KERNEL_TEST_SHELL)
	$(call say,LD,$@)
	$(Q)$(CC) $(KERNEL_TEST_CFLAGS) $^ -lcmocka -o $@

TESTS += $(KERNEL_HOST_TESTS:%=$(KERNEL_TEST_DIR)/%)
endif
