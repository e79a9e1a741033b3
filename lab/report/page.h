/* page.h: the page that shows a report: one HTML file that needs no network (lab/report/page/). */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <stdbool.h>
#include <stdio.h>

/* Was the page built into this tool? (It is not where npm was missing: lab.mk.) */
bool page_exists(void);

/* What comes before the JSON document in the page, and what comes after it. False iff it cannot be
 * written: errno. */
bool page_write_head(FILE *file);
bool page_write_tail(FILE *file);

#endif
