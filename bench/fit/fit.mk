# The region heap's benchmark: `make bench-fit`, `make bench-fit QUICK=1`.
#
#   build/bench/fit/fit.tsv   every figure
#   build/bench/fit/fit.txt   the tables;  growth.svg the picture
#
# bench/results/fit.* is the last run worth keeping.

BENCHES += bench-fit
BENCH_FIT_DIR := $(BUILD)/bench/fit
BENCH_FIT_FLAGS := -std=c11 -D_GNU_SOURCE $(NO_BUILTIN) -O2 $(DEBUG) $(WARN) -Iinclude

# The heap in a file of its own: a call is a call, as for malloc.
$(BENCH_FIT_DIR)/bench: bench/fit/bench.c $(FIT_SRC) $(FIT_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(BENCH_FIT_FLAGS) $(filter %.c,$^) -o $@

# The heap twice: as it is, and, with names of its own, counting its basic blocks.
$(BENCH_FIT_DIR)/worst: bench/fit/worst.c $(FIT_SRC) $(FIT_HEADERS)
	@mkdir -p $(@D)/worst-objects
	$(call say,CC,$@)
	$(Q)tools/amalgamate $(@D)/worst-objects
	$(Q)$(CC) $(BENCH_FIT_FLAGS) -c $(@D)/worst-objects/larder_fit.c -o $(@D)/worst-objects/fit.o
	$(Q)$(CC) $(BENCH_FIT_FLAGS) -fsanitize-coverage=trace-pc -c \
	    $(@D)/worst-objects/larder_fit.c -o $(@D)/worst-objects/counted.o
	$(Q)objcopy --prefix-symbols=counted_ $(@D)/worst-objects/counted.o
	$(Q)$(CC) $(BENCH_FIT_FLAGS) $< $(@D)/worst-objects/fit.o $(@D)/worst-objects/counted.o -o $@

.PHONY: bench-fit
bench-fit: $(BENCH_FIT_DIR)/bench $(BENCH_FIT_DIR)/worst ## the region heap: speed, packing, growth, worst cases
	$(Q)$(BENCH_FIT_DIR)/bench clock >$(BENCH_FIT_DIR)/fit.tsv
	$(Q)$(BENCH_FIT_DIR)/bench traces >>$(BENCH_FIT_DIR)/fit.tsv
	$(Q)$(BENCH_FIT_DIR)/bench longest >>$(BENCH_FIT_DIR)/fit.tsv
	$(Q)$(BENCH_FIT_DIR)/bench growth $(if $(QUICK),5,7) >>$(BENCH_FIT_DIR)/fit.tsv
	$(Q)$(BENCH_FIT_DIR)/worst $(if $(QUICK),400,3000) 1 >>$(BENCH_FIT_DIR)/fit.tsv
	$(Q)bench/fit/report $(BENCH_FIT_DIR)
