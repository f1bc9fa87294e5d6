// The aggregator: a node of the operator. Every call is on a thread of its own, since nearly all of
// them may ask the host's chain.
#include <algorithm>
#include <vector>

#include "call.hpp"
#include "structs.hpp"

namespace holdfast_node {
namespace {

constexpr std::size_t kMemberBytes =
    64;  // of a bundle: no object has more members than this allows

std::shared_ptr<holdfast_aggregator> aggregator_of(Call& c) {
    return c.at(0, "aggregator").handle<holdfast_aggregator>();
}

napi_value open(Call& c) {
    const In in = c.at(1, "options");
    auto options = sized_struct<holdfast_aggregator_options>();
    std::shared_ptr<holdfast_token> token;
    std::shared_ptr<holdfast_signer> signer;
    std::shared_ptr<holdfast_signer> checkpointer;
    if (in.field("token").present()) token = in.field("token").handle<holdfast_token>();
    if (in.field("operator").present()) signer = in.field("operator").handle<holdfast_signer>();
    if (in.field("checkpointer").present()) {
        checkpointer = in.field("checkpointer").handle<holdfast_signer>();
    }
    options.prover_reward = u64_or(in.field("proverReward"), 0);
    options.challenger_reward = u64_or(in.field("challengerReward"), 0);
    options.kept_heights = u64_or(in.field("keptHeights"), 0);
    options.map_bytes = u64_or(in.field("mapBytes"), 0);
    options.threads = u32_or(in.field("threads"), 0);
    options.fills_at_once = u32_or(in.field("fillsAtOnce"), 0);
    return c.thread(
        [network = c.at(0, "network").handle<holdfast_network>(),
         chain = in.field("chain").handle<holdfast_blockchain>(),
         clock = in.field("clock").handle<holdfast_clock>(), token, signer, checkpointer,
         registry = in.field("registry").text(), settlement = optional_text(in.field("settlement")),
         statements = optional_text(in.field("statements")),
         bond = optional_digest(in.field("checkpointBond")), options](auto) mutable -> Value {
            options.registry = registry.c_str();
            options.settlement = text_or_null(settlement);
            options.statements = text_or_null(statements);
            options.operator_signer = signer.get();
            options.checkpointer = checkpointer.get();
            options.checkpoint_bond = bond.data();
            holdfast_aggregator* aggregator = nullptr;
            check(holdfast_aggregator_open(network.get(), chain.get(), clock.get(), token.get(),
                                           &options, &aggregator));
            return box(aggregator);
        });
}

Value block_value(const holdfast_block_report* report) {
    auto s = sized_struct<holdfast_block_summary>();
    check(holdfast_block_report_summary(report, &s));
    const bool closed = s.has_closed != 0;
    return Fields{{"height", s.height},
                  {"y", s.has_y != 0 ? bytes_of(s.y) : Value{}},
                  {"closed", closed ? Value{s.closed} : Value{}},
                  {"global", closed ? bytes_of(s.global) : Value{}},
                  {"totalChains", s.total_chains},
                  {"active", s.active},
                  {"late", s.late},
                  {"removing", s.removing},
                  {"expired", s.expired},
                  {"objects", s.objects},
                  {"refused", s.refused},
                  {"links", s.links},
                  {"proofs", s.proofs},
                  {"faults", s.faults},
                  {"json", text_of([&](char* out, std::size_t* size) {
                       return holdfast_block_report_to_json(report, out, size);
                   })}};
}

napi_value advance(Call& c) {
    std::vector<std::shared_ptr<holdfast_prover>> provers;
    for (const In& item : c.at(1, "provers").items()) {
        provers.push_back(item.handle<holdfast_prover>());
    }
    return c.thread(
        c.at(2, "control"),
        [aggregator = aggregator_of(c), provers = std::move(provers)](auto control) -> Value {
            std::vector<holdfast_prover*> handles;
            for (const auto& prover : provers) handles.push_back(prover.get());
            holdfast_block_report* report = nullptr;
            check(holdfast_aggregator_advance(aggregator.get(), handles.data(), handles.size(),
                                              control, &report));
            if (report == nullptr) return {};  // no further final block
            const HandleBox owned = box(report);
            return block_value(report);
        });
}

napi_value behind(Call& c) {
    return c.thread([aggregator = aggregator_of(c)](auto) -> Value {
        std::uint64_t out = 0;
        check(holdfast_aggregator_behind(aggregator.get(), &out));
        return out;
    });
}

napi_value submit(Call& c) {
    return c.thread(
        c.at(3, "control"),
        [aggregator = aggregator_of(c), object = c.at(1, "object").bytes(),
         peer = optional_text(c.at(2, "peer"))](auto control) -> Value {
            auto out = sized_struct<holdfast_outcome>();
            std::vector<holdfast_verdict> members(object.size() / kMemberBytes);
            check(holdfast_aggregator_submit(aggregator.get(), text_or_null(peer), object.data(),
                                             object.size(), control, &out, members.data(),
                                             members.size()));
            members.resize(std::min<std::size_t>(members.size(), out.members));
            Items verdicts;
            for (const holdfast_verdict& verdict : members) {
                verdicts.push_back(verdict_value(verdict));
            }
            const bool accepted = out.verdict.reason == HOLDFAST_REASON_OK;
            return Fields{
                {"accepted", accepted},
                {"reason", accepted ? Value{} : name(holdfast_reason_name(out.verdict.reason))},
                {"index", out.verdict.has_index != 0 ? Value{out.verdict.index} : Value{}},
                {"kind", name(holdfast_kind_name(out.kind))},
                {"chainId", out.has_chain_id != 0 ? bytes_of(out.chain_id) : Value{}},
                {"height", out.has_height != 0 ? Value{out.height} : Value{}},
                {"entry", out.has_entry != 0 ? Value{out.entry} : Value{}},
                {"members", out.members},
                {"membersRefused", out.members_refused},
                {"memberVerdicts", std::move(verdicts)}};
        });
}

napi_value height(Call& c) {
    return c.thread(
        [aggregator = aggregator_of(c), height = c.at(1, "height").u64()](auto) -> Value {
            auto out = sized_struct<holdfast_digest_info>();
            check(holdfast_aggregator_height(aggregator.get(), height, &out));
            const bool closed = out.closed != 0;
            return Fields{
                {"height", out.height},     {"blockHash", bytes_of(out.block_hash)},
                {"timeMs", out.time_ms},    {"y", out.has_y != 0 ? bytes_of(out.y) : Value{}},
                {"closed", closed},         {"global", closed ? bytes_of(out.global) : Value{}},
                {"regions", out.regions},   {"totalChains", out.total_chains},
                {"active", out.active},     {"late", out.late},
                {"removing", out.removing}, {"expired", out.expired}};
        });
}

/// Before the first block, or digest, there is none: null.
napi_value tip(Call& c) {
    return c.thread([aggregator = aggregator_of(c)](auto) -> Value {
        const auto one = [](holdfast_status status, std::uint64_t value) -> Value {
            if (status == HOLDFAST_UNAVAILABLE) return {};
            check(status);
            return value;
        };
        std::uint64_t tip = 0;
        std::uint64_t closed = 0;
        const holdfast_status first = holdfast_aggregator_tip(aggregator.get(), &tip, nullptr);
        Value newest = one(first, tip);
        const holdfast_status second = holdfast_aggregator_tip(aggregator.get(), nullptr, &closed);
        return Fields{{"tip", std::move(newest)}, {"closed", one(second, closed)}};
    });
}

napi_value path(Call& c) {
    return c.thread([aggregator = aggregator_of(c), chain = c.at(1, "chainId").digest(),
                     height = c.at(2, "height").u64()](auto) -> Value {
        return sized(HOLDFAST_MAX_PROOF_BYTES, [&](std::uint8_t* out, std::size_t* size) {
            return holdfast_aggregator_path(aggregator.get(), chain.data(), height, out, size);
        });
    });
}

napi_value head(Call& c) {
    return c.thread(
        [aggregator = aggregator_of(c), height = c.at(1, "height").u64()](auto) -> Value {
            return sized(HOLDFAST_HEAD_BYTES, [&](std::uint8_t* out, std::size_t* size) {
                return holdfast_aggregator_head(aggregator.get(), height, out, size);
            });
        });
}

napi_value facts(Call& c) {
    return c.thread([aggregator = aggregator_of(c), chain = c.at(1, "chainId").digest(),
                     height = c.at(2, "height").u64()](auto) -> Value {
        auto place = sized_struct<holdfast_link_place>();
        auto own = sized_struct<holdfast_link_facts>();
        check(holdfast_aggregator_link_facts(aggregator.get(), chain.data(), height, &place, &own));
        return Fields{{"place", link_place_value(place)}, {"chain", link_facts_value(own)}};
    });
}

napi_value seal_duties(Call& c) {
    return c.thread(
        [aggregator = aggregator_of(c), chain = c.at(1, "chainId").digest()](auto) -> Value {
            Items out;
            for (std::size_t i = 0;; ++i) {
                auto duty = sized_struct<holdfast_seal_duty>();
                const holdfast_status status =
                    holdfast_aggregator_seal_duty(aggregator.get(), chain.data(), i, &duty);
                if (status == HOLDFAST_NOT_FOUND) return out;
                check(status);
                const bool has = duty.has_y != 0;
                out.push_back(Fields{{"audit", duty.audit != 0},
                                     {"yHeight", has ? Value{duty.y_height} : Value{}},
                                     {"y", has ? bytes_of(duty.y) : Value{}},
                                     {"deadline", has ? Value{duty.deadline} : Value{}}});
            }
        });
}

napi_value chain_to_json(Call& c) {
    return c.thread(
        [aggregator = aggregator_of(c), chain = c.at(1, "chainId").digest()](auto) -> Value {
            return text_of([&](char* out, std::size_t* size) {
                return holdfast_aggregator_chain_to_json(aggregator.get(), chain.data(), out, size);
            });
        });
}

napi_value statistics_to_json(Call& c) {
    return c.thread([aggregator = aggregator_of(c)](auto) -> Value {
        return text_of([&](char* out, std::size_t* size) {
            return holdfast_aggregator_statistics_to_json(aggregator.get(), out, size);
        });
    });
}

napi_value cases_to_json(Call& c) {
    return c.thread([aggregator = aggregator_of(c)](auto) -> Value {
        return text_of([&](char* out, std::size_t* size) {
            return holdfast_aggregator_cases_to_json(aggregator.get(), out, size);
        });
    });
}

napi_value challenges(Call& c) {
    return c.thread([aggregator = aggregator_of(c),
                     height = c.at(1, "height").u64()](auto) -> Value {
        std::vector<holdfast_challenger_part> parts;
        std::vector<holdfast_challenged_chain> chains;
        for (;;) {
            std::size_t parts_count = parts.size();
            std::size_t chains_count = chains.size();
            const holdfast_status status = holdfast_aggregator_challenges(
                aggregator.get(), height, parts.data(), &parts_count, chains.data(), &chains_count);
            const bool grew = parts_count > parts.size() || chains_count > chains.size();
            if (status == HOLDFAST_SHORT_BUFFER && grew) {
                parts.resize(parts_count);
                chains.resize(chains_count);
                continue;
            }
            check(status);
            parts.resize(parts_count);
            chains.resize(chains_count);
            break;
        }
        Items challengers;
        for (const auto& part : parts) {
            challengers.push_back(Fields{{"key", bytes_of(part.key)}, {"part", part.part}});
        }
        Items challenged;
        for (const auto& chain : chains) {
            challenged.push_back(Fields{{"chainId", bytes_of(chain.chain_id)},
                                        {"prover", bytes_of(chain.prover)},
                                        {"sealedRoot", bytes_of(chain.sealed_root)},
                                        {"chunks", chain.chunks}});
        }
        return Fields{{"challengers", std::move(challengers)}, {"chains", std::move(challenged)}};
    });
}

napi_value verifier(Call& c) {
    return c.thread(
        [aggregator = aggregator_of(c), first = u64_or(c.at(1, "first"), 0)](auto) -> Value {
            holdfast_verifier* out = nullptr;
            check(holdfast_aggregator_verifier(aggregator.get(), first, &out));
            return box(out);
        });
}

napi_value settle(Call& c) {
    return c.thread(c.at(1, "control"), [aggregator = aggregator_of(c)](auto control) -> Value {
        auto out = sized_struct<holdfast_settlement_report>();
        check(holdfast_aggregator_settle(aggregator.get(), control, &out));
        return Fields{{"answered", out.answered},
                      {"refused", out.refused},
                      {"open", out.open},
                      {"timeouts", out.timeouts}};
    });
}

}  // namespace

void add_aggregator(Exports& exports) {
    exports.insert(exports.end(), {
                                      {"aggregatorOpen", entry<open>},
                                      {"aggregatorAdvance", entry<advance>},
                                      {"aggregatorBehind", entry<behind>},
                                      {"aggregatorSubmit", entry<submit>},
                                      {"aggregatorHeight", entry<height>},
                                      {"aggregatorTip", entry<tip>},
                                      {"aggregatorPath", entry<path>},
                                      {"aggregatorHead", entry<head>},
                                      {"aggregatorLinkFacts", entry<facts>},
                                      {"aggregatorSealDuties", entry<seal_duties>},
                                      {"aggregatorChainToJson", entry<chain_to_json>},
                                      {"aggregatorStatisticsToJson", entry<statistics_to_json>},
                                      {"aggregatorCasesToJson", entry<cases_to_json>},
                                      {"aggregatorChallenges", entry<challenges>},
                                      {"aggregatorVerifier", entry<verifier>},
                                      {"aggregatorSettle", entry<settle>},
                                  });
}

}  // namespace holdfast_node
