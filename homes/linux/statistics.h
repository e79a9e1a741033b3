/* statistics.h: peaks of what include/larder/process.h counts, and statistics into files. */
#ifndef STATISTICS_H
#define STATISTICS_H

/* Look now, so that a peak is seen. The instance is started; no lock is held. */
void statistics_sample(void);

/* Write a snapshot, as JSON, to LARDER_SNAPSHOT_FILE. Whoever reads the file sees all of it or the
 * one before. Only system calls. */
void statistics_write_snapshot(void);

#endif
