"""From runs to figures and goals. Pure: nothing here measures, reads or writes.

A run is a dictionary: workload, allocator, round, and either wall_s, user_s, system_s, peak_kib, faults
and output, or failed, the reason. In the growth part it has threads as well.

Everything compared is a median over the rounds. A SCORE is that median divided by the median of the best
peer on the same workload, so that a workload of two seconds weighs as much as one of half a second and
1.00 means "as good as the best there is"; a peer is everyone but the subject.
"""
import math
import statistics

METRICS = ("wall_s", "cpu_s", "peak_kib", "faults")

WALL_GOAL, WORST_GOAL, MEMORY_GOAL, GROWTH_GOAL = 0.95, 1.10, 1.00, 1.00


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ordered(runs, key):
    return list(dict.fromkeys(run[key] for run in runs))


# ---- Outputs ----------------------------------------------------------------------------------------
def check_outputs(runs, reference="glibc"):
    """Marks as failed each run whose output is not that of the reference, or else of the first."""
    expected = {}
    for run in sorted(runs, key=lambda run: run["allocator"] != reference):
        if "failed" not in run:
            expected.setdefault((run["workload"], run.get("threads")), run["output"])
    for run in runs:
        if "failed" not in run and run["output"] != expected[run["workload"], run.get("threads")]:
            run["failed"] = f"its output is not {reference}'s"


# ---- Summary ----------------------------------------------------------------------------------------
def cost(run, metric):
    return run["user_s"] + run["system_s"] if metric == "cpu_s" else run[metric]


def cell_of(runs):
    return {"rounds": len(runs),
            **{metric: spread([cost(run, metric) for run in runs]) for metric in METRICS}}


def summary(runs):
    """{workload: {allocator: cell}}; an allocator that failed a workload in any round has no cell."""
    table = {workload: {} for workload in ordered(runs, "workload")}
    for workload, cells in table.items():
        for allocator in ordered(runs, "allocator"):
            own = [run for run in runs if (run["workload"], run["allocator"]) == (workload, allocator)]
            if own and not any("failed" in run for run in own):
                cells[allocator] = cell_of(own)
    return table


def failures(runs):
    found = {}
    for run in runs:
        if "failed" in run:
            found.setdefault((run["workload"], run["allocator"]), run["failed"])
    return [f"{allocator} failed on {workload}: {why}"
            for (workload, allocator), why in found.items()]


def best_peer(cells, metric, subject):
    """(name, median) of the peer with the lowest median, None where no peer has one."""
    peers = [(cell[metric]["median"], name) for name, cell in cells.items() if name != subject]
    return min(peers)[::-1] if peers else None


def scores(table, metric, subject):
    """{allocator: {workload: score}}; medians below a millionth count as that."""
    found = {}
    for workload, cells in table.items():
        best = best_peer(cells, metric, subject)
        if best is None:
            continue
        for allocator, cell in cells.items():
            score = max(cell[metric]["median"], 1e-6) / max(best[1], 1e-6)
            found.setdefault(allocator, {})[workload] = score
    return found


def means(by_allocator):
    """{allocator: geometric mean of its scores}."""
    return {name: geometric_mean(list(row.values())) for name, row in by_allocator.items()}


# ---- Growth -----------------------------------------------------------------------------------------
def growth(runs, metric="wall_s"):
    """{workload: {allocator: {threads: median}}} of those that failed nowhere."""
    curves = {}
    for workload in ordered(runs, "workload"):
        for allocator in ordered(runs, "allocator"):
            own = [run for run in runs if (run["workload"], run["allocator"]) == (workload, allocator)]
            if own and not any("failed" in run for run in own):
                curves.setdefault(workload, {})[allocator] = {
                    threads: statistics.median(cost(r, metric) for r in own if r["threads"] == threads)
                    for threads in ordered(own, "threads")}
    return curves


def growth_ratio(curve):
    """Time with the most threads over time with one, at equal work."""
    return curve[max(curve)] / curve[min(curve)]


# ---- Goals ------------------------------------------------------------------------------------------
def goal(text, value, limit, against):
    return {"text": text, "value": value, "limit": limit, "against": against,
            "met": value is not None and value <= limit}


def lowest_complete(by_allocator, subject, workloads):
    """The peer with the lowest mean among those that ran everything the subject ran."""
    complete = {name: row for name, row in by_allocator.items()
                if name != subject and set(workloads) <= set(row)}
    over = {name: geometric_mean([row[w] for w in workloads]) for name, row in complete.items()}
    return min(over.items(), key=lambda item: item[1]) if over else None


def mean_goal(by_allocator, subject, text, limit):
    own = by_allocator.get(subject, {})
    best = lowest_complete(by_allocator, subject, list(own)) if own else None
    if not best:
        return goal(text, None, limit, "")
    return goal(text, geometric_mean(list(own.values())) / best[1], limit, best[0])


def goals(table, curves, failed, subject):
    """The goal sentences, one row each; value None: could not be evaluated."""
    wall, memory = scores(table, "wall_s", subject), scores(table, "peak_kib", subject)
    rows = [mean_goal(wall, subject, "geometric mean of wall time, to the best peer's", WALL_GOAL)]
    own = wall.get(subject, {})
    worst = max(own, key=own.get) if own else ""
    rows.append(goal("wall time of the worst workload, to the best peer on it",
                     own.get(worst), WORST_GOAL, worst))
    rows.append(mean_goal(memory, subject, "geometric mean of peak memory, to the lowest peer's",
                          MEMORY_GOAL))
    for workload, by_allocator in curves.items():
        ratios = {name: growth_ratio(curve) for name, curve in by_allocator.items()}
        mine = ratios.pop(subject, None)
        best = min(ratios, key=ratios.get) if ratios else ""
        value = mine / ratios[best] if mine and best else None
        rows.append(goal(f"growth of {workload} to the most threads, to the best peer's", value,
                         GROWTH_GOAL, best))
    own_failures = [text for text in failed if text.startswith(subject + " failed")]
    if subject in wall or own_failures:
        rows.append(goal("workloads that did not end well", float(len(own_failures)), 0.0, ""))
    return rows
