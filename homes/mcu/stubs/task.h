/* task.h: see FreeRTOS.h beside it. */
#ifndef STUB_TASK_H
#define STUB_TASK_H

#include "FreeRTOS.h"

void vTaskSuspendAll(void);
BaseType_t xTaskResumeAll(void);

#endif
