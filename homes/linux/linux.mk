# The Linux home: build/linux/liblarder.a, the core with its port, for x86-64 and for arm64.

LINUX_DIR := $(BUILD)/linux
LINUX_AARCH64_DIR := $(BUILD)/linux-aarch64
LINUX_PORT_CFLAGS := $(HOST_CFLAGS) -fvisibility=hidden -Ihomes/linux

$(eval $(call larder_core,$(LINUX_DIR),$(CC),$(CORE_CFLAGS) -Ihomes/linux,))
$(eval $(call larder_core,$(LINUX_AARCH64_DIR),$(CC_AARCH64),$(CORE_CFLAGS) -mno-outline-atomics -Ihomes/linux,$(CROSS)))

$(LINUX_DIR)/port.o $(LINUX_AARCH64_DIR)/port.o: homes/linux/port.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(LINUX_CC) $(LINUX_PORT_CFLAGS) -MMD -MP -c $< -o $@
$(LINUX_DIR)/port.o: LINUX_CC := $(CC)
$(LINUX_AARCH64_DIR)/port.o: LINUX_CC := $(CC_AARCH64)

$(LINUX_DIR)/liblarder.a $(LINUX_AARCH64_DIR)/liblarder.a: %/liblarder.a: %/larder.o %/port.o
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(LINUX_AR) rcs $@ $^
$(LINUX_DIR)/liblarder.a: LINUX_AR := ar
$(LINUX_AARCH64_DIR)/liblarder.a: LINUX_AR := $(CROSS)ar
