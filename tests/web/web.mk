# The page of a report in a browser, and its numbers against the trace.

WEB_PACKAGES := $(BUILD)/web/packages/installed

# What npm installs for the tests, kept while package-lock.json stays as it is.
$(WEB_PACKAGES): tests/web/package.json tests/web/package-lock.json
	@mkdir -p $(@D)
	$(call say,NPM,$@)
	$(Q)cp $^ $(@D)/
	$(Q)cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >npm.log 2>&1 || \
	    { cat npm.log >&2; exit 1; }
	$(Q)touch $@

ifeq ($(VARIANT),plain)
TESTS += tests/web/figures.py tests/web/pictures.mjs tests/web/report.mjs
TEST_DEPS += $(BUILD)/larder $(WEB_PACKAGES)
TEST_OPTIONS += 'web/*:limit=400'
endif

.PHONY: lab-pictures web-pictures
web-pictures: $(BUILD)/larder $(WEB_PACKAGES) ## what tests/web compares the views of a report with, anew
	tests/web/pictures.mjs --write

lab-pictures: $(BUILD)/larder $(WEB_PACKAGES) ## draw the pictures of docs/lab.md from a real recording
	docs/examples/draw
