"""The table and the picture of a finished document (see run)."""
import shutil
import subprocess
import sys

import figures

# Dark for the subject, quiet but distinct for the peers, in the order they appear.
SUBJECT_COLOUR = 0x1B7F5C
PEER_COLOURS = [0x8A94A0, 0xD98E2B, 0x3465A4, 0xA4345E, 0x7A5AA6, 0xB8A13A]


# ---- The table --------------------------------------------------------------------------------------
def matrix(title, table, names, cell_text, last=None):
    """A row per workload, a column per allocator; cell_text(workload, allocator) or "-"."""
    width = max([len(workload) for workload in table] + [len("geometric mean")])
    lines = [title, "", " " * (width + 2) + "".join(f"{name:>11}" for name in names)]
    for workload in table:
        cells = (cell_text(workload, name) for name in names)
        lines.append(f"  {workload:<{width}}" + "".join(f"{cell:>11}" for cell in cells))
    if last:
        lines.append(f"  {'geometric mean':<{width}}" + "".join(f"{last(n):>11}" for n in names))
    return lines + [""]


def median_text(table, metric, form, scale):
    def text(workload, name):
        cell = table[workload].get(name)
        return form.format(cell[metric]["median"] * scale) if cell else "-"
    return text


def spread_text(table, metric):
    def text(workload, name):
        cell = table[workload].get(name)
        if not cell or not cell[metric]["median"]:
            return "-"
        figure = cell[metric]
        return f"{figure['min'] / figure['median']:.2f}..{figure['max'] / figure['median']:.2f}"
    return text


def score_matrix(title, table, names, metric, subject):
    by_allocator = figures.scores(table, metric, subject)
    means = figures.means(by_allocator)

    def text(workload, name):
        score = by_allocator.get(name, {}).get(workload)
        return f"{score:.2f}" if score else "-"

    def mean(name):
        if name not in means:
            return "-"
        missing = len(by_allocator[name]) < len(table)
        return f"{means[name]:.3f}" + ("*" if missing else "")
    return matrix(title, table, names, text, mean)


def growth_lines(curves, processor):
    lines = []
    for workload, by_allocator in curves.items():
        threads = sorted({count for curve in by_allocator.values() for count in curve})
        lines += [f"Growth of {workload}: the same work on more threads, time relative to one thread",
                  "", f"  {'threads':<12}" + "".join(f"{count:>8}" for count in threads)
                  + f"{'1: s':>10}{f'{threads[-1]}: s':>10}{'processor time':>17}"]
        for name, curve in by_allocator.items():
            ratios = "".join(f"{curve[count] / curve[threads[0]]:>8.2f}" for count in threads)
            cpu = figures.growth_ratio(processor[workload][name])
            lines.append(f"  {name:<12}{ratios}{curve[threads[0]]:>10.3f}{curve[threads[-1]]:>10.3f}"
                         f"{cpu:>17.2f}")
        lines.append("")
    return lines


def goal_lines(goals, subject):
    if all(row["value"] is None for row in goals):
        return ["Goals", "", f"  not evaluated: {subject} or its peers took no part", ""]
    width = max(len(row["text"]) for row in goals)
    lines = ["Goals", ""]
    for row in goals:
        if row["value"] is None:
            verdict, value = "not evaluated", "-"
        else:
            verdict, value = "met" if row["met"] else "NOT MET", f"{row['value']:.3f}"
        against = f"   ({row['against']})" if row["against"] else ""
        lines.append(f"  {row['text']:<{width}} {value:>8} ≤ {row['limit']:.2f}   goal {verdict}{against}")
    met = sum(row["met"] for row in goals)
    return lines + ["", f"{met} of {len(goals)} goals met", ""]


def text_of(document):
    table, subject = document["summary"], document["subject"]
    names = list(document["allocators"])
    lines = [f"larder malloc benchmark: {document['machine']['cpu']}, {document['machine']['cpus']} "
             f"CPUs, {document['machine']['memory_gib']} GiB, {document['machine']['system']}", ""]
    for name, version in document["allocators"].items():
        lines.append(f"  {name:<12}{version}")
    lines += [""] + [f"note: {note}" for note in document["notes"]] + [""]
    if table:
        lines += score_matrix("Wall time, relative to the best peer on each workload", table, names,
                              "wall_s", subject)
        lines += score_matrix("Peak resident memory, relative to the best peer on each workload",
                              table, names, "peak_kib", subject)
        lines += score_matrix("Processor time, relative to the best peer on each workload", table,
                              names, "cpu_s", subject)
        lines += matrix("Wall time: median, s", table, names,
                        median_text(table, "wall_s", "{:.3f}", 1))
        if any(cell["rounds"] > 1 for cells in table.values() for cell in cells.values()):
            lines += matrix("Wall time: least and most of the rounds, relative to the median", table,
                            names, spread_text(table, "wall_s"))
        lines += matrix("Peak resident memory: median, MiB", table, names,
                        median_text(table, "peak_kib", "{:.1f}", 1 / 1024))
        lines += matrix("Page faults: median, thousands", table, names,
                        median_text(table, "faults", "{:.1f}", 1 / 1000))
        if any(len(cells) < len(names) for cells in table.values()):
            lines += ["* without the workloads it failed on; such an allocator is nobody's best peer",
                      ""]
    processor = figures.growth(document["growth_runs"], "cpu_s")
    lines += growth_lines(document["growth"], processor) + goal_lines(document["goals"], subject)
    return "\n".join(lines)


# ---- The picture ------------------------------------------------------------------------------------
def colours(names, subject):
    peers = [name for name in names if name != subject]
    found = {name: PEER_COLOURS[i % len(PEER_COLOURS)] for i, name in enumerate(peers)}
    return {**found, subject: SUBJECT_COLOUR}


def corner_panel(wall, memory, rgb):
    """Both means at once: the lower left corner is fast and small."""
    names = [name for name in wall if name in memory]
    if not names:
        return ""
    rows = "\n".join(f'{wall[name]} {memory[name]} {rgb[name]} "{name}"' for name in names)
    return f"""
$m << EOD
{rows}
EOD
set title "both at once: the lower left corner is fast and small"
set xlabel "wall time, geometric mean (1: best peer on each workload)"
set ylabel "peak memory, geometric mean"
set xrange [0.9:{max(wall.values()) * 1.15}]
set yrange [0.9:{max(memory.values()) * 1.15}]
set xtics autofreq
set ytics autofreq
unset key
plot $m using 1:2:3 with points pt 7 ps 1.2 lc rgb variable, \\
     $m using 1:2:4 with labels left offset 0.8,0
set ylabel ""
"""


def dots_panel(title, by_allocator, workloads, rgb, subject):
    """A line per workload, a dot per allocator, a logarithmic axis cut at 0.5 and 8."""
    if not by_allocator:
        return ""
    blocks, plots = [], []
    names = [name for name in by_allocator if name != subject] + [subject] * (subject in by_allocator)
    ticks = ", ".join(f'"{name}" {len(workloads) - i}' for i, name in enumerate(workloads))
    for number, name in enumerate(names):
        rows = "\n".join(f"{min(max(by_allocator[name][workload], 0.5), 8)} {len(workloads) - i}"
                         for i, workload in enumerate(workloads) if workload in by_allocator[name])
        blocks.append(f"$d{number} << EOD\n{rows}\nEOD")
        size = 1.1 if name == subject else 0.7
        plots.append(f'$d{number} using 1:2 with points pt 7 ps {size} lc rgb {rgb[name]} '
                     f'title "{name}"')
    return "\n".join(blocks) + f"""
set title "{title}"
set xlabel "relative to the best peer, logarithmic; dots at an end: beyond it"
set logscale x
set xrange [0.5:8.5]
set yrange [0.3:{len(workloads) + 0.7}]
set xtics (0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8)
set ytics ({ticks})
set key bottom right font ",10" box opaque
plot {", ".join(plots)}
unset logscale x
set xtics autofreq
set ytics autofreq
"""


def growth_panel(workload, by_allocator, rgb):
    blocks, plots = [], []
    for number, (name, curve) in enumerate(by_allocator.items()):
        rows = "\n".join(f"{count} {time / curve[min(curve)]}" for count, time in sorted(curve.items()))
        blocks.append(f"$g{number} << EOD\n{rows}\nEOD")
        plots.append(f'$g{number} using 1:2 with linespoints pt 7 ps 0.5 lw 2 lc rgb {rgb[name]} '
                     f'title "{name}"')
    return "\n".join(blocks) + f"""
set title "growth of {workload}: the same work on more threads"
set xlabel "threads"
set ylabel "time, 1 thread = 1"
set logscale x 2
set xrange [*:*]
set yrange [0:*]
set key bottom left Left reverse font ",10" nobox
plot {", ".join(plots)}
unset logscale x
set ylabel ""
"""


def script_of(document, path):
    table, subject = document["summary"], document["subject"]
    rgb = colours(document["allocators"], subject)
    wall = figures.scores(table, "wall_s", subject)
    memory = figures.scores(table, "peak_kib", subject)
    panels = [dots_panel("wall time", wall, list(table), rgb, subject),
              dots_panel("peak resident memory", memory, list(table), rgb, subject),
              corner_panel(figures.means(wall), figures.means(memory), rgb)]
    panels += [growth_panel(workload, curves, rgb) for workload, curves in document["growth"].items()]
    panels = [panel for panel in panels if panel]
    if not panels:
        return ""
    rows = (len(panels) + 1) // 2
    machine = f"{document['machine']['cpu']}, {document['machine']['cpus']} CPUs"
    return f"""set terminal svg noenhanced size 1200,{60 + 400 * rows} font "sans-serif,12" background rgb "white"
set output "{path}"
set multiplot layout {rows},2 title "malloc: {machine}" font ",14" margins 0.11,0.975,0.07,0.92 spacing 0.13,0.15
set border 3 lc rgb 0x666666
set tics nomirror textcolor rgb 0x333333
set grid x y lc rgb 0xe6e6e6
""" + "\n".join(panels) + "\nunset multiplot\n"


def picture(document, path):
    script = script_of(document, path)
    if not script:
        return
    if not shutil.which("gnuplot"):
        print("bench: gnuplot is not installed: no picture", file=sys.stderr)
        return
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
