// A challenger's own durable record of its challenges, from the draw to the published outcome.
//
//   planned    drawn; to leave at its moment
//   sent       may have left: it must never leave again
//   measured   answered, or not: what the outcome will say is decided
//   published  the host has taken challenge and outcome
//   abandoned  nothing can be said of it: its time passed before it left, or the process that sent
//              it ended before the answer was judged. No outcome, so nobody is blamed for a crash
//              of ours
//
// A state is on the device before what it allows is done, so that after kill -9 no challenge leaves
// twice, no measured outcome is lost and none is made up. open() abandons what was sent and not
// measured. Heights below the floor have been forgotten and are refused.
//
// Threading: any thread. One process at a time (kBusy), one journal for each challenger's key.
// Failure: kCorrupt, kOutOfSpace, kIo; kRefused (kWrongNetwork). Spec: docs/spec.md section 8.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/availability_verify.hpp"

namespace holdfast {

enum class JournalState : std::uint8_t {
    kPlanned = 1,
    kSent = 2,
    kMeasured = 3,
    kPublished = 4,
    kAbandoned = 5,
};
std::string_view to_string(JournalState state);

struct JournalEntry {
    Challenge2 challenge;
    PublicKey prover;  // whom it goes to
    Root sealed_root;
    ChunkCount chunks;
    std::vector<std::uint64_t> selected;  // what is asked, in the order of selection
    std::uint32_t moment_ms = 0;          // after the arrival of final block height + 1
    JournalState state = JournalState::kPlanned;
    std::optional<Outcome2> outcome;  // from kMeasured on
    bool answer_kept = false;         // the signed response lies beside it
    friend bool operator==(const JournalEntry&, const JournalEntry&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<JournalEntry> decode(ByteView bytes);
};

/// What names a challenge: there is at most one for a chain and height.
struct ChallengeKey {
    Height height;
    ChainId chain_id;
    friend auto operator<=>(const ChallengeKey&, const ChallengeKey&) = default;
};
[[nodiscard]] inline ChallengeKey key_of(const Challenge2& c) { return {c.height, c.chain_id}; }

class ChallengeJournal {
  public:
    struct Options {
        std::uint64_t map_bytes = std::uint64_t{4} << 30;  // largest size on disk
    };
    static Result<std::unique_ptr<ChallengeJournal>> open(const std::filesystem::path& folder,
                                                          const NetworkId& network,
                                                          const Options& options);
    static Result<std::unique_ptr<ChallengeJournal>> open(const std::filesystem::path& folder,
                                                          const NetworkId& network) {
        return open(folder, network, Options{});
    }
    ~ChallengeJournal();

    /// Sent by an earlier process and abandoned when this journal was opened.
    [[nodiscard]] std::uint64_t abandoned_at_open() const;

    /// Everything drawn at one height, in one transaction; what is there already stays as it is.
    /// The number that is new. kInvalidArgument below the floor.
    [[nodiscard]] Result<std::uint64_t> plan(Height height, std::span<const JournalEntry> drawn);
    /// Marks those of `keys` that are planned as sent and returns them: only they may leave.
    [[nodiscard]] Result<std::vector<JournalEntry>> begin_sending(
        std::span<const ChallengeKey> keys);
    /// Of a sent challenge. `answer`: kept when it is given. kInvalidArgument in any other state.
    [[nodiscard]] Status note_outcome(const ChallengeKey& key, const Outcome2& outcome,
                                      const std::optional<Bytes>& answer = std::nullopt);
    [[nodiscard]] Status mark_published(std::span<const ChallengeKey> keys);
    /// Of planned or sent challenges; others stay as they are. How many it were.
    [[nodiscard]] Result<std::uint64_t> abandon(std::span<const ChallengeKey> keys);

    [[nodiscard]] Result<std::optional<JournalEntry>> find(const ChallengeKey& key) const;
    /// Ascending by height and chain; all states, or one.
    [[nodiscard]] Result<std::vector<JournalEntry>> entries(
        std::optional<JournalState> state = std::nullopt) const;
    /// The kept answer. kNotFound.
    [[nodiscard]] Result<Bytes> answer(const ChallengeKey& key) const;
    /// Forgets heights below `floor`, which never goes down. What is measured and not published
    /// stays.
    [[nodiscard]] Status forget(Height floor);

  private:
    class Impl;
    explicit ChallengeJournal(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
