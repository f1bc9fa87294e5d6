// The durable record of what one key signed for many chains: one folder instead of a *.chain file
// each, and one wait for the device for all links of a block.
//
// The same guarantees as LinkRecords (storage/link_records.hpp): a link is on the device before it
// can be signed here, a second link for a recorded (chain, height, block_hash, anchor) is refused,
// and the folder is locked for as long as this lives, so that no second process signs with it.
// Beyond that, records of old heights are let go: links below floor(), which never falls, are
// refused forever, so that what has been forgotten cannot be contradicted. With `kept_heights`
// heights of 100,000 chains the records take 6.4 MB a height, on disk and in memory.
//
// Folder    lock, and NUMBER.links, record files (storage/record_log.hpp) of about kept_heights
//           each.
// Threading find(), sign(), places() and floor() from any thread, also while one records: they do
// not
//           wait for the device. record() one call at a time.
// Errors    kBusy, kCorrupt (more than what one interrupted record() could have left would be
//           lost, a file is missing or contradicts another), kRefused (of another network or
//           key), kUnsupported (a newer form), those of RecordLog. After an I/O error nothing was
//           recorded.
// Spec: docs/spec.md sections 7 and 12, B80.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <vector>

#include "core/keys.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/link.hpp"
#include "storage/file.hpp"
#include "storage/record_log.hpp"

namespace holdfast {

/// What all links of one block and branch have in common.
struct LinkPlace {
    Height height;
    BlockHash block_hash;
    GlobalDigest anchor;
    friend auto operator<=>(const LinkPlace&, const LinkPlace&) = default;
};

struct ChainLink {
    ChainId chain_id;
    Link link;
    friend auto operator<=>(const ChainLink&, const ChainLink&) = default;
};

class LinkSetRecords {
  public:
    struct Options {
        std::uint32_t kept_heights = 16;  // at least 2
    };

    /// Makes a missing folder (its parent must exist).
    static Result<LinkSetRecords> open(const std::filesystem::path& folder,
                                       const NetworkId& network_id, const PublicKey& prover,
                                       const Options& options);
    static Result<LinkSetRecords> open(const std::filesystem::path& folder,
                                       const NetworkId& network_id, const PublicKey& prover) {
        return open(folder, network_id, prover, Options{});
    }

    /// Makes the links durable, all with one wait. `links` ascends by chain id. One verdict each:
    /// ok (on the device, now or since earlier), kBadLink (another one is recorded), kTooLate
    /// (below the floor).
    [[nodiscard]] Result<std::vector<Verdict>> record(const LinkPlace& place,
                                                      std::span<const ChainLink> links);
    [[nodiscard]] std::optional<Link> find(const LinkPlace& place, const ChainId& chain_id) const;
    /// Signs a recorded link; kRefused (kBadLink) for one that is not recorded.
    [[nodiscard]] Result<Receipt> sign(const LinkPlace& place, const ChainLink& link,
                                       const KeyPair& key) const;

    /// Where links are on record, ascending.
    [[nodiscard]] std::vector<LinkPlace> places() const;
    /// Below it everything is forgotten.
    [[nodiscard]] Height floor() const;
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    /// What opening cut from the newest file: an interrupted record(), whose links nobody signed.
    [[nodiscard]] std::uint64_t cut_bytes() const { return cut_bytes_; }

  private:
    LinkSetRecords(std::filesystem::path folder, const NetworkId& network_id,
                   const PublicKey& prover, const Options& options, File lock);

    [[nodiscard]] std::filesystem::path file(std::uint64_t number) const;
    [[nodiscard]] Bytes head(std::uint64_t number) const;
    Status load();
    Status load_file(RecordLog& log, std::uint64_t number);
    Status load_links(const RecordLog& log, ByteView body);
    Status start_file(std::uint64_t number);
    Status make_room(Height height);
    void note(const LinkPlace& place, std::span<const ChainLink> links);
    void raise_floor(Height newest);

    std::filesystem::path folder_;
    NetworkId network_id_;
    PublicKey prover_;
    Options options_;
    File lock_;
    std::optional<RecordLog> log_;           // the newest file
    std::map<std::uint64_t, Height> files_;  // number -> highest height in it
    std::optional<Height> first_in_log_;     // lowest height in the newest file
    Height floor_in_head_{0};                // as the newest file states it
    std::uint64_t cut_bytes_ = 0;
    // Guards the two below; shared by those who read, taken alone by note() and while it is opened.
    std::unique_ptr<std::shared_mutex> mutex_ = std::make_unique<std::shared_mutex>();
    Height floor_{0};
    std::map<LinkPlace, std::vector<ChainLink>> links_;  // each ascending by chain id
};

}  // namespace holdfast
