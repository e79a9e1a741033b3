# The simulated home: the core as its tests see it, once per variant, and once more with real threads
# as virtual CPUs (in VARIANT=tsan there is nothing else).
#
#   SIM_LIBRARY, SIM_CFLAGS                   what a test links and how it is compiled: the home and
#                                             the core, internals reachable
#   SIM_THREADS_LIBRARY, SIM_THREADS_CFLAGS   the same with threads

SIM_DIR := $(BUILD_VARIANT)/sim
SIM_FLAGS := -Ihomes/sim $(if $(filter tsan,$(VARIANT)),-DSIM_THREADS)
SIM_CFLAGS = $(HOST_CFLAGS) $(VARIANT_CFLAGS) $(SIM_FLAGS)
SIM_LIBRARY := $(SIM_DIR)/libsim.a

SIM_THREADS_DIR := $(BUILD_VARIANT)/$(if $(filter tsan,$(VARIANT)),sim,sim-threads)
SIM_THREADS_FLAGS := -Ihomes/sim -DSIM_THREADS
SIM_THREADS_CFLAGS = $(HOST_CFLAGS) $(VARIANT_CFLAGS) $(SIM_THREADS_FLAGS)
SIM_THREADS_LIBRARY := $(SIM_THREADS_DIR)/libsim.a

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

$(eval $(call larder_core,$(SIM_DIR),$(CC),$(CORE_CFLAGS) $(SIM_FLAGS) $(VARIANT_CFLAGS),))
$(eval $(call sim_home,$(SIM_DIR),SIM_CFLAGS))
ifneq ($(SIM_THREADS_DIR),$(SIM_DIR))
$(eval $(call larder_core,$(SIM_THREADS_DIR),$(CC),$(CORE_CFLAGS) $(SIM_THREADS_FLAGS) $(VARIANT_CFLAGS),))
$(eval $(call sim_home,$(SIM_THREADS_DIR),SIM_THREADS_CFLAGS))
endif
