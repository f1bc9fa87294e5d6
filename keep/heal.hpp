// Rebuilds one shard of a kept file from k others and deposits it with another prover.
//
// What a heal has decided (the prover, its signed terms, the deposits' ids) is durable in an order
// before anything is sent, so that it goes on after a stop or kill -9: only pieces that have not
// arrived are read and sent again, and nothing is ordered twice. The prover takes the deposit only
// when all that arrived has the root of the manifest, so that a heal cannot change a file. The old
// place is let go of by whoever asked for the heal, once the new one is proven (keep/keeper.hpp).
//
// Threading   `ask` and `stop` are called from several threads.
// Memory      what read_shards() takes, and 24 pieces of 1 MiB; whatever the file's size.
// Errors      those of read_shards() and DepositClient; kCorrupt for an order that is damaged.
// Spec: docs/spec.md section 16.
#pragma once

#include <filesystem>
#include <vector>

#include "deposit/client.hpp"
#include "keep/get.hpp"

namespace holdfast {

/// What was ordered for one shard, segment by segment.
struct HealOrder {
    Digest file;                // KeptFile::id()
    std::uint64_t counter = 0;  // of the manifest that it mends
    unsigned shard = 0;
    ProverAddress prover;
    std::vector<DepositOrder> segments;
    friend bool operator==(const HealOrder&, const HealOrder&) = default;

    [[nodiscard]] Bytes encode() const;
    /// kTruncated, kTrailingBytes, kBadField (text, numbers, no segments), and those of the terms.
    [[nodiscard]] static Checked<HealOrder> decode(ByteView bytes);
};

/// FILE-SHARD.heal in a folder.
[[nodiscard]] std::filesystem::path heal_order_path(const std::filesystem::path& folder,
                                                    const Digest& file, unsigned shard);
/// Atomically, replacing what is there.
[[nodiscard]] Status write_heal_order(const std::filesystem::path& folder, const HealOrder& order);
/// Every order in the folder; none where it is missing. kCorrupt names a file that is none.
[[nodiscard]] Result<std::vector<HealOrder>> read_heal_orders(const std::filesystem::path& folder);

struct HealOptions {
    ReadOptions reading;
    DepositClientOptions depositing;
    bool need_hot = true;  // only a prover that keeps the data readable
    std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
};

/// Asks the prover's terms for each segment and draws the deposits' ids. Nothing is sent.
/// kInvalidArgument for a prover that has another shard of the file; kRefused for terms that do
/// not do (too small, not hot).
[[nodiscard]] Result<HealOrder> order_heal(const KeptFile& file, unsigned shard,
                                           const ProverAddress& prover, const KeyPair& owner,
                                           const AskProverOf& ask, const HealOptions& options = {});

struct HealReport {
    std::uint64_t sent = 0;     // bytes
    std::uint64_t resumed = 0;  // bytes that had arrived before
    ReadShardsReport reading;   // of the last segment that was read
};
/// Until all of it has arrived and is agreed on; then the prover seals. May be repeated.
[[nodiscard]] Result<HealReport> carry_out_heal(const KeptFile& file, const HealOrder& order,
                                                const KeyPair& owner, const AskProverOf& ask,
                                                const HealOptions& options = {});

/// The manifest with the shard's new places, signed, its counter one higher. `states`: of the
/// order's deposits, with replica and chain.
[[nodiscard]] Result<KeptFile> healed_file(const KeptFile& file, const HealOrder& order,
                                           std::span<const DepositState> states,
                                           const KeyPair& owner);

}  // namespace holdfast
