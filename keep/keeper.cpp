#include "keep/keeper.hpp"

#include <algorithm>
#include <tuple>

namespace holdfast {
namespace {

bool everybody_is_silent(const FileView& file) {
    return std::all_of(file.shards.begin(), file.shards.end(),
                       [](const ShardView& s) { return s.silent_since_ms.has_value(); });
}

bool lasted(std::uint64_t since_ms, std::uint64_t for_ms, std::uint64_t now_ms) {
    return now_ms >= since_ms && now_ms - since_ms >= for_ms;
}

unsigned readable_beside(const FileView& file, unsigned shard) {
    unsigned count = 0;
    for (unsigned i = 0; i < file.shards.size(); ++i) {
        count += i != shard && file.shards[i].readable() ? 1 : 0;
    }
    return count;
}

unsigned most_at_once(const FileView& file, const KeeperPolicy& policy) {
    const auto parity = static_cast<unsigned>(file.shards.size()) - file.needed;
    return std::min(std::max(policy.at_once, 1U), std::max(parity, 1U));
}

/// Empty: it can be done now.
std::string hindrance(const FileView& file, unsigned shard, const KeeperPolicy& policy,
                      unsigned running, std::size_t provers_free) {
    const ShardView& view = file.shards[shard];
    const unsigned readable = readable_beside(file, shard);
    if (readable < file.needed) {
        return std::to_string(file.needed) + " other shards are needed to rebuild it, " +
               std::to_string(readable) + " can be read";
    }
    if (running >= most_at_once(file, policy)) {
        return std::to_string(running) + " of this file are being rebuilt already";
    }
    if (view.heal_failed_ms && !lasted(*view.heal_failed_ms, policy.retry_ms, file.now_ms)) {
        return "the last attempt failed; it is tried again after a pause";
    }
    if (provers_free == 0) return "no prover is left that has no shard of this file and answers";
    return {};
}

}  // namespace

std::string_view to_string(ChainSight sight) {
    switch (sight) {
        case ChainSight::kUnknown:
            return "unknown";
        case ChainSight::kActive:
            return "proven";
        case ChainSight::kNotYet:
            return "not-yet";
        case ChainSight::kLate:
            return "late";
        case ChainSight::kEnding:
            return "ending";
        case ChainSight::kEnded:
            return "ended";
        case ChainSight::kAnother:
            return "another";
    }
    return "unknown";
}

std::string_view to_string(HealReason reason) {
    switch (reason) {
        case HealReason::kRefuted:
            return "refuted";
        case HealReason::kEnded:
            return "ended";
        case HealReason::kUnreachable:
            return "unreachable";
        case HealReason::kLate:
            return "late";
        case HealReason::kNeverProven:
            return "never-proven";
        case HealReason::kExpiring:
            return "expiring";
    }
    return "refuted";
}

std::optional<HealReason> heal_reason(const FileView& file, unsigned shard,
                                      const KeeperPolicy& policy) {
    const ShardView& s = file.shards[shard];
    if (s.lied || s.chain == ChainSight::kAnother) return HealReason::kRefuted;
    if (s.failed || s.chain == ChainSight::kEnded || s.chain == ChainSight::kEnding) {
        return HealReason::kEnded;
    }
    if (s.silent_since_ms && file.node_asked && !everybody_is_silent(file) &&
        lasted(*s.silent_since_ms, policy.unreachable_ms, file.now_ms)) {
        return HealReason::kUnreachable;
    }
    if (s.chain == ChainSight::kLate && lasted(s.chain_since_ms, policy.late_ms, file.now_ms)) {
        return HealReason::kLate;
    }
    if (s.chain == ChainSight::kNotYet &&
        lasted(s.chain_since_ms, policy.proving_ms, file.now_ms)) {
        return HealReason::kNeverProven;
    }
    if (s.until && file.tip.value + policy.expiring_heights >= s.until->value) {
        return HealReason::kExpiring;
    }
    return std::nullopt;
}

std::vector<KeeperAction> decide(const FileView& file, const KeeperPolicy& policy) {
    unsigned running = 0;
    std::vector<KeeperAction> out;
    for (unsigned i = 0; i < file.shards.size(); ++i) {
        if (file.shards[i].healing) {
            ++running;
            continue;
        }
        const std::optional<HealReason> reason = heal_reason(file, i, policy);
        if (reason) out.push_back({KeeperAction::Kind::kHeal, i, *reason, {}});
    }
    std::sort(out.begin(), out.end(), [](const KeeperAction& a, const KeeperAction& b) {
        return std::tie(a.reason, a.shard) < std::tie(b.reason, b.shard);
    });
    std::size_t free = file.provers_free;
    for (KeeperAction& action : out) {
        action.why_not = hindrance(file, action.shard, policy, running, free);
        if (!action.why_not.empty()) {
            action.kind = KeeperAction::Kind::kWait;
            continue;
        }
        ++running;
        --free;
    }
    return out;
}

bool may_remove_old(const FileView& file, unsigned shard) {
    if (!file.shards[shard].proven()) return true;
    unsigned others = 0;
    for (unsigned i = 0; i < file.shards.size(); ++i) {
        others += i != shard && file.shards[i].proven() ? 1 : 0;
    }
    return others >= file.needed;
}

std::string FileMargin::text() const {
    const std::string begin = std::to_string(needed) + " of " + std::to_string(shards) +
                              " needed, " + std::to_string(proven) + " proven, ";
    if (may_fail() >= 0) return begin + std::to_string(may_fail()) + " may fail";
    return begin + std::to_string(-may_fail()) + " too few";
}

FileMargin margin_of(const FileView& file) {
    FileMargin out{file.needed, static_cast<unsigned>(file.shards.size()), 0, 0};
    for (const ShardView& s : file.shards) {
        out.proven += s.proven() ? 1 : 0;
        out.readable += s.readable() ? 1 : 0;
    }
    return out;
}

}  // namespace holdfast
