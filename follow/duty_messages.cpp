#include "follow/duty_messages.hpp"

#include <tuple>

#include "follow/message_parts.hpp"

namespace holdfast {
namespace {

// --- ranges and pages ----------------------------------------------------------------------------

void write_range(Writer& w, const OwnedRange& range) { w.fixed(range.after).u32(range.most); }

OwnedRange read_range(Reader& r, const PublicKey& key) {
    OwnedRange out;
    out.prover = key;
    out.after = r.fixed<ChainId>();
    out.most = r.u32();
    if (!r.failed() && out.most == 0) r.refuse(Reason::kBadField);
    if (out.most > kMaxDutyPage) r.refuse(Reason::kTooLarge);
    return out;
}

/// Where to go on, and the entries: `u8 0`, or `u8 1 || chain_id`; `u32 k` and k entries.
template <class T, class WriteEntry>
void write_page(Writer& w, const OwnedPage<T>& page, const WriteEntry& write) {
    w.u8(page.more ? 1 : 0);
    if (page.more) w.fixed(*page.more);
    w.u32(static_cast<std::uint32_t>(page.found.size()));
    for (const T& entry : page.found) write(entry);
}

template <class T, class ReadEntry, class Order>
OwnedPage<T> read_page(Reader& r, std::size_t least_bytes, const ReadEntry& read,
                       const Order& order) {
    OwnedPage<T> out;
    if (read_flag(r)) out.more = r.fixed<ChainId>();
    const std::uint32_t count = read_list(r, kMaxDutyEntries, least_bytes);
    out.found.reserve(count);
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) out.found.push_back(read());
    if (r.failed()) return out;
    const bool beyond = out.more && !out.found.empty() && *out.more < out.found.back().chain_id;
    if (beyond || !ascends(out.found, order)) r.refuse(Reason::kNotCanonical);
    return out;
}

template <class T>
auto by_chain(const T& entry) {
    return entry.chain_id;
}

constexpr std::size_t kLinkDueBytes = 32 + 32 + 1;
constexpr std::size_t kProofDueBytes = 3 * 32 + 1;
constexpr std::size_t kSealDutyBytes = 32 + 1 + 8 + 1 + 1;
constexpr std::size_t kOwnedChainBytes = 3 * 32 + 8 + 1 + 1 + 8 + 4 + 5 + 1;

// --- heights -------------------------------------------------------------------------------------

constexpr std::size_t kDutyHeightBytes = 8 + 32 + 32 + 1 + 8;

void write_heights(Writer& w, const std::vector<DutyHeight>& heights) {
    w.u32(static_cast<std::uint32_t>(heights.size()));
    for (const DutyHeight& h : heights) {
        w.height(h.height).fixed(h.block_hash).fixed(h.anchor).u8(h.has_y ? 1 : 0);
        w.height(h.last_tip);
    }
}

std::vector<DutyHeight> read_heights(Reader& r) {
    std::vector<DutyHeight> out(read_list(r, kMaxDutyHeights, kDutyHeightBytes));
    for (DutyHeight& h : out) {
        h.height = r.height();
        h.block_hash = r.fixed<BlockHash>();
        h.anchor = r.fixed<GlobalDigest>();
        h.has_y = read_flag(r);
        h.last_tip = r.height();
    }
    if (!ascends(out, [](const DutyHeight& h) { return h.height; })) {
        r.refuse(Reason::kNotCanonical);
    }
    return out;
}

// --- entries -------------------------------------------------------------------------------------

FollowedDuty read_duty(Reader& r) {
    FollowedDuty d;
    d.chain_id = r.fixed<ChainId>();
    const std::uint8_t kind = r.u8();
    if (kind > 1) r.refuse(Reason::kBadField);
    d.kind = kind == 0 ? SealProofKind::kSeal : SealProofKind::kAudit;
    d.drawn = r.height();
    if (read_flag(r)) {
        d.y_height = r.height();
        d.deadline = r.height();
    }
    d.missed = r.u8();
    return d;
}

void write_duty(Writer& w, const FollowedDuty& d) {
    w.fixed(d.chain_id).u8(d.kind == SealProofKind::kSeal ? 0 : 1).height(d.drawn);
    w.u8(d.y_height ? 1 : 0);
    if (d.y_height) w.height(*d.y_height).height(d.deadline);
    w.u8(d.missed);
}

void write_followed_chain(Writer& w, const FollowedChain& c) {
    w.fixed(c.chain_id).fixed(c.replica_id).fixed(c.sealed_root).height(c.accepted);
    w.u8(static_cast<std::uint8_t>(c.phase));
    w.u8(c.status ? static_cast<std::uint8_t>(*c.status) : 0);
    w.u64(c.misses).u32(c.last_sequence);
    for (const auto& at :
         {c.update_due, c.sealed_at, c.removal_at, c.vacant_from, c.liable_until}) {
        write_optional(w, at);
    }
    w.u8(c.part_taken ? 1 : 0);
}

FollowedChain read_followed_chain(Reader& r) {
    FollowedChain c;
    c.chain_id = r.fixed<ChainId>();
    c.replica_id = r.fixed<ReplicaId>();
    c.sealed_root = r.fixed<Root>();
    c.accepted = r.height();
    const std::uint8_t phase = r.u8();
    if (phase > static_cast<std::uint8_t>(ChainPhase::kEnded)) r.refuse(Reason::kBadField);
    c.phase = static_cast<ChainPhase>(phase);
    const std::uint8_t status = r.u8();
    if (status > static_cast<std::uint8_t>(ChainStatus::kExpired)) r.refuse(Reason::kBadStatus);
    if (status != 0) c.status = static_cast<ChainStatus>(status);
    c.misses = r.u64();
    c.last_sequence = r.u32();
    for (auto* at : {&c.update_due, &c.sealed_at, &c.removal_at, &c.vacant_from, &c.liable_until}) {
        *at = read_optional<Height>(r);
    }
    c.part_taken = read_flag(r);
    return c;
}

// --- what became of objects ----------------------------------------------------------------------

constexpr std::size_t kRefusedMemberBytes = 4 + 4;
constexpr std::size_t kHandedOverBytes = 4 + 1 + 4;

Reason read_reason(Reader& r, std::uint32_t least) {
    const std::uint32_t number = r.u32();
    if (number < least || number >= reason_count()) r.refuse(Reason::kBadField);
    return r.failed() ? Reason::kBadField : static_cast<Reason>(number);
}

HandedOver read_handed_over(Reader& r) {
    HandedOver out;
    out.reason = read_reason(r, 0);
    if (read_flag(r)) out.entry = r.u64();
    out.refused.resize(read_list(r, kBundleMaxMembers, kRefusedMemberBytes));
    for (HandedOver::Member& m : out.refused) {
        m.index = r.u32();
        m.reason = read_reason(r, 1);
    }
    if (r.failed()) return out;
    if (!out.refused.empty() && out.refused.back().index >= kBundleMaxMembers) {
        r.refuse(Reason::kBadIndex);
    }
    if (!ascends(out.refused, [](const HandedOver::Member& m) { return m.index; })) {
        r.refuse(Reason::kNotCanonical);
    }
    const bool refused = out.reason != Reason::kOk;
    if (refused && (out.entry || !out.refused.empty())) r.refuse(Reason::kNotCanonical);
    return out;
}

}  // namespace

// Spec 14, questions 6 to 12.
void DutyHeightsQuestion::encode(Writer&) const {}
DutyHeightsQuestion DutyHeightsQuestion::decode(Reader&) { return {}; }

void LinksDueQuestion::encode(Writer& w) const {
    w.fixed(range.prover).height(height);
    write_range(w, range);
}
LinksDueQuestion LinksDueQuestion::decode(Reader& r) {
    const auto key = r.fixed<PublicKey>();
    const Height height = r.height();
    return {read_range(r, key), height};
}

void ProofsDueQuestion::encode(Writer& w) const {
    w.fixed(range.prover).height(height);
    write_range(w, range);
}
ProofsDueQuestion ProofsDueQuestion::decode(Reader& r) {
    const auto key = r.fixed<PublicKey>();
    const Height height = r.height();
    return {read_range(r, key), height};
}

void SealDutiesQuestion::encode(Writer& w) const {
    w.fixed(range.prover);
    write_range(w, range);
}
SealDutiesQuestion SealDutiesQuestion::decode(Reader& r) {
    const auto key = r.fixed<PublicKey>();
    return {read_range(r, key)};
}

void OwnedChainsQuestion::encode(Writer& w) const {
    w.fixed(range.prover);
    write_range(w, range);
}
OwnedChainsQuestion OwnedChainsQuestion::decode(Reader& r) {
    const auto key = r.fixed<PublicKey>();
    return {read_range(r, key)};
}

void HandOver::encode(Writer& w) const {
    w.u32(static_cast<std::uint32_t>(objects.size()));
    for (const Bytes& object : objects) {
        w.u32(static_cast<std::uint32_t>(object.size())).raw(object);
    }
}
HandOver HandOver::decode(Reader& r) {
    HandOver out;
    const std::uint32_t count = read_list(r, kMaxBatchObjects, 4);
    if (!r.failed() && count == 0) r.refuse(Reason::kBadField);
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) {
        out.objects.push_back(read_bytes(r, kMaxBatchBytes));
    }
    return out;
}

void RegistrationQuestion::encode(Writer& w) const { w.fixed(chain_id); }
RegistrationQuestion RegistrationQuestion::decode(Reader& r) { return {r.fixed<ChainId>()}; }

// Spec 14, answers 9 to 15.
void DutyHeights::encode(Writer& w) const {
    w.height(tip).fixed(tip_hash);
    write_optional(w, closed);
    write_heights(w, open);
    write_heights(w, proven);
}
DutyHeights DutyHeights::decode(Reader& r) {
    DutyHeights out;
    out.tip = r.height();
    out.tip_hash = r.fixed<BlockHash>();
    out.closed = read_optional<Height>(r);
    out.open = read_heights(r);
    out.proven = read_heights(r);
    if (r.failed()) return out;
    const bool open_fits =
        out.open.empty() || (out.open.back().height <= out.tip &&
                             (!out.closed || *out.closed < out.open.front().height));
    const bool proven_fits =
        out.proven.empty() || (out.closed && out.proven.back().height <= *out.closed);
    if (!open_fits || !proven_fits) r.refuse(Reason::kWrongHeight);
    return out;
}

void LinksDue::encode(Writer& w) const {
    w.fixed(key).height(height);
    write_page(w, page, [&](const DueLink& d) {
        w.fixed(d.chain_id).fixed(d.link_before);
        write_optional(w, d.reveal_base);
    });
}
LinksDue LinksDue::decode(Reader& r) {
    LinksDue out;
    out.key = r.fixed<PublicKey>();
    out.height = r.height();
    const auto read = [&] {
        DueLink d;
        d.chain_id = r.fixed<ChainId>();
        d.link_before = r.fixed<Link>();
        d.reveal_base = read_optional<Height>(r);
        return d;
    };
    out.page = read_page<DueLink>(r, kLinkDueBytes, read, by_chain<DueLink>);
    return out;
}

void ProofsDue::encode(Writer& w) const {
    w.fixed(key).height(height);
    write_page(w, page, [&](const DueProof& d) {
        w.fixed(d.chain_id).fixed(d.link).fixed(d.link_before);
        write_optional(w, d.reveal_base);
    });
}
ProofsDue ProofsDue::decode(Reader& r) {
    ProofsDue out;
    out.key = r.fixed<PublicKey>();
    out.height = r.height();
    const auto read = [&] {
        DueProof d;
        d.chain_id = r.fixed<ChainId>();
        d.link = r.fixed<Link>();
        d.link_before = r.fixed<Link>();
        d.reveal_base = read_optional<Height>(r);
        return d;
    };
    out.page = read_page<DueProof>(r, kProofDueBytes, read, by_chain<DueProof>);
    return out;
}

void SealDuties::encode(Writer& w) const {
    w.fixed(key);
    write_page(w, page, [&](const FollowedDuty& d) { write_duty(w, d); });
}
SealDuties SealDuties::decode(Reader& r) {
    SealDuties out;
    out.key = r.fixed<PublicKey>();
    out.page = read_page<FollowedDuty>(
        r, kSealDutyBytes, [&] { return read_duty(r); },
        [](const FollowedDuty& d) { return std::make_tuple(d.chain_id, d.kind, d.drawn); });
    return out;
}

void OwnedChains::encode(Writer& w) const {
    w.fixed(key);
    write_page(w, page, [&](const FollowedChain& c) { write_followed_chain(w, c); });
}
OwnedChains OwnedChains::decode(Reader& r) {
    OwnedChains out;
    out.key = r.fixed<PublicKey>();
    out.page = read_page<FollowedChain>(
        r, kOwnedChainBytes, [&] { return read_followed_chain(r); }, by_chain<FollowedChain>);
    return out;
}

void HandedOvers::encode(Writer& w) const {
    w.u32(static_cast<std::uint32_t>(objects.size()));
    for (const HandedOver& o : objects) {
        w.u32(static_cast<std::uint32_t>(o.reason)).u8(o.entry ? 1 : 0);
        if (o.entry) w.u64(*o.entry);
        w.u32(static_cast<std::uint32_t>(o.refused.size()));
        for (const HandedOver::Member& m : o.refused) {
            w.u32(m.index).u32(static_cast<std::uint32_t>(m.reason));
        }
    }
    w.u8(acknowledgement ? 1 : 0);
    if (acknowledgement) w.raw(acknowledgement->encode());
}
HandedOvers HandedOvers::decode(Reader& r) {
    HandedOvers out;
    const std::uint32_t count = read_list(r, kMaxBatchObjects, kHandedOverBytes);
    if (!r.failed() && count == 0) r.refuse(Reason::kBadField);
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) {
        out.objects.push_back(read_handed_over(r));
    }
    if (read_flag(r)) {
        const auto body = Acknowledgement::decode(r.raw(kAcknowledgementBytes));
        if (body) out.acknowledgement = *body;
    }
    if (r.failed() || !out.acknowledgement) return out;
    for (const HandedOver& o : out.objects) {
        if (!o.entry) r.refuse(Reason::kNotCanonical);
    }
    return out;
}

void RegistrationFound::encode(Writer& w) const {
    w.fixed(chain_id).u8(registration ? 1 : 0);
    if (registration) w.raw(registration->encode());
}
RegistrationFound RegistrationFound::decode(Reader& r) {
    RegistrationFound out;
    out.chain_id = r.fixed<ChainId>();
    if (read_flag(r)) out.registration = Registration::decode(r);
    return out;
}

}  // namespace holdfast
