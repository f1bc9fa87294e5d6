// Why a chain or a disk stands as it does, what that costs, what comes next and what to do: the one
// text that the page, /health, the log and `holdfast prover status` show.
//
// Pure functions of what the daemon knows. Heights are the host chain's; "at this rate" is what the
// misses of the newest heights came to (node/miss_trend.hpp). Spec: docs/spec.md sections 3.1,
// 10.4, 10.5 and 15.3.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/params.hpp"
#include "follow/duty_messages.hpp"
#include "node/miss_trend.hpp"

namespace holdfast::node {

/// From the least to the worst.
enum class Concern : std::uint8_t { kNone = 0, kNotice = 1, kWarning = 2, kProblem = 3 };
[[nodiscard]] std::string_view to_string(Concern concern);

/// A part that was owed and not made, or was refused.
struct PartFault {
    Height height;
    std::string what;
};

/// What is known of one replica and its chain; either may be missing.
struct ChainFacts {
    std::optional<FollowedChain> chain;   // as the followed node has it; empty: not registered
    std::string replica;                  // the file; empty: not at hand
    std::string disk;                     // the folder it was found in; empty: named by itself
    std::string error;                    // why it is not linked or not answered for; empty: it is
    bool linked = false;                  // this process signs its links
    std::optional<Height> ends_at;        // where its retention is over
    MissTrend trend;                      // of its misses
    std::optional<PartFault> fault;       // the newest
    std::optional<Height> seal_deadline;  // of a seal proof or audit that is due
};

struct Explanation {
    Concern concern = Concern::kNone;
    std::string state;   // one or two words: "active", "late", "not at hand"
    std::string why;     // what brought it there
    std::string cost;    // what it costs now; empty: nothing
    std::string next;    // what it becomes, and when; empty: nothing is to be expected
    std::string action;  // what to do; empty: nothing
    /// "late: it has missed 104 of …; it does not count as active; …; do: …"
    [[nodiscard]] std::string text() const;
};

/// Of the newest tip that is known.
[[nodiscard]] Explanation explain_chain(const NetworkParams& params, Height tip,
                                        const ChainFacts& facts);

/// What chains have in common that stand alike for one reason on one disk.
struct ChainGroup {
    Explanation explanation;  // of the worst of them
    std::uint64_t chains = 0;
    std::string disk;
    std::string example;  // the worst one's chain id, or file where it has no chain
    /// "412 chains on /mnt/disk3, 9f… among them: late: …"
    [[nodiscard]] std::string text() const;
};

/// Takes chains one by one and keeps groups of those that need attention; the worst first.
class ChainSummary {
  public:
    static constexpr std::size_t kMostGroups = 100;  // the others are counted under "other"

    ChainSummary(const NetworkParams& params, Height tip) : params_(params), tip_(tip) {}
    /// Returns how the chain stands.
    Explanation add(const ChainFacts& facts);
    /// The worst first, and of these those of most chains.
    [[nodiscard]] std::vector<ChainGroup> groups() const;

  private:
    struct Entry {
        ChainGroup group;
        std::uint64_t misses = 0;
    };
    NetworkParams params_;
    Height tip_;
    std::map<std::string, Entry> entries_;
};

// --- disks ---------------------------------------------------------------------------------------

/// What is known of one folder of replicas and the file system below it.
struct DiskFacts {
    std::string path;
    std::uint64_t replicas = 0;
    std::uint64_t total_bytes = 0;  // of the file system; 0: not known
    std::uint64_t free_bytes = 0;
    bool read_only = false;
    std::uint64_t probes = 0;     // reads that were timed, of the newest ones
    std::uint64_t median_us = 0;  // of them
    std::uint64_t worst_us = 0;
    std::uint64_t failed_reads = 0;  // since the start
    std::string error;               // of the newest look or read; empty: none
};
/// `links_ms`: how long a height's links may take.
[[nodiscard]] Explanation explain_disk(std::uint64_t links_ms, const DiskFacts& facts);

}  // namespace holdfast::node
