// What a node on an embedded chain tells of its network's history.
//
// Threading: as HistorySource; what is named must outlive it. Spec: docs/spec.md section 14.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>

#include "api/head_file.hpp"
#include "availability/peer_budget.hpp"
#include "embedded/bond_ledger.hpp"
#include "embedded/local_chain.hpp"
#include "follow/history_service.hpp"

namespace holdfast::node {

/// The newest copy of a ledger, as a file; another is made for who asks when it has become old.
/// Threading: any. Errors: kNotFound where there is none (yet) and for pieces of a copy that has
/// been replaced, those of files.
class LedgerCopies {
  public:
    static constexpr std::uint64_t kLeastAgeNs = 5'000'000'000;

    /// Of a node's own ledger, copied to `file` for who asks.
    LedgerCopies(BondLedger& ledger, std::filesystem::path file, MonotonicNs clock)
        : ledger_(&ledger), path_(std::move(file)), clock_(std::move(clock)) {}
    /// Of a replica, which hands on the copy that it has: `file` is replaced whole, or not there.
    LedgerCopies(std::filesystem::path file, MonotonicNs clock)
        : path_(std::move(file)), clock_(std::move(clock)) {}
    [[nodiscard]] Result<LedgerCopy> newest();
    [[nodiscard]] Result<Bytes> piece(const LedgerPieceQuestion& question);

  private:
    struct Made {
        LedgerCopy copy;
        File file;
        std::uint64_t at_ns = 0;
    };
    BondLedger* const ledger_ = nullptr;
    const std::filesystem::path path_;
    const MonotonicNs clock_;
    std::mutex mutex_;  // guards made_; held while a copy is made
    std::optional<Made> made_;
};

/// `ledger` null: no copies of it.
[[nodiscard]] HistorySource history_source(const Registry& registry, LocalChain& chain,
                                           const HeadFile& heads, LedgerCopies* ledger);

/// The whole content's SHA-256.
[[nodiscard]] Result<Digest> hash_of_file(const File& file);

}  // namespace holdfast::node
