# The larder command: build/larder. One folder a thought: trace/ (what was recorded), import/,
# record/, replay/ (policies side by side), report/ (the page), live/ (a process that runs). Every .c
# file of lab/ and of its folders is part of the command; what goes into other programs (the recorder's
# library) is in folders further down.
#
# It links the core and the region heap: what it compares is what users run.

LAB_DIR := $(BUILD)/lab
LAB_SRC := $(sort $(wildcard lab/*.c lab/*/*.c))
LAB_OBJECTS := $(LAB_SRC:lab/%.c=$(LAB_DIR)/%.o)
LAB_LIBS := -lzstd -lz -lm
LAB_CFLAGS = $(HOST_CFLAGS) -Ilab
# The region heap, with the lab's counters: lab/replay/fit_config.h.
REPLAY_FIT := -DLARDER_CONFIG_HEADER='"replay/fit_config.h"'
REPLAY_FIT_OBJECTS := $(patsubst fit/%.c,$(LAB_DIR)/fit/%.o,$(sort $(wildcard fit/*.c)))

$(LAB_DIR)/%.o: lab/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(LAB_CFLAGS) -MMD -MP -c $< -o $@

# The core's port says which slot the thread has.
$(LAB_DIR)/replay/%.o: LAB_CFLAGS = $(HOST_CFLAGS) -Ilab -Ihomes/linux
$(LAB_DIR)/replay/region.o: LAB_CFLAGS += $(REPLAY_FIT)

$(LAB_DIR)/fit/%.o: fit/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CORE_CFLAGS) -Ilab $(REPLAY_FIT) -MMD -MP -c $< -o $@

$(BUILD)/larder: $(LAB_OBJECTS) $(REPLAY_FIT_OBJECTS) $(LINUX_DIR)/liblarder-core.a
	$(call say,LINK,$@)
	$(Q)$(CC) -o $@ $^ $(LAB_LIBS) -pthread

.PHONY: lab
lab: $(BUILD)/larder ## the larder command: records programs, compares policies, shows why memory is not free
