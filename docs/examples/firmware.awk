# firmware.awk: a trace of a made-up firmware, in the text form of docs/trace-format.md.
#
#   awk -f docs/examples/firmware.awk >firmware.txt
#
# A gateway: settings that live for ever; readings of sensors that wait in a queue until a frame with
# them has been acknowledged; frames of up to 1.4 KiB; now and then a request whose text is collected
# in a buffer that grows by realloc, parsed into small nodes, and answered.
#
# Numbers come from a generator of its own (Park and Miller 1988), because rand() differs from one
# awk to the next.
function random(most) {
    seed = seed * 16807 % 2147483647
    return seed % most
}

function take(size,    id) {
    id = spares > 0 ? spare[--spares] : blocks++
    print ++ticks * 10000, 0, "malloc", id, size
    return id
}

function resize(id, size) {
    print ++ticks * 10000, 0, "realloc", id, size
}

function give(id) {
    print ++ticks * 10000, 0, "free", id
    spare[spares++] = id
}

# Readings, oldest first, go into a frame; both are freed when its acknowledgement comes.
function send(    i, count) {
    count = tail - head
    frame[frames] = take(40 + 24 * count)
    from[frames] = head
    to[frames] = tail
    head = tail
    frames++
}

function acknowledge(    i) {
    give(frame[acknowledged])
    for (i = from[acknowledged]; i < to[acknowledged]; i++) {
        give(reading[i])
        delete reading[i]
    }
    acknowledged++
}

function serve(    text, size, i, nodes, node, answer, which) {
    size = 64
    text = take(size)
    nodes = 4 + random(20)
    for (i = 0; i < nodes; i++) {
        size += 20 + random(60)
        resize(text, size)
    }
    for (i = 0; i < nodes; i++)
        node[i] = take(24 + 8 * random(6))
    answer = take(200 + random(1800))
    give(text)
    for (i = 0; i < nodes; i++)
        give(node[i])
    if (random(4) == 0) {
        which = random(settings)
        setting[which] = replace(setting[which])
    }
    give(answer)
}

# A setting is changed: the new one is there before the old one goes.
function replace(old,    new) {
    new = take(16 + random(120))
    give(old)
    return new
}

BEGIN {
    seed = 20260101
    head = tail = frames = acknowledged = blocks = 0
    print "larder trace text 1"
    print "program: firmware of a gateway (docs/examples/firmware.awk)"
    print "has: time"
    print ""
    for (settings = 0; settings < 40; settings++)
        setting[settings] = take(16 + random(120))
    for (round = 0; round < 6000; round++) {
        reading[tail++] = take(20 + 4 * random(12))
        if (tail - head >= 10 + random(45))
            send()
        if (frames - acknowledged > random(4))
            acknowledge()
        if (random(12) == 0)
            serve()
    }
}
