#!/usr/bin/env python3
"""Reads and judges what every earlier release recorded (README.md here).

    tests/compat/check.py HOLDFAST

For each folder beside this file: nothing in it has changed; its vectors hold; each object gets the
verdict that it got then, and shows what it showed; its stores open, answer as they did, and go on.
The exit status is 1 when something does not hold.
"""

import hashlib
import json
import os
import pathlib
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
from record import HERE, World, judge  # noqa: E402

faults = 0
checks = 0


def expect(what, got, wanted):
    global faults, checks
    checks += 1
    if got != wanted:
        faults += 1
        print(f"FAULT {what}: {got!r}, not {wanted!r}")


def differences(then, now, where=""):
    """What was shown and is gone or other now; a later release may show more."""
    if isinstance(then, dict) and isinstance(now, dict):
        return [d for key in then for d in differences(then[key], now.get(key), f"{where}/{key}")]
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return [d for i, item in enumerate(then) for d in differences(item, now[i], f"{where}/{i}")]
    return [] if then == now else [f"{where}: {now!r}, not {then!r}"]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def unchanged(folder, manifest):
    files = {str(p.relative_to(folder)): sha256(p) for p in folder.rglob("*")
             if p.is_file() and p.name != "manifest.json"}
    then = manifest["sha256"]
    expect(f"{folder.name}: files that changed, came or went",
           sorted(name for name in files | then if files.get(name) != then.get(name)), [])


def check_objects(run, folder, manifest):
    for entry in manifest["objects"]:
        name = entry["file"]
        (run.folder / name).write_bytes((folder / "objects" / name).read_bytes())
        verdict, shown = judge(run, name, entry)
        expect(f"{folder.name}/{name}: the verdict", verdict, entry["verdict"])
        if entry["shows"] is None:
            expect(f"{folder.name}/{name}: what it shows", shown, None)
        else:
            expect(f"{folder.name}/{name}: what it shows", differences(entry["shows"], shown or {}), [])


def check_stores(run, manifest):
    """Reading first; then the node and both provers go on where they ended."""
    release = manifest["release"]
    stats = run("stats")
    expect(f"{release}: stats", {key: stats[key] for key in manifest["stats"]}, manifest["stats"])
    expect(f"{release}: registry verify", run("registry verify").get("entries"), manifest["journal"]["entries"])
    again = run("registry replay --chain node --journal node.journal --out again")
    expect(f"{release}: a registry from the journal", again.get("root"), manifest["journal"]["root"])
    late = run("registry import --state node.state --journal node.journal --chain node --out late")
    expect(f"{release}: a registry from the state", late.get("root"), manifest["journal"]["root"])
    for replica, data in (("a", "a"), ("set/b", "b")):
        run(f"unseal {replica}.replica --out {data}.unsealed")
        expect(f"{release}: {replica}.replica unsealed", sha256(run.folder / f"{data}.unsealed"),
               manifest["data_sha256"][data])
        expect(f"{release}: scrub {replica}", run(f"scrub {replica}.replica")["damaged"], 0)
    (run.folder / "shards" / "a.shard-000").unlink()
    run("recover --manifest shards/a.manifest shards --out recovered")
    expect(f"{release}: recovered from shards", sha256(run.folder / "recovered"), manifest["data_sha256"]["a"])
    expect(f"{release}: settings", "error" in run("config check settings.toml"), False)


def check_going_on(run, manifest):
    release = manifest["release"]
    for _ in range(8):
        run("chain new-block")
        run("block process --replica a.replica --key alice.key --set set --set-key bob.key --proofs later")
    stats = run("stats")
    expect(f"{release}: the tip eight blocks later", stats["tip"], manifest["stats"]["tip"] + 8)
    expect(f"{release}: its own history, after that", "error" in run("registry verify"), False)
    run("public export --out later-public")
    made = sorted((run.folder / "later").glob(manifest["chains"][0][:16] + "-*"))
    expect(f"{release}: a proof for each of eight blocks", len(made), 8)
    for proof in made:
        verdict = run(f"verify later/{proof.name} --public later-public")
        expect(f"{release}: {proof.name}, made from its stores", verdict["reason"], "ok")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    releases = sorted(p.parent for p in HERE.glob("*/manifest.json"))
    if not releases:
        sys.exit(f"no recorded release in {HERE}")
    for folder in releases:
        manifest = json.loads((folder / "manifest.json").read_text())
        unchanged(folder, manifest)
        with tempfile.TemporaryDirectory() as work:
            with tarfile.open(folder / "world.tar.gz") as tar:
                tar.extractall(work)
            run = World(program, work)
            vectors = run(f"vectors check {folder / 'vectors'}")
            expect(f"{folder.name}: vectors that fail", [f for f in vectors["files"] if f["failed"]], [])
            expect(f"{folder.name}: vectors that are passed over", sum(f["skipped"] for f in vectors["files"]), 0)
            check_objects(run, folder, manifest)
            check_stores(run, manifest)
            check_going_on(run, manifest)
    print(f"{', '.join(p.name for p in releases)}: {checks} checks, {faults} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
