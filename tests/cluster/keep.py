"""A file kept with eight provers, through what provers do.

Called by scripts/keep, which says how. A node, eight provers, a challenger and a keeper run as
processes on loopback, each in a folder of its own; everything is done by the `holdfast` command, but
for a prover that lies to readers (cheating_daemon.cpp). After each blow the file is read back and
compared while it is not whole yet, and again when the keeper has mended it. The exit status is 0 only
when every byte was the same every time, and the file is whole at the end.
"""

import argparse
import filecmp
import json
import os
import pathlib
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request

from machines import Failure, Machine
from rules import CHALLENGER_BOND, say

PROVERS = [f"prover{i}" for i in range(1, 9)]
OWNER, NODE, CHALLENGER = "owner", "node", "challenger"
BOND = 100_000
LATE = 40  # more heights than two stopped provers are away
FILE_HEADER = 4096
CHUNK = 4096
UNREACHABLE_S = 5
MiB = 1 << 20


class Loopback:
    """Where each machine is: a folder, a port for peers and one for its monitor."""

    def __init__(self, work, names):
        self.work = work
        self.ports = {}
        sockets = []
        for name in names:
            pair = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
            sockets += pair
            self.ports[name] = [s.getsockname()[1] for s in pair]
            (work / name).mkdir()
        for one in sockets:
            one.close()

    def prefix(self, _name):
        return []

    def folder(self, name):
        return self.work / name

    def own(self, name, path):
        pass

    def address(self, name):
        return f"127.0.0.1:{self.ports[name][0]}"

    def monitor(self, name):
        return f"127.0.0.1:{self.ports[name][1]}"

    def ask(self, name, path):
        try:
            with urllib.request.urlopen(f"http://{self.monitor(name)}{path}", timeout=5) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except OSError:
            return None


class Keeping:
    def __init__(self, options, work):
        self.options = options
        self.work = work
        names = [NODE, CHALLENGER, OWNER, *PROVERS]
        self.places = Loopback(work, names)
        self.machines = {n: Machine(n, self.places, options.holdfast) for n in names}
        self.node = self.machines[NODE]
        self.owner = self.machines[OWNER]
        self.rows = []
        self.reads = 0
        self.start = time.monotonic()

    def run(self):
        self.bring_up()
        self.put()
        self.read_back("whole")
        self.start_keeper()
        self.one_gone_for_good()
        if not self.options.short:
            self.one_loses_a_tenth()
            self.one_lies_to_readers()
            self.two_at_once()
        self.table()

    def row(self, what, seconds, rest=""):
        self.rows.append((what, seconds, rest))
        say(f"  {what}: {seconds:.1f} s {rest}")

    # --- setting up --------------------------------------------------------------------------------

    def settings(self, name, extra, listen=True):
        host = "" if name == NODE else (
            f'[[hosts]]\nkey = "{self.node.key}"\naddress = "{self.places.address(NODE)}"\n')
        self.machines[name].write(f"{name}.toml", f"""
[network]
params = "network.params"
[identity]
key = "{name}.key"
[transport]
listen = "{self.places.address(name) if listen else ''}"
accept_anyone = true
[transport.limits]
backoff_max_ms = 1000
[monitor]
listen = "{self.places.monitor(name)}"
[log]
format = "json"
file = "{name}.log"
{host}{extra}""")

    def bond(self, name, amount, purpose):
        key = self.machines[name].key
        self.node.holdfast("ledger", "issue", "--dir", "node", "--key", key, "--amount", amount)
        return self.node.holdfast("ledger", "bond", "--dir", "node", "--owner", key, "--amount",
                                  amount, "--purpose", purpose)["bond_id"]

    def bring_up(self):
        say("a node, eight provers and a challenger")
        chosen = {"block_ms": self.options.block_ms, "finality_blocks": 1, "link_lag": 4,
                  "proof_deadline": 10, "rate_window": 4000, "misses_late": LATE,
                  "misses_expired": 3900, "availability_n": 1, "availability_d": 4,
                  "least_challenger_part": CHALLENGER_BOND}
        words = [w for k, v in chosen.items() for w in ("--set", f"{k}={v}")]
        self.node.holdfast("network", "init", "node", "--name", "keep", "--preset", "dev", *words)
        self.node.holdfast("ledger", "fund", "--dir", "node", "--amount", 1_000_000)
        for machine in self.machines.values():
            machine.take(self.node.folder / "node/chain/network.params")
            machine.make_key()
        self.settings(NODE, '[node]\ndir = "node"\nserved_reward = 7\nchallenger_reward = 3\n')
        self.node.command = [self.options.holdfast, "node", "--config", "node.toml", "--json"]
        self.node.start()
        for name in PROVERS:
            self.bring_up_prover(name)
        self.bring_up_challenger()

    def bring_up_prover(self, name):
        bond = self.bond(name, BOND, "storage")
        (self.machines[name].folder / "disk").mkdir()
        self.settings(name, f"""
[prover]
bond = "{bond}"
rescan_s = 1
[deposits]
folder = "disk"
reserve_bytes = 0
heights = 1000000
seal_bytes_per_second = 0
bytes_per_second = 1000000000
[reading]
chunks_per_second = 262144
chunks_at_once = 65536
[[depositors]]
key = "{self.owner.key}"
bytes = {1 << 40}
count = 1000
""")
        self.machines[name].command = [self.options.holdfast, "prover", "--config", f"{name}.toml",
                                       "--json"]
        self.machines[name].start()

    def bring_up_challenger(self):
        machine = self.machines[CHALLENGER]
        bond = self.bond(CHALLENGER, CHALLENGER_BOND, "challenger")
        machine.over_network("challenger", "register", "--params", "network.params", "--key",
                             "challenger.key", "--bond", bond, "--host", self.node.address,
                             "--force")
        peers = "".join(f'[[peers]]\nkey = "{self.machines[p].key}"\n'
                        f'address = "{self.places.address(p)}"\n' for p in PROVERS)
        self.settings(CHALLENGER, f'[challenger]\njournal = "journal"\n{peers}', listen=False)
        machine.command = [self.options.holdfast, "challenger", "--config", "challenger.toml",
                           "--json"]
        machine.start()

    # --- the owner ---------------------------------------------------------------------------------

    def put(self):
        self.file = self.owner.folder / "file"
        with open(self.file, "wb") as out:
            left = self.options.bytes
            while left > 0:
                n = min(left, 16 * MiB)
                out.write(os.urandom(n))
                left -= n
        say(f"put: {self.options.bytes / MiB:.0f} MiB, 4+2, to six of the eight")
        begun = time.monotonic()
        to = [f"{self.machines[p].address}" for p in PROVERS[:6]]
        self.owner.holdfast("put", "file", "--key", "owner.key", "--params", "network.params",
                            "--yes", "--out", "file.kept", "--to", *to)
        self.row("put, until all six shards are proven", time.monotonic() - begun)

    def current_manifest(self):
        done = self.owner.run("info", "file", "--key", "owner.key", "--out", "now.kept.new", "--json")
        if done.returncode != 0:
            raise Failure(f"info: {done.stdout}{done.stderr}")
        (self.owner.folder / "now.kept.new").replace(self.owner.folder / "now.kept")
        return "now.kept"

    def read_back(self, when):
        begun = time.monotonic()
        back = self.owner.folder / "back"
        back.unlink(missing_ok=True)
        self.owner.holdfast("get", self.current_manifest(), "--key", "owner.key", "--out", "back")
        if not filecmp.cmp(self.file, back, shallow=False):
            raise Failure(f"the file that was read back ({when}) differs")
        back.unlink()
        self.reads += 1
        self.row(f"get, {when}", time.monotonic() - begun, "every byte the same")

    def status(self):
        done = self.owner.run("status", self.current_manifest(), "--key", "owner.key", "--params",
                              "network.params", "--from", self.node.address, "--no-links", "--json")
        if done.returncode not in (0, 4, 5):
            raise Failure(f"status: {done.returncode} {done.stdout}{done.stderr}")
        return done.returncode, json.loads(done.stdout)

    def start_keeper(self):
        peers = "".join(f'[[peers]]\nkey = "{self.machines[p].key}"\n'
                        f'address = "{self.places.address(p)}"\n' for p in PROVERS)
        self.settings(OWNER, f"""
[keeper]
unreachable_s = {UNREACHABLE_S}
retry_s = 5
expiring_heights = 10
probes = 8
{peers}""", listen=False)
        self.owner.command = [self.options.holdfast, "keeper", "--config", "owner.toml", "--json"]
        self.owner.start()
        self.wait_whole("the keeper's first look", change=None)

    def shards(self):
        """Who has which shard, as the manifest in the catalogue says."""
        self.current_manifest()
        info = self.owner.holdfast("info", "now.kept", "--key", "owner.key")
        names = {self.machines[p].key: p for p in PROVERS}
        return {s["shard"]: names[s["prover"]] for s in info["shards"]}

    def wait_for(self, what, so):
        end = time.monotonic() + self.options.patience
        while not so():
            if time.monotonic() > end:
                raise Failure(f"in vain waited for: {what}; keeper: "
                              f"{json.dumps(self.owner.status())[:3000]}")
            for machine in (self.owner, self.node):
                if machine.ended():
                    raise Failure(f"{machine.name} ended: "
                                  f"{(machine.folder / 'stderr').read_text()[-2000:]}")
            time.sleep(0.5)

    def wait_whole(self, what, change):
        """Until the file is whole, and no shard is with `change` any more."""
        begun = time.monotonic()

        def whole():
            if change and change in self.shards().values():
                return False
            return self.status()[0] == 0

        self.wait_for(what, whole)
        self.row(what, time.monotonic() - begun, self.status()[1]["margin"]["text"])

    # --- blows -------------------------------------------------------------------------------------

    def one_gone_for_good(self):
        victim = self.shards()[0]
        say(f"{victim} is killed, and its disk is gone")
        self.machines[victim].kill()
        shutil.rmtree(self.machines[victim].folder / "disk")
        self.read_back("one prover gone")
        self.wait_whole("mended: a prover gone for good", victim)
        self.read_back("mended")

    def one_loses_a_tenth(self):
        victim = self.shards()[1]
        say(f"{victim} loses a tenth of what it has sealed")
        for replica in (self.machines[victim].folder / "disk").glob("*.replica"):
            chunks = (replica.stat().st_size - FILE_HEADER) // CHUNK
            with open(replica, "r+b") as out:
                for chunk in range(0, chunks, 10):
                    out.seek(FILE_HEADER + chunk * CHUNK)
                    out.write(bytes(CHUNK))
        self.read_back("a tenth of one replica lost")
        self.wait_whole("mended: a prover that lost a tenth is late", victim)
        self.read_back("mended")

    def one_lies_to_readers(self):
        victim = self.shards()[2]
        say(f"{victim} sends readers other bytes than it was given")
        machine = self.machines[victim]
        machine.stop()
        machine.command = [self.options.cheater, "false-reads", "--config", f"{victim}.toml"]
        machine.start()
        self.read_back("one prover lies")
        self.wait_whole("mended: a prover that lies to readers", victim)
        self.read_back("mended")

    def two_at_once(self):
        """Nobody is left to mend with: five shards need five provers, and four are there."""
        victims = [self.shards()[3], self.shards()[4]]
        say(f"{victims[0]} and {victims[1]} are away at once, and no other prover is free")
        for victim in victims:
            self.machines[victim].stop()
        self.read_back("two away, four of six left")
        self.wait_for("the keeper saying that no prover is left",
                      lambda: "no prover is left" in json.dumps(self.owner.status()))
        self.read_back("beyond repair for a while")
        for victim in victims:
            self.machines[victim].start()
        self.wait_whole("whole again: both are back", None)
        self.read_back("at the end")

    def table(self):
        code, last = self.status()
        if code != 0:
            raise Failure(f"not whole at the end: {last['margin']['text']}")
        keeper = self.owner.status()
        say("\n| what | seconds | |\n|---|---|---|")
        for what, seconds, rest in self.rows:
            say(f"| {what} | {seconds:.1f} | {rest} |")
        say(f"\n{self.options.bytes} bytes, read back {self.reads} times, the same every time; "
            f"{keeper['heals_done']} shards rebuilt, {keeper['heals_failed']} attempts failed, "
            f"{keeper['lies']} lies found; at the end {last['margin']['text']}")

    def end(self):
        for machine in self.machines.values():
            if machine.process is not None:
                machine.kill()


def main():
    parser = argparse.ArgumentParser(prog="scripts/keep", description=__doc__.split("\n\n")[0])
    parser.add_argument("--bytes", type=int, default=1 << 30, help="of the file (1 GiB)")
    parser.add_argument("--block-ms", type=int, default=1000, help="time of a block (1000)")
    parser.add_argument("--patience", type=int, default=900, help="seconds for each step (900)")
    parser.add_argument("--short", action="store_true", help="the first blow alone")
    parser.add_argument("--work", required=True, help="folder to work in; emptied first")
    for program in ("holdfast", "cheater"):
        parser.add_argument(f"--{program}", type=os.path.abspath, required=True,
                            help=argparse.SUPPRESS)
    options = parser.parse_args()
    work = pathlib.Path(options.work).resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    keeping = Keeping(options, work)
    try:
        keeping.run()
        return 0
    except Failure as failure:
        say(f"FAILED: {failure}")
        return 1
    finally:
        keeping.end()


if __name__ == "__main__":
    sys.exit(main())
