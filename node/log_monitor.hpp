// Whether what a node has acknowledged stands in the operator's journal, checked from outside.
//
// Keeps every head of the operator that it has seen: each must be signed, and the journal of each
// must begin with that of the one before, whichever node told it and whenever. An acknowledgement
// of height x promises that its object stands in the journal before the digest of x closes (spec
// 13): behind the entries that the head of x - 1 - link_lag covers (as a rule before those of the
// head of x - link_lag), or earlier where the object was repeated. Where the entry is known, a path
// under the newest head shows it; otherwise the range is looked through, and a path shows what was
// found.
//
// Threading: one call at a time. Errors: of the transport and of files; a node that tells what does
// not hold is kRefused, with what shows it in the folder of evidence. Spec: docs/spec.md sections
// 10.8, 13, 14.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/head_file.hpp"
#include "core/params.hpp"
#include "follow/history_client.hpp"
#include "proofs/acknowledgement.hpp"

namespace holdfast::node {

/// One object that an acknowledgement promises.
struct Promise {
    Acknowledgement acknowledgement;
    Digest object;                       // SHA-256 of it standing alone
    std::optional<Digest> leaf;          // hash of its entry, where its bytes are at hand
    std::optional<std::uint64_t> entry;  // where the node said which it is
    std::string name;                    // for whoever reads the result
    [[nodiscard]] static Digest leaf_of(ByteView object);
};

enum class PromiseState {
    kKept,     // it stands in the journal, under a head
    kWaiting,  // its digest has not closed yet
    kUnknown,  // the entries are not kept any more, and the object is not at hand
    kBroken,   // it does not stand where it must
};
[[nodiscard]] std::string_view to_string(PromiseState state);

struct PromiseResult {
    PromiseState state = PromiseState::kWaiting;
    std::optional<std::uint64_t> entry;  // where it stands
    std::optional<Height> head;          // under whose head that was shown
    std::string why;
    std::vector<std::filesystem::path> files;  // that show a broken one
};

/// Where an object stands, as its node said when it acknowledged it.
struct PlacedEntry {
    std::uint64_t entry = 0;
    Digest leaf;
};

class LogMonitor {
  public:
    /// Heights before the exact range that are looked through for a repeated object.
    static constexpr std::uint64_t kLookBack = 64;

    /// `heads`: the file of the heads seen, made when missing. `evidence`: a folder, made when
    /// something is put there.
    static Result<LogMonitor> open(const NetworkParams& params, const std::filesystem::path& heads,
                                   std::filesystem::path evidence);

    /// Takes in the heads that this node tells: from the newest that is known, or else from `from`
    /// on. How many were new. kRefused: one is not signed, is another one than was seen before, or
    /// is of a journal that does not begin with the one before it.
    [[nodiscard]] Result<std::uint64_t> follow(HistoryClient& node, Height from);
    /// Needs the heads to be taken in first.
    [[nodiscard]] Result<PromiseResult> check(HistoryClient& node, const Promise& promise);
    /// Whether each of these (ascending by entry, all below the newest head's size) stands there
    /// under the newest head: their hashes with those between them, and the paths of both ends.
    /// False: not as this node tells it. Errors as of check().
    [[nodiscard]] Result<bool> stand(HistoryClient& node,
                                     std::span<const PlacedEntry> entries) const;
    [[nodiscard]] std::optional<JournalHead> newest() const { return heads_->newest(); }
    /// Of this height the operator has signed two heads; both are in the folder of evidence.
    [[nodiscard]] std::optional<Height> two_heads() const { return two_heads_; }

  private:
    struct Range {
        std::uint64_t first = 0;
        std::uint64_t end = 0;
        bool complete = false;  // nothing can stand in time behind `end`
        std::optional<JournalHead> before;
        JournalHead after;
    };
    LogMonitor(const NetworkParams& params, std::unique_ptr<HeadFile> heads,
               std::filesystem::path evidence);
    Status take_head(HistoryClient& node, const JournalHead& head);
    /// Empty: no head was seen.
    Result<std::optional<Range>> range_of(Height height) const;
    Result<std::optional<JournalHead>> nearest(Height from, bool upwards) const;
    Result<std::optional<std::uint64_t>> look(HistoryClient& node, const Promise& promise,
                                              std::uint64_t first, std::uint64_t end) const;
    Result<bool> run_stands(HistoryClient& node, std::span<const PlacedEntry> run) const;
    Result<PromiseResult> check_entry_of(HistoryClient& node, const Promise& promise,
                                         std::uint64_t entry);
    Result<Verdict> show(HistoryClient& node, const Promise& promise, std::uint64_t entry,
                         const JournalHead& head) const;
    Result<PromiseResult> broken(const Promise& promise, const Range& range);
    Result<std::filesystem::path> keep(const std::string& name, Kind kind, ByteView body) const;

    NetworkParams params_;
    NetworkId network_id_;
    std::unique_ptr<HeadFile> heads_;
    std::filesystem::path evidence_;
    std::optional<Height> two_heads_;
};

}  // namespace holdfast::node
