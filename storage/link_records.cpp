#include "storage/link_records.hpp"

#include "core/codec.hpp"

namespace holdfast {
namespace {

RecordLog::Options log_options(RecordLog::Mode mode) {
    RecordLog::Options options;
    options.mode = mode;
    options.max_body_bytes = kLinkRecordBytes;
    // Every record is on the device before the next is written: only the last can be torn. Losing
    // more would forget links whose signatures have left.
    options.max_cut_bytes = kRecordHeaderBytes + kLinkRecordBytes;
    return options;
}

Result<LinkRecord> decode_stored(const RecordLog& log, std::uint64_t index, ByteView body) {
    const auto record = LinkRecord::decode(body);
    if (record) return *record;
    return fail(ErrorCode::kCorrupt, log.path().string() + ": record " + std::to_string(index) +
                                         " is no link record; restore the file");
}

}  // namespace

// Spec 12: the body of a *.chain record.
Bytes LinkRecord::encode() const {
    Writer w(kLinkRecordBytes);
    w.height(height).fixed(block_hash).fixed(anchor).fixed(link);
    return w.take();
}

Checked<LinkRecord> LinkRecord::decode(ByteView body) {
    Reader r(body);
    LinkRecord out;
    out.height = r.height();
    out.block_hash = r.fixed<BlockHash>();
    out.anchor = r.fixed<GlobalDigest>();
    out.link = r.fixed<Link>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

Result<LinkRecords> LinkRecords::open(const std::filesystem::path& path) {
    HOLDFAST_ASSIGN(log, RecordLog::open(path, log_options(RecordLog::Mode::kReadWrite)));
    LinkRecords out(std::move(log));
    HOLDFAST_TRY(out.log_.for_each([&](std::uint64_t index, ByteView body) -> Status {
        HOLDFAST_ASSIGN(record, decode_stored(out.log_, index, body));
        const auto [at, is_new] = out.links_.try_emplace(
            Triple{record.height, record.block_hash, record.anchor}, record.link);
        if (is_new || at->second == record.link) return {};
        return fail(ErrorCode::kCorrupt, out.log_.path().string() +
                                             ": holds two links for height " +
                                             std::to_string(record.height.value) +
                                             " on one branch; nothing will be signed with it");
    }));
    return out;
}

Result<std::vector<LinkRecord>> LinkRecords::read(const std::filesystem::path& path) {
    HOLDFAST_ASSIGN(log, RecordLog::open(path, log_options(RecordLog::Mode::kRead)));
    std::vector<LinkRecord> out;
    HOLDFAST_TRY(log.for_each([&](std::uint64_t index, ByteView body) -> Status {
        HOLDFAST_ASSIGN(record, decode_stored(log, index, body));
        out.push_back(record);
        return {};
    }));
    return out;
}

std::optional<Link> LinkRecords::find(Height height, const BlockHash& block_hash,
                                      const GlobalDigest& anchor) const {
    const auto at = links_.find({height, block_hash, anchor});
    if (at == links_.end()) return std::nullopt;
    return at->second;
}

std::vector<LinkRecord> LinkRecords::at_height(Height height) const {
    std::vector<LinkRecord> out;
    for (auto at = links_.lower_bound({height, {}, {}});
         at != links_.end() && at->first.height == height; ++at) {
        out.push_back({height, at->first.block_hash, at->first.anchor, at->second});
    }
    return out;
}

// Spec 7: recorded durably before a signature leaves; no second link.
Result<Receipt> LinkRecords::record_then_sign(const NetworkId& network_id, const ChainId& chain_id,
                                              const LinkRecord& record, const KeyPair& key) {
    const Triple triple{record.height, record.block_hash, record.anchor};
    const auto known = links_.find(triple);
    if (known == links_.end()) {
        HOLDFAST_TRY(log_.append(record.encode()));
        links_.emplace(triple, record.link);
    } else if (known->second != record.link) {
        return fail_refused(Reason::kBadLink,
                            "a second link for height " + std::to_string(record.height.value) +
                                " (the recorded one is " + to_hex(view(known->second)) + ")");
    }
    Receipt receipt{record.link, record.height, record.anchor, {}};
    HOLDFAST_ASSIGN(signature,
                    key.sign(view(receipt_digest(network_id, chain_id, record.height,
                                                 record.block_hash, record.anchor, record.link))));
    receipt.signature = signature;
    return receipt;
}

}  // namespace holdfast
