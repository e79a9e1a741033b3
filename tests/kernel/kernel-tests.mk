# Tests of what a person meets in the kernel: its pure parts on the host, then the kernel itself in
# the emulator.

KERNEL_SHELL_PURE := keys history line words out map
KERNEL_LIB_PURE := log_ring
KERNEL_HOST_TESTS := line_test words_test map_test log_test

ifneq ($(filter plain asan coverage,$(VARIANT)),)
KERNEL_TEST_DIR := $(BUILD_VARIANT)/tests/kernel
KERNEL_TEST_CFLAGS := $(HOST_CFLAGS) $(VARIANT_CFLAGS)
KERNEL_TEST_PURE := $(KERNEL_SHELL_PURE:%=$(KERNEL_TEST_DIR)/pure/shell/%.o) \
    $(KERNEL_LIB_PURE:%=$(KERNEL_TEST_DIR)/pure/lib/%.o)

$(KERNEL_TEST_DIR)/pure/%.o: homes/kernel/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(KERNEL_TEST_CFLAGS) -MMD -MP -c $< -o $@

$(KERNEL_TEST_DIR)/%.o: tests/kernel/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(KERNEL_TEST_CFLAGS) -MMD -MP -c $< -o $@

$(KERNEL_HOST_TESTS:%=$(KERNEL_TEST_DIR)/%): %: %.o $(KERNEL_TEST_PURE)
	$(call say,LD,$@)
	$(Q)$(CC) $(KERNEL_TEST_CFLAGS) $^ -lcmocka -o $@

TESTS += $(KERNEL_HOST_TESTS:%=$(KERNEL_TEST_DIR)/%)
endif

# ---- In the emulator: each line is one machine, named by what it is given -------------------------
ifeq ($(VARIANT),plain)
KERNEL_BOOTS := raspberry-pi-4 raspberry-pi-4,tree=none raspberry-pi-4,level=3 \
    raspberry-pi-4,cpus=1,mem=1G raspberry-pi-4,cpus=2,mem=64M raspberry-pi-4,cpus=3 \
    raspberry-pi-4,variant=kernel-asserts \
    raspberry-pi-3 raspberry-pi-3,tree=none raspberry-pi-3,level=3 raspberry-pi-3,cpus=1,mem=64M \
    raspberry-pi-3,cpus=2,mem=512M raspberry-pi-3,cpus=3 \
    qemu-virt,ram=1G,cpus=1 qemu-virt,ram=1G,cpus=2 qemu-virt,ram=1G,cpus=3 qemu-virt,ram=1G,cpus=4 \
    qemu-virt,ram=2G,cpus=4 qemu-virt,ram=4G,cpus=4 qemu-virt,ram=8G,cpus=4 \
    qemu-virt,ram=2G,cpus=1,level=1 qemu-virt,ram=4G,cpus=3,level=1 qemu-virt,ram=8G,cpus=2,level=1 \
    qemu-virt,ram=1G,cpus=4,variant=kernel-asserts qemu-virt,ram=64M,cpus=1 qemu-virt,ram=64M,cpus=4
TESTS += $(KERNEL_BOOTS:%=tests/kernel/boot@%)
TESTS += tests/kernel/fatal@qemu-virt tests/kernel/fatal@raspberry-pi-4 tests/kernel/devicetree
TESTS += tests/kernel/fatal@raspberry-pi-3,fatal-double-free,fatal-other-cpu,fatal-null-read
TESTS += $(foreach board,raspberry-pi-4 raspberry-pi-3 qemu-virt,\
    tests/kernel/prompt@$(board) tests/kernel/demonstration@$(board))
# ---- The full count of lives, beyond what each boot does (a minute or three) -----------------------
.PHONY: test-lifetimes
test-lifetimes: kernel ## ten thousand processes live and die on four cores, every frame counted
	$(Q)tools/boot-kernel --board $(BOARD) --limit 1200 larder.test=process-lifetimes \
	    larder.lifetimes=$(or $(LIFETIMES),10000) </dev/null

TEST_DEPS += kernel $(BUILD)/kernel-asserts/kernel8.img
TEST_OPTIONS += 'kernel/*:limit=300'
endif
