# The larder command: build/larder. One folder a thought: trace/ (what was recorded), import/,
# record/, replay/ (policies side by side), report/ (the page), live/ (a process that runs). Every .c
# file of lab/ and of its folders is part of the command; what goes into other programs (the recorder's
# library) is in folders further down.
#
# It links the core and the region heap: what it compares is what users run.

LAB_DIR := $(BUILD)/lab
LAB_SRC := $(sort $(wildcard lab/*.c lab/*/*.c))
LAB_OBJECTS := $(LAB_SRC:lab/%.c=$(LAB_DIR)/%.o)
LAB_LIBS := -lzstd -lz -ldw -lelf -ljansson -ldl -lm
LAB_CFLAGS = $(HOST_CFLAGS) -Ilab -Ihomes/linux -DLAB_MULTIARCH='"$(shell $(CC) -print-multiarch)"'
# What is compared: the core, and the region heap with the lab's counters (lab/replay/fit_config.h).
LAB_PARTS := $(LAB_DIR)/fit.o $(LAB_DIR)/linux-port.o $(LINUX_DIR)/liblarder-core.a

include lab/report/page/page.mk

$(LAB_DIR)/%.o: lab/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(LAB_CFLAGS) -MMD -MP -c $< -o $@

$(LAB_DIR)/fit/%.o: fit/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CORE_CFLAGS) -Ilab -DLARDER_CONFIG_HEADER='"replay/fit_config.h"' -MMD -MP -c $< -o $@

# Only larder_fit_* is visible: names inside are the region heap's own.
$(LAB_DIR)/fit.o: $(patsubst fit/%.c,$(LAB_DIR)/fit/%.o,$(sort $(wildcard fit/*.c)))
	$(call say,LD,$@)
	$(Q)ld -r -o $@.all $^
	$(Q)objcopy --localize-hidden $@.all $@
	$(Q)rm -f $@.all

# The port of the Linux home, but that time is the trace's (lab/port.h).
$(LAB_DIR)/linux-port.o: $(LINUX_DIR)/port.o
	$(call say,OBJCOPY,$@)
	$(Q)objcopy --redefine-sym larder_port_clock_ms=linux_port_clock_ms \
	    --redefine-sym larder_port_purge=linux_port_purge $< $@

# The recorder's library goes into recorded programs: by itself, and as a part of the command. The
# stack is followed along frame pointers, so it has them itself.
LAB_PRELOAD_SRC := $(sort $(wildcard lab/record/preload/*.c))
LAB_PRELOAD_CFLAGS := $(HOST_CFLAGS) -Ilab -Ilab/record/preload -fPIC -fvisibility=hidden -fexceptions \
    -fno-omit-frame-pointer -fno-optimize-sibling-calls

$(LAB_PRELOAD_SRC:lab/%.c=$(LAB_DIR)/%.o): $(LAB_DIR)/%.o: lab/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(LAB_PRELOAD_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/larder-record.so: $(LAB_PRELOAD_SRC:lab/%.c=$(LAB_DIR)/%.o)
	$(call say,LINK,$@)
	$(Q)$(CC) -shared -static-libgcc -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete -Wl,--exclude-libs,ALL \
	    -Wl,-soname,larder-record.so -o $@ $^ -pthread -ldl

$(LAB_DIR)/record/library.o: lab/record/library.S $(BUILD)/larder-record.so
	@mkdir -p $(@D)
	$(call say,AS,$@)
	$(Q)$(CC) -DLIBRARY='"$(BUILD)/larder-record.so"' -c $< -o $@

LAB_OBJECTS += $(LAB_DIR)/record/library.o

$(BUILD)/larder: $(LAB_OBJECTS) $(LAB_PAGE_OBJECT) $(LAB_PARTS)
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(LAB_LIBS) -pthread

.PHONY: lab
lab: $(BUILD)/larder $(LINUX_DIR)/liblarder.so ## the larder command: records programs, compares policies, shows why memory is not free
