# The region heap on a Cortex-M3 and (m4/) a Cortex-M4: programs for the emulated boards mps2-an385
# and mps2-an386, whose memory lies alike, run by homes/mcu/run;
# on an AVR, where words have 16 bits: programs for a simulated ATmega1284P, run by
# homes/mcu/avr/run; and the table of code and memory it takes on both (`make mcu-size`).

MCU_CC ?= arm-none-eabi-gcc
MCU_DIR := $(BUILD)/mcu
MCU_FLAGS = -mcpu=$(MCU_CPU) -mthumb -Os $(DEBUG) -std=gnu11 -D_GNU_SOURCE $(NO_BUILTIN) $(WARN) \
    -ffunction-sections -fdata-sections -Iinclude -Ifit -Itests/fit -Itests/fit/config \
    -Ihomes/mcu -Ihomes/mcu/stubs
MCU_LINK := -nostartfiles --specs=rdimon.specs -T homes/mcu/mps2-an385.ld -Wl,--gc-sections
MCU_SRC := homes/mcu/start.c homes/mcu/sbrk.c homes/mcu/newlib_heap.c
MCU_PROGRAMS := good/mcu_glue default/calls default/misuse default/random first/calls first/random \
    full/misuse full/random m4/good/mcu_glue m4/default/random m4/first/random

# A program is all its sources at once: they are few and small.
$(MCU_DIR)/%.elf: MCU_CPU := cortex-m3
$(MCU_DIR)/m4/%.elf: MCU_CPU := cortex-m4
$(MCU_DIR)/%.elf: fit/*.c fit/*.h include/larder/fit.h tests/fit/*.c tests/fit/*.h \
    tests/fit/config/*.h homes/mcu/*.c homes/mcu/*.ld homes/mcu/stubs/*.h
	@mkdir -p $(@D)
	$(call say,MCU,$@)
	$(Q)$(MCU_CC) $(MCU_FLAGS) -DRANDOM_RUNS=4u -DLARDER_CONFIG_HEADER='"$(notdir $(*D)).h"' \
	    $(wildcard fit/*.c) tests/fit/$(*F).c $(FIT_SUPPORT:%=tests/fit/%.c) $(MCU_SRC) \
	    $(if $(filter mcu_glue,$(*F)),homes/mcu/freertos_heap.c) $(MCU_LINK) -o $@

# ---- 16 bits -------------------------------------------------------------------------------------
AVR_CC ?= avr-gcc
AVR_DIR := $(MCU_DIR)/avr
# Debian's gcc for AVR is version 5: it knows no visibility here, and see fit/chunk.h for the two
# definitions.
AVR_FLAGS := -mmcu=atmega1284p -Os $(DEBUG) -std=gnu11 $(NO_BUILTIN) $(WARN) -fno-strict-aliasing \
    -DLARDER_FIT_STRUCT_ALIAS= '-DLARDER_FIT_STOP()=for (;;) {}' \
    -ffunction-sections -fdata-sections -Iinclude -Ifit -Itests/fit -Itests/fit/config \
    -DMODEL_ARENA=4096u -DRANDOM_RUNS=4u -DRANDOM_STEPS=120u -DSIZES_STEP=199u
AVR_PROGRAMS := $(foreach config,default first best good steps full bare,$(config)/small \
    $(config)/random) default/sizes

$(AVR_DIR)/%.elf: fit/*.c fit/*.h include/larder/fit.h tests/fit/*.c tests/fit/*.h \
    tests/fit/config/*.h homes/mcu/avr/board.c
	@mkdir -p $(@D)
	$(call say,AVR,$@)
	$(Q)$(AVR_CC) $(AVR_FLAGS) -DLARDER_CONFIG_HEADER='"$(*D).h"' $(wildcard fit/*.c) \
	    tests/fit/$(*F).c $(FIT_SUPPORT:%=tests/fit/%.c) homes/mcu/avr/board.c \
	    -Wl,--gc-sections -o $@

ifeq ($(VARIANT),plain)
TESTS += $(AVR_PROGRAMS:%=homes/mcu/avr/run@%)
TEST_DEPS += $(AVR_PROGRAMS:%=$(AVR_DIR)/%.elf)
TESTS += $(MCU_PROGRAMS:%=homes/mcu/run@%)
TEST_DEPS += $(MCU_PROGRAMS:%=$(MCU_DIR)/%.elf)
endif

.PHONY: mcu-size
mcu-size: ## code and memory the region heap takes on a Cortex-M3 and an AVR, by configuration
	$(Q)homes/mcu/size $(MCU_DIR) $(MCU_CC) $(AVR_CC)
