# The simulated home: the core as its tests see it, once per variant. With VARIANT=tsan its virtual
# CPUs are real threads.
#
#   SIM_LIBRARY    everything a test program links: the home and the core, internals reachable
#   SIM_CFLAGS     how to compile a test against it
#   SIM_GIVEN_…    the same for a home whose ranges are given, as in a kernel

SIM_DIR := $(BUILD_VARIANT)/sim
SIM_FLAGS := -Ihomes/sim $(if $(filter tsan,$(VARIANT)),-DSIM_THREADS)
SIM_GIVEN_DIR := $(BUILD_VARIANT)/sim-given
SIM_GIVEN_FLAGS := $(SIM_FLAGS) -DSIM_CAN_RESERVE=0
SIM_CFLAGS = $(HOST_CFLAGS) $(VARIANT_CFLAGS) $(SIM_FLAGS)
SIM_GIVEN_CFLAGS = $(HOST_CFLAGS) $(VARIANT_CFLAGS) $(SIM_GIVEN_FLAGS)

$(eval $(call larder_core,$(SIM_DIR),$(CC),$(CORE_CFLAGS) $(SIM_FLAGS) $(VARIANT_CFLAGS),))
$(eval $(call larder_core,$(SIM_GIVEN_DIR),$(CC),$(CORE_CFLAGS) $(SIM_GIVEN_FLAGS) $(VARIANT_CFLAGS),))

SIM_SRC := $(sort $(wildcard homes/sim/*.c))

# $(1) folder  $(2) name of the variable with the flags
define sim_home
$(1)/home/%.o: homes/sim/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$($(2)) -MMD -MP -c $$< -o $$@

$(1)/libsim.a: $(SIM_SRC:homes/sim/%.c=$(1)/home/%.o) $(CORE_SRC:core/%.c=$(1)/core/%.o)
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(eval $(call sim_home,$(SIM_DIR),SIM_CFLAGS))
$(eval $(call sim_home,$(SIM_GIVEN_DIR),SIM_GIVEN_CFLAGS))

SIM_LIBRARY := $(SIM_DIR)/libsim.a
SIM_GIVEN_LIBRARY := $(SIM_GIVEN_DIR)/libsim.a
