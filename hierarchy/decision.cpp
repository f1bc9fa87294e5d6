#include "hierarchy/decision.hpp"

namespace holdfast {

std::string_view to_string(CaseKind kind) {
    switch (kind) {
        case CaseKind::kOffence:
            return "offence";
        case CaseKind::kDeposit:
            return "deposit";
        case CaseKind::kChain:
            return "chain";
        case CaseKind::kOutcome:
            return "outcome";
        case CaseKind::kBond:
            return "bond";
    }
    return "unknown";
}

DecidedStep DecidedStep::slash(const BondId& bond, const PublicKey& owner, std::uint64_t amount) {
    return {Kind::kSlash, bond, owner, amount, 0};
}

DecidedStep DecidedStep::release(const BondId& bond, std::uint64_t amount) {
    return {Kind::kRelease, bond, PublicKey{}, amount, 0};
}

DecidedStep DecidedStep::reward(const PublicKey& to, std::uint32_t share_per_mille) {
    return {Kind::kReward, BondId{}, to, 0, share_per_mille};
}

DecidedStep DecidedStep::pay(Kind kind, const PublicKey& to) { return {kind, BondId{}, to, 0, 0}; }

Bytes Decision::encode() const {
    HOLDFAST_CHECK(steps.size() <= kMaxSteps);
    Writer w(34 + steps.size() * 77);
    w.fixed(id).u8(static_cast<std::uint8_t>(kind)).u8(static_cast<std::uint8_t>(steps.size()));
    for (const DecidedStep& s : steps) {
        w.u8(static_cast<std::uint8_t>(s.kind)).fixed(s.bond).fixed(s.party);
        w.u64(s.amount).u32(s.share_per_mille);
    }
    return w.take();
}

Checked<Decision> Decision::decode(ByteView bytes) {
    Reader r(bytes);
    Decision out;
    out.id = r.fixed<CaseId>();
    out.kind = static_cast<CaseKind>(r.u8());
    const std::uint8_t count = r.u8();
    if (out.kind < CaseKind::kOffence || out.kind > CaseKind::kBond || count > kMaxSteps) {
        r.refuse(Reason::kBadField);
    }
    for (std::uint8_t i = 0; i < count && !r.failed(); ++i) {
        DecidedStep s;
        s.kind = static_cast<DecidedStep::Kind>(r.u8());
        s.bond = r.fixed<BondId>();
        s.party = r.fixed<PublicKey>();
        s.amount = r.u64();
        s.share_per_mille = r.u32();
        if (s.kind < DecidedStep::Kind::kSlash || s.kind > DecidedStep::Kind::kPayProver) {
            r.refuse(Reason::kBadField);
        }
        out.steps.push_back(s);
    }
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

}  // namespace holdfast
