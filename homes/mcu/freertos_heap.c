/* freertos_heap.c: FreeRTOS's heap on the region heap; takes the place of heap_1.c to heap_5.c.
 *
 * One static array of configTOTAL_HEAP_SIZE bytes, or, with configAPPLICATION_ALLOCATED_HEAP, the
 * application's ucHeap. The scheduler is suspended meanwhile, as in heap_4: not for interrupts.
 * Needs LARDER_FIT_STATS for the counts in HeapStats_t.
 */
#include "FreeRTOS.h"
#include "task.h"

#include "larder/fit.h"

#if configAPPLICATION_ALLOCATED_HEAP
extern uint8_t ucHeap[configTOTAL_HEAP_SIZE];
#else
static uint8_t ucHeap[configTOTAL_HEAP_SIZE];
#endif

static struct larder_fit heap;
static struct larder_fit_region region;
static bool is_ready;

static void make_ready(void) {
    if (!is_ready) {
        configASSERT(larder_fit_init(&heap, LARDER_FIT_GOOD));
        configASSERT(larder_fit_add_region(&heap, &region, ucHeap, sizeof ucHeap, 0, 0) > 0);
        is_ready = true;
    }
}

void *pvPortMalloc(size_t xWantedSize) {
    vTaskSuspendAll();
    make_ready();
    void *pointer = larder_fit_alloc(&heap, xWantedSize);
    (void)xTaskResumeAll();
#if configUSE_MALLOC_FAILED_HOOK
    if (pointer == NULL) {
        vApplicationMallocFailedHook();
    }
#endif
    return pointer;
}

void *pvPortCalloc(size_t xNum, size_t xSize) {
    vTaskSuspendAll();
    make_ready();
    void *pointer = larder_fit_calloc(&heap, xNum, xSize);
    (void)xTaskResumeAll();
    return pointer;
}

void vPortFree(void *pv) {
    vTaskSuspendAll();
    larder_fit_free(&heap, pv);
    (void)xTaskResumeAll();
}

/* Before the first allocation all of it is free, but not yet made ready. */
size_t xPortGetFreeHeapSize(void) {
    return is_ready ? heap.free_bytes : (size_t)configTOTAL_HEAP_SIZE;
}

size_t xPortGetMinimumEverFreeHeapSize(void) {
    return is_ready ? heap.minimum_free_bytes : (size_t)configTOTAL_HEAP_SIZE;
}

void xPortResetHeapMinimumEverFreeHeapSize(void) {
    heap.minimum_free_bytes = heap.free_bytes;
}

void vPortInitialiseBlocks(void) {
}

void vPortHeapResetState(void) {
    is_ready = false;
}

void vPortGetHeapStats(HeapStats_t *pxHeapStats) {
    struct larder_fit_diagnosis figures;
    vTaskSuspendAll();
    make_ready();
    larder_fit_diagnose(&heap, &figures);
    (void)xTaskResumeAll();
    pxHeapStats->xAvailableHeapSpaceInBytes = figures.free_bytes;
    pxHeapStats->xSizeOfLargestFreeBlockInBytes = figures.largest_free_bytes;
    pxHeapStats->xSizeOfSmallestFreeBlockInBytes = figures.smallest_free_bytes;
    pxHeapStats->xNumberOfFreeBlocks = figures.free_chunks;
    pxHeapStats->xMinimumEverFreeBytesRemaining = figures.minimum_free_bytes;
    pxHeapStats->xNumberOfSuccessfulAllocations = figures.allocations;
    pxHeapStats->xNumberOfSuccessfulFrees = figures.frees;
}
