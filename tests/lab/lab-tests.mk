# Tests of the lab. Each .c file of this folder is a cmocka program linked with everything of the
# command but its main(); each .sh file is a TAP script that runs build/larder.
#
#   build/VARIANT/tests/lab/NAME   plain and asan
#   build/VARIANT/lab/             the command's objects in that variant

ifneq ($(filter plain asan,$(VARIANT)),)
LAB_TESTS_DIR := $(BUILD_VARIANT)/tests/lab
LAB_TESTS := $(patsubst tests/lab/%.c,$(LAB_TESTS_DIR)/%,$(sort $(wildcard tests/lab/*.c)))
LAB_TESTS_OBJECTS := $(patsubst lab/%.c,$(BUILD_VARIANT)/lab/%.o,$(filter-out lab/main.c,$(LAB_SRC)))

$(BUILD_VARIANT)/lab/%.o: lab/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(LAB_CFLAGS) $(VARIANT_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD_VARIANT)/lab/liblab.a: $(LAB_TESTS_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

# Static patterns: tests/tests.mk has rules that match these names too.
$(LAB_TESTS:=.o): $(LAB_TESTS_DIR)/%.o: tests/lab/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(LAB_CFLAGS) $(VARIANT_CFLAGS) -MMD -MP -c $< -o $@

# The library twice, and port.o by name: the region heap and the core ask for parts of it only when it
# has been looked through.
$(LAB_TESTS): %: %.o $(BUILD_VARIANT)/lab/port.o $(BUILD_VARIANT)/lab/liblab.a $(LAB_PARTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(VARIANT_CFLAGS) $^ $(BUILD_VARIANT)/lab/liblab.a $(LINUX_DIR)/liblarder-core.a $(LAB_LIBS) -lcmocka -pthread -o $@

TESTS += $(LAB_TESTS)
endif

ifeq ($(VARIANT),plain)
TESTS += $(sort $(wildcard tests/lab/*.sh))
TEST_DEPS += $(BUILD)/larder $(LINUX_DIR)/liblarder.so
endif
TEST_OPTIONS += 'lab/*:limit=300'

# What is recorded: with frame pointers, so that both kinds of stacks can be had.
ifeq ($(VARIANT),plain)
$(LAB_TESTS_DIR)/recorded/recorded: tests/lab/recorded/recorded.c
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -Wno-use-after-free -fno-omit-frame-pointer -fno-optimize-sibling-calls \
	    $< -pthread -lstdc++ -o $@
TEST_DEPS += $(LAB_TESTS_DIR)/recorded/recorded $(LINUX_DIR)/liblarder.so
endif
