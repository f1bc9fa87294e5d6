"""Checks ops/ against the code: each metric that an alert or a dashboard names is one that a daemon serves,
each alert names a section of the runbook that exists, and promtool, where there is one, takes the rules.

usage: check.py SOURCE_FOLDER [METRICS_FILE...]      (what daemons have served at /metrics, as text)
"""
import json
import os
import re
import shutil
import subprocess
import sys

METRIC = re.compile(r"\b((?:holdfast|process)_[a-z0-9_]+)")
SUFFIX = re.compile(r"_(bucket|sum|count)$")


def code_metrics(root):
    """Names in the code: whole ones, and the parts that a prefix of the same file is put before."""
    names = set()
    for file in sorted(os.listdir(os.path.join(root, "node"))):
        if not file.endswith(".cpp"):
            continue
        with open(os.path.join(root, "node", file), encoding="utf-8") as source:
            text = source.read()
        words = re.findall(r'"((?:holdfast|process)_[a-z0-9_]*)"', text)
        names.update(word for word in words if not word.endswith("_"))
        parts = set(re.findall(r'"([a-z][a-z0-9_]*)"', text))
        for prefix in (word for word in words if word.endswith("_")):
            names.update(prefix + part for part in parts)
    return names


def slugs(markdown):
    return {re.sub(r"[^a-z0-9 _-]", "", line.lstrip("#").strip().lower()).replace(" ", "-")
            for line in markdown.splitlines() if line.startswith("#")}


def main():
    root = sys.argv[1]
    problems = []
    known = code_metrics(root)
    served = set()
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            served.update(re.findall(r"^# TYPE (\S+)", file.read(), re.M))

    def check_expression(where, expression):
        for name in METRIC.findall(expression):
            if name not in known and SUFFIX.sub("", name) not in known:
                problems.append(f"{where}: no daemon serves {name}")

    rules_path = os.path.join(root, "ops/prometheus/holdfast.rules.yml")
    with open(rules_path, encoding="utf-8") as file:
        rules = file.read()
    with open(os.path.join(root, "docs/operations.md"), encoding="utf-8") as file:
        sections = slugs(file.read())
    alerts = re.split(r"^\s+- alert: ", rules, flags=re.M)[1:]
    if not alerts:
        problems.append("no alerts")
    for alert in alerts:
        name = alert.split("\n", 1)[0]
        body = alert.split("annotations:")[0]
        check_expression(name, body)
        runbook = re.search(r"runbook: docs/operations\.md#(\S+)", alert)
        if runbook is None or runbook.group(1) not in sections:
            problems.append(f"{name}: its runbook section is missing from docs/operations.md")
    folder = os.path.join(root, "ops/grafana")
    for file_name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, file_name), encoding="utf-8") as file:
            dashboard = json.load(file)
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                check_expression(f"{file_name}: {panel['title']}", target["expr"])
    for name in sorted(served):
        if name not in known:
            problems.append(f"a daemon serves {name}, which this check does not find in the code")
    promtool = shutil.which("promtool")
    if promtool:
        done = subprocess.run([promtool, "check", "rules", rules_path], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            problems.append(done.stdout + done.stderr)
    else:
        print("promtool is not here: the rules' syntax was not checked")
    for problem in problems:
        print(problem)
    print(f"{len(alerts)} alerts, {len(known)} names in the code, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
