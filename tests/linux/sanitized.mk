# The Linux home under the sanitizers. Each of them brings a malloc of its own, so ours goes by
# other names here: family_malloc() for malloc(), family_Znwm for _Znwm, in the library and in the
# tests alike. Everything else is as it is shipped: threads, forks, signals, system calls.
#
#   build/tsan/tests/linux/NAME   races
#   build/asan/tests/linux/NAME   what lies outside an array, what C leaves undefined

LINUX_FAMILY := malloc calloc realloc free cfree posix_memalign aligned_alloc memalign valloc pvalloc \
    reallocarray malloc_usable_size malloc_trim mallopt mallinfo mallinfo2 malloc_info malloc_stats \
    free_sized free_aligned_sized
LINUX_OPERATORS := $(shell sed -n 's/.*OPERATOR("\(_Z[^"]*\)").*/\1/p' homes/linux/operators.c)

# $(1) folder  $(2) compiler  $(3) flags: objects of library and tests in folder $(1).
define linux_renamed
$(1)/names: tests/linux/sanitized.mk homes/linux/operators.c
	@mkdir -p $$(@D)
	@printf '%s family_%s\n' $$(foreach name,$$(LINUX_FAMILY) $$(LINUX_OPERATORS),$$(name) $$(name)) >$$@

$(1)/core/%.o: core/%.c $(1)/names
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(CORE_CFLAGS) -Ihomes/linux $(LINUX_CONFIG) $(3) -MMD -MP -c $$< -o $$@
	$$(Q)objcopy --redefine-syms=$(1)/names $$@

$(1)/home/%.o: homes/linux/%.c $(1)/names
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(LINUX_PORT_CFLAGS) $(LINUX_CONFIG) $(3) -MMD -MP -c $$< -o $$@
	$$(Q)objcopy --redefine-syms=$(1)/names $$@

$(1)/tests/%.o: tests/linux/%.c $(1)/names
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(LINUX_TESTS_CFLAGS) -DTAP_LINKED=1 $(3) -MMD -MP -c $$< -o $$@
	$$(Q)objcopy --redefine-syms=$(1)/names $$@
endef

linux_renamed_objects = $(CORE_SRC:core/%.c=$(1)/core/%.o) $(LINUX_SRC:homes/linux/%.c=$(1)/home/%.o)

# A fault planted in a copy: $(1) name  $(2) source, of homes/linux  $(3) what sed does to it
# $(4) folder of the renamed objects  $(5) compiler  $(6) flags: $(4)/proof/$(1).o
define linux_renamed_fault
$(4)/proof/$(1).c: homes/linux/$(2) tests/linux/sanitized.mk
	@mkdir -p $$(@D)
	$$(Q)sed '$(3)' $$< >$$@
	$$(Q)! cmp -s $$< $$@ || { echo 'proof $(1): there is nothing to break in $(2)'; rm $$@; exit 1; }

$(4)/proof/$(1).o: $(4)/proof/$(1).c $(4)/names
	$$(call say,CC,$$@)
	$$(Q)$(5) $(LINUX_PORT_CFLAGS) $(LINUX_CONFIG) $(6) -c $$< -o $$@
	$$(Q)objcopy --redefine-syms=$(4)/names $$@
endef

# ---- The fuzzer of tests/fuzz/malloc.c; $(1) name  $(2) source  $(3) what sed does to it --------------
ifeq ($(VARIANT),plain)
$(eval $(call linux_renamed,$(FUZZ_MALLOC_DIR),$(CLANG),$(FUZZ_MALLOC_FLAGS)))

define fuzz_malloc_fault
$(call linux_renamed_fault,$(1),$(2),$(3),$(FUZZ_MALLOC_DIR),$(CLANG),$(FUZZ_MALLOC_FLAGS))
$(call fuzz_program,$(FUZZ_DIR)/proof/malloc-$(1),$(filter-out %/home/$(2:.c=.o),$(call fuzz_objects,malloc)) \
    $(FUZZ_MALLOC_DIR)/proof/$(1).o)
FUZZ_FAULTS += malloc-$(1)
TESTS += tests/fuzz/proof@malloc-$(1)
TEST_DEPS += $(FUZZ_DIR)/proof/malloc-$(1)
endef
$(eval $(call fuzz_malloc_fault,copy,malloc.c,s/usable < size_bytes ? usable : size_bytes/& - 1/))
endif

# ---- The tests, and what they find -----------------------------------------------------------------
ifneq ($(filter asan tsan,$(VARIANT)),)
LINUX_SANITIZED_DIR := $(BUILD_VARIANT)/linux
LINUX_SANITIZED := everything stress $(if $(filter asan,$(VARIANT)),contracts startup)
$(eval $(call linux_renamed,$(LINUX_SANITIZED_DIR),$(CC),$(VARIANT_CFLAGS)))
LINUX_SANITIZED_OBJECTS := $(call linux_renamed_objects,$(LINUX_SANITIZED_DIR)) \
    $(LINUX_TESTS_SUPPORT:tests/linux/%.c=$(LINUX_SANITIZED_DIR)/tests/%.o)
LINUX_SANITIZED_LINK := $(if $(filter tsan,$(VARIANT)),-Wl$(comma)--wrap=larder_slot_withdraw$(comma)--wrap=larder_block_at)

# $(1) program  $(2) objects
define linux_sanitized_program
$(1): $(2)
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(VARIANT_CFLAGS) $$(LINUX_SANITIZED_LINK) -rdynamic $$^ -pthread -ldl -lm -o $$@
endef
$(foreach name,$(LINUX_SANITIZED),$(eval $(call linux_sanitized_program,$(BUILD_VARIANT)/tests/linux/$(name),\
    $(LINUX_SANITIZED_DIR)/tests/$(name).o $(LINUX_SANITIZED_OBJECTS))))

# A fault of homes/linux that the sanitizer must find in the program that does everything:
# sanitized.sh.
define linux_sanitized_fault
$(call linux_renamed_fault,$(1),$(2),$(3),$(LINUX_SANITIZED_DIR),$(CC),$(VARIANT_CFLAGS))
$(call linux_sanitized_program,$(BUILD_VARIANT)/tests/linux/proof/$(1),$(LINUX_SANITIZED_DIR)/tests/everything.o \
    $(filter-out %/home/$(2:.c=.o),$(LINUX_SANITIZED_OBJECTS)) $(LINUX_SANITIZED_DIR)/proof/$(1).o)
TESTS += tests/linux/sanitized.sh@$(VARIANT),$(1)
TEST_DEPS += $(BUILD_VARIANT)/tests/linux/proof/$(1)
endef
ifeq ($(VARIANT),tsan)
$(eval $(call linux_sanitized_fault,park,thread.c,/^static void park/$(comma)/^}/{/_lock_/d}))
$(eval $(call linux_sanitized_fault,owed,remap.c,s/__atomic_load_n(&remap.owed$(comma) [A-Z_]*)/remap.owed/))
else
$(eval $(call linux_sanitized_fault,bounds,requested.c,s/^} row.ROW_OF_RUNS + 1./} row[ROW_OF_RUNS]/))
$(eval $(call linux_sanitized_fault,shift,requested.c,s/bits - 4/bits - 99/))
endif

TESTS += $(LINUX_SANITIZED:%=$(BUILD_VARIANT)/tests/linux/%)
TEST_OPTIONS += 'asan/linux/*:limit=300' 'tsan/linux/*:limit=300'
endif
