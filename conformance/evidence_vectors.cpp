// evidence: every kind, judged with what the verifier of the case knows.
#include <map>

#include "conformance/replica_case.hpp"
#include "conformance/vector_file.hpp"
#include "proofs/entropy.hpp"
#include "proofs/evidence.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast::conformance {
namespace {

/// The object `known` of the file.
struct Knowledge {
    ChainCase chain;
    KnownChain known_chain;
    std::map<Height, BlockHash> blocks;
    std::map<Height, VdfOutput> y;
    std::map<Height, Seed> seeds;
    std::map<Height, EpochSeed> epoch_seeds;
    std::shared_ptr<const VdfArena> arena;
};

template <class T>
std::optional<T> lookup(const std::map<Height, T>& map, Height height) {
    const auto found = map.find(height);
    return found == map.end() ? std::nullopt : std::optional<T>(found->second);
}

Knowledge read_knowledge(Checker& check, const Value& v, const Network& network) {
    Knowledge out{check_sealed_chain(check, v["chain"], network).chain, {}, {}, {}, {}, {}, {}};
    out.known_chain = KnownChain::of(network.id, out.chain.registration);
    if (v.has("last_reveal") && !v["last_reveal"].is_null()) {
        const Value last = v["last_reveal"];
        out.known_chain.reveals = RevealState{out.chain.registration.genesis_height,
                                              {last["i"].u64(), last["reveal"].id<Reveal>()}};
    }
    for (const Value& block : v["blocks"].items()) {
        const Height height = block["height"].height();
        out.blocks[height] = block["block_hash"].id<BlockHash>();
        if (block.has("y") && !block["y"].is_null()) out.y[height] = block["y"].id<VdfOutput>();
    }
    if (!v.has("inputs")) return out;  // a network without a VDF
    for (const auto& [height, seed] : v["inputs"].members()) {
        out.seeds[Height(v["inputs"].key_u64(height))] = seed.id<Seed>();
        out.epoch_seeds[Height(v["inputs"].key_u64(height))] =
            v["epoch_seeds"][height].id<EpochSeed>();
    }
    return out;
}

/// e_n from the y of its source height, where that is among those known; else as told.
EpochSeed known_epoch_seed(const Knowledge& known, const Network& network, Height height) {
    const std::uint64_t epoch = epoch_of(network.params, height);
    const auto source = epoch_source_height(network.params, epoch);
    if (!source) return epoch_seed(network.id, epoch, genesis_output(network.id));
    const auto y = lookup(known.y, *source);
    return y ? epoch_seed(network.id, epoch, *y) : known.epoch_seeds.at(height);
}

/// The seeds told follow from the blocks (unless a beacon that the file does not tell is in them),
/// the outputs from the seeds.
void check_known_heights(Checker& check, const Value& v, const Network& network,
                         const Knowledge& known) {
    const NetworkParams& params = network.params;
    if (!params.has_vdf) v.malformed("tells VDF inputs in a network without a VDF");
    std::shared_ptr<const VdfArena> arena;
    for (const auto& [name, told] : v["inputs"].members()) {
        check.poll();
        const Height height(v["inputs"].key_u64(name));
        const auto block_hash = lookup(known.blocks, height);
        const auto y = lookup(known.y, height);
        if (!block_hash || !y) told.malformed("is of a height without a block or y");
        if (!params.has_beacon) {
            check.equal(told, check.need(told.where(), make_seed(params, network.id, height,
                                                                 *block_hash, std::nullopt)));
        }
        const EpochSeed e = known_epoch_seed(known, network, height);
        check.equal(v["epoch_seeds"][name], e);
        const std::uint64_t epoch = epoch_of(params, height);
        if (!arena || !arena->view().serves(params.vdf, epoch, e)) {
            arena = check.need(told.where(), VdfArena::fill(params.vdf, epoch, e));
        }
        const auto d = check.need(told.where(), evaluate(arena->view(), params.vdf, network.id,
                                                         VdfJob{height, told.id<Seed>(), {}}));
        check.holds(v["blocks"].where(), vdf_output(d.back(), params.vdf) == *y,
                    "computed another y for height " + name);
    }
}

EvidenceKnowledge knowledge_of(Checker& check, const Network& network, Knowledge& known) {
    EvidenceKnowledge out;
    out.params = network.params;
    out.network_id = network.id;
    out.chain = [&known](const ChainId& id, Height) -> Result<std::optional<KnownChain>> {
        if (id != known.known_chain.id) return std::optional<KnownChain>{};
        return std::optional(known.known_chain);
    };
    out.final_block = [&known](Height h) -> Result<std::optional<BlockHash>> {
        return lookup(known.blocks, h);
    };
    out.y = [&known](Height h) -> Result<std::optional<VdfOutput>> { return lookup(known.y, h); };
    out.seed = [&known](Height h) -> Result<std::optional<Seed>> { return lookup(known.seeds, h); };
    out.epoch_seed = [&known, &network](std::uint64_t epoch) -> Result<std::optional<EpochSeed>> {
        for (const auto& [height, seed] : known.epoch_seeds) {
            if (epoch_of(network.params, height) == epoch) return std::optional(seed);
        }
        return std::optional<EpochSeed>{};
    };
    out.fill.stop = check.stop();
    out.vdf.stop = check.stop();
    out.arena = [&known, &network, stop = check.stop()](
                    std::uint64_t epoch,
                    const EpochSeed& seed) -> Result<std::shared_ptr<const VdfArena>> {
        const VdfParams& params = network.params.vdf;
        if (!known.arena || !known.arena->view().serves(params, epoch, seed)) {
            FillOptions options;
            options.stop = stop;
            HOLDFAST_ASSIGN(arena, VdfArena::fill(params, epoch, seed, options));
            known.arena = std::move(arena);
        }
        return known.arena;
    };
    return out;
}

/// Fields that a case tells beside its evidence.
void check_told_fields(Checker& check, const Value& v, const Network& network,
                       const Knowledge& known, const Evidence& evidence) {
    if (v.has("replica")) {
        // What the accused registered is not what sealing gives, so nothing is sealed here.
        const ChainCase accused = check_chain(check, v["replica"], network);
        const auto* seal = std::get_if<BadSeal>(&evidence.body);
        check.holds(v["replica"].where(), seal && seal->registration == accused.registration,
                    "the evidence is about another registration");
    }
    const auto* segment = std::get_if<VdfSegmentEvidence>(&evidence.body);
    const auto* end = std::get_if<VdfEndEvidence>(&evidence.body);
    if (segment == nullptr && end == nullptr) return;
    const Height height = segment != nullptr ? segment->segment.height : end->height;
    if (v.has("height")) check.equal(v["height"], height.value);
    if (v.has("input")) {
        check.equal(v["input"], segment != nullptr ? segment->segment.input : end->input);
    }
    if (v.has("epoch_seed")) {
        const auto seed = lookup(known.epoch_seeds, height);
        if (!seed) v["epoch_seed"].malformed("is of a height that is not known");
        check.equal(v["epoch_seed"], *seed);
    }
    if (v.has("evaluator_pk")) {
        check.equal(v["evaluator_pk"], segment != nullptr ? segment->evaluator : end->evaluator);
    }
}

void check_one_evidence(Checker& check, const Value& v, const Network& network, Knowledge& known) {
    const EvidenceKnowledge knowledge = knowledge_of(check, network, known);
    const std::string where = v["body"].where() + " (" + v["offence"].text() + ")";
    const Bytes body = v["body"].bytes();
    const Evidence evidence = check.need(where, Evidence::decode(body));
    check.equal(v["body"], evidence.encode());
    check_told_fields(check, v, network, known, evidence);
    check.equal(v["offence_id"], check.need(where, judge_evidence(knowledge, evidence)).id);
    check.refusals_if_any(v, "refused", body, [&](ByteView bytes) -> Verdict {
        const auto decoded = Evidence::decode(bytes);
        if (!decoded) return decoded.error();
        return check.need(where, judge_evidence(knowledge, *decoded)).verdict;
    });
}

}  // namespace

void check_evidence(Checker& check, const Network& file_network, const Value& cases) {
    const Value known_value = cases["known"];
    std::optional<Knowledge> known;
    check.run_case(known_value, [&] { known = read_knowledge(check, known_value, file_network); });
    if (known && known_value.has("inputs")) {
        check.run_case(known_value,
                       [&] { check_known_heights(check, known_value, file_network, *known); });
    }
    for (const Value& v : cases["evidence"].items()) {
        check.run_case(v, [&] {
            if (!known) v.malformed("cannot be judged without \"known\"");
            check_one_evidence(check, v, check.network_or(v, file_network), *known);
        });
    }
}

}  // namespace holdfast::conformance
