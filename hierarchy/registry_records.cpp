#include "hierarchy/registry_records.hpp"

namespace holdfast {
namespace {

void write_status_counts(Writer& w, const StatusCounts& c) {
    w.u64(c.total).u64(c.active).u64(c.late).u64(c.removing).u64(c.expired);
}

StatusCounts read_status_counts(Reader& r) {
    StatusCounts c;
    c.total = r.u64();
    c.active = r.u64();
    c.late = r.u64();
    c.removing = r.u64();
    c.expired = r.u64();
    return c;
}

bool read_bool(Reader& r) {
    const std::uint8_t v = r.u8();
    if (v > 1) r.refuse(Reason::kBadField);
    return v == 1;
}

template <class Enum>
Enum read_enum(Reader& r, Enum last) {
    const std::uint8_t v = r.u8();
    if (v > static_cast<std::uint8_t>(last)) r.refuse(Reason::kBadField);
    return static_cast<Enum>(v);
}

}  // namespace

// --- machine and blocks --------------------------------------------------------------------------

Bytes MachineState::encode() const {
    Writer w(80);
    for (const std::uint64_t v : {tip, closed, heights_with_y, registrations, pending, sealed,
                                  liable, voided, ended, decisions}) {
        w.u64(v);
    }
    return w.take();
}

Result<MachineState> MachineState::decode(ByteView bytes) {
    Reader r(bytes);
    MachineState s;
    for (std::uint64_t* v : {&s.tip, &s.closed, &s.heights_with_y, &s.registrations, &s.pending,
                             &s.sealed, &s.liable, &s.voided, &s.ended, &s.decisions}) {
        *v = r.u64();
    }
    return finished_record(r, s, "its state");
}

Bytes Origin::encode() const {
    return Writer(32).u64(entries).u64(decisions).height(head).height(leaves).take();
}

Result<Origin> Origin::decode(ByteView bytes) {
    Reader r(bytes);
    Origin o;
    o.entries = r.u64();
    o.decisions = r.u64();
    o.head = r.height();
    o.leaves = r.height();
    return finished_record(r, o, "where it began");
}

Bytes KeptEntries::encode() const { return Writer(16).height(all).height(proofs).take(); }

Result<KeptEntries> KeptEntries::decode(ByteView bytes) {
    Reader r(bytes);
    KeptEntries k;
    k.all = r.height();
    k.proofs = r.height();
    return finished_record(r, k, "what of the journal is kept");
}

Bytes StoredBlock::encode() const {
    Writer w(160);
    w.height(info.height).fixed(info.hash).u64(info.time_ms);
    w.u8(info.y.has_value() ? 1 : 0).fixed(info.y.value_or(VdfOutput{}));
    w.u8(info.closed ? 1 : 0).fixed(info.global).u32(info.regions);
    write_status_counts(w, info.counts);
    w.u64(ordinal);
    return w.take();
}

Result<StoredBlock> StoredBlock::decode(ByteView bytes) {
    Reader r(bytes);
    StoredBlock b;
    b.info.height = r.height();
    b.info.hash = r.fixed<BlockHash>();
    b.info.time_ms = r.u64();
    const bool has_y = read_bool(r);
    const auto y = r.fixed<VdfOutput>();
    if (has_y) b.info.y = y;
    b.info.closed = read_bool(r);
    b.info.global = r.fixed<GlobalDigest>();
    b.info.regions = r.u32();
    b.info.counts = read_status_counts(r);
    b.ordinal = r.u64();
    return finished_record(r, b, "a block");
}

// --- chains --------------------------------------------------------------------------------------

Bytes ChainRecord::encode() const {
    Writer w(kRegistrationBytes + 64);
    registration.encode(w);
    w.height(accepted).u8(static_cast<std::uint8_t>(end)).u32(last_sequence);
    w.u64(sealed_at).u64(slot).u64(removal_at).u64(vacant_from).u64(liable_until);
    w.u8(part_taken ? 1 : 0);
    return w.take();
}

Result<ChainRecord> ChainRecord::decode(ByteView bytes) {
    Reader r(bytes);
    ChainRecord c;
    c.registration = Registration::decode(r);
    c.accepted = r.height();
    c.end = read_enum(r, ChainPhase::kEnded);
    c.last_sequence = r.u32();
    c.sealed_at = r.u64();
    c.slot = r.u64();
    c.removal_at = r.u64();
    c.vacant_from = r.u64();
    c.liable_until = r.u64();
    c.part_taken = read_bool(r);
    return finished_record(r, c, "a chain");
}

Bytes ChainState::encode() const {
    const auto entries = misses.entries();
    Writer w(112 + entries.size() * 16);
    w.u8(static_cast<std::uint8_t>(phase)).u32(last_sequence);
    w.u64(challenge_from).u64(sealed_at).u64(slot);
    w.u64(removal_at).u64(vacant_from).u64(liable_until);
    w.height(newest_base).u64(updated_at).u64(taken_at);
    w.height(genesis).u8(static_cast<std::uint8_t>(retention)).u8(last_audit ? 1 : 0);
    w.u32(audits_missed).u32(static_cast<std::uint32_t>(entries.size()));
    for (const MissWindow::Entry& e : entries) w.u64(e.ordinal).u64(e.misses);
    return w.take();
}

Result<ChainState> ChainState::decode(ByteView bytes) {
    Reader r(bytes);
    ChainState s;
    s.phase = read_enum(r, ChainPhase::kEnded);
    s.last_sequence = r.u32();
    s.challenge_from = r.u64();
    s.sealed_at = r.u64();
    s.slot = r.u64();
    s.removal_at = r.u64();
    s.vacant_from = r.u64();
    s.liable_until = r.u64();
    s.newest_base = r.height();
    s.updated_at = r.u64();
    s.taken_at = r.u64();
    s.genesis = r.height();
    s.retention = read_enum(r, Retention::kArchival);
    s.last_audit = read_bool(r);
    s.audits_missed = r.u32();
    const std::uint32_t count = r.u32();
    if (count > r.remaining() / 16) r.refuse(Reason::kTruncated);
    std::vector<MissWindow::Entry> entries;
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) {
        const std::uint64_t ordinal = r.u64();
        entries.push_back({ordinal, r.u64()});
    }
    s.misses = MissWindow(std::move(entries));
    return finished_record(r, std::move(s), "a chain's state");
}

Bytes AuditRecord::encode() const { return Writer(9).u64(from).u8(missed).take(); }

Result<AuditRecord> AuditRecord::decode(ByteView bytes) {
    Reader r(bytes);
    AuditRecord a;
    a.from = r.u64();
    a.missed = r.u8();
    return finished_record(r, a, "an audit");
}

Bytes MissRecord::encode() const { return Writer(4).u32(audits).take(); }

Result<MissRecord> MissRecord::decode(ByteView bytes) {
    Reader r(bytes);
    MissRecord m;
    m.audits = r.u32();
    return finished_record(r, m, "a miss");
}

Bytes LinkState::encode() const {
    Writer w(73);
    w.fixed(link).fixed(link_before).u8(static_cast<std::uint8_t>(proof)).u64(entry);
    return w.take();
}

Result<LinkState> LinkState::decode(ByteView bytes) {
    Reader r(bytes);
    LinkState s;
    s.link = r.fixed<Link>();
    s.link_before = r.fixed<Link>();
    s.proof = read_enum(r, LinkProof::kFull);
    s.entry = r.u64();
    return finished_record(r, s, "a link");
}

// --- bonds ---------------------------------------------------------------------------------------

Bytes BondRecord::encode() const {
    Writer w(89);
    w.fixed(owner).u8(static_cast<std::uint8_t>(purpose)).fixed(subject);
    w.u64(held).u64(reserved).u64(owed);
    return w.take();
}

Result<BondRecord> BondRecord::decode(ByteView bytes) {
    Reader r(bytes);
    BondRecord b;
    b.owner = r.fixed<PublicKey>();
    b.purpose = read_enum(r, BondPurpose::kOperator);
    b.subject = r.fixed<Digest>();
    b.held = r.u64();
    b.reserved = r.u64();
    b.owed = r.u64();
    return finished_record(r, b, "a bond");
}

Bytes PartRecord::encode() const {
    return Writer(56).fixed(bond).u64(amount).height(claimed).u64(until).take();
}

Result<PartRecord> PartRecord::decode(ByteView bytes) {
    Reader r(bytes);
    PartRecord p;
    p.bond = r.fixed<BondId>();
    p.amount = r.u64();
    p.claimed = r.height();
    p.until = r.u64();
    return finished_record(r, p, "a part");
}

Bytes WaitingEvidence::encode() const {
    return Writer(64 + body.size()).fixed(accuser).fixed(deposit).raw(body).take();
}

Result<WaitingEvidence> WaitingEvidence::decode(ByteView bytes) {
    Reader r(bytes);
    WaitingEvidence e;
    e.accuser = r.fixed<PublicKey>();
    e.deposit = r.fixed<BondId>();
    const ByteView rest = r.raw(r.remaining());
    e.body.assign(rest.begin(), rest.end());
    return finished_record(r, std::move(e), "evidence that waits");
}

// --- trees ---------------------------------------------------------------------------------------

Bytes GroupRecord::encode() const {
    return Writer(4 + leaves.size()).u32(active).raw(leaves).take();
}

Result<GroupRecord> GroupRecord::decode(ByteView bytes) {
    Reader r(bytes);
    GroupRecord g;
    g.active = r.u32();
    g.leaves = r.raw(r.remaining());
    return finished_record(r, g, "a group");
}

Bytes encode_regions(const std::vector<RegionSummary>& regions) {
    Writer w;
    w.u32(static_cast<std::uint32_t>(regions.size()));
    for (const RegionSummary& region : regions) {
        w.u64(region.active).fixed(region.digest);
        w.u32(static_cast<std::uint32_t>(region.groups.size())).digests(region.groups);
    }
    return w.take();
}

Result<std::vector<RegionSummary>> decode_regions(ByteView bytes) {
    Reader r(bytes);
    std::vector<RegionSummary> out;
    const std::uint32_t count = r.u32();
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) {
        RegionSummary region;
        region.active = r.u64();
        region.digest = r.fixed<Digest>();
        const std::uint32_t groups = r.u32();
        for (std::uint32_t g = 0; g < groups && !r.failed(); ++g) {
            region.groups.push_back(r.fixed<Digest>());
        }
        out.push_back(std::move(region));
    }
    return finished_record(r, std::move(out), "a height's regions");
}

Bytes encode_effects(const std::vector<Effect>& effects) {
    Writer w(effects.size() * 41);
    for (const Effect& e : effects) {
        w.u8(static_cast<std::uint8_t>(e.kind)).fixed(e.chain_id).u64(e.value);
    }
    return w.take();
}

Result<std::vector<Effect>> decode_effects(ByteView bytes) {
    Reader r(bytes);
    std::vector<Effect> out;
    while (r.remaining() > 0 && !r.failed()) {
        Effect e;
        e.kind = read_enum(r, EffectKind::kBondReleased);
        e.chain_id = r.fixed<ChainId>();
        e.value = r.u64();
        out.push_back(e);
    }
    return finished_record(r, std::move(out), "a height's effects");
}

Bytes encode_known_reveal(const KnownReveal& known) {
    return Writer(40).u64(known.i).fixed(known.a).take();
}

Result<KnownReveal> decode_known_reveal(ByteView bytes) {
    Reader r(bytes);
    KnownReveal known;
    known.i = r.u64();
    known.a = r.fixed<Reveal>();
    return finished_record(r, known, "a reveal");
}

// --- keys ----------------------------------------------------------------------------------------

Key AgendaEntry::key() const {
    return Key().height(height).u8(static_cast<std::uint8_t>(item)).fixed(chain_id).u64(argument);
}

AgendaEntry AgendaEntry::of_key(ByteView key) {
    KeyReader r(key);
    AgendaEntry e;
    e.height = r.height();
    e.item = static_cast<AgendaItem>(r.u8());
    e.chain_id = r.fixed<ChainId>();
    e.argument = r.u64();
    return e;
}

Key height_key(Height height) { return Key().height(height); }
Key chain_key(const ChainId& chain_id) { return Key().fixed(chain_id); }
Key height_chain_key(Height height, const ChainId& chain_id) {
    return Key().height(height).fixed(chain_id);
}
Key chain_height_key(const ChainId& chain_id, Height height) {
    return Key().fixed(chain_id).height(height);
}
Key update_key(const ChainId& chain_id, std::uint32_t sequence) {
    return Key().fixed(chain_id).u32(sequence);
}
Key group_key(const HierarchyTree::GroupPlace& place) {
    return Key().u32(place.region).u32(place.group);
}
Key group_height_key(const HierarchyTree::GroupPlace& place, Height height) {
    return group_key(place).height(height);
}

}  // namespace holdfast
