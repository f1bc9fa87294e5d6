#include "core/listed_block.hpp"

namespace holdfast {

std::string_view to_string(BondPurpose purpose) {
    switch (purpose) {
        case BondPurpose::kStorage:
            return "storage";
        case BondPurpose::kChallenger:
            return "challenger";
        case BondPurpose::kCheckpoint:
            return "checkpoint";
        case BondPurpose::kEvaluator:
            return "evaluator";
        case BondPurpose::kAccusation:
            return "accusation";
        case BondPurpose::kOperator:
            return "operator";
    }
    return "unknown";
}

BondEvent BondEvent::created(const BondId& bond, const PublicKey& owner, std::uint64_t amount,
                             BondPurpose purpose, const Digest& subject) {
    BondEvent event;
    event.purpose = purpose;
    event.bond = bond;
    event.owner = owner;
    event.amount = amount;
    event.subject = subject;
    return event;
}

Bytes BondEvent::encode() const {
    Writer w(kBondEventBytes);
    w.u8(static_cast<std::uint8_t>(what));
    w.u8(purpose ? static_cast<std::uint8_t>(*purpose) : 0);
    w.fixed(bond).fixed(owner).u64(amount).u64(number).fixed(subject);
    return w.take();
}

Checked<BondEvent> BondEvent::decode(ByteView bytes) {
    Reader r(bytes);
    BondEvent event;
    event.what = static_cast<BondEventKind>(r.u8());
    const std::uint8_t purpose = r.u8();
    event.bond = r.fixed<BondId>();
    event.owner = r.fixed<PublicKey>();
    event.amount = r.u64();
    event.number = r.u64();
    event.subject = r.fixed<Digest>();
    const bool creates = event.what == BondEventKind::kCreated;
    if (event.what < BondEventKind::kCreated || event.what > BondEventKind::kSlashed ||
        purpose > static_cast<std::uint8_t>(BondPurpose::kOperator) || creates == (purpose == 0)) {
        r.refuse(Reason::kBadField);
    }
    if (purpose != 0) event.purpose = static_cast<BondPurpose>(purpose);
    const bool deposit = event.purpose == BondPurpose::kAccusation;
    if ((!creates && !event.owner.is_zero()) || (!deposit && !event.subject.is_zero())) {
        r.refuse(Reason::kBadField);
    }
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return event;
}

}  // namespace holdfast
