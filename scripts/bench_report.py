"""Turns HOLDFAST-RESULT lines into bench-results.json and prints them as a table.

usage: bench_report.py LINES OUTPUT BUILD_FOLDER MODE
"""
import json
import os
import platform
import re
import subprocess
import sys
import time

FIELDS = ["id", "what", "value", "unit", "peer", "peer_value", "ratio", "target", "met", "kernel",
          "threads", "samples"]


def first_match(path, pattern):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = re.search(pattern, file.read(), re.MULTILINE)
            return found.group(1).strip() if found else None
    except OSError:
        return None


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def machine(build, mode):
    flags = (first_match("/proc/cpuinfo", r"^flags\s*:(.*)$") or "").split()
    wanted = ["aes", "avx2", "avx512f", "avx512bw", "avx512dq", "avx512vl", "sha_ni", "gfni", "vaes"]
    cache = os.path.join(build, "CMakeCache.txt")
    compiler = first_match(cache, r"^CMAKE_CXX_COMPILER:\w+=(.*)$")
    memory_kib = first_match("/proc/meminfo", r"^MemTotal:\s*(\d+)")
    return {
        "cpu": first_match("/proc/cpuinfo", r"^model name\s*:(.*)$") or platform.machine(),
        "cores": os.cpu_count(),
        "cpu_features": [f for f in wanted if f in flags],
        "memory_mib": int(memory_kib) // 1024 if memory_kib else None,
        "huge_pages": first_match("/sys/kernel/mm/transparent_hugepage/enabled", r"\[(\w+)\]"),
        "system": first_match("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "linux": platform.release(),
        "compiler": (output_of(compiler, "--version") or "").split("\n")[0] if compiler else None,
        "build_type": first_match(cache, r"^CMAKE_BUILD_TYPE:\w+=(.*)$"),
        "commit": output_of("git", "describe", "--always", "--dirty"),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "mode": mode,
    }


def natural(entry):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", entry["id"])]


def number(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def table(results):
    rows = [["id", "what", "value", "unit", "peer", "its value", "ratio", "target", "met", "kernel",
             "threads"]]
    for r in results:
        met = "-" if r["met"] is None else "yes" if r["met"] else "no"
        rows.append([r["id"], r["what"], number(r["value"]), r["unit"], r["peer"] or "-",
                     number(r["peer_value"]), number(r["ratio"]), r["target"] or "-", met,
                     r["kernel"], str(r["threads"])])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    lines, output, build, mode = sys.argv[1:]
    results = []
    with open(lines, encoding="utf-8") as file:
        for line in file:
            if line.startswith("HOLDFAST-RESULT "):
                entry = json.loads(line[len("HOLDFAST-RESULT "):])
                results.append({field: entry[field] for field in FIELDS})
    results.sort(key=natural)
    with open(output + ".tmp", "w", encoding="utf-8") as file:
        json.dump({"machine": machine(build, mode), "results": results}, file, indent=2)
        file.write("\n")
    os.replace(output + ".tmp", output)
    if not results:
        print("no benchmark of these ids")
        return 1
    table(results)
    print(f"{output}: {len(results)} entries")
    return 0


if __name__ == "__main__":
    sys.exit(main())
