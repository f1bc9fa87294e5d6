// y of final heights as this node itself vouches for it, out of what the followed node hands over.
//
// What a prover signs depends on y, so that the followed node's word is not enough (spec 15.8). By
// default y is verified in full here, from the VDF proof that the node hands over; of the node only
// blocks are believed, and which epoch sources have no y. With OutputTrust::kOperator y is used
// where a head of the network's operator covers it and a spot check of its proof did not refute it;
// sources of epochs are verified in full even then. Networks without a VDF: y is computed.
//
// The height before the tip, whose challenges are answered now, goes first, then the tip; older
// ones are given up. A height whose proof is not there yet, or does not hold, is asked for again.
//
// Threading: want() and status() from any thread; run() from one, which calls `on_y`. Ownership:
// the client and the log must outlive it. Memory: one arena or two, and the clock's folder on disk.
// Spec: docs/spec.md sections 5, 6, 14 and 15.8.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clock/public_record.hpp"
#include "clock/vdf_clock.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "follow/client.hpp"
#include "node/log.hpp"
#include "node/output_options.hpp"

namespace holdfast::node {

struct VerifiedOutputStatus {
    std::uint64_t verified = 0;       // heights whose y may be used
    std::uint64_t missed = 0;         // given up: no proof that holds came in time
    std::uint64_t missed_in_row = 0;  // of them since the newest that was verified
    std::uint64_t false_told = 0;     // heights of which the followed node told another y
    std::optional<Height> newest;
    std::string error;  // of the newest try; empty: none
};

/// The followed node's heights as host chain and beacon of a clock.
class FollowedHeights final : public Blockchain, public Beacon {
  public:
    FollowedHeights(const NetworkParams& params, FollowClient& client);
    [[nodiscard]] Result<FollowOutput> fetch(Height height);

    [[nodiscard]] Result<Height> current_height() override;
    [[nodiscard]] Result<BlockInfo> block_by_height(Height height) override;
    /// kPermission: what is published goes another way.
    [[nodiscard]] Status submit(Kind kind, ByteView object) override;
    /// kUnsupported: followers are not told what blocks list.
    [[nodiscard]] Result<std::vector<Submission>> submissions_at(Height height) override;
    [[nodiscard]] Result<std::vector<BondEvent>> bond_events_at(Height height) override;
    /// Of a height that was fetched.
    [[nodiscard]] Result<BeaconRound> randomness(std::uint64_t round) override;
    [[nodiscard]] Status verify(std::uint64_t round, const BeaconRound& value) override;

  private:
    static constexpr std::size_t kKept = 256;
    FollowClient& client_;
    PublicRecord heights_;  // what was fetched
};

class VerifiedOutput {
  public:
    static constexpr std::size_t kMostAsked = 128;
    using OnOutput = std::function<void(Height height, const VdfOutput& y)>;

    /// Errors of VdfClock::open.
    static Result<std::unique_ptr<VerifiedOutput>> open(const NetworkParams& params,
                                                        FollowClient& client,
                                                        const VerifiedOutputOptions& options,
                                                        Log& log, OnOutput on_y);

    /// A new final height; its y, where it is told, is compared and not used.
    void want(Height height, const std::optional<VdfOutput>& told);
    /// One try for a height that is not among those, when there is time; kMostAsked at once.
    void ask(Height height);
    /// Verifies what is wanted, until `stop`.
    void run(const StopCheck& stop);
    /// y of one height, now. kUnavailable: no proof, or no cover; kRefused: they do not hold.
    [[nodiscard]] Result<VdfOutput> verify(Height height, const StopCheck& stop);
    [[nodiscard]] VerifiedOutputStatus status() const;

  private:
    VerifiedOutput(const NetworkParams& params, FollowClient& client,
                   const VerifiedOutputOptions& options, Log& log, OnOutput on_y);
    [[nodiscard]] Result<VdfProof> proof_of(Height height);
    [[nodiscard]] Result<VdfOutput> covered(Height height, const StopCheck& stop);
    [[nodiscard]] std::vector<Height> waiting() const;
    [[nodiscard]] bool take_news();
    [[nodiscard]] std::optional<Height> take_asked();
    void step(Height height, const StopCheck& stop);
    void try_asked(Height height, const StopCheck& stop);
    [[nodiscard]] bool still_wanted(Height height) const;
    void take(Height height, const VdfOutput& y);
    void note_failure(Height height, const Error& error);

    const NetworkParams params_;
    const NetworkId network_id_;
    const VerifiedOutputOptions options_;
    Log& log_;
    const OnOutput on_y_;
    FollowedHeights heights_;
    std::optional<VdfClock> clock_;  // run()'s own

    mutable std::mutex mutex_;  // guards everything below
    bool news_ = false;
    std::map<Height, std::optional<VdfOutput>> wanted_;  // and what was told
    std::set<Height> asked_;
    std::optional<Height> tip_;
    VerifiedOutputStatus status_;
};

}  // namespace holdfast::node
