/* On the microcontroller: newlib's malloc and FreeRTOS's heap are the region heap. */
#include "tap.h"

#include "FreeRTOS.h"
#include "task.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

extern unsigned char mcu_heap_start[], mcu_heap_end[];

static int suspended, failed_hook;

void vTaskSuspendAll(void) {
    suspended++;
}

BaseType_t xTaskResumeAll(void) {
    suspended--;
    return 0;
}

void vApplicationMallocFailedHook(void) {
    failed_hook++;
}

static bool in_heap(const void *pointer) {
    const unsigned char *at = pointer;
    return at >= mcu_heap_start && at < mcu_heap_end;
}

static void newlib_allocates_from_the_region_heap(void) {
    unsigned char *a = malloc(100), *b = calloc(10, 10), *c = memalign(256, 40);
    EXPECT(in_heap(a) && in_heap(b) && in_heap(c) && (uintptr_t)c % 256 == 0);
    for (int i = 0; i < 100; i++) {
        EXPECT(b[i] == 0);
        a[i] = (unsigned char)i;
    }
    a = realloc(a, 3000);
    EXPECT(in_heap(a) && a[99] == 99 && malloc_usable_size(a) >= 3000);
    free(b);
    free(c);
    EXPECT(realloc(a, 0) == NULL);
    void *zero = malloc(0);
    EXPECT(zero != NULL);
    free(zero);
    free(NULL);
}

static void newlib_is_told_when_there_is_no_more(void) {
    volatile size_t most = SIZE_MAX; /* or the compiler complains */
    errno = 0;
    EXPECT(malloc(most) == NULL && errno == ENOMEM);
    EXPECT(calloc(most / 2, 4) == NULL);
    EXPECT(malloc(20000) == NULL);
    /* The break moves in steps, and what was freed is one piece again. */
    static void *held[200];
    size_t count = 0;
    while (count < 200 && (held[count] = malloc(300)) != NULL) {
        count++;
    }
    EXPECT(count > 35 && count < 60);
    while (count > 0) {
        free(held[--count]);
    }
    void *large = malloc(12000);
    EXPECT(in_heap(large));
    free(large);
}

static void printf_uses_it(void) {
    char *text = NULL;
    EXPECT(asprintf(&text, "%s %d", "larder", 42) == 9 && in_heap(text));
    EXPECT(strcmp(text, "larder 42") == 0);
    free(text);
}

static void freertos_figures_agree(void) {
    HeapStats_t stats;
    EXPECT(xPortGetFreeHeapSize() == configTOTAL_HEAP_SIZE);
    void *a = pvPortMalloc(1000);
    size_t with_a = xPortGetFreeHeapSize();
    void *b = pvPortMalloc(5000), *c = pvPortCalloc(10, 50);
    EXPECT(a != NULL && b != NULL && c != NULL && suspended == 0);
    size_t least = xPortGetFreeHeapSize();
    EXPECT(with_a <= configTOTAL_HEAP_SIZE - 1000 && least < with_a - 5500);
    vPortFree(b);
    vPortGetHeapStats(&stats);
    EXPECT(stats.xNumberOfSuccessfulAllocations == 3 && stats.xNumberOfSuccessfulFrees == 1);
    EXPECT(stats.xNumberOfFreeBlocks == 2 && stats.xMinimumEverFreeBytesRemaining == least);
    EXPECT(stats.xAvailableHeapSpaceInBytes == xPortGetFreeHeapSize());
    EXPECT(stats.xSizeOfLargestFreeBlockInBytes > stats.xSizeOfSmallestFreeBlockInBytes);
    EXPECT(xPortGetMinimumEverFreeHeapSize() == least);
    EXPECT(failed_hook == 0 && pvPortMalloc(20000) == NULL && failed_hook == 1);
    vPortFree(a);
    vPortFree(c);
    vPortFree(NULL);
    xPortResetHeapMinimumEverFreeHeapSize();
    EXPECT(xPortGetMinimumEverFreeHeapSize() == xPortGetFreeHeapSize());
    vPortHeapResetState();
    EXPECT(xPortGetFreeHeapSize() == configTOTAL_HEAP_SIZE && suspended == 0);
}

static const struct tap_test tests[] = {TAP_TEST(newlib_allocates_from_the_region_heap),
                                        TAP_TEST(newlib_is_told_when_there_is_no_more),
                                        TAP_TEST(printf_uses_it), TAP_TEST(freertos_figures_agree)};

TAP_MAIN(tests)
