"""What a report says about the machine it was made on."""
import os


def first_line(path, key):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    return "?"


def describe_machine():
    try:
        cpu = " ".join(first_line("/proc/cpuinfo", "model name").replace("(R)", "").split())
        family = first_line("/proc/cpuinfo", "cpu family")
        model = first_line("/proc/cpuinfo", "model\t")
        memory = int(first_line("/proc/meminfo", "MemTotal").split()[0]) / 1024 / 1024
        kind = "a virtual machine" if "hypervisor" in first_line("/proc/cpuinfo", "flags") else "bare"
    except OSError:
        cpu, family, model, memory, kind = "?", "?", "?", 0, "?"
    return {"cpu": f"{cpu} (family {family}, model {model}), {kind}",
            "cpus": len(os.sched_getaffinity(0)), "memory_gib": round(memory),
            "system": f"Linux {os.uname().release.split('-')[0]} {os.uname().machine}"}
