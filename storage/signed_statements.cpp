#include "storage/signed_statements.hpp"

#include "core/codec.hpp"
#include "core/hash.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kHeadRecord = 1;
constexpr std::uint8_t kStatementsForm = 1;
constexpr std::uint32_t kMaxStatementBytes = 1'024;
constexpr Kind kWithheld{0};
constexpr std::size_t kStatementBytes = 1 + 8 + 32 + 32;

Bytes head_record(const NetworkId& network_id, const PublicKey& key) {
    return Writer(66).u8(kHeadRecord).u8(kStatementsForm).fixed(network_id).fixed(key).take();
}

}  // namespace

Result<SignedStatements> SignedStatements::open(const std::filesystem::path& path,
                                                const NetworkId& network_id, const PublicKey& key) {
    RecordLog::Options options;
    options.max_body_bytes = kMaxStatementBytes;
    options.max_cut_bytes = kRecordHeaderBytes + kStatementBytes;
    HOLDFAST_ASSIGN(log, RecordLog::open(path, options));
    SignedStatements out(std::move(log));
    if (out.log_.records() == 0) {
        HOLDFAST_TRY(out.log_.append(head_record(network_id, key)));
    }
    HOLDFAST_TRY(out.load(network_id, key));
    return out;
}

Result<SignedStatements> SignedStatements::read(const std::filesystem::path& path,
                                                const NetworkId& network_id, const PublicKey& key) {
    RecordLog::Options options;
    options.mode = RecordLog::Mode::kRead;
    options.max_body_bytes = kMaxStatementBytes;
    HOLDFAST_ASSIGN(log, RecordLog::open(path, options));
    SignedStatements out(std::move(log));
    HOLDFAST_TRY(out.load(network_id, key));
    return out;
}

bool SignedStatements::recorded(Kind kind, Height height, const BlockHash& block_hash,
                                ByteView what_is_signed) const {
    const auto known = known_.find({kind, height, block_hash});
    return known != known_.end() && known->second == sha256(what_is_signed);
}

Status SignedStatements::load(const NetworkId& network_id, const PublicKey& key) {
    return log_.for_each([&](std::uint64_t index, ByteView body) -> Status {
        Reader r(body);
        if (index == 0) {
            const bool form = r.u8() == kHeadRecord && r.u8() == kStatementsForm;
            const auto network = r.fixed<NetworkId>();
            const auto owner = r.fixed<PublicKey>();
            if (!form || !r.finish()) {
                return fail(ErrorCode::kCorrupt,
                            log_.path().string() + " is no list of signed statements");
            }
            if (network != network_id) return fail_refused(Reason::kWrongNetwork, "statements");
            if (owner != key) return fail_refused(Reason::kBadKey, "statements of another key");
            return {};
        }
        const auto kind = static_cast<Kind>(r.u8());
        const Height height = r.height();
        const auto block = r.fixed<BlockHash>();
        const auto digest = r.fixed<Digest>();
        if (!r.finish()) {
            return fail(ErrorCode::kCorrupt, log_.path().string() + ": a statement is malformed");
        }
        if (kind == kWithheld) {
            withheld_ = std::max(withheld_.value_or(height), height);
        } else {
            note({kind, height, block}, digest);
        }
        return {};
    });
}

Status SignedStatements::withhold(Height through) {
    if (withheld_ && *withheld_ >= through) return {};
    Writer w(kStatementBytes);
    w.u8(static_cast<std::uint8_t>(kWithheld)).height(through);
    HOLDFAST_TRY(log_.append(w.fixed(BlockHash{}).fixed(Digest{}).bytes()));
    withheld_ = through;
    return {};
}

bool SignedStatements::withheld(Kind kind, Height height, const BlockHash& block_hash) const {
    return withheld_ && height <= *withheld_ && !known_.contains({kind, height, block_hash});
}

void SignedStatements::note(const Place& place, const Digest& digest) {
    const auto& [kind, height, block] = place;
    known_.emplace(place, digest);
    Height& newest = newest_.try_emplace(kind, height).first->second;
    newest = std::max(newest, height);
    for (auto it = known_.lower_bound({kind, Height(0), BlockHash{}});
         it != known_.end() && std::get<0>(it->first) == kind &&
         std::get<1>(it->first) + kRemembered < newest;) {
        it = known_.erase(it);
    }
}

Result<Verdict> SignedStatements::record(Kind kind, Height height, const BlockHash& block_hash,
                                         ByteView what_is_signed) {
    const Digest digest = sha256(what_is_signed);
    const Place place{kind, height, block_hash};
    const auto known = known_.find(place);
    if (known != known_.end()) {
        return Verdict(known->second == digest ? Reason::kOk : Reason::kEvidenceOrder);
    }
    if (withheld(kind, height, block_hash)) return Verdict(Reason::kTooLate);
    const auto newest = newest_.find(kind);
    if (newest != newest_.end() && height + kRemembered < newest->second) {
        return Verdict(Reason::kTooLate);
    }
    Writer w(kStatementBytes);
    w.u8(static_cast<std::uint8_t>(kind)).height(height).fixed(block_hash).fixed(digest);
    HOLDFAST_TRY(log_.append(w.bytes()));
    note(place, digest);
    return Verdict::ok();
}

}  // namespace holdfast
