/* The recorder's library as part of the command: who has build/larder needs nothing else. LIBRARY is
 * its path. */
    .section .rodata
    .global record_library, record_library_end
    .hidden record_library, record_library_end
    .balign 64
record_library:
    .incbin LIBRARY
record_library_end:
    .section .note.GNU-stack, "", %progbits
