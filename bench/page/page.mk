# make bench-page: making and opening the report of a long trace. bench/results/page.txt keeps the
# last run worth keeping.

BENCHES += bench-page

.PHONY: bench-page
bench-page: $(BUILD)/larder $(WEB_PACKAGES) ## making and opening the report of 10 million events
	$(Q)bench/page/run $(BUILD)/bench/page.txt
