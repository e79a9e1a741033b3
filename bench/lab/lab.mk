# What the lab costs: `make bench-lab`, ROUNDS=5. build/bench/lab/lab.json, lab.txt; a few minutes.

BENCHES += bench-lab
$(BENCH_DIR)/lab/loop: bench/lab/loop.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -fno-builtin -o $@ $<

.PHONY: bench-lab
bench-lab: $(BENCH_DIR)/lab/loop $(BUILD)/larder ## the lab: slow-down by larder record, ten million events under larder compare; ROUNDS=5
	$(Q)bench/lab/run --build $(BUILD) --out $(BENCH_DIR)/lab $(if $(ROUNDS),--rounds $(ROUNDS))
