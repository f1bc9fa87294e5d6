#!/usr/bin/env python3
"""Records what a release writes, for every later release to read (README.md here).

    tests/compat/record.py HOLDFAST

makes the folder tests/compat/VERSION of the command's own version; one that exists is never touched.
Keys, data and block times are the same in every run.
"""

import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"
NETWORK = ("--preset dev --set vdf.arena_kib=1024 --set vdf.passes=1 --set vdf.steps_per_checkpoint=64 "
           "--set vdf.checkpoints=4 --set checkpoint_blocks=8 --set seal_cells=16 "
           "--genesis-time-ms 1700000000000 --no-costs")
RECORD_HEAD = 40  # bytes before the body of a record (docs/spec.md section 12)
REFUSALS_KEPT = 2  # of each list of the vector files
LARGEST_CASE = 16_000  # characters of a case that is recorded; smaller ones say as much
KINDS = {3: "seal-proof", 5: "compact", 6: "full", 22: "bundle", 24: "short-compact", 25: "short-full"}


class World:
    """A folder in which `holdfast` works."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = pathlib.Path(folder)

    def __call__(self, line):
        """The JSON that a command prints; it may refuse, and nothing else may go wrong."""
        done = subprocess.run([self.program, *line.split(), "--json"], cwd=self.folder,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode not in (0, 1):
            sys.exit(f"holdfast {line}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)


def write_data(path, count, seed):
    out = b"".join(hashlib.sha256(b"%d %d" % (seed, i)).digest() for i in range(count // 32 + 1))
    path.write_bytes(out[:count])


def write_key(path, seed):
    """Ed25519, PKCS#8 (RFC 8410): a test key."""
    der = bytes.fromhex("302e020100300506032b657004220420") + bytes([seed]) * 32
    import base64
    path.write_text("-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(der).decode() +
                    "\n-----END PRIVATE KEY-----\n")
    path.chmod(0o600)


def live(run):
    """A node, a replica by itself and one in a set, through 26 blocks; returns their chains."""
    run(f"network init node --name compat {NETWORK}")
    write_data(run.folder / "a", 66_000, 1)
    write_data(run.folder / "b", 66_000, 2)
    write_key(run.folder / "alice.key", 1)
    write_key(run.folder / "bob.key", 2)
    (run.folder / "set").mkdir()
    run("chain new-block --count 4")
    chains = []
    for data, owner, replica in (("a", "alice", "a"), ("b", "bob", "set/b")):
        run(f"seal {data} --key {owner}.key --out {replica}.replica")
        run(f"ledger issue --key {owner}.key --amount 1000")
        chains.append(run(f"register {replica}.replica --key {owner}.key")["chain_id"])
    run("chain new-block --count 9")
    run("block process")
    run("seal-proof make a.replica --key alice.key --out a.seal-proof --submit")  # a set makes its own
    for block in range(13):
        if block == 9:
            run("update a.replica --key alice.key")
        run("chain new-block")
        run("block process --replica a.replica --key alice.key --set set --set-key bob.key --proofs proofs")
    return chains


def proofs(run, chain):
    """Objects that are asked for, by file name: how each is judged."""
    made = {}
    heights = sorted(int(p.stem.split("-")[1]) for p in (run.folder / "proofs").glob("*.compact"))
    height = heights[0]
    prove = f"prove a.replica --key alice.key --height {height}"
    for form, more in (("receipt", ""), ("compact", ""), ("full", ""), ("window", " --links 3")):
        run(f"{prove} --format {form}{more} --out a.{form}")
        made[f"a.{form}"] = {"by": "public", "chain": chain}
    run(f"path make --chain {chain} --height {height} --out a.path")
    made["a.path"] = {"by": "public", "height": height}
    run(f"vdf eval --height {height} --out a.vdf-proof")
    made["a.vdf-proof"] = {"by": "vdf"}
    made["a.registration"] = {"by": "public"}
    made["a.seal-proof"] = {"by": "public"}
    return made


def from_journal(run):
    """The newest object of each kind in the journal, and the newest head."""
    records, at = (run.folder / "node.journal").read_bytes(), 0
    newest = {}
    while at < len(records):
        length = int.from_bytes(records[at:at + 4], "little")
        body = records[at + RECORD_HEAD:at + RECORD_HEAD + length]
        at += RECORD_HEAD + length
        if body[0] == 2 and body[1] == 3:  # an entry that is an object: version, kind, body
            newest[KINDS.get(body[3], f"kind-{body[3]}")] = body[2:]
        elif body[0] == 3:
            newest["head"] = bytes([1, 28]) + body[1:]
    made = {}
    for kind, stands_alone in newest.items():
        if kind in ("seal-proof", "compact", "full"):
            continue  # asked for already
        (run.folder / f"journal.{kind}").write_bytes(stands_alone)
        made[f"journal.{kind}"] = {"by": "node" if kind.startswith("short") else "show"}
    return made


def trimmed(value):
    """A vector file with the first of each list of refusals."""
    if isinstance(value, dict):
        return {key: item[:REFUSALS_KEPT] if key.startswith("refused") and isinstance(item, list)
                else trimmed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trimmed(item) for item in value]
    return value


def without_large(cases):
    """The cases in a group that are small, and its smallest where none is."""
    if not isinstance(cases, list) or not cases:
        return cases
    small = [case for case in cases if len(json.dumps(case)) <= LARGEST_CASE]
    return small or [min(cases, key=lambda case: len(json.dumps(case)))]


def vectors(folder):
    folder.mkdir()
    for file in sorted(VECTORS.glob("*.json")):
        content = trimmed(json.loads(file.read_text()))
        if isinstance(content["cases"], dict) and file.stem != "links":  # whose cases need each other
            content["cases"] = {name: without_large(cases) for name, cases in content["cases"].items()}
        (folder / file.name).write_text(json.dumps(content, separators=(",", ":")) + "\n")


def pack(folder, file):
    """A tar file whose bytes depend on nothing but the content."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path in sorted(p for p in folder.rglob("*") if not p.is_socket()):
            if path.name.endswith((".lock", "lock.mdb")):
                continue
            info = tar.gettarinfo(path, str(path.relative_to(folder)))
            info.uid = info.gid = info.mtime = 0
            info.uname = info.gname = ""
            with open(path, "rb") if path.is_file() else io.BytesIO() as content:
                tar.addfile(info, content)
    file.write_bytes(gzip.compress(raw.getvalue(), 9, mtime=0))


def judge(run, file, how):
    """The verdict on an object's file in the world, and what it shows."""
    line = {"public": f"verify {file} --public public", "vdf": f"vdf verify {file} --public public",
            "node": f"verify {file} --dir node", "show": ""}[how["by"]]
    for option in ("chain", "height"):
        line += f" --{option} {how[option]}" if option in how else ""
    verdict = run(line)["reason"] if line else None
    shown = run(f"inspect {file}")
    if "error" in shown:
        shown = None
    return verdict, shown


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        run = World(program, work)
        build = run("--version")
        out = HERE / build["version"]
        out.mkdir()  # fails where it exists: what is recorded is never changed
        chains = live(run)
        run("public export --out public")
        journal = run("registry journal --out node.journal")
        state = run("registry state --out node.state")
        run("shard a --data 2 --parity 1 --out shards")
        how = {**proofs(run, chains[0]), **from_journal(run)}
        (run.folder / "settings.toml").write_text(
            subprocess.run([program, "config", "example"], capture_output=True, text=True,
                           check=True).stdout)
        (out / "objects").mkdir()
        objects = []
        for file, way in sorted(how.items()):
            whole = (run.folder / file).read_bytes()
            damaged = bytearray(whole)
            damaged[len(whole) * 2 // 3] ^= 1
            for name, content in ((file, whole), (file + ".damaged", bytes(damaged))):
                (run.folder / name).write_bytes(content)
                verdict, shown = judge(run, name, way)
                (out / "objects" / name).write_bytes(content)
                objects.append({"file": name, **way, "verdict": verdict, "shows": shown})
            (run.folder / (file + ".damaged")).unlink()
        for file in how:
            if file != "a.registration":
                (run.folder / file).unlink()
        stats = run("stats")
        manifest = {
            "release": build["version"], "build": build, "chains": chains,
            "journal": {"entries": journal["entries"], "root": journal["root"]},
            "state": state["state"], "stats": {"tip": stats["tip"], "totalChains": stats["totalChains"]},
            "data_sha256": {name: hashlib.sha256((run.folder / name).read_bytes()).hexdigest()
                            for name in ("a", "b")},
            "objects": objects,
        }
        for gone in ("a", "b"):
            (run.folder / gone).unlink()
        pack(run.folder, out / "world.tar.gz")
    vectors(out / "vectors")
    manifest["sha256"] = {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest()
                          for p in sorted(out.rglob("*")) if p.is_file()}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
