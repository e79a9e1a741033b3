# The malloc benchmark: `make bench-malloc`, QUICK=1, ROUNDS=9, WORKLOADS='larson redis',
# ALLOCATORS='larder jemalloc', GROWTH=no or only, ENV='LARDER_X=1 LARDER_Y=2', HELP=1 for what run says.
#
#   build/bench/malloc.json   every run of every workload under every allocator, figures, goals
#   build/bench/malloc.svg    the picture;  build/bench/malloc.txt the tables
#
# bench/METHOD.md says what is measured and how; bench/results/malloc.* is the last run worth keeping.

BENCHES += bench-malloc
BENCH_MALLOC_DIR := $(BUILD)/bench/malloc
BENCH_MALLOC_NAMES := $(filter-out workload,$(notdir $(basename $(wildcard bench/malloc/workloads/*.c))))
BENCH_MALLOC_INPUTS := $(addprefix $(BENCH_MALLOC_DIR)/,timetable.smt2 pages.pdf core.i templates.ii)
ROUNDS ?=
WORKLOADS ?=
ALLOCATORS ?=
GROWTH ?=
OUT ?=
ENV ?=

$(BENCH_MALLOC_DIR)/%.o: bench/malloc/workloads/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@
$(BENCH_MALLOC_NAMES:%=$(BENCH_MALLOC_DIR)/%): %: %.o $(BENCH_MALLOC_DIR)/workload.o
	$(call say,LD,$@)
	$(Q)$(CC) -o $@ $^ -pthread

# Static: what it has in memory is counted into what it launches.
$(BENCH_MALLOC_DIR)/launch: bench/malloc/launch.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) -static $< -o $@
$(BENCH_MALLOC_DIR)/whose: bench/malloc/whose.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $< -o $@

$(BENCH_MALLOC_DIR)/timetable.smt2: bench/malloc/programs/smt.py
	@mkdir -p $(@D)
	$(Q)python3 $< >$@
$(BENCH_MALLOC_DIR)/pages.pdf: bench/malloc/programs/pdf.py
	@mkdir -p $(@D)
	$(Q)python3 $< >$@
$(BENCH_MALLOC_DIR)/core.i: bench/malloc/programs/one-file $(CORE_SRC) $(CORE_HEADERS)
	@mkdir -p $(@D)
	$(Q)$< $(CORE_SRC) >$(@D)/core.c
	$(Q)$(CC) $(CORE_CFLAGS) -Ihomes/linux -I. -E $(@D)/core.c -o $@
$(BENCH_MALLOC_DIR)/templates.ii: bench/malloc/programs/templates.cpp
	@mkdir -p $(@D)
	$(Q)$(CLANG) -x c++ -std=c++17 -E $< -o $@

# Debian's redis-tools has the server inside, under another name, and starts no service.
$(BENCH_MALLOC_DIR)/redis-server:
	@mkdir -p $(@D)
	$(Q)for file in /usr/bin/redis-server /usr/bin/redis-check-rdb; do \
	    if [ -x $$file ]; then ln -sf $$file $@; fi; done

.PHONY: bench-malloc bench-malloc-build
bench-malloc-build: $(addprefix $(BENCH_MALLOC_DIR)/,$(BENCH_MALLOC_NAMES) launch whose redis-server) \
    $(BENCH_MALLOC_INPUTS) $(LINUX_DIR)/liblarder.so

bench-malloc: bench-malloc-build ## malloc of any program against its peers: QUICK=1, WORKLOADS=, ALLOCATORS=
	$(Q)bench/malloc/run --build $(BUILD) $(if $(HELP),--help) $(if $(QUICK),--quick) \
	    $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(filter no,$(GROWTH)),--no-growth) \
	    $(if $(filter only,$(GROWTH)),--growth-only) $(if $(OUT),--out '$(OUT)') \
	    --workloads '$(WORKLOADS)' --allocators '$(ALLOCATORS)' $(patsubst %,--env '%',$(ENV))
