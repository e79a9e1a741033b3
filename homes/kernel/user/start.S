/* start.S: from the kernel to main(), and into the kernel. */
    .section .text.start, "ax"
    .global _start
_start:                             /* x0 argument count, x1 arguments */
    mov x29, #0
    mov x30, #0
    bl main
    b end                           /* user.h */

    .text
    .global system_call             /* (number, three arguments) */
system_call:
    mov x8, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    svc #0
    ret
