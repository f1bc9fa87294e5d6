#include "node/explain.hpp"

#include <algorithm>
#include <tuple>

#include "api/forecast.hpp"
#include "node/own_chains.hpp"

namespace holdfast::node {
namespace {

std::string at(Height height) { return std::to_string(height.value); }

std::string duration(std::uint64_t ms) {
    constexpr std::uint64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;
    if (ms < 2 * kMinute) return std::to_string(ms / 1'000) + " s";
    if (ms < 2 * kHour) return std::to_string(ms / kMinute) + " min";
    if (ms < 2 * kDay) return std::to_string(ms / kHour) + " h";
    return std::to_string(ms / kDay) + " days";
}

/// One chain's explanation in the making.
struct Case {
    const NetworkParams& params;
    Height tip;
    const ChainFacts& facts;

    [[nodiscard]] const FollowedChain& chain() const { return *facts.chain; }

    [[nodiscard]] std::string in(std::uint64_t heights) const {
        return "in about " + with_commas(heights) + " heights (" +
               duration(heights * params.block_ms) + ", height " + at(tip + heights) + ")";
    }
    /// "104 misses in the last 2,070 heights, 87 of them since height 1200"
    [[nodiscard]] std::string missed() const {
        std::string out = with_commas(chain().misses) + " misses in the last " +
                          with_commas(params.rate_window) + " heights";
        const auto since = facts.trend.since();
        if (since && facts.trend.misses_now() > facts.trend.misses_then()) {
            out += ", " + with_commas(facts.trend.misses_now() - facts.trend.misses_then()) +
                   " more than at height " + at(*since);
        } else if (since && facts.trend.misses_now() < facts.trend.misses_then()) {
            out += ", and falling since height " + at(*since);
        }
        return out;
    }
    /// Why parts are not made on this machine; empty: nothing is known.
    [[nodiscard]] std::string cause() const {
        if (facts.replica.empty()) return "its replica is not at hand";
        if (!facts.error.empty()) return "replica " + facts.replica + ": " + facts.error;
        if (facts.fault) {
            return "at height " + at(facts.fault->height) + ": " + facts.fault->what;
        }
        return {};
    }
    [[nodiscard]] std::string remedy() const {
        if (facts.replica.empty()) return "mount its disk, or name its folder in [[folders]]";
        if (!facts.error.empty()) {
            return "make " + facts.replica +
                   " readable again (mount, repair, restore), then: "
                   "holdfast prover rescan";
        }
        if (facts.fault) {
            return "look at " + facts.replica + ": holdfast scrub; repair it or take it out";
        }
        return "see links.fault in the log, and whether links reach the nodes in time";
    }
    [[nodiscard]] bool makes_parts() const {
        return facts.linked && facts.error.empty() && !facts.replica.empty();
    }
    /// The next threshold that misses pass, at this rate or, where nothing is made, at the latest.
    [[nodiscard]] std::string crossing() const {
        const bool late = chain().misses > params.misses_late;
        const std::uint64_t threshold = late ? params.misses_expired : params.misses_late;
        const std::string what = late ? "expired" : "late";
        if (const auto heights = facts.trend.heights_until(threshold)) {
            return what + " " + in(*heights) + " at this rate";
        }
        if (!makes_parts() && chain().misses <= threshold) {
            return what + " at the latest " + in(threshold + 1 - chain().misses) +
                   ": each height without a counted link is a miss or more";
        }
        if (late) {
            if (const auto heights = facts.trend.heights_until_below(params.misses_late)) {
                return "active again " + in(*heights) + " at this rate";
            }
            return "active again once " + with_commas(chain().misses - params.misses_late) +
                   " misses have left the window";
        }
        return {};
    }
};

Explanation not_registered(const Case& c) {
    const ChainFacts& f = c.facts;
    if (!f.linked && !f.error.empty()) {
        return {Concern::kProblem,
                "unusable",
                "replica " + f.replica + ": " + f.error,
                "nothing is proven for it, and it earns nothing",
                {},
                "repair or replace the file, or take it out: holdfast prover remove " + f.replica};
    }
    return {Concern::kNotice,
            "not registered",
            "the followed node knows no chain of it",
            "it earns nothing yet",
            {},
            "none while a registration is under way; else set [prover] bond, or --bond"};
}

Explanation pending(const Case& c) {
    Explanation out{Concern::kNotice,
                    "sealing",
                    "registered at height " + at(c.chain().accepted) +
                        "; its seal proof has not been taken yet",
                    "it holds no slot and earns nothing yet",
                    {},
                    {}};
    const Height deadline = c.facts.seal_deadline.value_or(
        c.chain().accepted + (c.params.seal_delay + c.params.seal_deadline));
    out.next = "void at height " + at(deadline) +
               " without a seal proof: its deposit is lost, and its replica id burnt";
    if (c.makes_parts()) return out;
    out.concern = Concern::kProblem;
    out.why += "; " + c.cause();
    out.action = c.remedy();
    return out;
}

Explanation active(const Case& c) {
    const std::uint64_t misses = c.chain().misses;
    const bool failing = !c.makes_parts() || c.facts.fault;
    Explanation out{Concern::kNone, "active", {}, {}, {}, {}};
    if (misses == 0 && !failing) {
        out.why = "no misses in the last " + with_commas(c.params.rate_window) + " heights";
        return out;
    }
    out.why = c.missed();
    if (failing) out.why += "; " + c.cause();
    out.next = c.crossing();
    const bool near = 2 * misses >= c.params.misses_late;
    const bool growing = c.facts.trend.heights_until(c.params.misses_late).has_value();
    if (!c.makes_parts()) {
        out.state = c.facts.replica.empty() ? "not at hand" : "unreadable";
        out.concern = Concern::kProblem;
        out.cost = "every height is a miss";
    } else if (near || (growing && failing)) {
        out.concern = Concern::kWarning;
    } else if (growing || failing) {
        out.concern = Concern::kNotice;
    }
    if (out.cost.empty() && out.concern != Concern::kNone) {
        out.cost =
            "nothing yet; more than " + with_commas(c.params.misses_late) + " misses are late";
    }
    if (out.concern >= Concern::kWarning || failing) out.action = c.remedy();
    if (c.facts.ends_at && c.facts.ends_at->since(c.tip) <= c.params.rate_window) {
        out.concern = std::max(out.concern, Concern::kNotice);
    }
    return out;
}

/// Misses, the quorum's suspension, or an audit that was missed and is open (spec 8 and 15.3).
Explanation late(const Case& c) {
    Explanation out{Concern::kProblem, "late", {}, "it does not count as active", {}, {}};
    if (c.chain().misses > c.params.misses_late) {
        out.why = c.missed() + " (late above " + with_commas(c.params.misses_late) + ")";
        if (const std::string cause = c.cause(); !cause.empty()) out.why += "; " + cause;
        out.next = c.crossing();
        out.action = c.makes_parts() && !c.facts.fault && out.next.starts_with("active")
                         ? "keep it running: misses leave the window by themselves"
                         : c.remedy();
        return out;
    }
    if (c.facts.seal_deadline) {
        out.why = "an audit was missed and is open; its proof is due by height " +
                  at(*c.facts.seal_deadline);
        out.next = "the third miss of one audit costs its part of the bond";
        out.action = c.makes_parts()
                         ? "leave it running: the proof is made now; see seal.failed in the log"
                         : c.remedy();
        return out;
    }
    out.why = "suspended with " + c.missed() + ": " + std::to_string(c.params.quorum) + " of its " +
              std::to_string(c.params.quorum_of) +
              " newest challenges went unanswered or came late (or an audit is open)";
    out.next = "active again once answers in time outweigh them, or they are older than " +
               with_commas(c.params.quorum_window) + " heights";
    out.action =
        "see that [transport] listen can be reached from outside, and that its disk "
        "answers within " +
        std::to_string(c.params.deadline_ms) + " ms";
    return out;
}

Explanation removing(const Case& c) {
    Explanation out{
        Concern::kNotice,
        "leaving",
        "its removal was accepted" +
            (c.chain().removal_at ? " at height " + at(*c.chain().removal_at) : std::string()),
        "links are owed until its slot is vacant",
        {},
        "keep the replica until its liability is over"};
    if (c.chain().removal_at) {
        const Height vacant = *c.chain().removal_at + c.params.removal_delay;
        out.next = "vacant at height " + at(vacant) + ", liable for " +
                   with_commas(c.params.liability_blocks) + " heights more";
    }
    if (!c.makes_parts()) {
        out.concern = Concern::kProblem;
        out.why += "; " + c.cause();
        out.action = c.remedy();
    }
    return out;
}

Explanation expired(const Case& c) {
    Explanation out{
        Concern::kProblem, "expired", {}, "its slot is vacant: it earns nothing more", {}, {}};
    if (c.chain().part_taken) {
        out.why = "its part of the bond was taken (evidence, or an audit without an answer)";
    } else if (c.chain().misses > c.params.misses_expired) {
        out.why = c.missed() + " (expired above " + with_commas(c.params.misses_expired) + ")";
    } else {
        out.why = "its retention was over" +
                  (c.facts.ends_at ? " at height " + at(*c.facts.ends_at) : std::string());
        out.concern = Concern::kNotice;
    }
    out.next =
        "its bond stays liable" +
        (c.chain().liable_until ? " until height " + at(*c.chain().liable_until)
                                : " for " + with_commas(c.params.liability_blocks) + " heights");
    out.action =
        "keep the replica until then: audits go on; to go on proving the data, seal it "
        "anew and register that";
    return out;
}

Explanation liable(const Case& c) {
    Explanation out{
        Concern::kNotice,
        "liable",
        "its slot is vacant" +
            (c.chain().vacant_from ? " since height " + at(*c.chain().vacant_from) : std::string()),
        "audits go on, and it earns nothing",
        "its bond is free after height " + (c.chain().liable_until
                                                ? at(*c.chain().liable_until)
                                                : std::string("of its liability's end")),
        "keep the replica until then"};
    if (!c.makes_parts()) {
        out.concern = Concern::kProblem;
        out.why += "; " + c.cause();
        out.cost = "an audit that is not answered costs its part of the bond";
        out.action = c.remedy();
    }
    return out;
}

Explanation over(const Case& c, const char* state, Concern concern, std::string why,
                 std::string cost) {
    Explanation out{Concern::kNone, state, std::move(why), std::move(cost), {}, {}};
    if (c.facts.replica.empty()) return out;  // nothing of it is left here
    out.concern = concern;
    out.action = "take it out: holdfast prover remove " + c.facts.replica;
    return out;
}

Explanation by_status(const Case& c) {
    switch (c.chain().status.value_or(ChainStatus::kActive)) {
        case ChainStatus::kLate:
            return late(c);
        case ChainStatus::kRemoving:
            return removing(c);
        case ChainStatus::kExpired:
            return expired(c);
        case ChainStatus::kActive:
            break;
    }
    return active(c);
}

Explanation by_phase(const Case& c) {
    switch (c.chain().phase) {
        case ChainPhase::kPending:
            return pending(c);
        case ChainPhase::kLiable:
            return liable(c);
        case ChainPhase::kVoid:
            return over(c, "void", Concern::kWarning,
                        "no seal proof of it was taken by its deadline (registered at height " +
                            at(c.chain().accepted) + ")",
                        "its deposit is lost; the data must be sealed anew");
        case ChainPhase::kEnded:
            return over(c, "ended", Concern::kNotice,
                        "its liability is over" +
                            (c.chain().removal_at
                                 ? ", its end was asked for at height " + at(*c.chain().removal_at)
                                 : std::string()),
                        {});
        case ChainPhase::kSealed:
            break;
    }
    if (c.chain().part_taken) return expired(c);
    return by_status(c);
}

void add(std::string& out, const char* before, const std::string& part) {
    if (!part.empty()) out += before + part;
}

/// Active, linked, and without a miss: active() has no more to say of it.
bool is_untroubled(const NetworkParams& params, Height tip, const ChainFacts& facts) {
    const bool ends = facts.ends_at && facts.ends_at->since(tip) <= params.rate_window;
    return facts.chain && facts.chain->phase == ChainPhase::kSealed && !facts.chain->part_taken &&
           facts.chain->status == std::optional(ChainStatus::kActive) && facts.chain->misses == 0 &&
           facts.linked && facts.error.empty() && !facts.replica.empty() && !facts.fault && !ends;
}

/// Why what is owed is not made here, in a word; empty: it is made.
std::string fault_here(const ChainFacts& facts) {
    if (facts.replica.empty()) return "away";
    if (!facts.error.empty()) return "error";
    return facts.fault ? "fault" : "";
}

/// What chains share that are told together: of faults of this machine the disk, too.
std::string group_key(const ChainFacts& facts, const Explanation& e) {
    const std::string here = fault_here(facts);
    return std::to_string(3 - static_cast<int>(e.concern)) + "\n" + e.state + "\n" + here + "\n" +
           (here.empty() ? std::string() : facts.disk);
}

}  // namespace

std::string_view to_string(Concern concern) {
    switch (concern) {
        case Concern::kNone:
            return "none";
        case Concern::kNotice:
            return "notice";
        case Concern::kWarning:
            return "warning";
        case Concern::kProblem:
            return "problem";
    }
    return "none";
}

std::string Explanation::text() const {
    std::string out = state + ": " + why;
    add(out, "; costs: ", cost);
    add(out, "; next: ", next);
    add(out, "; do: ", action);
    return out;
}

Explanation explain_chain(const NetworkParams& params, Height tip, const ChainFacts& facts) {
    const Case c{params, tip, facts};
    if (!facts.chain) return not_registered(c);
    Explanation out = by_phase(c);
    if (owes(*facts.chain) && facts.ends_at && tip < *facts.ends_at &&
        facts.ends_at->since(tip) <= params.rate_window) {
        add(out.next, out.next.empty() ? "" : "; ",
            "its retention is over at height " + at(*facts.ends_at));
    }
    if (facts.chain->update_due && owes(*facts.chain)) {
        add(out.next, out.next.empty() ? "" : "; ",
            "a new base of its reveal chain is made from height " + at(*facts.chain->update_due) +
                " on");
    }
    return out;
}

// --- many chains ---------------------------------------------------------------------------------

std::string ChainGroup::text() const {
    std::string out = chains == 1 ? "chain " + example
                                  : with_commas(chains) + " chains, " + example + " among them";
    if (!disk.empty()) out += ", on " + disk;
    return out + ": " + explanation.text();
}

Explanation ChainSummary::add(const ChainFacts& facts) {
    // Nearly all of a hundred thousand chains: without a text that nobody would read.
    if (is_untroubled(params_, tip_, facts)) return {Concern::kNone, "active", {}, {}, {}, {}};
    Explanation e = explain_chain(params_, tip_, facts);
    if (e.concern == Concern::kNone) return e;
    std::string key = group_key(facts, e);
    if (!entries_.contains(key) && entries_.size() >= kMostGroups) key = "9other";
    Entry& entry = entries_[key];
    const std::uint64_t misses = facts.chain ? facts.chain->misses : 0;
    if (entry.group.chains++ == 0 || misses > entry.misses) {
        entry.misses = misses;
        entry.group.explanation = e;
        entry.group.disk = fault_here(facts).empty() ? std::string() : facts.disk;
        entry.group.example = facts.chain ? to_hex(facts.chain->chain_id) : facts.replica;
    }
    return e;
}

std::vector<ChainGroup> ChainSummary::groups() const {
    std::vector<ChainGroup> out;
    for (const auto& [key, entry] : entries_) out.push_back(entry.group);
    std::sort(out.begin(), out.end(), [](const ChainGroup& a, const ChainGroup& b) {
        return std::tie(b.explanation.concern, b.chains, a.explanation.state, a.example) <
               std::tie(a.explanation.concern, a.chains, b.explanation.state, b.example);
    });
    return out;
}

// --- disks ---------------------------------------------------------------------------------------

Explanation explain_disk(std::uint64_t links_ms, const DiskFacts& facts) {
    constexpr std::uint64_t kSlowUs = 200'000;  // a healthy hard disk needs a tenth of it
    if (!facts.error.empty()) {
        return {Concern::kProblem,
                "failing",
                facts.error,
                "each of its " + with_commas(facts.replicas) + " replicas misses what it owes",
                "their chains become late, then expire",
                "see the kernel's log for this disk; mount or replace it, then: holdfast prover "
                "rescan"};
    }
    if (facts.read_only) {
        return {Concern::kWarning,
                "read-only",
                "its file system is mounted read-only",
                "no registration can be written beside its replicas",
                {},
                "a file system that turns read-only by itself has seen errors: check the disk"};
    }
    if (facts.failed_reads > 0) {
        return {Concern::kWarning,
                "faulty",
                with_commas(facts.failed_reads) + " reads have failed since the start",
                "a link whose cell cannot be read is a miss",
                {},
                "holdfast scrub over its replicas, and prepare to move them"};
    }
    const std::string latency = "a read takes " + with_commas(facts.median_us) + " us, at worst " +
                                with_commas(facts.worst_us) + " us";
    if (facts.probes > 0 && facts.median_us > kSlowUs) {
        const bool all_in_time = facts.replicas * facts.median_us / 1'000 <= links_ms;
        return {Concern::kWarning,
                "slow",
                latency + " (median of " + with_commas(facts.probes) + ")",
                all_in_time ? "little is left for other work"
                            : "read one after another, its replicas' cells take longer than a "
                              "height has",
                {},
                "see what else uses the disk; a disk that slows down by itself is often dying"};
    }
    return {
        Concern::kNone, "good", facts.probes > 0 ? latency : "no read was timed yet", {}, {}, {}};
}

}  // namespace holdfast::node
