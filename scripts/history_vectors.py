#!/usr/bin/env python3
"""Writes tests/vectors/history.json: parameters of version 2, the operator's journal and its heads, and the
challenges and outcomes of version 2.

usage: history_vectors.py OUT.json

Written from docs/spec.md alone, with nothing but hashlib: it shares no code with the library, Ed25519
(RFC 8032) and the trees (RFC 9162, recursive) included.
"""
import hashlib
import json
import sys

# --- Ed25519, RFC 8032 section 6 -----------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
GY = 4 * pow(5, P - 2, P) % P
GX = 15112221349535400772501151409588531511454012693041857206046113283949847762202
G = (GX, GY, 1, GX * GY % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(s, p):
    q = (0, 1, 1, 0)
    while s > 0:
        if s & 1:
            q = add(q, p)
        p = add(p, p)
        s >>= 1
    return q


def compressed(p):
    z = pow(p[2], P - 2, P)
    return (p[1] * z % P | (p[0] * z % P & 1) << 255).to_bytes(32, "little")


def expanded(secret):
    h = hashlib.sha512(secret).digest()
    a = int.from_bytes(h[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return a, h[32:]


def public_key(secret):
    return compressed(times(expanded(secret)[0], G))


def sign(secret, message):
    a, prefix = expanded(secret)
    key = compressed(times(a, G))
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    point = compressed(times(r, G))
    k = int.from_bytes(hashlib.sha512(point + key + message).digest(), "little") % L
    return point + ((r + k * a) % L).to_bytes(32, "little")


# --- the protocol's hashes -----------------------------------------------------------------------------------

def sha(data):
    return hashlib.sha256(data).digest()


def u(width, value):
    return value.to_bytes(width, "little")


def h(tag, *fields):
    text = b"holdfast/1/" + tag.encode()
    return sha(bytes([len(text)]) + text + b"".join(fields))


def le64(digest):
    return int.from_bytes(digest[:8], "little")


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(leaves):
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return sha(b"\0" + leaves[0])
    k = split(len(leaves))
    return sha(b"\1" + mth(leaves[:k]) + mth(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return path(m, leaves[:k]) + [mth(leaves[k:])] if m < k else path(m - k, leaves[k:]) + [mth(leaves[:k])]


def consistency(m, leaves, whole=True):
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return consistency(m, leaves[:k], whole) + [mth(leaves[k:])]
    return consistency(m - k, leaves[k:], False) + [mth(leaves[:k])]


def select_one(e, n):
    """select(E, n, 1) of section 4.1."""
    words = (int.from_bytes(h("select/2", e, u(8, n), u(4, 1), u(4, i))[8 * w:8 * w + 8], "little")
             for i in range(1 << 32) for w in range(4))
    product = next(words) * n
    if product % 2**64 < n:
        threshold = (2**64 - n) % n
        while product % 2**64 < threshold:
            product = next(words) * n
    return product >> 64


# --- the vectors ---------------------------------------------------------------------------------------------

def named(what):
    return sha(b"history vectors/" + what.encode())


def edit(why, at, remove=0, insert=b""):
    return {"why": why, "at": at, "remove": remove, "insert": insert.hex()}


def put(why, body, at, value):
    return edit(why, at, len(value), value)


def bit_edits(body, fields):
    """The first and last bit of each named field."""
    out = []
    for name, at, width in fields:
        for which, place, mask in (("first", at, 1), ("last", at + width - 1, 0x80)):
            out.append(edit(f"{which} bit of {name}", place, 1, bytes([body[place] ^ mask])))
    return out + [edit("empty", 0, len(body)), edit("one byte short", len(body) - 1, 1),
                  edit("one byte more", len(body), 0, b"\0")]


TAIL = 5 * 8 + 4 + 32


def network(name, parts, most, operator_pk, changes=None):
    c = {"seal_windows": 4, "quorum": 3, "liability_blocks": 2070, **(changes or {})}
    out = u(1, 2) + u(8, len(name)) + name.encode() + u(8, 1000) + u(4, 52000) + u(4, 3) + u(1, 0)
    out += u(8, 0) + u(8, 0) + u(4, 0) + u(4, 0) + bytes(33)
    out += u(4, 1) + u(1, 1) + u(4, 16) + u(8, 512)
    numbers = [5, 20, c["seal_windows"], 1, 64, 8, 2, 2070, 103, 1035, 8, 1, 1, 10, 500, c["quorum"], 5, 500,
               1000, 10, 20, c["liability_blocks"], 69, 16]
    out += b"".join(u(4, x) for x in numbers)
    return out + b"".join(u(8, x) for x in parts) + u(4, most) + operator_pk


def parameter_cases(key):
    out = []
    for name, parts, most, operator_pk in (
            ("history", (1000, 1000, 10000, 10000, 100000), 4096, public_key(key)),
            ("history of its own blocks", (0, 1, 0, 0, 0), 1, bytes(32)),
            ("h", (2**64 - 1,) * 5, 65536, public_key(named("another operator")))):
        body = network(name, parts, most, operator_pk)
        tail = len(body) - TAIL
        most_at = tail + 40
        out.append({"body": body.hex(), "network_id": h("network", body).hex(), "refused": [
            put("version 1 with the fields of version 2", body, 0, u(1, 1)),
            put("version 3", body, 0, u(1, 3)),
            edit("without the fields of version 2", tail, TAIL),
            edit("one byte short", len(body) - 1, 1),
            edit("one byte more", len(body), 0, b"\0"),
            put("least_challenger_part 0", body, tail + 8, u(8, 0)),
            put("max_challengers 0", body, most_at, u(4, 0)),
            put("max_challengers 65,537", body, most_at, u(4, 65537)),
            put("operator_pk of order 1", body, most_at + 4, u(32, 1)),
            put("operator_pk of order 4", body, most_at + 4, u(32, 1 << 255)),
            put("operator_pk not canonical", body, most_at + 4, u(32, P + 1)),
            put("quorum 0", body, tail - 9 * 4, u(4, 0)),
            put("liability_blocks 0", body, tail - 3 * 4, u(4, 0))]})
    return out


def journal_case():
    block = u(1, 1) + u(8, 1003) + named("block") + u(8, 1700000000123)
    entries = [block, u(1, 2) + u(8, 1003) + named("y"), u(1, 3) + b"\1\4" + bytes(136)]
    entries += [u(1, 3) + b"\1\x18" + named(f"object {i}") * (i + 1) for i in range(18)]
    return {
        "entries": [e.hex() for e in entries],
        "leaves": [sha(b"\0" + e).hex() for e in entries],
        "roots": [mth(entries[:n]).hex() for n in range(len(entries) + 1)],
        "paths": [[d.hex() for d in path(i, entries)] for i in range(len(entries))],
        "consistency": [[[d.hex() for d in consistency(m, entries[:n])] if m else [] for m in range(n + 1)]
                        for n in range(len(entries) + 1)],
        "refused_entries": [x.hex() for x in (
            b"", b"\0", b"\4" + block[1:], block[:-1], block + b"\0", entries[1][:-1], entries[1] + b"\0", b"\3",
            b"\3\1", b"\3\2\4", b"\3\1\0", b"\3\1\x1e")],
    }


def head(key, network_id, height, block, global_digest, state, size, root):
    rest = public_key(key) + u(8, height) + block + global_digest + state + u(8, size) + root
    signed = h("journal/head", network_id, rest)
    return rest + sign(key, signed), signed


HEAD_FIELDS = (("operator_pk", 0, 32), ("height", 32, 8), ("block_hash", 40, 32), ("global digest", 72, 32),
               ("state digest", 104, 32), ("size", 136, 8), ("root", 144, 32), ("signature", 176, 64))


def head_cases(key, network_id):
    out = []
    for height, state, size in ((1003, bytes(32), 0), (1035, named("state"), 12345), (2**64 - 1, bytes(32), 2**64 - 1)):
        fields = [named("head block"), named("global"), state]
        body, signed = head(key, network_id, height, *fields, size, named("root"))
        stranger, _ = head(named("stranger"), network_id, height, *fields, size, named("root"))
        elsewhere, _ = head(key, named("another network"), height, *fields, size, named("root"))
        out.append({
            "secret_key": key.hex(), "height": height, "block_hash": fields[0].hex(), "global": fields[1].hex(),
            "state": state.hex(), "size": size, "root": named("root").hex(), "signed": signed.hex(),
            "body": body.hex(), "refused": bit_edits(body, HEAD_FIELDS) + [
                put("signed: by another operator", body, 0, stranger),
                put("signed: in another network", body, 0, elsewhere)]})
    return out


def conflict_cases(key, network_id):
    out = []
    for what, change in (("another digest", 1), ("another state", 2), ("another root", 4), ("another size", 3)):
        fields = [named("head block"), named("global"), named("state"), 77, named("root")]
        a, _ = head(key, network_id, 1035, *fields)
        fields[change] = 78 if change == 3 else named(what)
        b, _ = head(key, network_id, 1035, *fields)
        fields[0] = named("a branch")
        branch, _ = head(key, network_id, 1035, *fields)
        small, large = sorted((a, b))
        body = u(1, 11) + u(8, 480) + small + large
        strangers = sorted(head(named("stranger"), network_id, 1035, named("head block"), named(g), bytes(32), 1,
                                named("root"))[0] for g in "ab")
        in_two = [(f"{name} of the {which}", 9 + base + at, width) for name, at, width in HEAD_FIELDS
                  for which, base in (("smaller", 0), ("larger", 240))]
        out.append({
            "offence": "two heads: " + what, "body": body.hex(),
            "offence_id": h("offence", network_id, u(1, 11), public_key(key), u(8, 1035)).hex(),
            "refused": bit_edits(body, in_two) + [
                put("the larger first", body, 9, large + small), put("one of them twice", body, 9, small + small),
                put("of two blocks", body, 9, b"".join(sorted((a, branch)))),
                put("signed: by a stranger", body, 9, b"".join(strangers)),
                put("kind 5", body, 0, u(1, 5)), put("kind 12", body, 0, u(1, 12)),
                edit("one of them alone", 9 + 240, 240)]})
    return out


def weights(parts):
    return [min(p, 2**63 // len(parts)) for p in parts]


def challenge_cases(network_id):
    out = []
    for count, scale in ((1, 1), (3, 1000), (40, 10**9), (3, 2**61)):
        secrets = [named(f"challenger {count} {scale} {i}") for i in range(count)]
        secrets.sort(key=public_key)
        parts = [(i * i % 7 + 1) * scale for i in range(count)]
        chain, block, y = named(f"chain {count} {scale}"), named("block"), named(f"y {count} {scale}")
        w = weights(parts)
        r = select_one(h("availability/assign", network_id, y, chain), sum(w))
        who = next(i for i in range(count) if sum(w[:i + 1]) > r)
        secret, reveal, height = secrets[who], named("a_0"), 1005
        nonce = h("availability/nonce", reveal, chain)
        rest = chain + u(8, height) + block + y + public_key(secret) + nonce
        the_id = h("availability/challenge2", network_id, rest)
        body = rest + sign(secret, the_id)
        fields = (("chain_id", 0, 32), ("height", 32, 8), ("block_hash", 40, 32), ("y", 72, 32),
                  ("challenger_pk", 104, 32), ("nonce", 136, 32), ("signature", 168, 64))
        told = rest[:72] + named("a false y") + rest[104:]
        refused = bit_edits(body, fields) + [
            put("signed: a false y", body, 0, told + sign(secret, h("availability/challenge2", network_id, told))),
            put("signed under the tag of kind 11", body, 168, sign(secret, h("availability/challenge", network_id, rest)))]
        if count > 1:
            other = secrets[(who + 1) % count]
            theirs = rest[:104] + public_key(other) + nonce
            refused.append(put("signed: by one that is not assigned", body, 0, theirs + sign(
                other, h("availability/challenge2", network_id, theirs))))
        out.append({
            "challengers": [{"challenger_pk": public_key(s).hex(), "part": p} for s, p in zip(secrets, parts)],
            "assigned": public_key(secret).hex(), "secret_key": secret.hex(), "chain_id": chain.hex(),
            "height": height, "block_hash": block.hex(), "y": y.hex(), "reveal": reveal.hex(), "nonce": nonce.hex(),
            "id": the_id.hex(), "body": body.hex(), "refused": refused,
            "outcomes": outcome_cases(network_id, the_id, reveal, secret)})
    return out


def outcome_cases(network_id, the_id, reveal, secret):
    out = []
    prover, payload = named("prover"), named("chunks") * 200
    for number, kind in ((1, "served"), (2, "late"), (3, "invalid"), (4, "unreachable")):
        has = kind in ("served", "invalid")
        digest = sha(payload) if has else bytes(32)
        by_prover = sign(prover, h("availability/response", the_id, digest)) if has else bytes(64)

        def body_of(outcome=number, hash_=digest, signature=by_prover, key=secret, a=reveal):
            rest = the_id + a + u(1, outcome) + u(4, 1000 * number) + u(4, 7) + hash_ + signature
            return rest + sign(key, h("availability/outcome2", rest))

        body = body_of()
        fields = (("id", 0, 32), ("reveal", 32, 32), ("outcome", 64, 1), ("service_us", 65, 4), ("ping_us", 69, 4),
                  ("response_hash", 73, 32), ("response_signature", 105, 64), ("signature", 169, 64))
        refused = bit_edits(body, fields) + [
            put("signed: outcome 0", body, 0, body_of(outcome=0)), put("signed: outcome 5", body, 0, body_of(outcome=5)),
            put("signed: another reveal", body, 0, body_of(a=named("a_1"))),
            put("signed: by another", body, 0, body_of(key=named("another")))]
        if has:
            forged = sign(secret, h("availability/response", the_id, digest))
            refused += [put("signed: the challenger's in the prover's place", body, 0, body_of(signature=forged)),
                        put("signed: another response", body, 0, body_of(hash_=sha(b"another"))),
                        put("signed: of no response", body, 0, body_of(hash_=bytes(32), signature=bytes(64)))]
        else:
            refused += [put("signed: of a response", body, 0, body_of(hash_=sha(payload))),
                        put("signed: of a signature", body, 0, body_of(signature=named("s") * 2))]
        out.append({"outcome": number, "prover_pk": public_key(prover).hex(), "body": body.hex(), "refused": refused})
    return out


def audit_cases(network_id):
    out = []
    for i in range(64):
        y, the_id = named(f"audit y {i}"), named(f"audit id {i}")
        out.append({"y": y.hex(), "id": the_id.hex(),
                    "drawn": le64(h("availability/audit", network_id, y, the_id)) * 16 < 2**64})
    return out


def main(out):
    key = named("operator")
    body = network("history", (1000, 1000, 10000, 10000, 100000), 4096, public_key(key))
    network_id = h("network", body)
    cases = {"parameters": parameter_cases(key), "journal": journal_case(), "heads": head_cases(key, network_id),
             "head_conflicts": conflict_cases(key, network_id), "challenges": challenge_cases(network_id),
             "audits": audit_cases(network_id)}
    with open(out, "w", encoding="ascii") as file:
        json.dump({"spec": "holdfast/1", "set": "own", "network": body.hex(), "network_id": network_id.hex(),
                   "cases": cases}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
