/* syscall.h: what a process asks for; abi.h says what there is. */
#ifndef PROCESS_SYSCALL_H
#define PROCESS_SYSCALL_H

struct exception_frame;
struct process;

/* Do what the registers in the frame ask for, and put the result there. Interrupts on. */
void syscall(struct process *process, struct exception_frame *frame);

#endif
