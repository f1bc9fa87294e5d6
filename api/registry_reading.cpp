#include "api/registry_reading.hpp"

#include <algorithm>

namespace holdfast {

Result<LinkRequest> link_request_of(const Registry& registry, const ChainId& chain_id,
                                    Height height) {
    HOLDFAST_ASSIGN(info, registry.chain(chain_id));
    if (!info) {
        return fail(ErrorCode::kUnavailable,
                    "chain " + to_hex(chain_id) + " is not registered (yet)");
    }
    if (!info->sealed_at || *info->sealed_at > height || info->phase != ChainPhase::kSealed) {
        return fail(ErrorCode::kUnavailable, "chain " + to_hex(chain_id) +
                                                 " holds no slot at height " +
                                                 std::to_string(height.value));
    }
    HOLDFAST_ASSIGN(known, registry.known_height(height, chain_id));
    if (!known.y) {
        return fail(ErrorCode::kUnavailable,
                    "height " + std::to_string(height.value) + " has no y: no link counts there");
    }
    HOLDFAST_ASSIGN(chain_facts, registry.known_chain(chain_id, height));
    LinkRequest request;
    request.height = height;
    request.block_hash = known.block_hash;
    request.y = *known.y;
    request.anchor = known.anchor;
    request.link_before = known.link_before.value_or(Link(chain_id));
    if (chain_facts.reveals) request.reveal_base = chain_facts.reveals->base;
    return request;
}

Result<PublicRecord> public_record_of(const Registry& registry, Blockchain& chain, VdfClock* clock,
                                      Height first, const ReadingProgress& progress) {
    const NetworkParams& params = registry.params();
    PublicRecord record(params);
    HOLDFAST_ASSIGN(tip, registry.tip());
    if (!tip) return record;
    const Height from = std::max(first, params.genesis_height);
    for (Height h = from; h <= *tip; ++h) {
        if (progress) progress("reading heights", h.since(from) + 1, tip->since(from) + 1);
        HOLDFAST_ASSIGN(block, registry.block(h));
        if (!block) continue;
        PublicHeight facts;
        HOLDFAST_ASSIGN(host, chain.block_by_height(h));
        facts.block = host;
        facts.y = block->y;
        if (block->closed) facts.global = block->global;
        if (params.has_beacon && block->y) {
            HOLDFAST_CHECK(clock != nullptr);
            HOLDFAST_ASSIGN(entropy, clock->at(h));
            facts.beacon = entropy.beacon;
        }
        record.set_height(std::move(facts));
    }
    std::optional<Error> failed;
    const auto add = [&](const ChainInfo& info) -> Status {
        PublicChain facts;
        facts.registration = info.registration;
        facts.accepted = info.accepted;
        HOLDFAST_ASSIGN(updates, registry.updates(info.chain_id));
        facts.updates = updates;
        std::vector<Height> bases{info.registration.genesis_height};
        for (const Update& u : facts.updates) bases.push_back(u.effective_height);
        for (const Height base : bases) {
            HOLDFAST_ASSIGN(known, registry.known_chain(info.chain_id, base));
            if (known.reveals && known.reveals->known.i > 0)
                facts.reveals.push_back(*known.reveals);
        }
        HOLDFAST_TRY(record.add_chain(std::move(facts)));
        return {};
    };
    HOLDFAST_ASSIGN(counts, registry.statistics());
    std::uint64_t read = 0;
    HOLDFAST_TRY(registry.for_each_chain([&](const ChainInfo& info) {
        const Status added = add(info);
        if (progress) progress("reading chains", ++read, std::max(read, counts.registrations));
        if (!added) failed = added.error();
        return added.has_value();
    }));
    if (failed) return fail(*failed);
    return record;
}

}  // namespace holdfast
