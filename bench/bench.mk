# The core benchmarks: `make bench-core`, `make bench-core QUICK=1`, `make bench-core PART="churn"`.
#
#   build/bench/core.json   every round of every contest, figures, goals
#   build/bench/core.svg    the picture;  build/bench/core.txt the table
#
# bench/METHOD.md says what is measured and how; bench/results/ keeps the last run worth keeping.

BENCHES += bench-core
BENCH_DIR := $(BUILD)/bench
BENCH_CONFIG := -DLARDER_CONFIG_HEADER='"bench-config.h"'
BENCH_FLAGS := -Ihomes/linux -Ibench/core $(BENCH_CONFIG)
BENCH_OBJECTS := $(patsubst bench/core/%.c,$(BENCH_DIR)/%.o,$(sort $(wildcard bench/core/*.c)))
BENCH_DPDK := $(BUILD)/dpdk
QUICK ?=
PART ?=

# Made when a program with DPDK in it is asked for, not when make only reads this file.
ifneq ($(filter bench bench-core bench-core-build $(BENCH_DIR)/core $(BENCH_DIR)/dpdk.o,$(MAKECMDGOALS)),)
-include $(BENCH_DPDK)/dpdk.mk
endif
$(BENCH_DPDK)/dpdk.mk: bench/get-dpdk
	@bench/get-dpdk $(BENCH_DPDK)

# The core of the Linux home, with numbers of its own.
$(eval $(call larder_core,$(BENCH_DIR)/larder,$(CC),$(CORE_CFLAGS) $(BENCH_FLAGS),))

$(BENCH_DIR)/%.o: bench/core/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(BENCH_EXTRA) $(BENCH_FLAGS) -MMD -MP -c $< -o $@
$(BENCH_DIR)/dpdk.o: BENCH_EXTRA := $(DPDK_CFLAGS)
$(BENCH_DIR)/dpdk.o: $(BENCH_DPDK)/dpdk.mk

$(BENCH_DIR)/core: $(BENCH_OBJECTS) $(BENCH_DIR)/larder/larder.o $(LINUX_DIR)/port.o
	$(call say,LD,$@)
	$(Q)$(CC) -o $@ $^ $(DPDK_LIBS) -pthread

.PHONY: bench-core bench-core-build bench-fastpath
bench-core-build: $(BENCH_DIR)/core ## build the core benchmark, run nothing

# The instruction counts are part of the report; they need no quiet machine.
bench-core: $(BENCH_DIR)/core ## speed of the core: QUICK=1 for a fast look, PART="objects churn" for some
	@rm -f $(BENCH_DIR)/core.raw.json $(BENCH_DIR)/fastpath.json
	$(if $(PART),,$(Q)$(MAKE) --no-print-directory bench-fastpath)
	$(Q)$(BENCH_DIR)/core $(BENCH_DIR)/core.raw.json $(if $(QUICK),quick) $(PART)
	$(Q)bench/report $(BENCH_DIR)/core.raw.json $(BENCH_DIR)/fastpath.json $(BENCH_DIR)/core

# ---- Instructions on the fast paths ---------------------------------------------------------------
FASTPATHS := larder_cache_alloc,larder_cache_free,larder_alloc,larder_free,larder_frames_alloc,larder_frames_free
BENCH_AARCH64_DIR := $(BUILD)/bench-aarch64
$(eval $(call larder_core,$(BENCH_AARCH64_DIR)/larder,$(CC_AARCH64),$(CORE_CFLAGS) -mno-outline-atomics $(BENCH_FLAGS),$(CROSS)))
PROBE_PARTS := probe harness instance

$(BENCH_DIR)/probe.o $(BENCH_AARCH64_DIR)/probe.o: tools/fastpath-probe.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(PROBE_CC) $(HOST_CFLAGS) $(BENCH_FLAGS) -MMD -MP -c $< -o $@
$(BENCH_AARCH64_DIR)/%.o: bench/core/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(PROBE_CC) $(HOST_CFLAGS) $(BENCH_FLAGS) -MMD -MP -c $< -o $@
$(BENCH_DIR)/probe: $(PROBE_PARTS:%=$(BENCH_DIR)/%.o) $(BENCH_DIR)/larder/larder.o $(LINUX_DIR)/port.o
$(BENCH_AARCH64_DIR)/probe: $(PROBE_PARTS:%=$(BENCH_AARCH64_DIR)/%.o) $(BENCH_AARCH64_DIR)/larder/larder.o $(LINUX_AARCH64_DIR)/port.o
$(BENCH_DIR)/probe $(BENCH_AARCH64_DIR)/probe:
	$(call say,LD,$@)
	$(Q)$(PROBE_CC) -static -no-pie -o $@ $^ -pthread
$(BENCH_DIR)/probe $(BENCH_DIR)/probe.o: PROBE_CC := $(CC)
$(BENCH_AARCH64_DIR)/%: PROBE_CC := $(CC_AARCH64)

# QEMU 8 renamed the option that executes one instruction at a time.
FASTPATH = tools/fastpath --out $(BENCH_DIR)/fastpath.json --functions $(FASTPATHS) --build
FASTPATH_USER = one=-one-insn-per-tb; qemu-$(1) --help | grep -q -e $$one || one=-singlestep; \
    $(FASTPATH) 'Linux home, $(2)' --elf $(3)/probe --prefix '$(4)' -- \
    qemu-$(1) $$one -d exec,nochain -D @LOG@ $(3)/probe
# The kernel runs its own test of the fast paths, with interrupts on.
FASTPATH_KERNEL = $(FASTPATH) 'kernel, arm64' --elf $(KERNEL)/kernel8.elf --prefix $(CROSS) \
    --objects '$(CORE_SRC:%.c=$(KERNEL)/%.o)' -- qemu-system-aarch64 -cpu cortex-a72 -m 1G \
    -machine virt,virtualization=on,gic-version=2 -accel tcg,one-insn-per-tb=on \
    -kernel $(KERNEL)/kernel8.img -append larder.test=fast-paths -no-reboot \
    -nic none -display none -serial null -monitor none -d exec,nochain -dfilter @FILTER@ -D @LOG@

bench-fastpath: $(BENCH_DIR)/probe $(BENCH_AARCH64_DIR)/probe $(KERNEL)/kernel8.img ## instructions on each fast path
	@rm -f $(BENCH_DIR)/fastpath.json
	$(Q)$(call FASTPATH_USER,x86_64,x86-64,$(BENCH_DIR),) >$(BENCH_DIR)/fastpath.txt
	$(Q)$(call FASTPATH_USER,aarch64,arm64,$(BENCH_AARCH64_DIR),$(CROSS)) >>$(BENCH_DIR)/fastpath.txt
	$(Q)$(FASTPATH_KERNEL) >>$(BENCH_DIR)/fastpath.txt
	@grep -e ' instructions (' $(BENCH_DIR)/fastpath.txt
