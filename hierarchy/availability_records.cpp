#include "hierarchy/availability_records.hpp"

namespace holdfast {
namespace {

bool read_flag(Reader& r) {
    const std::uint8_t v = r.u8();
    if (v > 1) r.refuse(Reason::kBadField);
    return v == 1;
}

OutcomeKind read_outcome_kind(Reader& r) {
    const std::uint8_t v = r.u8();
    if (v < 1 || v > 4) r.refuse(Reason::kBadOutcome);
    return static_cast<OutcomeKind>(v);
}

void write_base(Writer& w, const ChallengerBase& b) {
    w.u64(b.base).u64(b.known.i).fixed(b.known.a);
}

ChallengerBase read_base(Reader& r) {
    ChallengerBase b;
    b.base = r.u64();
    b.known.i = r.u64();
    b.known.a = r.fixed<Reveal>();
    return b;
}

}  // namespace

ChallengerBase* ChallengerRecord::at(Height height) {
    if (now.base <= height.value) return &now;
    return before.base <= height.value ? &before : nullptr;
}

Bytes ChallengerRecord::encode() const {
    Writer w(161);
    write_base(w, now);
    write_base(w, before);
    w.u64(counted).u8(lapsed ? 1 : 0).u64(until).u64(ranked).u64(next_base).fixed(next_commitment);
    return w.take();
}

Result<ChallengerRecord> ChallengerRecord::decode(ByteView bytes) {
    Reader r(bytes);
    ChallengerRecord c;
    c.now = read_base(r);
    c.before = read_base(r);
    c.counted = r.u64();
    c.lapsed = read_flag(r);
    c.until = r.u64();
    c.ranked = r.u64();
    c.next_base = r.u64();
    c.next_commitment = r.fixed<Reveal>();
    return finished_record(r, c, "a challenger");
}

Key challenger_due_key(Height height, ChallengerItem item, const Digest& whom) {
    return Key().height(height).u8(static_cast<std::uint8_t>(item)).fixed(whom);
}

Key rank_key(std::uint64_t part, const PublicKey& key) { return Key().u64(~part).fixed(key); }

Key unpaid_key(std::uint64_t height, const ChallengeId& id) { return Key().u64(height).fixed(id); }

Bytes encode_in_force(const std::vector<ChallengerPart>& parts) {
    Writer w(4 + parts.size() * 40);
    w.u32(static_cast<std::uint32_t>(parts.size()));
    for (const ChallengerPart& p : parts) w.fixed(p.key).u64(p.part);
    return w.take();
}

Result<std::vector<ChallengerPart>> decode_in_force(ByteView bytes) {
    Reader r(bytes);
    const std::uint32_t count = r.u32();
    std::vector<ChallengerPart> out;
    if (count == r.remaining() / 40) out.reserve(count);
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) {
        const auto key = r.fixed<PublicKey>();
        out.push_back({key, r.u64()});
    }
    return finished_record(r, std::move(out), "a set of challengers");
}

void ListedChallenge::encode(Writer& w) const {
    challenge.encode(w);
    w.fixed(prover).fixed(sealed_root).u64(chunks.value);
}

Bytes ListedChallenge::encode() const {
    Writer w(kChallenge2Bytes + 72);
    encode(w);
    return w.take();
}

ListedChallenge ListedChallenge::decode(Reader& r) {
    ListedChallenge out;
    out.challenge = Challenge2::decode(r);
    out.prover = r.fixed<PublicKey>();
    out.sealed_root = r.fixed<Root>();
    out.chunks = ChunkCount(r.u64());
    return out;
}

Result<ListedChallenge> ListedChallenge::decode(ByteView bytes) {
    Reader r(bytes);
    ListedChallenge out = decode(r);
    return finished_record(r, std::move(out), "a challenge");
}

Bytes UnpaidOutcome::encode() const {
    Writer w(kChallenge2Bytes + 105);
    about.encode(w);
    w.u8(static_cast<std::uint8_t>(outcome)).fixed(response_hash);
    return w.take();
}

Result<UnpaidOutcome> UnpaidOutcome::decode(ByteView bytes) {
    Reader r(bytes);
    UnpaidOutcome out;
    out.about = ListedChallenge::decode(r);
    out.outcome = read_outcome_kind(r);
    out.response_hash = r.fixed<Digest>();
    return finished_record(r, std::move(out), "an outcome that is not paid");
}

Bytes encode_outcome(const OutcomeRecord& record) {
    Writer w(33);
    w.fixed(record.challenger).u8(static_cast<std::uint8_t>(record.outcome));
    return w.take();
}

Result<OutcomeRecord> decode_outcome(ByteView key, ByteView value) {
    KeyReader k(key);
    (void)k.fixed<ChainId>();
    Reader r(value);
    OutcomeRecord record;
    record.height = k.height();
    record.challenger = r.fixed<PublicKey>();
    record.outcome = read_outcome_kind(r);
    return finished_record(r, record, "an outcome");
}

}  // namespace holdfast
