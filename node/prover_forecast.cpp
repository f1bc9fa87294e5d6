#include "node/prover_forecast.hpp"

#include <algorithm>

namespace holdfast::node {
namespace {

constexpr std::uint64_t kPercentOfTime = 70;  // used up: no room for a slow disk or a busy hour

std::string seconds(std::uint64_t ms) {
    const std::uint64_t tenths = ms / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

/// Links are taken until the digest of their height closes, link_lag blocks later (spec 10.2).
std::optional<std::string> late_links(const NetworkParams& params, const ProverFacts& facts) {
    const std::uint64_t have = std::uint64_t{params.block_ms} * params.link_lag;
    if (facts.links_ms * 100 <= have * kPercentOfTime) return std::nullopt;
    return "links of the last heights took up to " + seconds(facts.links_ms) + " of the " +
           seconds(have) +
           " that they have: a faster disk, more threads ([prover] threads), or fewer replicas on "
           "this machine";
}

/// One proof after another, in the order of their deadlines.
std::optional<std::string> late_seals(const NetworkParams& params, const ProverFacts& facts) {
    if (facts.seal_proof_ms == 0) return std::nullopt;
    std::vector<ProverFacts::Duty> duties = facts.duties;
    std::sort(duties.begin(), duties.end(),
              [](const auto& a, const auto& b) { return a.deadline < b.deadline; });
    std::uint64_t late = 0;
    std::uint64_t done = 0;
    const ProverFacts::Duty* first = nullptr;
    for (const ProverFacts::Duty& duty : duties) {
        const std::uint64_t blocks = duty.deadline < facts.tip ? 0 : duty.deadline.since(facts.tip);
        done += facts.seal_proof_ms;
        if (done * 100 <= blocks * params.block_ms * kPercentOfTime) continue;
        if (first == nullptr) first = &duty;
        ++late;
    }
    if (late == 0) return std::nullopt;
    return std::to_string(late) + " of " + std::to_string(duties.size()) +
           " seal proofs and audits that are due may miss their deadline, that of chain " +
           to_hex(first->chain_id) + " at height " + std::to_string(first->deadline.value) +
           " first: one takes " + seconds(facts.seal_proof_ms) +
           "; more threads ([prover] seal_threads), a faster machine, or fewer new replicas at "
           "once";
}

}  // namespace

std::vector<std::string> forecast(const NetworkParams& params, const ProverFacts& facts) {
    std::vector<std::string> out;
    for (const auto& warning : {late_links(params, facts), late_seals(params, facts)}) {
        if (warning) out.push_back(*warning);
    }
    return out;
}

}  // namespace holdfast::node
