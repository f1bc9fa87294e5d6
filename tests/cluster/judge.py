"""What a cluster's run is held against: digests, statuses, offences and every unit."""

import json

import odds
from rules import (BOND, CHALLENGER_BOND, CHALLENGERS, CHUNKS, LATE, LINK_LAG, LOST_CHUNKS,
                   OPERATOR, POOL, PROOF_DEADLINE, PROVERS, READER, SERVED_REWARD, STANDBY, say)

AUDIT_HEIGHTS = 16  # for which an outcome may wait before it is paid
HONEST = ["honest", "slow-link", "lossy", "restarted"]


# --- what a node says, while it runs -------------------------------------------------------------


def chains_of(cluster, machine):
    """{prover: what the node's registry holds of its chain}"""
    names = {chain: name for name, chain in cluster.chains.items()}
    listed = machine.holdfast("stats", "--dir", "node")
    return listed, {names[c["chain_id"]]: c for c in listed["chains"] if c["chain_id"] in names}


def public_record(machine, name):
    """What a node publishes: {height: its facts}."""
    machine.holdfast("public", "export", "--dir", "node", "--out", name)
    record = json.loads((machine.folder / name / "public.json").read_text())
    return {h["height"]: h for h in record["heights"]}


def cases_of(machine):
    return machine.holdfast("evidence", "cases", "--dir", "node")["cases"]


# --- while blocks go on --------------------------------------------------------------------------


def judge_alarm(cluster):
    problems = (cluster["unplugged"].health() or {}).get("problems", [])
    cluster.expect(any("disk" in p or "folder" in p or "replica" in p for p in problems),
                   f"unplugged: its daemon runs on and gives an alarm: {problems[:1]}")


def accuse(cluster):
    """Two that saw the bundle are shown the receipt: both make evidence, each in another order."""
    cheat = cluster["equivocating"].folder
    if not (cheat / "equivocation.receipt").exists():
        cluster.expect(False, "equivocating has signed a second link")
        return
    for accuser, order in ((STANDBY, ("bundle", "receipt")), (OPERATOR, ("receipt", "bundle"))):
        machine = cluster[accuser]
        for what in order:
            machine.take(cheat / f"equivocation.{what}")
        machine.holdfast("public", "export", "--dir", "node", "--out", "seen")
        made = machine.holdfast("evidence", "make", "equivocation",
                                *[f"equivocation.{what}" for what in order], "--chain",
                                cluster.chains["equivocating"], "--public", "seen", "--out",
                                "equivocation.evidence")
        cluster.expect(made["accepted"], f"{accuser}: a bundle and a receipt of height "
                       f"{made['height']} are evidence of an equivocation")
    reader = cluster[READER]
    for accuser in (STANDBY, OPERATOR):
        reader.take(cluster[accuser].folder / "equivocation.evidence", f"{accuser}.evidence")
        reader.over_network("submit", f"{accuser}.evidence", "--params", "network.params", "--key",
                            f"{READER}.key", "--host", cluster.operator.address)
    say(f"  height {cluster.seen}: both were handed to the operator's node")


# --- at the end of the blocks --------------------------------------------------------------------


def judge(cluster):
    say("what came of it:")
    judge_digests(cluster)
    listed, chains = chains_of(cluster, cluster.operator)
    ledger, cases = books(cluster)
    table(cluster, chains, ledger)
    judge_statuses(cluster, listed, chains)
    judge_offences(cluster, cases, ledger)
    judge_units(cluster, chains, ledger, cases)
    judge_reader(cluster)


def judge_digests(cluster):
    first = public_record(cluster.operator, "public")
    second = public_record(cluster[STANDBY], "public")
    both = sorted(h for h in first if "global" in first[h] and "global" in second.get(h, {}))
    differing = [h for h in both if any(first[h].get(f) != second[h].get(f)
                                        for f in ("block_hash", "y", "global"))]
    cluster.expect(both and both[-1] >= cluster.seen - LINK_LAG - 4 and not differing,
                   f"both nodes have the same block, y and digest at each of {len(both)} heights"
                   + (f", but for {differing[:5]}" if differing else ""))


def table(cluster, chains, ledger):
    say(f"  {'prover':13} {'status':8} {'misses':>6} {'served':>6} {'late':>5} {'invalid':>7} "
        f"{'unreach':>7} {'suspended':>9} {'bond':>5} {'paid':>5}")
    for name, chain in chains.items():
        a = chain["availability"]
        say(f"  {name:13} {chain.get('status', chain['phase']):8} {chain['misses']:6} "
            f"{a['served']:6} {a['late']:5} {a['invalid']:7} {a['unreachable']:7} "
            f"{len(cluster.suspended_at[name]):9} {ledger['bonds'][cluster.bonds[name]]['held']:5} "
            f"{ledger['balances'][cluster[name].key]:5}")


def judge_statuses(cluster, listed, chains):
    suspended = {name for name, heights in cluster.suspended_at.items()
                 if heights and heights[-1] == cluster.seen}
    for name in HONEST:
        chain = chains[name]
        cluster.expect(chain.get("status") == "active" and chain["misses"] == 0,
                       f"{name}: never late, no miss")
    for name, chain in chains.items():
        if name in (*HONEST, "equivocating", "lying"):
            continue  # the latter two have lost their bonds
        late = chain["misses"] > LATE or name in suspended
        cluster.expect(chain.get("status") == ("late" if late else "active"),
                       f"{name}: {chain['misses']} misses, so {chain.get('status')}")
    # Heights of which a link was wanted when the chunks were gone, and of which it may have been.
    sure = listed["closed"] - PROOF_DEADLINE - cluster.damaged_at
    least, most = odds.between(odds.silent(CHUNKS, LOST_CHUNKS), sure,
                               sure + PROOF_DEADLINE + LINK_LAG + 2)
    cluster.expect(least <= chains["silent"]["misses"] <= most,
                   f"silent: {chains['silent']['misses']} misses at {sure} heights and more; "
                   f"{least} to {most} in all but one of a million runs")
    judge_garbage(cluster, listed, chains["garbage"])
    away = chains["unplugged"]["misses"]
    cluster.expect(away > 0, f"unplugged: {away} misses, for the heights without its disk")


def judge_garbage(cluster, listed, chain):
    """Its log says what each of its proofs showed: the refused ones are its misses, no others."""
    proofs = {}
    for line in (cluster["garbage"].folder / "garbage.log").read_text().splitlines():
        event = json.loads(line)
        if event["event"] == "cheat.proof":
            proofs[event["height"]] = event
    refused = {h: p for h, p in proofs.items() if not p["verdict"].startswith("ok:")}
    lost = [h for h, p in proofs.items() if p["lost"]]
    # A link from before the loss is whole, and no proof of it can be made any more.
    honest = [h for h in refused if h not in lost and h > cluster.damaged_at + LINK_LAG + 1]
    cluster.expect(all(h in refused for h in lost) and not honest,
                   f"garbage: of {len(proofs)} proofs {len(lost)} showed a lost cell and were "
                   "refused")
    misses = sum(odds.FULL_MISSES if p["full"] else 1 for h, p in refused.items()
                 if h <= listed["closed"] - PROOF_DEADLINE)
    cluster.expect(chain["misses"] == misses,
                   f"garbage: {chain['misses']} misses, and {misses} from what was refused")


def offences(cases, bond):
    """The offences that were decided against a bond."""
    return [c for c in cases if c["about"] == "offence"
            and any(s["step"] == "slash" and s["bond"] == bond for s in c["steps"])]


def judge_offences(cluster, cases, ledger):
    held = {name: ledger["bonds"][bond] for name, bond in cluster.bonds.items()}
    found = {name: len(offences(cases, bond)) for name, bond in cluster.bonds.items()}
    cluster.expect(found["equivocating"] == 1 and held["equivocating"]["held"] == 0,
                   f"equivocating: {found['equivocating']} offence for two accusers, settled once; "
                   f"{held['equivocating']['slashed']} units slashed")
    cluster.expect(found["lying"] > 0 and held["lying"]["held"] == 0,
                   f"lying: its signed responses took its bond; {held['lying']['slashed']} units "
                   "slashed")
    whole = [n for n in cluster.bonds if found[n] == 0 and held[n]["slashed"] == 0]
    cluster.expect(sorted([*whole, "equivocating", "lying"]) == sorted(cluster.bonds),
                   "no other bond has lost a unit")


def books(cluster):
    """Ledger and cases of one moment: read again until nothing was decided in between."""
    machine = cluster.operator
    names = [*cluster.chains, *[n for n in cluster.machines if n.startswith("challenger")]]
    words = [w for b in cluster.bonds.values() for w in ("--bond", b)]
    words += [w for n in names for w in ("--account", cluster[n].key)]
    for _ in range(20):
        cases = cases_of(machine)
        ledger = machine.holdfast("ledger", "show", "--dir", "node", *words)
        if cases_of(machine) == cases:
            break
    return ledger, cases


def judge_units(cluster, chains, ledger, cases):
    """What was decided is what was paid; what was not decided waits for an audit or its answer."""
    decided = {cluster[name].key: 0 for name in cluster.machines}
    slashed = rewarded = 0
    for case in cases:
        if not case["settled"]:
            cluster.expect(False, f"case {case['case'][:8]} is settled")
        for step in case["steps"]:
            if step["step"] == "reward" and step["to"] in decided:
                rewarded += step["amount"]
                decided[step["to"]] += step["amount"]
            elif step["step"] == "slash":
                slashed += step["amount"]
    balances = ledger["balances"]
    wrong = [n for n in [*PROVERS, *CHALLENGERS]
             if balances[cluster[n].key] != decided[cluster[n].key]]
    cluster.expect(not wrong, "everybody has what was decided, to the unit"
                   + (f", but for {wrong}" if wrong else ""))
    for name in PROVERS:
        paid, served = balances[cluster[name].key], chains[name]["availability"]["served"]
        cluster.expect(paid % SERVED_REWARD == 0 and
                       served - AUDIT_HEIGHTS <= paid // SERVED_REWARD <= served,
                       f"{name}: {paid // SERVED_REWARD} of {served} served are paid")
    issued = POOL + len(PROVERS) * BOND + len(CHALLENGERS) * CHALLENGER_BOND
    cluster.expect(ledger["issued"] == issued and
                   ledger["in_bonds"] == issued - POOL - slashed and
                   ledger["in_pool"] == POOL + slashed - rewarded and
                   ledger["in_accounts"] + ledger["in_bonds"] + ledger["in_pool"] == issued,
                   f"every one of {issued} units is in an account, a bond or the pool")


def judge_reader(cluster):
    """It comes after the prover's own work, so on a busy machine it lags behind."""
    seen = cluster.watched()
    closed, proofs = seen["closed"], seen["proof"]
    unlinked = [h for h, event in closed.items() if not event.get("linked")]
    accepted = [h for h, event in proofs.items() if event["verdict"] == "accepted"]
    refused = [h for h, event in proofs.items() if event["verdict"] == "refused"]
    cluster.expect(len(closed) >= 5 and not unlinked,
                   f"the reader, with a network file, saw {len(closed)} heights of honest close, "
                   "each with its link" + (f", but for {unlinked[:5]}" if unlinked else ""))
    cluster.expect(accepted and not refused and not seen["node_refused"],
                   f"and verified {len(accepted)} proofs of {len(proofs)} that it asked for"
                   + (f", but refused {refused[:5]}" if refused else ""))


# --- after kills ---------------------------------------------------------------------------------


def standing(cluster, machine):
    """What must not be lost: misses of the honest, offences, the reader's newest height."""
    _, chains = chains_of(cluster, machine)
    cases = cases_of(machine)
    return {"misses": {name: chains[name]["misses"] for name in HONEST},
            "offences": {name: len(offences(cases, bond)) for name, bond in cluster.bonds.items()
                         if name != "lying"},  # who goes on lying
            "watched": len(cluster.watched()["closed"])}


def goes_on(cluster, before):
    """Whether everybody has come back: audits that were drawn meanwhile are answered."""
    now = standing(cluster, cluster.operator)
    _, chains = chains_of(cluster, cluster.operator)
    return (now["watched"] > before["watched"] and
            all(chains[name].get("status") == "active" for name in HONEST))


def judge_going_on(cluster, before, when):
    now = standing(cluster, cluster.operator)
    cluster.expect(now["offences"] == before["offences"],
                   f"{when}: nobody has signed anything twice")
    cluster.expect(now["watched"] > before["watched"],
                   f"{when}: the reader watches on, {now['watched'] - before['watched']} heights")
    _, chains = chains_of(cluster, cluster.operator)
    for name in HONEST:
        more = now["misses"][name] - before["misses"][name]
        cluster.expect(chains[name].get("status") == "active",
                       f"{when}: {name} is active, {more} misses more")
