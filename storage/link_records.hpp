// The prover's durable record of what it signed: *.chain files, written before a signature leaves.
//
// One file per chain, records u64 height || block_hash || anchor || link on a RecordLog. It holds
// an exclusive lock on the file for as long as it lives, so that no second process signs for the
// chain. A second link for a recorded (height, block_hash, anchor) is refused forever; the same
// link signs to the same bytes again. Used by one thread at a time. Spec: docs/spec.md sections 7
// and 12.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/keys.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/link.hpp"
#include "storage/record_log.hpp"

namespace holdfast {

struct LinkRecord {
    Height height;
    BlockHash block_hash;
    GlobalDigest anchor;
    Link link;
    friend bool operator==(const LinkRecord&, const LinkRecord&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<LinkRecord> decode(ByteView body);
};

inline constexpr std::size_t kLinkRecordBytes = 8 + 3 * kDigestBytes;

class LinkRecords {
  public:
    /// Creates a missing file. kBusy: another process or object signs for this chain. A torn last
    /// record is cut and shows in recovery(); kCorrupt when more than one record would be lost, or
    /// when the file contradicts itself: then nothing is signed until an operator restores it.
    static Result<LinkRecords> open(const std::filesystem::path& path);
    /// The records of a file without lock or change, for tools.
    static Result<std::vector<LinkRecord>> read(const std::filesystem::path& path);

    [[nodiscard]] const RecordLog::Recovery& recovery() const { return log_.recovery(); }
    [[nodiscard]] std::uint64_t size() const { return log_.records(); }
    /// The link recorded for this height, block and anchor.
    [[nodiscard]] std::optional<Link> find(Height height, const BlockHash& block_hash,
                                           const GlobalDigest& anchor) const;
    /// Everything recorded at a height, one record for each branch.
    [[nodiscard]] std::vector<LinkRecord> at_height(Height height) const;

    /// Makes the record durable, then signs. A triple already recorded with this link signs again
    /// without a new record; with another link: kRefused (kBadLink), nothing is signed. On an I/O
    /// error nothing is signed.
    [[nodiscard]] Result<Receipt> record_then_sign(const NetworkId& network_id,
                                                   const ChainId& chain_id,
                                                   const LinkRecord& record, const KeyPair& key);

  private:
    struct Triple {
        Height height;
        BlockHash block_hash;
        GlobalDigest anchor;
        friend auto operator<=>(const Triple&, const Triple&) = default;
    };
    explicit LinkRecords(RecordLog log) : log_(std::move(log)) {}

    RecordLog log_;
    std::map<Triple, Link> links_;
};

}  // namespace holdfast
