#include "node/kept_look.hpp"

#include <algorithm>

#include "follow/public_client.hpp"
#include "proofs/link.hpp"

namespace holdfast::node {
namespace {

using json::Json;

/// Heights for which a chain may have been registered without a slot: until its seal proof is due.
std::uint64_t heights_to_prove(const NetworkParams& params) {
    return std::uint64_t{params.seal_delay} + params.seal_deadline + 1 + params.link_lag;
}

/// From the better to the worse; ChainSight's own order, but for what is not known.
int badness(ChainSight sight) { return static_cast<int>(sight); }

std::string short_id(const PublicKey& key) { return to_hex(key).substr(0, 8); }

/// The worst segment of a shard.
const SegmentSight& worst_of(const ShardSight& shard) {
    return *std::max_element(shard.segments.begin(), shard.segments.end(),
                             [](const SegmentSight& a, const SegmentSight& b) {
                                 return badness(a.sight) < badness(b.sight);
                             });
}

}  // namespace

KeptLook::KeptLook(LightClient& light, std::vector<LightNode> nodes, const KeyPair& owner,
                   AskProverOf ask, MonotonicNs clock, DepositClientOptions depositing)
    : light_(light),
      nodes_(std::move(nodes)),
      owner_(owner),
      ask_(std::move(ask)),
      clock_(std::move(clock)),
      depositing_(std::move(depositing)),
      network_(light.params().id()) {}

Status KeptLook::begin_round() {
    answers_.clear();
    const Result<FollowTip> tip = light_.tip();
    no_node_ = tip ? "" : tip.error().message;
    if (tip) tip_ = tip->height;
    if (!tip && tip.error().code == ErrorCode::kInterrupted) return fail(tip.error());
    return {};
}

const Result<KeptLook::Deposits>& KeptLook::ask_prover(const ProverAddress& prover) {
    const auto found = answers_.find(prover.key);
    if (found != answers_.end()) return found->second;
    const DepositClient client(network_, prover.key, owner_, ask_(prover), depositing_);
    const auto all = [&]() -> Result<Deposits> {
        Deposits out;
        DepositId after;
        for (;;) {
            HOLDFAST_ASSIGN(page, client.list(after));
            for (const DepositState& one : page.deposits) out.emplace(one.id, one);
            if (!page.more || page.deposits.empty()) return out;
            after = page.deposits.back().id;
        }
    };
    return answers_.emplace(prover.key, all()).first->second;
}

Result<DepositState> KeptLook::deposit(const ProverAddress& prover, const DepositId& id) {
    const Result<Deposits>& all = ask_prover(prover);
    if (!all) return fail(all.error());
    const auto found = all->find(id);
    if (found == all->end()) {
        return fail(ErrorCode::kNotFound, "the prover holds no such deposit");
    }
    return found->second;
}

/// The registration stands under its prover's signature and hashes to the chain's id: no node's
/// word is needed for it.
Result<KeptLook::Registered> KeptLook::registered(const ChainId& chain) {
    if (const auto found = registered_.find(chain); found != registered_.end()) {
        return found->second;
    }
    Error last{ErrorCode::kUnavailable, "no node", {}};
    for (const LightNode& node : nodes_) {
        const Result<PublicChainFacts> facts =
            PublicClient(node.ask).chain(ChainQuestion::By::kChain, chain);
        if (!facts) {
            last = facts.error();
            continue;
        }
        const Registration& r = facts->registration;
        const Verdict v = check_registration(light_.params(), network_, r);
        if (!v || r.chain_id(network_) != chain) {
            last = Error{ErrorCode::kRefused, node.name + " shows another registration", {}};
            continue;
        }
        return registered_
            .emplace(chain, Registered{r.header.prover, r.header.raw_root, facts->accepted})
            .first->second;
    }
    return fail(std::move(last));
}

Status KeptLook::look_at_leaf(const ChainId& chain, const Registered& known, SegmentSight& out) {
    const NetworkParams& params = light_.params();
    const std::uint64_t open = 1 + std::uint64_t{params.link_lag};
    if (tip_.value < params.genesis_height.value + open) {
        out.sight = ChainSight::kNotYet;
        out.why = "no digest is closed yet";
        return {};
    }
    out.closed = tip_ - open;
    const Result<LightLeaf> shown = light_.leaf(chain, out.closed);
    if (!shown && shown.error().code == ErrorCode::kInterrupted) return fail(shown.error());
    if (!shown) {
        out.why = shown.error().message;
        return {};
    }
    if (!shown->leaf) {
        const bool young = tip_.value <= known.accepted.value + heights_to_prove(params);
        out.sight = young ? ChainSight::kNotYet : ChainSight::kEnded;
        out.why = young ? "its seal proof has not counted yet" : "the chain holds no slot";
        return {};
    }
    if (shown->leaf->link != Link(chain)) out.linked = shown->leaf->link_height;
    switch (shown->leaf->status) {
        case ChainStatus::kActive:
            out.sight = ChainSight::kActive;
            break;
        case ChainStatus::kLate:
            out.sight = ChainSight::kLate;
            out.why = "too many links missed, or suspended";
            break;
        case ChainStatus::kRemoving:
            out.sight = ChainSight::kEnding;
            out.why = "its removal was requested";
            break;
        case ChainStatus::kExpired:
            out.sight = ChainSight::kEnded;
            out.why = "expired";
            break;
    }
    return {};
}

Result<SegmentSight> KeptLook::chain(const ChainId& chain, const PublicKey& prover,
                                     const Root& raw_root) {
    SegmentSight out;
    out.chain = chain;
    if (!no_node_.empty()) {
        out.why = no_node_;
        return out;
    }
    if (chain.is_zero()) {
        out.sight = ChainSight::kNotYet;
        out.why = "no chain is registered yet";
        return out;
    }
    const Result<Registered> known = registered(chain);
    if (!known && known.error().code == ErrorCode::kInterrupted) return fail(known.error());
    if (!known) {
        const bool absent =
            known.error().code == ErrorCode::kRefused || known.error().code == ErrorCode::kNotFound;
        out.sight = absent ? ChainSight::kNotYet : ChainSight::kUnknown;
        out.why = known.error().message;
        return out;
    }
    if (known->prover != prover || known->raw_root != raw_root) {
        out.sight = ChainSight::kAnother;
        out.why = known->prover != prover ? "the chain is another prover's"
                                          : "the chain is of other data than the manifest's";
        return out;
    }
    HOLDFAST_TRY(look_at_leaf(chain, *known, out));
    return out;
}

/// The newest height whose compact proof is drawn, and whose link counted.
Status KeptLook::verify_newest(const ChainId& chain, SegmentSight& out) {
    constexpr std::uint64_t kTries = 4;
    out.unverified = "no link of it can be proven yet";
    if (out.linked == Height()) return {};
    Height at = std::min(out.linked, out.closed);
    while (at > light_.params().genesis_height && compact_draw_height(light_.params(), at) > tip_) {
        at = at - 1;
    }
    for (std::uint64_t i = 0; i < kTries && at > light_.params().genesis_height; ++i) {
        const Result<LightReport> report = light_.verify_link(chain, at);
        if (report && report->judged.verdict) {
            out.verified = at;
            out.unverified.clear();
            return {};
        }
        if (!report && report.error().code == ErrorCode::kInterrupted) {
            return fail(report.error());
        }
        out.unverified = report ? to_string(report->judged.verdict) : report.error().message;
        at = at - 1;
    }
    return {};
}

Result<ShardSight> KeptLook::look_at_shard(const KeptFile& file, unsigned shard,
                                           const LookOptions& options) {
    ShardSight out;
    const KeptShard& first = file.at(shard, 0);
    out.prover = first.prover;
    out.address = first.address;
    const Result<Deposits>& answer = ask_prover({first.prover, first.address, {}});
    if (!answer && answer.error().code == ErrorCode::kInterrupted) return fail(answer.error());
    if (!answer) out.silent = answer.error().message;
    for (std::uint64_t segment = 0; segment < file.manifest.segments_per_shard(); ++segment) {
        const KeptShard& place = file.at(shard, segment);
        std::optional<DepositState> said;
        if (answer) {
            const auto found = answer->find(place.deposit);
            if (found != answer->end()) said = found->second;
        }
        ChainId chain = place.chain;
        if (chain.is_zero() && said) chain = said->chain;
        if (chain.is_zero()) {
            const auto known = chains_.find(place.deposit);
            if (known != chains_.end()) chain = known->second;
        }
        HOLDFAST_ASSIGN(sight,
                        this->chain(chain, place.prover, file.manifest.root(shard, segment)));
        if (sight.sight == ChainSight::kActive) chains_[place.deposit] = chain;
        if (options.links && !chain.is_zero() && sight.closed != Height()) {
            HOLDFAST_TRY(verify_newest(chain, sight));
        }
        sight.deposit = said;
        out.segments.push_back(std::move(sight));
    }
    return out;
}

ShardView KeptLook::view_of(const KeptFile& file, unsigned shard, const ShardSight& sight) {
    ShardView out;
    const std::uint64_t now = now_ms();
    if (sight.silent.empty()) {
        silent_since_.erase(sight.prover);
    } else {
        out.silent_since_ms = silent_since_.emplace(sight.prover, now).first->second;
    }
    const SegmentSight& worst = worst_of(sight);
    out.chain = worst.sight;
    // Where one segment is not known the others still tell that something is wrong.
    const bool unknown =
        std::any_of(sight.segments.begin(), sight.segments.end(),
                    [](const SegmentSight& s) { return s.sight == ChainSight::kUnknown; });
    if (unknown && out.chain == ChainSight::kActive) out.chain = ChainSight::kUnknown;
    const DepositId& id = file.at(shard, 0).deposit;
    const auto since = since_.try_emplace(id, out.chain, now).first;
    if (since->second.first != out.chain) since->second = {out.chain, now};
    out.chain_since_ms = since->second.second;
    out.linked = worst.linked;
    for (std::uint64_t segment = 0; segment < sight.segments.size(); ++segment) {
        const KeptShard& place = file.at(shard, segment);
        out.lied = out.lied || lied_.contains(place.deposit);
        const std::optional<DepositState>& said = sight.segments[segment].deposit;
        if (sight.silent.empty() && (!said || said->phase == DepositPhase::kFailed ||
                                     said->phase == DepositPhase::kEnded)) {
            out.failed = true;
        }
        if (said && said->until != Height()) {
            out.until = std::min(out.until.value_or(said->until), said->until);
        }
    }
    return out;
}

Result<KeptSight> KeptLook::look(const KeptFile& file, const LookOptions& options) {
    KeptSight out;
    out.no_node = no_node_;
    out.view.needed = file.manifest.shape.data;
    out.view.tip = tip_;
    out.view.now_ms = now_ms();
    out.view.node_asked = no_node_.empty();
    for (unsigned shard = 0; shard < file.manifest.shape.shards(); ++shard) {
        HOLDFAST_ASSIGN(sight, look_at_shard(file, shard, options));
        out.view.shards.push_back(view_of(file, shard, sight));
        out.shards.push_back(std::move(sight));
    }
    return out;
}

std::string_view health_word(const KeptSight& sight) {
    const FileMargin margin = margin_of(sight.view);
    if (margin.may_fail() < 0) return "endangered";
    return margin.proven == margin.shards && margin.readable == margin.shards ? "whole"
                                                                              : "degraded";
}

json::Json to_json(const KeptFile& file, const KeptSight& sight) {
    const FileMargin margin = margin_of(sight.view);
    Json shards = Json::array();
    for (std::size_t i = 0; i < sight.shards.size(); ++i) {
        const ShardSight& one = sight.shards[i];
        Json segments = Json::array();
        for (const SegmentSight& s : one.segments) {
            Json row = {{"chain_id", s.chain.is_zero() ? Json() : Json(to_hex(s.chain))},
                        {"chain", to_string(s.sight)},
                        {"closed_height", s.closed.value},
                        {"link_height", s.linked == Height() ? Json() : Json(s.linked.value)},
                        {"verified_height", s.verified ? Json(s.verified->value) : Json()}};
            if (!s.why.empty()) row["why"] = s.why;
            if (!s.unverified.empty()) row["unverified"] = s.unverified;
            if (s.deposit) {
                row["prover_says"] = to_string(s.deposit->phase);
                row["until"] = s.deposit->until.value;
            }
            segments.push_back(std::move(row));
        }
        const ShardView& view = sight.view.shards[i];
        Json row = {{"shard", i},
                    {"prover", to_hex(one.prover)},
                    {"address", one.address},
                    {"reachable", one.silent.empty()},
                    {"proven", view.proven()},
                    {"lied", view.lied},
                    {"failed", view.failed},
                    {"segments", std::move(segments)}};
        if (!one.silent.empty()) row["why"] = one.silent;
        shards.push_back(std::move(row));
    }
    Json out = {{"file", to_hex(file.id())},
                {"name", file.name},
                {"health", health_word(sight)},
                {"margin",
                 {{"needed", margin.needed},
                  {"shards", margin.shards},
                  {"proven", margin.proven},
                  {"readable", margin.readable},
                  {"may_fail", margin.may_fail()},
                  {"text", margin.text()}}},
                {"tip", sight.view.tip.value},
                {"shards", std::move(shards)}};
    if (!sight.no_node.empty()) out["no_node"] = sight.no_node;
    return out;
}

std::vector<std::string> text_lines(const KeptFile& file, const KeptSight& sight) {
    std::vector<std::string> out;
    out.push_back((file.name.empty() ? to_hex(file.id()) : file.name) + ": " +
                  std::string(health_word(sight)) + ", " + margin_of(sight.view).text());
    if (!sight.no_node.empty()) out.push_back("  no node answers: " + sight.no_node);
    for (std::size_t i = 0; i < sight.shards.size(); ++i) {
        const ShardSight& one = sight.shards[i];
        const SegmentSight& s = worst_of(one);
        const ShardView& view = sight.view.shards[i];
        std::string line = "  shard " + std::to_string(i) + "  " + short_id(one.prover) + "@" +
                           one.address + "  " +
                           (one.silent.empty() ? "answers" : "SILENT (" + one.silent + ")") +
                           "  chain " + std::string(to_string(s.sight));
        if (!s.why.empty()) line += " (" + s.why + ")";
        if (s.linked != Height()) line += "  last link " + std::to_string(s.linked.value);
        if (s.verified) line += "  proof of " + std::to_string(s.verified->value) + " verified";
        if (view.lied) line += "  LIED: it sent bytes that do not lead to the root";
        if (view.failed) line += "  FAILED: its prover does not hold it";
        out.push_back(std::move(line));
    }
    return out;
}

}  // namespace holdfast::node
