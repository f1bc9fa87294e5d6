// What an aggregator's registry says. Any thread.
#include "api/registry_reading.hpp"
#include "capi/aggregator.hpp"
#include "json/blocks.hpp"

namespace holdfast::capi {
namespace {

holdfast_digest_info digest_info_of(const BlockRecord& from) {
    holdfast_digest_info out{};
    out.height = from.height.value;
    put_fixed(out.block_hash, from.hash);
    out.time_ms = from.time_ms;
    out.has_y = from.y ? 1 : 0;
    if (from.y) put_fixed(out.y, *from.y);
    if (!from.closed) return out;
    out.closed = 1;
    put_fixed(out.global, from.global);
    out.regions = from.regions;
    out.total_chains = from.counts.total;
    out.active = from.counts.active;
    out.late = from.counts.late;
    out.removing = from.counts.removing;
    out.expired = from.counts.expired;
    return out;
}

holdfast_seal_duty duty_to_c(const SealDuty& from) {
    holdfast_seal_duty out{};
    out.audit = from.kind == SealProofKind::kAudit ? 1 : 0;
    if (!from.y || !from.y_height || !from.deadline) return out;
    out.has_y = 1;
    out.y_height = from.y_height->value;
    put_fixed(out.y, *from.y);
    out.deadline = from.deadline->value;
    return out;
}

template <class T, class U>
bool has_room(const std::vector<T>& found, const U* out, const std::size_t* count) {
    return found.empty() || (out != nullptr && *count >= found.size());
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_aggregator_height(const holdfast_aggregator* aggregator, uint64_t height,
                                           holdfast_digest_info* out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        HOLDFAST_TRY(check_out(out, "out"));
        HOLDFAST_ASSIGN(record, aggregator->registry().block(Height(height)));
        if (!record) {
            return failure(HOLDFAST_NOT_FOUND,
                           "no block of height " + std::to_string(height) + " has been taken");
        }
        write_struct(out, digest_info_of(*record));
        return {};
    });
}

holdfast_status holdfast_aggregator_tip(const holdfast_aggregator* aggregator, uint64_t* tip,
                                        uint64_t* closed) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        HOLDFAST_ASSIGN(newest, aggregator->registry().tip());
        HOLDFAST_ASSIGN(digest, aggregator->registry().closed());
        if (tip != nullptr && !newest) {
            return failure(HOLDFAST_UNAVAILABLE, "no block has been taken yet");
        }
        if (closed != nullptr && !digest) {
            return failure(HOLDFAST_UNAVAILABLE, "no digest has closed yet");
        }
        if (newest) put_number(tip, newest->value);
        if (digest) put_number(closed, digest->value);
        return {};
    });
}

holdfast_status holdfast_aggregator_path(const holdfast_aggregator* aggregator,
                                         const uint8_t chain_id[32], uint64_t height, uint8_t* out,
                                         size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        HOLDFAST_ASSIGN(id, fixed_of<ChainId>(chain_id, "chain_id"));
        HOLDFAST_ASSIGN(path, aggregator->registry().path(id, Height(height)));
        return put_bytes(wrap_object(Kind::kPath, path.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_aggregator_link_facts(const holdfast_aggregator* aggregator,
                                               const uint8_t chain_id[32], uint64_t height,
                                               holdfast_link_place* place,
                                               holdfast_link_facts* chain) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        HOLDFAST_TRY(check_out(place, "place"));
        HOLDFAST_TRY(check_out(chain, "chain"));
        HOLDFAST_ASSIGN(id, fixed_of<ChainId>(chain_id, "chain_id"));
        HOLDFAST_ASSIGN(request, link_request_of(aggregator->registry(), id, Height(height)));
        holdfast_link_place where{};
        where.height = height;
        put_fixed(where.block_hash, request.block_hash);
        put_fixed(where.y, request.y);
        put_fixed(where.anchor, request.anchor);
        holdfast_link_facts facts{};
        put_fixed(facts.chain_id, id);
        put_fixed(facts.link_before, request.link_before);
        facts.has_reveal_base = request.reveal_base ? 1 : 0;
        if (request.reveal_base) facts.reveal_base = request.reveal_base->value;
        write_struct(place, where);
        write_struct(chain, facts);
        return {};
    });
}

holdfast_status holdfast_aggregator_seal_duty(const holdfast_aggregator* aggregator,
                                              const uint8_t chain_id[32], size_t index,
                                              holdfast_seal_duty* out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        HOLDFAST_TRY(check_out(out, "out"));
        HOLDFAST_ASSIGN(id, fixed_of<ChainId>(chain_id, "chain_id"));
        HOLDFAST_ASSIGN(duties, aggregator->registry().seal_duties(id));
        if (index >= duties.size()) {
            return failure(HOLDFAST_NOT_FOUND, "the chain owes no further seal proof");
        }
        write_struct(out, duty_to_c(duties[index]));
        return {};
    });
}

holdfast_status holdfast_aggregator_chain_to_json(const holdfast_aggregator* aggregator,
                                                  const uint8_t chain_id[32], char* out,
                                                  size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        HOLDFAST_ASSIGN(id, fixed_of<ChainId>(chain_id, "chain_id"));
        HOLDFAST_ASSIGN(info, aggregator->registry().chain(id));
        if (!info) {
            return failure(HOLDFAST_NOT_FOUND, "chain " + to_hex(id) + " was never registered");
        }
        return put_text(json::dump(json::json_of(*info)), out, out_bytes);
    });
}

holdfast_status holdfast_aggregator_statistics_to_json(const holdfast_aggregator* aggregator,
                                                       char* out, size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        HOLDFAST_ASSIGN(statistics, aggregator->registry().statistics());
        return put_text(json::dump(json::json_of(statistics)), out, out_bytes);
    });
}

holdfast_status holdfast_aggregator_challenges(
    const holdfast_aggregator* aggregator, uint64_t height, holdfast_challenger_part* challengers,
    size_t* challengers_count, holdfast_challenged_chain* chains, size_t* chains_count) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(aggregator, "aggregator"));
        if (challengers_count == nullptr || chains_count == nullptr) return missing("a count");
        HOLDFAST_ASSIGN(who, aggregator->registry().challengers_in_force(Height(height)));
        HOLDFAST_ASSIGN(whom, aggregator->registry().challenged_chains(Height(height)));
        const bool room =
            has_room(who, challengers, challengers_count) && has_room(whom, chains, chains_count);
        *challengers_count = who.size();
        *chains_count = whom.size();
        if (!room) return failure(HOLDFAST_SHORT_BUFFER, "an array is too short");
        for (std::size_t i = 0; i < who.size(); ++i) {
            put_fixed(challengers[i].key, who[i].key);
            challengers[i].part = who[i].part;
        }
        for (std::size_t i = 0; i < whom.size(); ++i) {
            put_fixed(chains[i].chain_id, whom[i].id);
            put_fixed(chains[i].prover, whom[i].prover);
            put_fixed(chains[i].sealed_root, whom[i].sealed_root);
            chains[i].chunks = whom[i].chunks.value;
        }
        return {};
    });
}
