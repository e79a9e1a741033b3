# Input: `nm -n` of the kernel. Output: lib/symbols.h's table as assembly.
# Functions between text_start and text_end; with no input (the first pass) an empty table.
function hex(text,    i, value) {
    for (i = 1; i <= length(text); i++)
        value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
    return value
}
BEGIN { count = used = 0 }
# The lower 31 bits of an address: the image is linked at the top, 2 GiB from the end.
function offset(address) { return hex(substr(address, 9)) - 2147483648 }
$3 == "text_start" { inside = 1 }
$3 == "text_end" && inside { inside = 0; end = offset($1) }
inside && tolower($2) == "t" && $3 !~ /^[$.]/ && offset($1) != last {
    last = at[count] = offset($1)
    name[count++] = $3
}
END {
    print ".section .symbols, \"a\""
    print ".balign 4\n.global symbols, symbol_count, symbol_names\nsymbols:"
    for (i = 0; i < count; i++) {
        print ".long", at[i] ",", used
        used += length(name[i]) + 1
    }
    if (count > 0)
        print ".long", end ",", 0
    print "symbol_count: .long", (count > 0 ? count + 1 : 0)
    print "symbol_names:"
    for (i = 0; i < count; i++)
        print ".asciz \"" name[i] "\""
}
