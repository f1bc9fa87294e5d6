#include "known.hpp"

#include <map>

namespace holdfast::wasm {
namespace {

/// Of an EvidenceKnowledge, whose functions share it.
struct Facts {
    std::map<ChainId, KnownChain> chains;
    std::map<Height, BlockHash> blocks;
    std::map<Height, VdfOutput> outputs;
    std::map<Height, Seed> seeds;
    std::map<std::uint64_t, EpochSeed> epoch_seeds;
};

template <class Key, class Value>
Result<std::optional<Value>> found(const std::map<Key, Value>& map, const Key& key) {
    const auto at = map.find(key);
    return at == map.end() ? std::optional<Value>() : std::optional<Value>(at->second);
}

void read_known_block(Reader& r, Facts& facts) {
    const Height height = r.height();
    if (const auto hash = read_optional<BlockHash>(r)) facts.blocks[height] = *hash;
    if (const auto y = read_optional<VdfOutput>(r)) facts.outputs[height] = *y;
    if (const auto seed = read_optional<Seed>(r)) facts.seeds[height] = *seed;
}

}  // namespace

bool read_flag(Reader& r) {
    const std::uint8_t flag = r.u8();
    if (flag > 1) r.refuse(Reason::kBadField);
    return flag == 1;
}

ByteView read_bytes(Reader& r) {
    const std::uint64_t length = r.u64();
    return r.raw(length);
}

KnownChain read_chain(Reader& r, const NetworkId& network_id) {
    KnownChain chain = KnownChain::of(network_id, Registration::decode(r));
    if (read_flag(r)) {  // another commitment or a newer reveal than the registration's
        chain.reveals.reset();
        if (read_flag(r)) {
            const Height base = r.height();
            chain.reveals = RevealState{base, read_reveal(r)};
        }
    }
    return chain;
}

KnownHeight read_height(Reader& r) {
    KnownHeight known;
    known.height = r.height();
    known.block_hash = r.fixed<BlockHash>();
    known.y = read_optional<VdfOutput>(r);
    known.anchor = r.fixed<GlobalDigest>();
    known.link_before = read_optional<Link>(r);
    known.y_compact = read_optional<VdfOutput>(r);
    known.previous_global = read_optional<GlobalDigest>(r);
    known.global = read_optional<GlobalDigest>(r);
    return known;
}

KnownPlace read_place(Reader& r, const NetworkId& network_id) {
    KnownPlace place;
    place.chain = read_chain(r, network_id);
    place.height = read_height(r);
    return place;
}

KnownReveal read_reveal(Reader& r) {
    KnownReveal reveal;
    reveal.i = r.u64();
    reveal.a = r.fixed<Reveal>();
    return reveal;
}

VdfContext read_vdf_context(Reader& r, const NetworkParams& params, const NetworkId& network_id) {
    const Height height = r.height();
    const auto input = r.fixed<Seed>();
    const std::optional<VdfOutput> source = read_optional<VdfOutput>(r);
    if (!params.has_vdf) {
        r.refuse(Reason::kVdfPolicy);
        return {params, network_id, height, input, 0, {}};
    }
    return make_vdf_context(params, network_id, height, input,
                            source.value_or(genesis_output(network_id)));
}

EvidenceKnowledge read_evidence_knowledge(Reader& r, const NetworkParams& params,
                                          const NetworkId& network_id) {
    auto facts = std::make_shared<Facts>();
    for (const KnownChain& chain :
         read_list(r, [&](Reader& one) { return read_chain(one, network_id); })) {
        facts->chains.emplace(chain.id, chain);
    }
    for (std::uint64_t left = r.u64(); left > 0 && !r.failed(); --left) read_known_block(r, *facts);
    for (std::uint64_t left = r.u64(); left > 0 && !r.failed(); --left) {
        const std::uint64_t epoch = r.u64();
        facts->epoch_seeds[epoch] = r.fixed<EpochSeed>();
    }
    EvidenceKnowledge out;
    out.params = params;
    out.network_id = network_id;
    out.chain = [facts](const ChainId& id, Height) { return found(facts->chains, id); };
    out.final_block = [facts](Height h) { return found(facts->blocks, h); };
    out.y = [facts](Height h) { return found(facts->outputs, h); };
    out.seed = [facts](Height h) { return found(facts->seeds, h); };
    out.epoch_seed = [facts](std::uint64_t epoch) { return found(facts->epoch_seeds, epoch); };
    out.arena = [vdf = params.vdf](std::uint64_t epoch, const EpochSeed& seed) {
        return VdfArena::fill(vdf, epoch, seed);
    };
    return out;
}

}  // namespace holdfast::wasm
