"""The stages of a cluster's run; cluster.py calls them in order."""

import json
import os
import shutil
import time

import judge
from machines import Failure, Machine
from places import Places
from rules import (BOND, CHALLENGERS, CHALLENGER_BOND, CHALLENGER_REWARD, CHUNK, CHUNKS,
                   EQUIVOCATES_WITH_BUNDLE, FILE_HEADER, GOES_ON_WITHIN, KEYS, LINK_LAG, LOST_CHUNKS,
                   NODES, OPERATOR, PATIENCE_S, POOL, PROVERS, READER, SERVED_REWARD, SETTINGS, STANDBY,
                   say)


class Cluster:
    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.machines = {}
        self.places = None
        self.operator = None  # the machine whose node makes blocks
        self.chains = {}
        self.bonds = {}
        self.suspended_at = {name: [] for name in PROVERS}
        self.seen = 0  # newest height that the operator's node has processed
        self.damaged_at = 0
        self.challenging = ""  # the challengers' own settings
        self.held = 0
        self.failed = []

    def run_all(self):
        self.set_up()
        self.bring_up_nodes()
        self.bring_up_provers()
        self.bring_up_the_rest()
        self.blocks()
        self.settle()
        judge.judge(self)
        if self.options.kills:
            self.kill_each()
            self.end_of_the_first_node()
        self.stop_all()

    def expect(self, good, what):
        if good:
            self.held += 1
        else:
            self.failed.append(what)
        say(f"  {'ok    ' if good else 'FAILED'} {what}")

    def __getitem__(self, name):
        return self.machines[name]

    # --- setting up ------------------------------------------------------------------------------

    def set_up(self):
        names = [*NODES, *PROVERS, *CHALLENGERS, READER]
        self.places = Places(self.options.delay_line, names, self.work, self.options.loopback)
        for line in self.places.said():
            say(line)
        self.machines = {name: Machine(name, self.places, self.options.holdfast) for name in names}
        self.operator = self[OPERATOR]
        words = [w for name, value in SETTINGS.items() for w in ("--set", f"{name}={value}")]
        self.operator.holdfast("network", "init", "node", "--name", "cluster", "--preset", "dev",
                               "--set", f"block_ms={self.options.block_ms}", *words)
        self.operator.holdfast("ledger", "fund", "--dir", "node", "--amount", POOL)
        for machine in self.machines.values():
            machine.take(self.operator.folder / "node/chain/network.params")
            machine.make_key()

    def settings(self, name, role, extra):
        hosts = [] if name in NODES else [self[node] for node in NODES if node in self.machines]
        host = "".join(f'[[hosts]]\nkey = "{h.key}"\naddress = "{self.places.address(h.name)}"\n'
                       for h in hosts)
        listen = "" if role == "challenger" else self.places.address(name)
        self[name].write(f"{name}.toml", f"""
[network]
params = "network.params"
[identity]
key = "{name}.key"
[transport]
listen = "{listen}"
accept_anyone = true
[transport.limits]
backoff_max_ms = 1000
[monitor]
listen = "{self.places.monitor(name)}"
[log]
format = "json"
file = "{name}.log"
{host}{extra}""")

    def bring_up_nodes(self):
        say("nodes: the operator's, and a standby that replays its journal")
        pay = (f'[node]\ndir = "node"\nserved_reward = {SERVED_REWARD}\n'
               f"challenger_reward = {CHALLENGER_REWARD}\n")
        program = self.options.holdfast
        self.settings(OPERATOR, "node", pay)
        self.operator.command = [program, "node", "--config", "operator.toml", "--json"]
        self.operator.start()
        self.settings(STANDBY, "node", '[node]\ndir = "node"\n')
        self[STANDBY].command = [program, "node", "--config", "standby.toml", "--replica-of",
                                 self.operator.address, "--json"]
        self[STANDBY].start()
        self.wait_for(2)

    def make_bond(self, name, amount, purpose):
        """What the host chain's operator does for somebody whose public key it was sent."""
        key = self[name].key
        self.operator.holdfast("ledger", "issue", "--dir", "node", "--key", key, "--amount",
                               amount)
        return self.operator.holdfast("ledger", "bond", "--dir", "node", "--owner", key, "--amount",
                                      amount, "--purpose", purpose)["bond_id"]

    def prover_command(self, name):
        cheats = {"garbage": ["garbage", "disk/data.replica"],
                  "equivocating": ["equivocating", str(EQUIVOCATES_WITH_BUNDLE), "."],
                  "lying": ["lying"]}
        if name in cheats:
            return [self.options.cheater, *cheats[name], "--config", f"{name}.toml"]
        return [self.options.holdfast, "prover", "--config", f"{name}.toml", "--json"]

    def bring_up_provers(self):
        say("provers: each seals its own replica, and does the rest over the transport")
        for i, name in enumerate(PROVERS):
            prover = self[name]
            (prover.folder / "disk").mkdir()
            (prover.folder / "disk/data").write_bytes(os.urandom(CHUNKS * CHUNK - i))
            for made in ("disk", "disk/data"):
                self.places.own(name, prover.folder / made)
            prover.holdfast("seal", "disk/data", "--params", "network.params", "--key",
                            f"{name}.key", "--out", "disk/data.replica")
            self.bonds[name] = self.make_bond(name, BOND, "storage")
            self.settings(name, "prover",
                          f'[[folders]]\npath = "disk"\n[prover]\nbond = "{self.bonds[name]}"\n'
                          "rescan_s = 1\n")
            prover.command = self.prover_command(name)
            prover.start()
        deadline = time.monotonic() + PATIENCE_S + 40 * self.options.block_ms / 1000
        while len(self.chains) < len(PROVERS):
            if time.monotonic() > deadline:
                raise Failure(f"only {sorted(self.chains)} of the provers' chains have a slot")
            self.wait_blocks(1)
            self.find_chains()
        say(f"  all {len(PROVERS)} chains were registered, sealed and have a slot at height "
            f"{self.seen}")

    def find_chains(self):
        """Which chain is whose, once it has a slot: by the key in its registration."""
        listed = self.operator.holdfast("stats", "--dir", "node")["chains"]
        with_slot = {c["chain_id"] for c in listed if "slot" in c}
        for name in PROVERS:
            status = self[name].status() or {}
            for chain in status.get("chains", []):
                if chain in with_slot:
                    self.chains[name] = chain

    def bring_up_the_rest(self):
        say("challengers and a reader: registered and read over the transport as well")
        self.challenging = '[challenger]\njournal = "journal"\n' + "".join(
            f'[[peers]]\nkey = "{self[p].key}"\n'
            f'address = "{self.places.address(p)}"\n' for p in PROVERS)
        in_force = 0
        for name in CHALLENGERS:
            bond = self.make_bond(name, CHALLENGER_BOND, "challenger")
            registered = self[name].over_network(
                "challenger", "register", "--params", "network.params", "--key", f"{name}.key",
                "--bond", bond, "--host", self.operator.address, "--force")
            in_force = max(in_force, registered["base"])
            self.settings(name, "challenger", self.challenging)
            self[name].command = [self.options.holdfast, "challenger", "--config", f"{name}.toml",
                                  "--json"]
            self[name].start()
        self.watch()
        self.wait_for(in_force)
        self.damage()

    def watch(self):
        reader = self[READER]
        sources = [w for node in NODES for w in ("--from", self[node].address)]
        reader.command = [self.options.holdfast, "watch", self.chains["honest"], "--params",
                          "network.params", *sources, "--json"]
        reader.start(ready=False)

    def watched(self):
        """What the reader has seen of the honest prover's chain: {height: event} of both kinds."""
        seen = {"closed": {}, "proof": {}, "node_refused": {}}
        for number, line in enumerate((self[READER].folder / "stdout").read_text().splitlines()):
            try:
                event = json.loads(line)
            except ValueError:
                continue  # cut by kill -9
            if event.get("event") in seen:
                seen[event["event"]][event.get("height", number)] = event
        return seen

    def damage(self):
        """Two provers lose a tenth of their chunks: zeros lie there from now on."""
        for name in ("silent", "garbage"):
            with open(self[name].folder / "disk/data.replica", "r+b") as replica:
                for i in range(LOST_CHUNKS):
                    replica.seek(FILE_HEADER + (i * CHUNKS // LOST_CHUNKS) * CHUNK)
                    replica.write(bytes(CHUNK))
        self.look()
        self.damaged_at = self.seen

    # --- time ------------------------------------------------------------------------------------

    def look(self):
        """Notes who is suspended at a height that was not seen before."""
        processed = (self.operator.status() or {}).get("processed", {})
        height = processed.get("tip")
        if height is None or height <= self.seen:
            return
        self.seen = height
        names = {chain: name for name, chain in self.chains.items()}
        for chain in processed.get("suspended", []):
            if chain in names:
                self.suspended_at[names[chain]].append(height)

    def wait_for(self, height):
        block_s = self.options.block_ms / 1000
        deadline = time.monotonic() + PATIENCE_S + 3 * (height - self.seen) * block_s
        while self.seen < height:
            for machine in self.machines.values():
                if machine.ended():
                    raise Failure(f"{machine.name} ended by itself with "
                                  f"{machine.process.returncode}; see {machine.folder}")
            if time.monotonic() > deadline:
                raise Failure(f"height {height} did not come in time (at {self.seen}); see "
                              f"{self.operator.folder}")
            time.sleep(0.1)
            self.look()

    def wait_blocks(self, count):
        self.wait_for(self.seen + count)

    # --- what happens ----------------------------------------------------------------------------

    def blocks(self):
        blocks, first = self.options.blocks, self.seen
        say(f"blocks: {blocks} from height {first} on; silent and garbage have lost {LOST_CHUNKS} "
            f"of {CHUNKS} chunks")
        self.wait_for(first + 3)
        self.restart()
        self.unplug()
        self.wait_blocks(2)
        judge.judge_alarm(self)
        self.wait_blocks(LINK_LAG + 3)  # until links cannot be made any more of some heights
        self.plug_in()
        self.restart()
        judge.accuse(self)
        self.wait_for(first + blocks)

    def restart(self):
        self["restarted"].kill()
        self["restarted"].start()
        say(f"  height {self.seen}: restarted was killed (signal 9) and started again")

    def unplug(self):
        """The disk of a prover goes away: what is open can be read no more, and the folder is gone.
        Its bytes are kept elsewhere until it comes back."""
        disk = self["unplugged"].folder / "disk"
        shutil.copytree(disk, self.work / "unplugged-disk")
        for file in disk.iterdir():
            os.truncate(file, 0)
        shutil.rmtree(disk)
        say(f"  height {self.seen}: the disk of unplugged is gone")

    def plug_in(self):
        disk = self["unplugged"].folder / "disk"
        shutil.move(self.work / "unplugged-disk", disk)
        for path in (disk, *disk.iterdir()):
            self.places.own("unplugged", path)
        say(f"  height {self.seen}: the disk of unplugged is back")

    def settle(self):
        self.wait_blocks(3)  # what was measured is handed over
        for name in CHALLENGERS:
            self.expect(self[name].stop(), f"{name} stopped cleanly")
        self.wait_blocks(4)

    def kill_each(self):
        say("kills: each process in turn, with signal 9, while all the others go on")
        for name in CHALLENGERS:
            self[name].start()
        before = judge.standing(self, self.operator)
        for name in [*NODES, *PROVERS, *CHALLENGERS, READER]:
            self[name].kill()
            self[name].start(ready=name != READER)
            self.wait_blocks(1)
        self.wait_until_it_goes_on(before)
        judge.judge_going_on(self, before, "after the kills")

    def wait_until_it_goes_on(self, before):
        """Connections are dialled again after waits that have grown."""
        for _ in range(GOES_ON_WITHIN // 4):
            self.wait_blocks(4)
            if judge.goes_on(self, before):
                return

    def end_of_the_first_node(self):
        """The operator's machine is lost; its owner has the network's keys in a safe."""
        say("the operator's machine is gone for good; the standby takes over with the keys")
        before = judge.standing(self, self.operator)
        standby = self[STANDBY]
        for key in KEYS:
            standby.take(self.operator.folder / "node" / key, f"network-{key}", 0o600)
        self.operator.kill()
        shutil.rmtree(self.operator.folder)
        self.expect(standby.stop(), "the standby stopped cleanly")
        for name in CHALLENGERS:  # they hand outcomes to the first of their nodes alone
            self[name].stop()
        self.settings(STANDBY, "node", f'[node]\ndir = "node"\nserved_reward = {SERVED_REWARD}\n'
                                       f"challenger_reward = {CHALLENGER_REWARD}\n")
        keys = [w for key in KEYS for w in (f"--{key.replace('.', '-')}", f"network-{key}")]
        standby.command = [self.options.holdfast, "node", "--config", "standby.toml", "--take-over",
                           *keys, "--json"]
        standby.start()
        del self.machines[OPERATOR]
        self.operator = standby
        for name in CHALLENGERS:
            self.settings(name, "challenger", self.challenging)
            self[name].start()
        self.wait_until_it_goes_on(before)
        judge.judge_going_on(self, before, "under the standby")

    def stop_all(self):
        for name, machine in self.machines.items():
            if machine.process is not None:
                self.expect(machine.stop(), f"{name} stopped cleanly")

    def end(self):
        for machine in self.machines.values():
            if machine.process is not None:
                machine.kill()
        if self.places is not None:
            self.places.close()
