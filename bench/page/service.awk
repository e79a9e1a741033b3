# service.awk: 10 million events (or -v events=N) of a service, as text for `larder import`: eight
# threads, 400 call sites with stacks, a working set that swells and ebbs (about 150 MB), and one
# block in 40 that stays for long. The same each time.

# Park and Miller's minimal standard, in doubles: 0 to n - 1.
function random(n) {
    seed = (seed * 16807) % 2147483647
    return seed % n
}

function size_of(kind) {
    if (kind < 60)
        return 16 + random(240)
    if (kind < 95)
        return 256 + random(3840)
    return 4096 + random(60000)
}

function make(    site) {
    site = 1 + random(20) * random(20)
    block[live++] = ++last
    printf "%.0f %d malloc %d %d @%d\n", now, random(8), last, size_of(random(100)), site
}

# Mostly young ones; the last takes the place of what goes.
function free_one(    place) {
    place = random(40) ? live - 1 - random(live < 2000 ? live : 2000) : random(live)
    printf "%.0f %d free %d\n", now, random(8), block[place]
    block[place] = block[--live]
}

BEGIN {
    seed = 20260101
    if (!events)
        events = 10000000
    print "larder trace text 1\nprogram: a service\nhas: time threads sites\n"
    for (site = 1; site <= 400; site++) {
        print "site " site
        for (depth = 0; depth < 3 + site % 6; depth++)
            printf "\t0x%x\tfunction_%d\tservice_%d.c\t%d\tservice\n", 4096 * site + depth, site % int(1 + 400 / 3 ^ depth), site % 17, 10 + site
        print ""
    }
    for (event = 0; event < events; event++) {
        now += 3000 + random(6000)
        wanted = 100000 + 80000 * sin(event * 12 / events)
        if (live == 0 || random(1000) < (live < wanted ? 520 : 480))
            make()
        else
            free_one()
    }
}
