# The page of a report: build/lab/page.html, bundled from lab/report/page/ by esbuild, and put into
# the command as it is. What it is bundled from is pinned in package-lock.json. Users of the command
# need no Node.js; who builds it without npm gets one that says so.

LAB_PAGE := lab/report/page
LAB_PAGE_DIR := $(LAB_DIR)/page
LAB_PAGE_SRC := $(sort $(wildcard $(LAB_PAGE)/*.js $(LAB_PAGE)/*.css $(LAB_PAGE)/*.html $(LAB_PAGE)/*.mjs))
LAB_PAGE_OBJECT := $(LAB_DIR)/page.o

# What npm installs, kept while package-lock.json stays as it is.
$(LAB_PAGE_DIR)/installed: $(LAB_PAGE)/package.json $(LAB_PAGE)/package-lock.json
	@mkdir -p $(@D)
	$(call say,NPM,$@)
	$(Q)cp $^ $(@D)/
	$(Q)cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >npm.log 2>&1 || \
	    { cat npm.log >&2; exit 1; }
	$(Q)touch $@

ifneq ($(shell command -v npm 2>/dev/null),)
$(LAB_DIR)/page.html: $(LAB_PAGE_SRC) $(LAB_PAGE_DIR)/installed
	$(call say,BUNDLE,$@)
	$(Q)node $(LAB_PAGE)/bundle.mjs $(LAB_PAGE_DIR) $@
else
$(LAB_DIR)/page.html:
	@mkdir -p $(@D)
	@echo 'larder: no npm here, so `larder report` will have no page' >&2
	$(Q)echo 'built without npm' >$@
endif

$(LAB_PAGE_OBJECT): $(LAB_DIR)/page.html
	$(call say,LD,$@)
	$(Q)cd $(LAB_DIR) && ld -r -b binary -z noexecstack -o page.o page.html
