# Fuzz targets: libFuzzer, ASan and UBSan over the core, the simulated home, the kernel's reader of
# device trees and the lab's of traces, each against a reference. A short run with a fixed seed is a test.
#
#   make fuzz                 all of them for FUZZ_SECONDS each; what they find stays in build/fuzz
#   make fuzz-TARGET          one
#   make fuzz-proof           plant a fault for each and see it found

FUZZ_SECONDS ?= 600
FUZZ_TARGETS := ranges devicetree operations options trace import malloc
FUZZ_DIR := $(BUILD)/fuzz

ifeq ($(VARIANT),plain)
FUZZ_SANITIZE := -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all \
    -fno-omit-frame-pointer -DLARDER_ASSERTIONS=1
FUZZ_CORE_FLAGS := $(CORE_CFLAGS) -Ihomes/sim $(FUZZ_SANITIZE)
FUZZ_FLAGS := $(HOST_CFLAGS) -Ihomes/sim -Ihomes/kernel/boot -Icore -Itests/fuzz -Ilab -Itests/linux/support $(FUZZ_SANITIZE) \
    -Wno-sign-conversion -Wno-missing-prototypes
FUZZ_LIBS := -lpthread -l:libfdt.so.1 $(LAB_LIBS)

$(eval $(call larder_core,$(FUZZ_DIR),$(CLANG),$(FUZZ_CORE_FLAGS),))

FUZZ_CORE := $(CORE_SRC:%.c=$(FUZZ_DIR)/%.o)
FUZZ_HOME := $(patsubst %.c,$(FUZZ_DIR)/%.o,$(sort $(wildcard homes/sim/*.c)) tests/fuzz/naive.c)
FUZZ_TREE := $(addprefix $(FUZZ_DIR)/homes/kernel/boot/,devicetree.o devicetree_node.o \
    command_line.o)
FUZZ_LAB := $(patsubst %.c,$(FUZZ_DIR)/%.o,lab/say.c $(sort $(wildcard lab/trace/*.c lab/import/*.c)))
# The Linux home with its core, and the model of its tests, under other names: tests/linux/sanitized.mk.
FUZZ_MALLOC_DIR := $(FUZZ_DIR)/linux
# No builtins: clang takes an operator new whose result is only compared for one that succeeds.
FUZZ_MALLOC_FLAGS := $(FUZZ_SANITIZE) -fno-builtin -Wno-unknown-warning-option
FUZZ_MALLOC := $(CORE_SRC:core/%.c=$(FUZZ_MALLOC_DIR)/core/%.o) $(LINUX_SRC:homes/linux/%.c=$(FUZZ_MALLOC_DIR)/home/%.o) \
    $(FUZZ_MALLOC_DIR)/tests/support/family_model.o
fuzz_objects = $(if $(filter malloc,$(1)),$(FUZZ_MALLOC),$(if $(filter trace import,$(1)),$(FUZZ_LAB),$(FUZZ_CORE) $(FUZZ_HOME))) \
    $(if $(filter devicetree,$(1)),$(FUZZ_TREE)) $(FUZZ_DIR)/tests/fuzz/$(1).o

# Without the object of one source.
fuzz_objects_but = $(filter-out $(FUZZ_DIR)/$(2:.c=.o),$(call fuzz_objects,$(1)))

$(FUZZ_DIR)/homes/%.o: homes/%.c
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -MMD -MP -c $< -o $@

$(FUZZ_DIR)/lab/%.o: lab/%.c
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -MMD -MP -c $< -o $@

$(FUZZ_DIR)/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CLANG,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -MMD -MP -c $< -o $@

# $(1) program  $(2) objects
define fuzz_program
$(1): $(2)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined $$^ $(FUZZ_LIBS) -o $$@
endef
$(foreach target,$(FUZZ_TARGETS),\
    $(eval $(call fuzz_program,$(FUZZ_DIR)/$(target),$(call fuzz_objects,$(target)))))

# ---- Seeds: device trees, and what is in tests/fuzz/seeds --------------------------------------------
FUZZ_TREES := $(patsubst tests/fuzz/trees/%.dts,$(FUZZ_DIR)/seeds/devicetree/%.dtb,\
    $(sort $(wildcard tests/fuzz/trees/*.dts))) \
    $(patsubst homes/kernel/boards/%/qemu.dts,$(FUZZ_DIR)/seeds/devicetree/%.dtb,\
    $(sort $(wildcard homes/kernel/boards/*/qemu.dts)))

$(FUZZ_DIR)/seeds/devicetree/%.dtb: tests/fuzz/trees/%.dts
	@mkdir -p $(@D)
	$(Q)dtc -q -f -I dts -O dtb -o $@ $<

$(FUZZ_DIR)/seeds/devicetree/%.dtb: homes/kernel/boards/%/qemu.dts
	@mkdir -p $(@D)
	$(Q)dtc -q -I dts -O dtb -o $@ $<

# ---- A fault planted in a copy: $(1) name  $(2) target  $(3) source  $(4) what sed does to it ----------
define fuzz_fault
$(FUZZ_DIR)/proof/$(1).c: $(3) tests/fuzz/fuzz.mk
	@mkdir -p $$(@D)
	$$(Q)sed '$(4)' $$< >$$@
	$$(Q)! cmp -s $$< $$@ || { echo 'fuzz-proof $(1): there is nothing to break in $(3)'; rm $$@; exit 1; }

$(FUZZ_DIR)/proof/$(1).o: $(FUZZ_DIR)/proof/$(1).c
	$$(call say,CLANG,$$@)
	$$(Q)$(CLANG) $$(if $$(filter core/%,$(3)),$$(FUZZ_CORE_FLAGS),$$(FUZZ_FLAGS)) \
	    -I$$(dir $(3)) -c $$< -o $$@

$(call fuzz_program,$(FUZZ_DIR)/proof/$(2)-$(1),$(call fuzz_objects_but,$(2),$(3)) $(FUZZ_DIR)/proof/$(1).o)
FUZZ_FAULTS += $(2)-$(1)
endef
FUZZ_FAULTS :=
$(eval $(call fuzz_fault,merge,ranges,core/range.c,s/last->kind == kind \&\& //))
$(eval $(call fuzz_fault,inward,ranges,core/range.c,/^           range_end(range)/s/>= FRAME_BYTES/>= 1/))
$(eval $(call fuzz_fault,wrap,devicetree,homes/kernel/boot/devicetree.c,s/if (last < region->address)/if (0)/))
$(eval $(call fuzz_fault,width,devicetree,homes/kernel/boot/devicetree_node.c,s/ || count % width != 0//))
$(eval $(call fuzz_fault,grow,operations,core/frames_range.c,s/index + old. count - old/& - 1/))
$(eval $(call fuzz_fault,zero,operations,core/cache.c,/object != NULL/s/flags \& LARDER_ZERO/flags \& 4096/))
$(eval $(call fuzz_fault,dead,trace,lab/trace/reader.c,s/.id_set_has.*uint32_t.id./0/))
$(eval $(call fuzz_fault,column,trace,lab/trace/reader.c,s/input.is_bad || input.at != input.end || //))
$(eval $(call fuzz_fault,unknown,import,lab/trace/order.c,/unknown_frees++/{n;s/return;//}))
$(eval $(call fuzz_fault,length,options,core/debug_options.c,s/length + 1 == DEBUG_TEXT_BYTES/length == DEBUG_TEXT_BYTES/))
$(eval $(call fuzz_fault,last,options,core/debug_options.c,s/i = larder->debug.count; i-- > 0;/i = 0; i < larder->debug.count; i++/))

# ---- Tests and targets -----------------------------------------------------------------------------
TEST_DEPS += $(FUZZ_TARGETS:%=$(FUZZ_DIR)/%) $(FUZZ_TREES) $(FUZZ_FAULTS:%=$(FUZZ_DIR)/proof/%)
TESTS += $(FUZZ_TARGETS:%=tests/fuzz/run@%) $(FUZZ_FAULTS:%=tests/fuzz/proof@%)
TEST_OPTIONS += 'fuzz/*:limit=600'

.PHONY: fuzz fuzz-proof $(FUZZ_TARGETS:%=fuzz-%)
fuzz: $(FUZZ_TARGETS:%=fuzz-%) ## every fuzz target for FUZZ_SECONDS=600; corpora stay in build/fuzz

$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: $(FUZZ_DIR)/% $(FUZZ_TREES)
	LARDER_BUILD=$(BUILD) tests/fuzz/run $* $(FUZZ_SECONDS)

fuzz-proof: $(FUZZ_FAULTS:%=$(FUZZ_DIR)/proof/%) $(FUZZ_TREES) ## see that the fuzz targets find planted faults
	@for fault in $(FUZZ_FAULTS); do LARDER_BUILD=$(BUILD) tests/fuzz/proof $$fault || exit 1; done
endif
