# Tests of the commands that look at a process: lab/live.
ifeq ($(VARIANT),plain)
TESTS += tests/lab/run.sh
TEST_DEPS += $(BUILD)/larder $(LINUX_DIR)/liblarder.so
endif
