# The Linux home, for x86-64 and for arm64:
#
#   build/linux/liblarder.so        the malloc of a program that is started with LD_PRELOAD
#   build/linux/liblarder.a         the same, linked in
#   build/linux/liblarder-dlopen.so the same for dlopen(), without static TLS
#   build/linux-musl/liblarder.so   for programs of the musl C library
#   build/linux/liblarder-core.a    the core with its port, and no malloc: for instances of your own
#
# build/linux-aarch64/ likewise.

LINUX_DIR := $(BUILD)/linux
LINUX_AARCH64_DIR := $(BUILD)/linux-aarch64
LINUX_PORT_CFLAGS := $(HOST_CFLAGS) -fvisibility=hidden -Ihomes/linux -Icore
LINUX_SRC := $(sort $(wildcard homes/linux/*.c))

$(eval $(call larder_core,$(LINUX_DIR),$(CC),$(CORE_CFLAGS) -Ihomes/linux,))
$(eval $(call larder_core,$(LINUX_AARCH64_DIR),$(CC_AARCH64),$(CORE_CFLAGS) -mno-outline-atomics -Ihomes/linux,$(CROSS)))

# ---- The malloc -----------------------------------------------------------------------------------
# Core and home are optimized as one, so that the fast path of the core is inlined into malloc() and
# the address of the instance is a constant in it. One word of static TLS is all a thread needs.
LINUX_LTO := $(if $(findstring clang,$(CC)),,-flto=auto -ffat-lto-objects)
LINUX_CONFIG := -DLARDER_CONFIG_HEADER='"linux-config.h"'
LINUX_MALLOC_FLAGS := -fPIC -fno-semantic-interposition -ffunction-sections $(LINUX_CONFIG)

# What most programs never run lies apart, so that it is not in their memory: see layout.ld. These
# files are all of that kind; optimized as one with the rest they would be spread all over it.
LINUX_RARE := $(patsubst %,core/%.c,blocks check object_debug report stats text validate) \
    $(patsubst %,homes/linux/%.c,cgroup control_answers info json output statistics)
# What runs once is small, too.
LINUX_ONCE := $(patsubst %,core/%.c,debug_options frame harden instance range registry) \
    $(patsubst %,homes/linux/%.c,control options process start watch)
# -z max-page-size: so that a window of 64 KiB is one wherever the library is loaded.
LINUX_LAYOUT := homes/linux/layout.ld
LINUX_LAYOUT_FLAGS := -Wl,-T,$(LINUX_LAYOUT) -Wl,-z,max-page-size=65536

# Objects of the malloc of $(1), a folder, from $(2), sources.
larder_malloc_objects = $(patsubst core/%.c,$(1)/malloc/core/%.o,$(patsubst homes/linux/%.c, \
    $(1)/malloc/home/%.o,$(filter-out $(LINUX_RARE),$(2)))) \
    $(patsubst %.c,$(1)/malloc/rare/%.o,$(notdir $(filter $(LINUX_RARE),$(2))))

# $(1) folder  $(2) compiler  $(3) flags  $(4) binutils prefix
define larder_malloc
$(call larder_malloc_objects,$(1),$(LINUX_ONCE)): LINUX_LTO += -Os
$(1)/malloc/core/%.o: core/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(CORE_CFLAGS) -Ihomes/linux $(LINUX_MALLOC_FLAGS) $$(LINUX_LTO) $(3) -MMD -MP -c $$< -o $$@

$(1)/malloc/rare/%.o: core/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(CORE_CFLAGS) -Os -Ihomes/linux $(LINUX_MALLOC_FLAGS) $(3) -MMD -MP -c $$< -o $$@

$(1)/malloc/home/%.o: homes/linux/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(LINUX_PORT_CFLAGS) $(LINUX_MALLOC_FLAGS) $$(LINUX_LTO) $(3) -MMD -MP -c $$< -o $$@

$(1)/malloc/rare/%.o: homes/linux/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(LINUX_PORT_CFLAGS) -Os $(LINUX_MALLOC_FLAGS) $(3) -MMD -MP -c $$< -o $$@

$(1)/liblarder.so: $(call larder_malloc_objects,$(1),$(CORE_SRC) $(LINUX_SRC)) $(LINUX_LAYOUT)
	$$(call say,LINK,$$@)
	$$(Q)$(2) -shared $(OPT) $(LINUX_LTO) -ffunction-sections $(NO_BUILTIN) -Wl,-z,now -Wl,-z,relro \
	    -Wl,-z,nodelete $(LINUX_LAYOUT_FLAGS) -Wl,-soname,liblarder.so.0 \
	    -o $$@ $$(filter %.o,$$^) -pthread

$(1)/malloc/larder.o: $(call larder_malloc_objects,$(1),$(CORE_SRC) \
    $(filter-out %/operators.c,$(LINUX_SRC)))
	$$(call say,LD,$$@)
	$$(Q)$(2) -r $(OPT) $(LINUX_LTO) $(if $(LINUX_LTO),-flinker-output=nolto-rel) $(NO_BUILTIN) -nostdlib -o $$@.all $$^
	$$(Q)$(4)objcopy --localize-hidden $$@.all $$@
	$$(Q)rm -f $$@.all

# A member of its own, for C++ programs only.
$(1)/malloc/operators.o: homes/linux/operators.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$(2) $(LINUX_PORT_CFLAGS) -fPIC -DOPERATORS_NEED_RUNTIME $(3) -MMD -MP -c $$< -o $$@

$(1)/liblarder.a: $(1)/malloc/larder.o $(1)/malloc/operators.o
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@
	$$(Q)$(4)ar rcs $$@ $$^
endef
$(eval $(call larder_malloc,$(LINUX_DIR),$(CC),,))
$(eval $(call larder_malloc,$(LINUX_AARCH64_DIR),$(CC_AARCH64),-mno-outline-atomics,$(CROSS)))

# With assertions, and a trap where C leaves a result undefined: for tests/linux/undefined.sh.
LINUX_UNDEFINED_DIR := $(BUILD)/linux-undefined
LINUX_UNDEFINED_FLAGS := -DLARDER_ASSERTIONS=1 -fsanitize=undefined -fsanitize-undefined-trap-on-error \
    -fno-lto
$(eval $(call larder_malloc,$(LINUX_UNDEFINED_DIR),$(CC),$(LINUX_UNDEFINED_FLAGS),))

# For programs of the musl C library. The archive above is for both: what it calls is in both.
CC_MUSL ?= musl-gcc
LINUX_MUSL_DIR := $(BUILD)/linux-musl
LINUX_MUSL_INCLUDES := -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch)
$(eval $(call larder_malloc,$(LINUX_MUSL_DIR),$(CC_MUSL),$(LINUX_MUSL_INCLUDES),))

# For dlopen() in programs whose static TLS is used up: without initial-exec TLS.
LINUX_DLOPEN_DIR := $(BUILD)/linux-dlopen
$(eval $(call larder_malloc,$(LINUX_DLOPEN_DIR),$(CC),-DLARDER_PORT_TLS= -ftls-model=global-dynamic,))
$(LINUX_DIR)/liblarder-dlopen.so: $(LINUX_DLOPEN_DIR)/liblarder.so
	$(call say,COPY,$@)
	$(Q)mkdir -p $(@D) && cp $< $@

.PHONY: linux linux-musl
linux-musl: $(LINUX_MUSL_DIR)/liblarder.so ## the same for programs of musl: build/linux-musl/liblarder.so

linux: $(LINUX_DIR)/liblarder.so $(LINUX_DIR)/liblarder.a ## the malloc of a Linux program: build/linux/liblarder.so

.PHONY: install
install: linux $(BUILD)/larder ## library, headers, larder.pc, CMake package, larder command, man pages; PREFIX=/usr/local DESTDIR=
	$(Q)BUILD='$(BUILD)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' MANDIR='$(MANDIR)' \
	    BINDIR='$(BINDIR)' DATADIR='$(DATADIR)' DESTDIR='$(DESTDIR)' homes/linux/install

# ---- The core alone -------------------------------------------------------------------------------
$(LINUX_DIR)/port.o $(LINUX_AARCH64_DIR)/port.o: homes/linux/port.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(LINUX_CC) $(LINUX_PORT_CFLAGS) -MMD -MP -c $< -o $@
$(LINUX_DIR)/port.o: LINUX_CC := $(CC)
$(LINUX_AARCH64_DIR)/port.o: LINUX_CC := $(CC_AARCH64)

$(LINUX_DIR)/liblarder-core.a $(LINUX_AARCH64_DIR)/liblarder-core.a: %/liblarder-core.a: %/larder.o %/port.o
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(LINUX_AR) rcs $@ $^
$(LINUX_DIR)/liblarder-core.a: LINUX_AR := ar
$(LINUX_AARCH64_DIR)/liblarder-core.a: LINUX_AR := $(CROSS)ar
