#include "deposit/messages.hpp"

#include "core/codec.hpp"
#include "core/hash.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t kMostRetryMs = 60'000;

enum class Ask : std::uint8_t { kTerms = 1, kOpen, kPiece, kState, kFinish, kRemove, kList };
enum class Told : std::uint8_t { kTerms = 1, kState, kList, kRefused, kBusy };

bool is_size(std::uint64_t bytes) { return bytes >= 1 && bytes <= kMaxDataBytes; }

void write_terms(Writer& w, const DepositTerms& t) {
    w.fixed(t.network).fixed(t.prover).fixed(t.client).u64(t.max_bytes).u64(t.price);
    t.seal.encode(w);
    w.u8(t.hot ? 1 : 0).height(t.until).u32(t.upload_s).u64(t.valid_until_ms);
    w.fixed(t.nonce);
}

bool read_flag(Reader& r) {
    const std::uint8_t flag = r.u8();
    if (flag > 1) r.refuse(Reason::kBadField);
    return flag == 1;
}

std::uint64_t read_size(Reader& r) {
    const std::uint64_t bytes = r.u64();
    if (!is_size(bytes)) r.refuse(Reason::kBadField);
    return bytes;
}

DepositTerms read_terms(Reader& r) {
    DepositTerms t;
    t.network = r.fixed<NetworkId>();
    t.prover = r.fixed<PublicKey>();
    t.client = r.fixed<PublicKey>();
    t.max_bytes = read_size(r);
    t.price = r.u64();
    t.seal = SealParams::decode(r);
    t.hot = read_flag(r);
    t.until = r.height();
    t.upload_s = r.u32();
    t.valid_until_ms = r.u64();
    t.nonce = r.fixed<Digest>();
    t.signature = r.fixed<Signature>();
    return t;
}

void write_state(Writer& w, const DepositState& s) {
    w.fixed(s.id).u8(static_cast<std::uint8_t>(s.phase)).u8(static_cast<std::uint8_t>(s.reason));
    w.u64(s.bytes).u64(s.arrived).fixed(s.arrived_root).fixed(s.terms).height(s.until);
    w.fixed(s.replica).fixed(s.chain).height(s.accepted).height(s.linked).height(s.tip);
    w.u64(s.counter);
}

DepositReason read_reason(Reader& r) {
    const std::uint8_t reason = r.u8();
    if (reason > kLastDepositReason) r.refuse(Reason::kBadField);
    return static_cast<DepositReason>(reason);
}

DepositState read_state(Reader& r) {
    DepositState s;
    s.id = r.fixed<DepositId>();
    const std::uint8_t phase = r.u8();
    if (phase < static_cast<std::uint8_t>(DepositPhase::kReceiving) ||
        phase > static_cast<std::uint8_t>(DepositPhase::kFailed)) {
        r.refuse(Reason::kBadField);
    }
    s.phase = static_cast<DepositPhase>(phase);
    s.reason = read_reason(r);
    s.bytes = read_size(r);
    s.arrived = r.u64();
    if (s.arrived > s.bytes) r.refuse(Reason::kBadField);
    s.arrived_root = r.fixed<Root>();
    s.terms = r.fixed<Digest>();
    s.until = r.height();
    s.replica = r.fixed<ReplicaId>();
    s.chain = r.fixed<ChainId>();
    s.accepted = r.height();
    s.linked = r.height();
    s.tip = r.height();
    s.counter = r.u64();
    return s;
}

/// Reads off version and kind.
std::uint8_t read_deposit_head(Reader& r, std::uint8_t kind) {
    const std::uint8_t version = r.u8();
    const std::uint8_t got = r.u8();
    if (!r.failed() && version != kProtocolVersion) r.refuse(Reason::kBadVersion);
    if (!r.failed() && got != kind) r.refuse(Reason::kBadKind);
    return r.u8();
}

template <class What>
Writer begin_deposit(std::uint8_t kind, What what, std::size_t bytes) {
    Writer w(3 + bytes);
    w.u8(kProtocolVersion).u8(kind).u8(static_cast<std::uint8_t>(what));
    return w;
}
Writer begin_ask(Ask what, std::size_t bytes) {
    return begin_deposit(kDepositQuestionKind, what, bytes);
}
Writer begin_told(Told what, std::size_t bytes) {
    return begin_deposit(kDepositAnswerKind, what, bytes);
}

Bytes write_question(const AskTerms& q) { return begin_ask(Ask::kTerms, 8).u64(q.bytes).take(); }
Bytes write_question(const OpenDeposit& q) {
    Writer w = begin_ask(Ask::kOpen, 40 + kDepositTermsBytes);
    w.fixed(q.id);
    write_terms(w, q.terms);
    return w.fixed(q.terms.signature).u64(q.bytes).take();
}
Bytes write_question(const SendPiece& q) { return encode_piece(q.id, q.index, q.bytes); }
Bytes write_question(const AskState& q) { return begin_ask(Ask::kState, 32).fixed(q.id).take(); }
Bytes write_question(const FinishDeposit& q) {
    return begin_ask(Ask::kFinish, 128).fixed(q.id).fixed(q.raw_root).fixed(q.signature).take();
}
Bytes write_question(const RemoveDeposit& q) {
    return begin_ask(Ask::kRemove, 104).fixed(q.id).u64(q.counter).fixed(q.signature).take();
}
Bytes write_question(const ListDeposits& q) {
    return begin_ask(Ask::kList, 36).fixed(q.after).u32(q.most).take();
}

Bytes write_answer(const DepositTerms& t) {
    Writer w = begin_told(Told::kTerms, kDepositTermsBytes);
    write_terms(w, t);
    return w.fixed(t.signature).take();
}
Bytes write_answer(const DepositState& s) {
    Writer w = begin_told(Told::kState, kDepositStateBytes);
    write_state(w, s);
    return w.take();
}
Bytes write_answer(const DepositList& list) {
    Writer w = begin_told(Told::kList, 5 + list.deposits.size() * kDepositStateBytes);
    w.u8(list.more ? 1 : 0).u32(static_cast<std::uint32_t>(list.deposits.size()));
    for (const DepositState& one : list.deposits) write_state(w, one);
    return w.take();
}
Bytes write_answer(const DepositRefused& refused) {
    return begin_told(Told::kRefused, 1).u8(static_cast<std::uint8_t>(refused.reason)).take();
}
Bytes write_answer(const DepositBusy& busy) {
    return begin_told(Told::kBusy, 4).u32(busy.retry_ms).take();
}

SendPiece read_piece(Reader& r) {
    SendPiece q;
    q.id = r.fixed<DepositId>();
    q.index = r.u64();
    if (q.index >= kMostPieces) r.refuse(Reason::kBadField);
    if (r.remaining() == 0) r.refuse(Reason::kTruncated);
    if (r.remaining() > kPieceBytes) r.refuse(Reason::kTooLarge);
    if (r.failed()) return q;
    const ByteView piece = r.raw(r.remaining());
    q.bytes.assign(piece.begin(), piece.end());
    return q;
}

RemoveDeposit read_remove(Reader& r) {
    RemoveDeposit q;
    q.id = r.fixed<DepositId>();
    q.counter = r.u64();
    if (q.counter == 0) r.refuse(Reason::kBadField);
    q.signature = r.fixed<Signature>();
    return q;
}

ListDeposits read_list_question(Reader& r) {
    ListDeposits q;
    q.after = r.fixed<DepositId>();
    q.most = r.u32();
    if (q.most == 0 || q.most > kMostListedDeposits) r.refuse(Reason::kBadField);
    return q;
}

DepositQuestion read_question(Reader& r, std::uint8_t what) {
    switch (static_cast<Ask>(what)) {
        case Ask::kTerms:
            return AskTerms{read_size(r)};
        case Ask::kOpen: {
            OpenDeposit q;
            q.id = r.fixed<DepositId>();
            q.terms = read_terms(r);
            q.bytes = read_size(r);
            return q;
        }
        case Ask::kPiece:
            return read_piece(r);
        case Ask::kState:
            return AskState{r.fixed<DepositId>()};
        case Ask::kFinish: {
            FinishDeposit q;
            q.id = r.fixed<DepositId>();
            q.raw_root = r.fixed<Root>();
            q.signature = r.fixed<Signature>();
            return q;
        }
        case Ask::kRemove:
            return read_remove(r);
        case Ask::kList:
            return read_list_question(r);
    }
    r.refuse(Reason::kBadField);
    return AskTerms{};
}

DepositList read_list(Reader& r) {
    DepositList list;
    list.more = read_flag(r);
    const std::uint32_t n = r.u32();
    if (n > kMostListedDeposits || r.remaining() != n * kDepositStateBytes) {
        r.refuse(r.remaining() > n * kDepositStateBytes ? Reason::kTrailingBytes
                                                        : Reason::kTruncated);
        return list;
    }
    list.deposits.reserve(n);
    for (std::uint32_t i = 0; i < n && !r.failed(); ++i) {
        list.deposits.push_back(read_state(r));
        if (i > 0 && !(list.deposits[i - 1].id < list.deposits[i].id)) {
            r.refuse(Reason::kNotCanonical);
        }
    }
    return list;
}

DepositAnswer read_answer(Reader& r, std::uint8_t what) {
    switch (static_cast<Told>(what)) {
        case Told::kTerms:
            return read_terms(r);
        case Told::kState:
            return read_state(r);
        case Told::kList:
            return read_list(r);
        case Told::kRefused: {
            const DepositReason reason = read_reason(r);
            if (reason == DepositReason::kNone) r.refuse(Reason::kBadField);
            return DepositRefused{reason};
        }
        case Told::kBusy: {
            const std::uint32_t retry_ms = r.u32();
            if (retry_ms == 0 || retry_ms > kMostRetryMs) r.refuse(Reason::kBadField);
            return DepositBusy{retry_ms};
        }
    }
    r.refuse(Reason::kBadField);
    return DepositRefused{};
}

}  // namespace

// Spec 16.1: terms.
Digest DepositTerms::digest() const {
    Writer w(kDepositTermsBytes);
    write_terms(w, *this);
    return tagged_hash("deposit/terms", ByteView(w.bytes()));
}

Bytes DepositTerms::encode() const {
    Writer w(kDepositTermsBytes);
    write_terms(w, *this);
    return w.fixed(signature).take();
}

Checked<DepositTerms> DepositTerms::decode(ByteView body) {
    Reader r(body);
    const DepositTerms terms = read_terms(r);
    if (const Verdict form = r.finish(); !form) return refuse(form);
    return terms;
}

Verdict check_terms(const DepositTerms& terms, const NetworkId& network, const PublicKey& prover,
                    const PublicKey& client) {
    if (terms.network != network) return Reason::kWrongNetwork;
    if (terms.prover != prover) return Reason::kWrongProver;
    if (terms.client != client) return Reason::kWrongObject;
    return verify_signature(prover, view(terms.digest()), terms.signature);
}

Bytes DepositState::encode() const {
    Writer w(kDepositStateBytes);
    write_state(w, *this);
    return w.take();
}

Checked<DepositState> DepositState::decode(ByteView body) {
    Reader r(body);
    const DepositState state = read_state(r);
    if (const Verdict form = r.finish(); !form) return refuse(form);
    return state;
}

// Spec 16.1: wishes.
Digest finish_message(const NetworkId& network, const PublicKey& prover, const DepositId& id,
                      std::uint64_t bytes, const Root& raw_root) {
    return tagged_hash("deposit/finish", network, prover, id, bytes, raw_root);
}

Digest remove_message(const NetworkId& network, const PublicKey& prover, const DepositId& id,
                      std::uint64_t counter) {
    return tagged_hash("deposit/remove", network, prover, id, counter);
}

Bytes encode_question(const DepositQuestion& question) {
    return std::visit([](const auto& q) { return write_question(q); }, question);
}

Bytes encode_answer(const DepositAnswer& answer) {
    return std::visit([](const auto& a) { return write_answer(a); }, answer);
}

Bytes encode_piece(const DepositId& id, std::uint64_t index, ByteView piece) {
    return begin_ask(Ask::kPiece, 40 + piece.size()).fixed(id).u64(index).raw(piece).take();
}

Checked<DepositQuestion> decode_deposit_question(ByteView message) {
    Reader r(message);
    const std::uint8_t what = read_deposit_head(r, kDepositQuestionKind);
    if (r.failed()) return refuse(r.verdict());
    DepositQuestion question = read_question(r, what);
    if (const Verdict form = r.finish(); !form) return refuse(form);
    return question;
}

Checked<DepositAnswer> decode_deposit_answer(ByteView message) {
    Reader r(message);
    const std::uint8_t what = read_deposit_head(r, kDepositAnswerKind);
    if (r.failed()) return refuse(r.verdict());
    DepositAnswer answer = read_answer(r, what);
    if (const Verdict form = r.finish(); !form) return refuse(form);
    return answer;
}

std::string_view to_string(DepositPhase phase) {
    switch (phase) {
        case DepositPhase::kReceiving:
            return "receiving";
        case DepositPhase::kSealing:
            return "sealing";
        case DepositPhase::kSealed:
            return "sealed";
        case DepositPhase::kRegistered:
            return "registered";
        case DepositPhase::kProven:
            return "proven";
        case DepositPhase::kExpiring:
            return "expiring";
        case DepositPhase::kEnded:
            return "ended";
        case DepositPhase::kFailed:
            return "failed";
    }
    return "unknown";
}

std::string_view to_string(DepositReason reason) {
    switch (reason) {
        case DepositReason::kNone:
            return "no reason";
        case DepositReason::kNotAllowed:
            return "the prover takes nothing from this key";
        case DepositReason::kQuotaBytes:
            return "this key has as many bytes at the prover as it may";
        case DepositReason::kQuotaCount:
            return "this key has as many deposits at the prover as it may";
        case DepositReason::kNoSpace:
            return "the prover's folders are full";
        case DepositReason::kSize:
            return "smaller or larger than the prover takes";
        case DepositReason::kBadTerms:
            return "not the prover's terms for this client, or no longer valid";
        case DepositReason::kUnknown:
            return "the prover has no such deposit of this client";
        case DepositReason::kConflict:
            return "the id stands for another deposit";
        case DepositReason::kWrongPiece:
            return "no such piece, of another size, or another than arrived before";
        case DepositReason::kNotReceiving:
            return "no pieces are taken any more";
        case DepositReason::kIncomplete:
            return "pieces are missing";
        case DepositReason::kWrongRoot:
            return "what arrived is not what the client finishes";
        case DepositReason::kBadSignature:
            return "the wish is not signed by the owner";
        case DepositReason::kStopped:
            return "the prover takes no new deposits for now";
        case DepositReason::kMalformed:
            return "the question is malformed";
        case DepositReason::kProverFailed:
            return "the prover could not, for reasons of its own";
        case DepositReason::kUploadTime:
            return "the upload was not finished in time";
        case DepositReason::kDamaged:
            return "what arrived has changed on the prover's disk";
        case DepositReason::kNotRegistered:
            return "the chain was not registered in time";
        case DepositReason::kRemoved:
            return "removed by the owner's wish";
        case DepositReason::kChainEnded:
            return "the chain has expired or was removed";
    }
    return "unknown reason";
}

}  // namespace holdfast
