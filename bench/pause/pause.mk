# make bench-pause: how long a program stands still while it is asked about its heap.
# bench/results/pause.txt keeps the last run worth keeping.

BENCHES += bench-pause
BENCH_PAUSE := $(BUILD)/bench/pause

$(BENCH_PAUSE)/pause: bench/pause/pause.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -Ibench/malloc/workloads $< -o $@ -pthread

.PHONY: bench-pause
bench-pause: $(BENCH_PAUSE)/pause $(LINUX_DIR)/liblarder.so ## how long a program stands still when it is asked about its heap
	$(Q)cd $(BENCH_PAUSE) && LD_PRELOAD='$(abspath $(LINUX_DIR)/liblarder.so)' LARDER_CONTROL=socket \
	    LARDER_SNAPSHOT_SIGNAL=USR2 LARDER_SNAPSHOT_FILE=snapshot.json ./pause >../pause.txt
	$(Q)cat $(BUILD)/bench/pause.txt
