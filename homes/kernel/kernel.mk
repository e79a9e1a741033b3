# The bare-metal arm64 home: one image for every board, build/kernel/kernel8.img.
#
#   make kernel                     the image and the device trees for QEMU's Pis
#   make run BOARD=qemu-virt        boot it; see tools/boot-kernel for CPUS= MEM= ENTRY= DTB= ARGS=
#   make image                      build/sdcard, to be copied to an SD card
#
# Variants, in folders of their own, with the same rules:
#   kernel           as shipped
#   kernel-asserts   the core with its assertions, for the in-kernel tests

KERNEL := $(BUILD)/kernel
KERNEL_HOME := homes/kernel
KERNEL_PARTS := boot arch/arm64 drivers lib process shell boards/raspberry-pi-4 \
    boards/raspberry-pi-3 boards/qemu-virt
KERNEL_C := $(KERNEL_HOME)/port.c $(filter-out %/offsets.c,\
    $(foreach part,$(KERNEL_PARTS),$(sort $(wildcard $(KERNEL_HOME)/$(part)/*.c))))
KERNEL_S := $(sort $(wildcard $(KERNEL_HOME)/arch/arm64/*.S))
LIBFDT_AARCH64 ?= /usr/lib/aarch64-linux-gnu/libfdt.a

# No vector registers (CORE_CFLAGS_AARCH64): exceptions do not save them. Frame pointers: for stack
# traces. A fixed address: pointers in tables need no relocation.
KERNEL_FLAGS := $(CORE_CFLAGS_AARCH64) -mtune=cortex-a72 -fno-pic -fno-pie \
    -fno-stack-protector -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer \
    -fno-asynchronous-unwind-tables -I. -I$(KERNEL_HOME) $(KERNEL_PARTS:%=-I$(KERNEL_HOME)/%) \
    -I$(KERNEL)
# The fast paths of the core call nothing: no frame for them. A trace from inside one starts with its
# caller's caller's frame, as the registers still name the caller.
KERNEL_CORE_FLAGS := -momit-leaf-frame-pointer
# Code that runs with the MMU off: memory is Device memory there.
KERNEL_EARLY_FLAGS := -mstrict-align -fno-tree-loop-distribute-patterns -fno-jump-tables
KERNEL_FLAGS_early := $(KERNEL_EARLY_FLAGS)
KERNEL_FLAGS_page_table := $(KERNEL_EARLY_FLAGS)
KERNEL_FLAGS_string := -fno-tree-loop-distribute-patterns
# libfdt's header lies beside the host's.
KERNEL_FLAGS_devicetree := -idirafter /usr/include
KERNEL_FLAGS_devicetree_node := $(KERNEL_FLAGS_devicetree)

KERNEL_DTS := raspberry-pi-4 raspberry-pi-3
KERNEL_DTBS := $(KERNEL_DTS:%=$(KERNEL)/%.dtb)
KERNEL_HEADERS := $(KERNEL)/config.h $(KERNEL)/offsets.h

# ---- Made before anything is compiled -------------------------------------------------------------
$(KERNEL)/config.h: $(KERNEL_HOME)/kernel-config
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)awk '{ sub(/#.*/, "") } NF == 2 { print "#define CONFIG_" $$1, $$2 }' $< > $@

$(KERNEL)/offsets.h: $(KERNEL_HOME)/arch/arm64/offsets.c $(KERNEL)/config.h
	$(call say,GEN,$@)
	$(Q)$(CC_AARCH64) $(KERNEL_FLAGS) -MMD -MP -MF $@.d -MT $@ -S $< -o $@.s
	$(Q)sed -n 's/^->\([A-Z_]*\) #*\([0-9]*\).*/#define \1 \2/p' $@.s > $@

# ---- Programs of processes: static ELF files, which become part of the image -----------------------
KERNEL_USER := $(KERNEL)/user
KERNEL_PROGRAMS := $(patsubst $(KERNEL_HOME)/user/programs/%.c,%,\
    $(sort $(wildcard $(KERNEL_HOME)/user/programs/*.c)))
# The kernel saves no vector registers of processes either.
KERNEL_USER_FLAGS := $(CORE_CFLAGS_AARCH64) -mtune=cortex-a72 -fno-pic -fno-pie -fno-stack-protector \
    -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -I$(KERNEL_HOME) \
    -I$(KERNEL_HOME)/user -I$(KERNEL) -Ifit
KERNEL_USER_OBJECTS := $(patsubst %,$(KERNEL_USER)/%.o,start library malloc heap \
    $(patsubst fit/%.c,fit/%,$(wildcard fit/*.c)) lib/printf lib/string)
# The core as a home in processes: an archive, so that only programs that choose it carry it.
KERNEL_USER_CORE := $(KERNEL_USER)/core/core.a
KERNEL_USER_CORE_OBJECTS := $(CORE_SRC:core/%.c=$(KERNEL_USER)/core/larder/%.o) \
    $(patsubst %,$(KERNEL_USER)/core/%.o,heap port)
$(KERNEL_USER)/core/%: KERNEL_USER_FLAGS += -DLARDER_PORT_HEADER='"user/core/port.h"' \
    -DLARDER_CONFIG_HEADER='"user/core/config.h"'

$(KERNEL_USER)/core/larder/%.o: core/%.c
	@mkdir -p $(@D)
	$(call say,USER-CC,$@)
	$(Q)$(CC_AARCH64) $(KERNEL_USER_FLAGS) -MMD -MP -c $< -o $@

$(KERNEL_USER_CORE): $(KERNEL_USER_CORE_OBJECTS)
	$(call say,USER-AR,$@)
	$(Q)rm -f $@ && $(CROSS)ar rcs $@ $^

$(KERNEL_USER)/fit/%.o: fit/%.c
	@mkdir -p $(@D)
	$(call say,USER-CC,$@)
	$(Q)$(CC_AARCH64) $(KERNEL_USER_FLAGS) -MMD -MP -c $< -o $@

$(KERNEL_USER)/lib/%.o: $(KERNEL_HOME)/lib/%.c | $(KERNEL_HEADERS)
	@mkdir -p $(@D)
	$(call say,USER-CC,$@)
	$(Q)$(CC_AARCH64) $(KERNEL_USER_FLAGS) $(KERNEL_FLAGS_$(*F)) -MMD -MP -c $< -o $@

$(KERNEL_USER)/%.o: $(KERNEL_HOME)/user/%.c | $(KERNEL_HEADERS)
	@mkdir -p $(@D)
	$(call say,USER-CC,$@)
	$(Q)$(CC_AARCH64) $(KERNEL_USER_FLAGS) -MMD -MP -c $< -o $@

$(KERNEL_USER)/%.o: $(KERNEL_HOME)/user/%.S | $(KERNEL_HEADERS)
	@mkdir -p $(@D)
	$(call say,USER-AS,$@)
	$(Q)$(CC_AARCH64) $(KERNEL_USER_FLAGS) -MMD -MP -c $< -o $@

# Stripped: the kernel carries it.
$(KERNEL_USER)/%.elf: $(KERNEL_USER)/programs/%.o $(KERNEL_USER_OBJECTS) $(KERNEL_USER_CORE) \
    $(KERNEL_HOME)/user/user.ld
	$(call say,USER-LD,$@)
	$(Q)$(CROSS)ld -static -nostdlib --fatal-warnings --gc-sections -s -z noexecstack \
	    -z max-page-size=4096 -T $(KERNEL_HOME)/user/user.ld $(filter %.o %.a,$^) -o $@

# Each file has its pages for itself, so that its code can be mapped where it lies.
$(KERNEL)/programs.S: $(KERNEL_HOME)/kernel.mk $(KERNEL_PROGRAMS:%=$(KERNEL_USER)/%.elf)
	$(call say,GEN,$@)
	$(Q){ echo '.section .rodata.programs, "a"'; \
	    for name in $(KERNEL_PROGRAMS); do \
	        printf '.balign 4096\n%s: .incbin "%s"\n%s_end:\n' \
	            program_$$name $(KERNEL_USER)/$$name.elf program_$$name; done; \
	    printf '.balign 4096\n.global programs\nprograms:\n'; \
	    for name in $(KERNEL_PROGRAMS); do \
	        printf '.quad 1f, %s, %s_end - %s\n.pushsection .rodata.str\n1: .asciz "%s"\n.popsection\n' \
	            program_$$name program_$$name program_$$name $$name; done; \
	    echo '.quad 0, 0, 0'; } > $@

# ---- One variant: $(1) folder, $(2) more flags for everything ---------------------------------------
define kernel_variant
$(1)/core/%.o: core/%.c | $(KERNEL_HEADERS)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(CC_AARCH64) $(KERNEL_FLAGS) $(KERNEL_CORE_FLAGS) $(2) -MMD -MP -c $$< -o $$@

$(1)/%.o: $(KERNEL_HOME)/%.c | $(KERNEL_HEADERS)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(CC_AARCH64) $(KERNEL_FLAGS) $(2) $$(KERNEL_FLAGS_$$(*F)) -MMD -MP -c $$< -o $$@

$(1)/%.asm.o: $(KERNEL_HOME)/%.S | $(KERNEL_HEADERS)
	@mkdir -p $$(@D)
	$$(call say,AS,$$@)
	$$(Q)$(CC_AARCH64) $(KERNEL_FLAGS) -MMD -MP -c $$< -o $$@

$(1)/link.ld: $(KERNEL_HOME)/link.ld.in $(KERNEL_HOME)/arch/arm64/layout.h $(KERNEL)/config.h
	@mkdir -p $$(@D)
	$$(call say,GEN,$$@)
	$$(Q)$(CC_AARCH64) -E -P -x c -D__ASSEMBLER__ -I$(KERNEL_HOME)/arch/arm64 -I$(KERNEL) $$< -o $$@

$(1)/programs.o: $(KERNEL)/programs.S
	@mkdir -p $$(@D)
	$$(Q)$(CROSS)as $$< -o $$@

# Two passes: the second has the names of the first one's functions.
$(1)/kernel8.elf: $(CORE_SRC:%.c=$(1)/%.o) $(KERNEL_C:$(KERNEL_HOME)/%.c=$(1)/%.o) \
    $(KERNEL_S:$(KERNEL_HOME)/%.S=$(1)/%.asm.o) $(1)/programs.o $(1)/link.ld $(KERNEL_HOME)/lib/symbols.awk
	$$(call say,LD,$$@)
	$$(Q)awk -f $(KERNEL_HOME)/lib/symbols.awk /dev/null > $(1)/symbols.s
	$$(Q)$$(call kernel_link,$(1),$(1)/pass1.elf)
	$$(Q)$(CROSS)nm -n $(1)/pass1.elf | awk -f $(KERNEL_HOME)/lib/symbols.awk > $(1)/symbols.s
	$$(Q)$$(call kernel_link,$(1),$$@)
	$$(Q)rm -f $(1)/pass1.elf

$(1)/kernel8.img: $(1)/kernel8.elf
	$$(call say,IMG,$$@)
	$$(Q)$(CROSS)objcopy -O binary $$< $$@
endef

kernel_link = $(CROSS)as $(1)/symbols.s -o $(1)/symbols.o && $(CROSS)ld -static -nostdlib \
    --fatal-warnings -z noexecstack -z max-page-size=4096 --no-warn-rwx-segments \
    -T $(1)/link.ld $(filter %.o,$^) $(1)/symbols.o $(LIBFDT_AARCH64) -o $(2)

$(eval $(call kernel_variant,$(KERNEL),-DLARDER_ASSERTIONS=0))
$(eval $(call kernel_variant,$(BUILD)/kernel-asserts,-DLARDER_ASSERTIONS=1))

# ---- Device trees for QEMU's Pis, which have none of their own -------------------------------------
$(KERNEL)/%.dtb: $(KERNEL_HOME)/boards/%/qemu.dts
	@mkdir -p $(@D)
	$(call say,DTC,$@)
	$(Q)dtc -q -I dts -O dtb -o $@ $<

# ---- Targets ---------------------------------------------------------------------------------------
.PHONY: kernel kernel-run kernel-image
kernel: $(KERNEL)/kernel8.img $(KERNEL_DTBS) ## the kernel's image

RUN_TARGET := kernel-run
kernel-run: kernel
	$(Q)tools/boot-kernel --board $(BOARD) $(if $(CPUS),--cpus $(CPUS)) $(if $(MEM),--memory $(MEM)) \
	    $(if $(ENTRY),--entry $(ENTRY)) $(if $(DTB),--dtb $(DTB)) $(if $(LIMIT),--limit $(LIMIT)) \
	    --run $(ARGS)

IMAGES += kernel-image
kernel-image: kernel
	$(Q)mkdir -p $(BUILD)/sdcard
	$(Q)cp $(KERNEL)/kernel8.img $(KERNEL_HOME)/boards/config.txt $(BUILD)/sdcard/
	$(Q)cp $(KERNEL_HOME)/boards/sdcard.txt $(BUILD)/sdcard/README.txt
	$(Q)printf '\n' > $(BUILD)/sdcard/cmdline.txt
	@echo "  $(BUILD)/sdcard is ready: see README.txt in it, and docs/raspberry-pi.md"

# The emulator's counter goes by instructions, one for a nanosecond, so what `costs` prints are
# instructions; the same on every machine.
BENCHES += bench-processes
.PHONY: bench-processes
bench-processes: kernel ## instructions of a fault, fork, exit, brk, mmap …
	$(Q)tools/boot-kernel --board qemu-virt --cpus 1 --memory 1G --qemu -icount --qemu shift=0 \
	    larder.run=costs </dev/null | sed -n '/^a system call/,$$p'

# ---- On the host: the reader of device trees, which is pure ----------------------------------------
ifneq ($(filter plain asan coverage,$(VARIANT)),)
DEVICETREE_DIR := $(BUILD_VARIANT)/devicetree
DEVICETREE_TESTS := $(addprefix $(BUILD_VARIANT)/tests/kernel/,devicetree_test devicetree_lies_test)
DEVICETREE_SRC := $(addprefix $(KERNEL_HOME)/boot/,devicetree.c devicetree_node.c command_line.c) \
    core/range.c
DEVICETREE_OBJECTS := $(patsubst %.c,$(DEVICETREE_DIR)/%.o,$(DEVICETREE_SRC) tests/kernel/tree.c)

$(DEVICETREE_DIR)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(VARIANT_CFLAGS) -I$(KERNEL_HOME)/boot -Ihomes/sim -MMD -MP -c $< -o $@

# Debian's libfdt-dev for the kernel is arm64's; the host has its header and the library itself.
$(DEVICETREE_TESTS): $(BUILD_VARIANT)/tests/kernel/%: $(DEVICETREE_DIR)/tests/kernel/%.o \
    $(DEVICETREE_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(VARIANT_CFLAGS) $^ -l:libfdt.so.1 -lcmocka -o $@

TESTS += $(DEVICETREE_TESTS)
endif
