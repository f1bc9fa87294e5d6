"""Seven provers, five challengers and a node as processes of their own, with real delay and loss.

Called by scripts/cluster, which says how. Every process is the `holdfast` command, but for three
provers that cheat (cheating_daemon.cpp). Where the system allows it, each lives in a network
namespace of its own, and packets between them pass a delay line (delay_line.cpp); elsewhere all use
plain loopback, and the first line of the output says so.

The run has three parts. Blocks: `--blocks` of them, one prover crashing at a third of them and
coming back at two thirds. Kills: each process in turn is killed with signal 9 and started again.
Books: everything is stopped, and what the ledger holds is compared with what was served, unit by
unit. The exit status is 0 only when every expectation held.
"""

import argparse
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request

PROVERS = ["honest", "slow", "lossy", "outsourcing", "partial", "lying", "crashing"]
CHALLENGERS = [f"challenger{i}" for i in range(1, 6)]
BOND = 1000
CHALLENGER_BOND = 10_240  # 32 rewards are what a failed audit of an outcome costs
POOL = 1_000_000
SERVED_REWARD = 7
CHALLENGER_REWARD = 3
AUDIT_HEIGHTS = 16  # for which an outcome may wait before it is paid
CHUNKS = 64
SLOW_MS = 700
LINK_US = 5_000  # from each process to the middle: 20 ms there and back between two
VAULT_US = 15_000  # 40 ms there and back
LOSS_PER_MILLE = 30
CLONE_NEWNET = 0x40000000


class Failure(Exception):
    pass


def say(text):
    print(f"{text}", flush=True)


class Links:
    """Where processes run, and under which addresses they meet."""

    def __init__(self, program, names, wanted, work):
        self.pids = {}
        self.hosts = {name: 11 + i for i, name in enumerate(names)}
        self.line = None
        self.why_plain = "as asked for"
        self.ports = {name: 20_000 + 2 * i for i, name in enumerate(names)}
        if not wanted:
            return
        words = []
        for name in names:
            delay = VAULT_US if name == "vault" else LINK_US
            loss = LOSS_PER_MILLE if name == "lossy" else 0
            words.append(f"{name}:{self.hosts[name]}:{delay}:{LINK_US // 10}:{loss}")
        with open(work / "delay_line.err", "w") as errors:
            self.line = subprocess.Popen([program, *words], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=errors, text=True)
        for line in self.line.stdout:
            if line.strip() == "ready":
                return
            name, pid = line.split()
            self.pids[name] = int(pid)
        self.why_plain = (work / "delay_line.err").read_text().strip() or "no namespaces"
        self.line.wait()
        self.line = None

    @property
    def real(self):
        return self.line is not None

    def address(self, name):
        if self.real:
            return f"10.77.0.{self.hosts[name]}:9000"
        return f"127.0.0.1:{self.ports[name]}"

    def monitor(self, name):
        return "127.0.0.1:9001" if self.real else f"127.0.0.1:{self.ports[name] + 1}"

    def prefix(self, name):
        return ["nsenter", "-t", str(self.pids[name]), "-n"] if self.real else []

    def ask(self, name, path):
        """What a process's monitor answers, or None when it does not."""
        answer = []

        def in_its_namespace():
            try:
                if self.real:
                    with open(f"/proc/{self.pids[name]}/ns/net") as space:
                        if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET):
                            return
                url = f"http://{self.monitor(name)}{path}"
                with urllib.request.urlopen(url, timeout=2) as reply:
                    answer.append(json.load(reply))
            except (OSError, ValueError):
                pass

        asking = threading.Thread(target=in_its_namespace)
        asking.start()
        asking.join()
        return answer[0] if answer else None

    def close(self):
        if self.real:
            self.line.stdin.close()
            self.line.wait()


class Cluster:
    def __init__(self, options):
        self.options = options
        self.work = pathlib.Path(options.work).resolve()
        self.keys = {}
        self.chains = {}
        self.bonds = {}
        self.running = {}
        self.commands = {}
        self.starts = {}
        self.checked = 0
        self.failed = []
        self.suspended_at = {name: [] for name in PROVERS}
        self.seen_height = 0

    # --- the command -----------------------------------------------------------------------------

    def holdfast(self, *words):
        done = subprocess.run([self.options.holdfast, *map(str, words), "--json"], cwd=self.work,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"holdfast {' '.join(map(str, words))}: exit status {done.returncode}: "
                          f"{done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def expect(self, good, what):
        self.checked += 1
        if not good:
            self.failed.append(what)
        say(f"  {'ok    ' if good else 'FAILED'} {what}")

    # --- making it -------------------------------------------------------------------------------

    def set_up(self):
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        block_ms = self.options.block_ms
        genesis = int(time.time() * 1000) - 40 * block_ms
        self.holdfast("network", "init", "node", "--name", "cluster", "--preset", "dev", "--no-vdf",
                      "--genesis-time-ms", genesis, *[
                          word for setting in (
                              f"block_ms={block_ms}", "finality_blocks=1", "link_lag=2",
                              "rate_window=4000", "misses_late=3000", "misses_expired=3900",
                              "availability_n=1", "availability_d=1", "quorum_window=400", "quorum=3",
                              "quorum_of=5", f"least_challenger_part={CHALLENGER_BOND}")
                          for word in ("--set", setting)])
        self.holdfast("ledger", "fund", "--amount", POOL)
        self.holdfast("chain", "new-block", "--count", 4)
        for name in [*PROVERS, *CHALLENGERS, "node", "vault"]:
            self.keys[name] = self.holdfast("keygen", f"{name}.key")["public_key"]
        replicas = []
        for i, name in enumerate(PROVERS):
            folder = self.work / name
            folder.mkdir()
            (folder / "data").write_bytes(os.urandom(CHUNKS * 4096 - i))
            key = f"{name}.key"
            self.holdfast("seal", f"{name}/data", "--key", key, "--out", f"{name}/data.replica")
            self.holdfast("ledger", "issue", "--key", key, "--amount", BOND)
            registered = self.holdfast("register", f"{name}/data.replica", "--key", key, "--bond",
                                       BOND)
            self.chains[name] = registered["chain_id"]
            self.bonds[name] = registered["bond_id"]
            replicas += ["--replica", f"{name}/data.replica", "--key", key]
        for name in CHALLENGERS:
            self.holdfast("ledger", "issue", "--key", f"{name}.key", "--amount", CHALLENGER_BOND)
            self.holdfast("challenge", "register", "--key", f"{name}.key", "--bond",
                          CHALLENGER_BOND)
        self.holdfast("chain", "new-block", "--count", 9)
        self.holdfast("block", "process")
        self.holdfast("chain", "new-block", "--count", 12)
        self.holdfast("block", "process", *replicas)
        slots = [c for c in self.holdfast("stats")["chains"] if "slot" in c]
        if len(slots) != len(PROVERS):
            raise Failure(f"only {len(slots)} of {len(PROVERS)} chains have a slot")
        self.spoil()

    def spoil(self):
        """The partial prover loses half of its chunks; the outsourcing one lends its copy out."""
        with open(self.work / "partial/data.replica", "r+b") as replica:
            replica.seek(4096 + CHUNKS // 2 * 4096)
            replica.write(bytes(CHUNKS // 2 * 4096))
        shutil.copytree(self.work / "outsourcing", self.work / "vault")

    def settings(self, name, role, extra):
        host = ""
        if role != "node":
            host = f'[host]\nkey = "{self.keys["node"]}"\naddress = "{self.links.address("node")}"\n'
        listen = "" if role == "challenge" else self.links.address(name)
        (self.work / f"{name}.toml").write_text(f"""
[network]
params = "node"
[identity]
key = "{name}.key"
[transport]
listen = "{listen}"
accept_anyone = true
[transport.limits]
backoff_max_ms = 1000
[monitor]
listen = "{self.links.monitor(name)}"
[log]
format = "json"
file = "{name}.log"
{host}{extra}""")

    def configure(self):
        names = ["node", "vault", *PROVERS, *CHALLENGERS]
        self.links = Links(self.options.delay_line, names, not self.options.loopback, self.work)
        self.settings("node", "node", f"""[node]
dir = "node"
served_reward = {SERVED_REWARD}
challenger_reward = {CHALLENGER_REWARD}
""")
        program = [self.options.holdfast]
        self.commands["node"] = [*program, "node", "--config", "node.toml", "--json"]
        for name in [*PROVERS, "vault"]:
            self.settings(name, "serve", f'[[replicas]]\nreplica = "{name}/data.replica"\n')
            self.commands[name] = [*program, "serve", "--config", f"{name}.toml", "--json"]
        cheat = [self.options.cheater]
        self.commands["slow"] = [*cheat, "slow", str(SLOW_MS), "--config", "slow.toml"]
        self.commands["lying"] = [*cheat, "lying", "--config", "lying.toml"]
        self.commands["outsourcing"] = [
            *cheat, "outsourcing", f"{self.keys['vault']}@{self.links.address('vault')}",
            "--config", "outsourcing.toml"]
        self.commands["vault"] = [*cheat, "vault", str(self.work / "vault/data.replica"),
                                  self.links.address("vault"), "--config", "vault.toml"]
        peers = "".join(f'[[peers]]\nkey = "{self.keys[p]}"\naddress = "{self.links.address(p)}"\n'
                        for p in PROVERS)
        for name in CHALLENGERS:
            self.settings(name, "challenge", f'[challenge]\njournal = "{name}.journal"\n{peers}')
            self.commands[name] = [*program, "challenge", "run", "--config", f"{name}.toml",
                                   "--json"]

    # --- running it ------------------------------------------------------------------------------

    def start(self, name):
        with open(self.work / f"{name}.err", "a") as errors:
            process = subprocess.Popen([*self.links.prefix(name), *self.commands[name]],
                                       cwd=self.work, stdout=subprocess.PIPE, stderr=errors,
                                       text=True)
        line = process.stdout.readline()
        if '"ready"' not in line:
            process.kill()
            raise Failure(f"{name} did not start: {line}{(self.work / f'{name}.err').read_text()}")
        # What it says at its end is small, and its log is a file: nothing fills the pipe.
        self.running[name] = process
        self.starts[name] = self.starts.get(name, 0) + 1

    def kill(self, name):
        # nsenter becomes the program: it has its process id.
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self, name):
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure(f"{name} did not stop within 30 s") from None
        self.expect(process.returncode == 0, f"{name} stopped cleanly")

    def look(self):
        """Notes who is suspended at a height that was not seen before."""
        status = self.links.ask("node", "/status")
        processed = (status or {}).get("processed", {})
        height = processed.get("tip")
        if height is None or height <= self.seen_height:
            return
        self.seen_height = height
        names = {chain: name for name, chain in self.chains.items()}
        for chain in processed.get("suspended", []):
            if chain in names:
                self.suspended_at[names[chain]].append(height)

    def wait_for(self, height, seconds):
        deadline = time.monotonic() + seconds
        while self.seen_height < height:
            for name, process in self.running.items():
                if process.poll() is not None:
                    raise Failure(f"{name} ended by itself with {process.returncode}; see "
                                  f"{self.work / name}.err and .log")
            if time.monotonic() > deadline:
                raise Failure(f"height {height} did not come within {seconds} s (at "
                              f"{self.seen_height}); see {self.work}/node.log")
            time.sleep(0.1)
            self.look()

    def wait_blocks(self, count):
        block_s = self.options.block_ms / 1000
        self.wait_for(self.seen_height + count, 30 + 3 * count * block_s)

    def run(self):
        started = time.monotonic()
        for name in ["node", "vault", *PROVERS, *CHALLENGERS]:
            self.start(name)
        while self.seen_height == 0:
            if time.monotonic() - started > 30:
                raise Failure("the node's monitor does not answer")
            time.sleep(0.1)
            self.look()
        first = self.seen_height
        blocks = self.options.blocks
        say(f"blocks: {blocks} from height {first} on")
        self.wait_for(first + blocks // 3, 30 + blocks * self.options.block_ms / 1000)
        self.kill("crashing")
        down = self.seen_height
        self.wait_for(first + 2 * blocks // 3, 30 + blocks * self.options.block_ms / 1000)
        self.start("crashing")
        say(f"  crashing was away from height {down} to {self.seen_height}")
        self.wait_for(first + blocks, 30 + blocks * self.options.block_ms / 1000)
        if self.options.kills:
            say("kills: each process in turn, with signal 9")
            for name in ["node", *PROVERS, *CHALLENGERS]:
                self.kill(name)
                self.start(name)
                if name == "node":
                    self.look()
                self.wait_blocks(1)
        self.wait_blocks(3)  # what was measured is handed over
        for name in CHALLENGERS:
            self.stop(name)
        self.wait_blocks(4)
        for name in [*PROVERS, "vault", "node"]:
            self.stop(name)

    # --- what came of it -------------------------------------------------------------------------

    def judge(self):
        say("books:")
        stats = self.holdfast("stats")
        scores = {}
        for chain in stats["chains"]:
            for name, chain_id in self.chains.items():
                if chain["chain_id"] == chain_id:
                    scores[name] = chain["availability"]
        words = [w for b in self.bonds.values() for w in ("--bond", b)]
        words += [w for n in [*PROVERS, *CHALLENGERS] for w in ("--account", self.keys[n])]
        ledger = self.holdfast("ledger", "show", *words)
        held = {name: ledger["bonds"][bond]["held"] for name, bond in self.bonds.items()}
        balance = {name: ledger["balances"][self.keys[name]] for name in [*PROVERS, *CHALLENGERS]}
        self.table(scores, held, balance)
        self.judge_provers(scores, held)
        self.judge_units(scores, balance, ledger)

    def table(self, scores, held, balance):
        say(f"  {'prover':12} {'served':>6} {'late':>5} {'invalid':>7} {'unreach':>7} "
            f"{'suspended':>9} {'bond':>5} {'paid':>5}")
        for name in PROVERS:
            s = scores[name]
            say(f"  {name:12} {s['served']:6} {s['late']:5} {s['invalid']:7} {s['unreachable']:7} "
                f"{len(self.suspended_at[name]):9} {held[name]:5} {balance[name]:5}")

    def judge_provers(self, scores, held):
        ever = {name: bool(heights) for name, heights in self.suspended_at.items()}
        served = {name: s["served"] for name, s in scores.items()}
        self.expect(not ever["honest"] and held["honest"] == BOND and served["honest"] > 0,
                    "honest: served, never suspended, bond whole")
        self.expect(not ever["lossy"] and held["lossy"] == BOND and served["lossy"] > 0,
                    "lossy: served, never suspended, bond whole")
        self.expect(ever["slow"] and served["slow"] == 0 and held["slow"] == BOND,
                    "slow: nothing in time, suspended by the quorum, bond whole")
        self.expect(ever["partial"] and held["partial"] == BOND,
                    "partial: suspended by the quorum, bond whole")
        # 10 of 64 chunks, all of them among the 32 that are left: 0.04% of challenges.
        self.expect(served["partial"] <= 2, "partial: served almost nothing")
        self.expect(scores["lying"]["invalid"] > 0 and held["lying"] == 0,
                    "lying: its signed response took its bond")
        away = f" from {2 * (LINK_US + VAULT_US) // 1000} ms away" if self.links.real else ""
        self.expect(not ever["outsourcing"] and served["outsourcing"] > 0,
                    f"outsourcing{away}: served; only the deadline bounds it")
        self.expect(ever["crashing"] and held["crashing"] == BOND and served["crashing"] > 0,
                    "crashing: suspended while it was away, bond whole")
        last = self.suspended_at["crashing"][-1:] or [0]
        self.expect(last[0] < self.seen_height, "crashing: no longer suspended at the end")

    def judge_units(self, scores, balance, ledger):
        """What was decided is what was paid; what was not decided waits for an audit or its answer."""
        cases = self.holdfast("evidence", "cases")["cases"]
        outcomes = [c for c in cases if c["about"] == "outcome"]
        decided = {name: 0 for name in [*PROVERS, *CHALLENGERS]}
        names = {key: name for name, key in self.keys.items()}
        slashed = rewarded = 0
        for case in cases:
            if not case["settled"]:
                self.expect(False, f"case {case['case'][:8]} is settled")
            for step in case["steps"]:
                if step["step"] == "reward" and step["to"] in names:
                    rewarded += step["amount"]
                    decided[names[step["to"]]] += step["amount"]
                elif step["step"] == "slash":
                    slashed += step["amount"]
        for name in [*PROVERS, *CHALLENGERS]:
            self.expect(balance[name] == decided[name],
                        f"{name}: has {balance[name]} units, and {decided[name]} were decided")
        for name in PROVERS:
            paid = balance[name] // SERVED_REWARD
            served = scores[name]["served"]
            self.expect(balance[name] % SERVED_REWARD == 0 and
                        served - AUDIT_HEIGHTS <= paid <= served,
                        f"{name}: {paid} of {served} served are paid")
        self.expect(len(outcomes) > 0, f"{len(outcomes)} outcomes were paid")
        issued = POOL + len(PROVERS) * BOND + len(CHALLENGERS) * CHALLENGER_BOND
        in_bonds = issued - POOL - slashed
        self.expect(ledger["in_bonds"] == in_bonds and ledger["issued"] == issued and
                    ledger["in_pool"] == POOL + slashed - rewarded and
                    ledger["in_accounts"] + ledger["in_bonds"] + ledger["in_pool"] == issued,
                    f"every one of {issued} units is in an account, a bond or the pool")

    def end(self):
        for name in list(self.running):
            self.kill(name)
        if hasattr(self, "links"):
            self.links.close()


def main():
    parser = argparse.ArgumentParser(prog="scripts/cluster", description=__doc__.split("\n\n")[0])
    parser.add_argument("--blocks", type=int, default=50, help="blocks before the kills (50)")
    parser.add_argument("--block-ms", type=int, default=2000, help="time of a block (2000)")
    parser.add_argument("--loopback", action="store_true", help="no namespaces, no delay, no loss")
    parser.add_argument("--no-kills", dest="kills", action="store_false", help="no kill -9 of each")
    parser.add_argument("--work", required=True, help="folder to work in; emptied first")
    for program in ("holdfast", "cheater", "delay-line"):
        parser.add_argument(f"--{program}", type=os.path.abspath, required=True,
                            help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.blocks < 15 or options.block_ms < 1000:
        parser.error("at least 15 blocks of 1000 ms: fewer show nothing")
    cluster = Cluster(options)
    start = time.monotonic()
    try:
        cluster.set_up()
        cluster.configure()
        if cluster.links.real:
            say(f"{len(cluster.links.pids)} processes in network namespaces, {4 * LINK_US // 1000} "
                f"ms there and back between two, {2 * (LINK_US + VAULT_US) // 1000} ms to the "
                f"vault; the lossy prover loses {LOSS_PER_MILLE / 10}% of its packets each way")
        else:
            say(f"PLAIN LOOPBACK, without delay and loss: {cluster.links.why_plain}")
        cluster.run()
        cluster.judge()
    except Failure as failure:
        cluster.failed.append(str(failure))
        say(f"FAILED: {failure}")
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    finally:
        cluster.end()
    say(f"{cluster.checked - len(cluster.failed)} held, {len(cluster.failed)} failed, "
        f"{time.monotonic() - start:.0f} s; logs are in {os.path.relpath(cluster.work)}")
    return 1 if cluster.failed else 0


if __name__ == "__main__":
    sys.exit(main())
