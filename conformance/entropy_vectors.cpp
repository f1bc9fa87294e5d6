// selection and entropy.
#include "conformance/vector_file.hpp"
#include "core/selection.hpp"
#include "proofs/entropy.hpp"
#include "proofs/reveal.hpp"
#include "vdf/walk.hpp"

namespace holdfast::conformance {
namespace {

void check_v2(Checker& check, const Value& cases) {
    for (const Value& v : cases["v2"].items()) {
        check.run_case(v, [&] {
            check.equal(
                v["selected"],
                check.need(v.where(), select_v2(v["e"].digest(), v["n"].u64(), v["count"].u64())));
        });
    }
    for (const Value& n : cases["v2_refused_n"].items()) {
        check.run_case(n, [&] {
            check.refused(n.where(), verdict_of(select_v2(Digest{}, n.u64(), kChunksPerLink)));
        });
    }
}

void check_v1(Checker& check, const Value& cases) {
    for (const Value& v : cases["v1"].items()) {
        check.run_case(v, [&] {
            check.equal(
                v["selected"],
                check.need(v.where(), select_v1(v["block_hash"].id<BlockHash>(), v["n"].u64())));
        });
    }
    for (const Value& n : cases["v1_refused_n"].items()) {
        check.run_case(
            n, [&] { check.refused(n.where(), verdict_of(select_v1(BlockHash{}, n.u64()))); });
    }
}

void check_seed(Checker& check, const Value& v, const Network& file_network) {
    const Network network = check.network_or(v, file_network);
    // The file tells a beacon value in every case; it counts where the network has a beacon.
    const BeaconRandomness value{v["beacon_round"].u64(), v["beacon_randomness"].digest()};
    std::optional<BeaconRandomness> beacon;
    if (network.params.has_beacon) beacon = value;
    check.equal(v["seed"],
                check.need(v.where(), make_seed(network.params, network.id, v["height"].height(),
                                                v["block_hash"].id<BlockHash>(), beacon)));
    check.equal(v["genesis_y"], genesis_output(network.id));
}

void check_beacon(Checker& check, const Value& v, const Network& file_network) {
    const Network network = check.network_or(v, file_network);
    for (const Value& round : v["rounds"].items()) {
        check.equal(
            round["round"],
            check.need(round.where(), beacon_round(network.params, round["block_time_s"].u64())));
    }
}

void check_reveal_chain(Checker& check, const Value& v, const Network& network) {
    const KeyPair key = KeyPair::from_secret(view(v["secret_key"].digest()));
    const Digest owner = v["owner"].digest();
    const Height base = v["base"].height();
    check.equal(v["end_i"], kRevealChainLength);
    check.equal(v["end"], reveal_end(network.id, view(owner), base, key).value());
    RevealChain chain = RevealChain::make(network.id, owner, base, key).value();
    const std::vector<Value> elements = v["a"].items();
    if (elements.size() > kRevealChainLength) v["a"].malformed("has more than 2^20 elements");
    for (std::size_t i = 0; i < elements.size(); ++i) {
        check.poll();
        check.equal(elements[i], chain.at(i));
        if (i == 0) {
            check.equal(elements[i], chain.commitment());
        } else {
            check.equal(elements[i - 1],
                        reveal_before(network.id, view(owner), i, elements[i].id<Reveal>()));
        }
    }
    for (const Value& c : v["checks"].items()) {
        const KnownReveal known{c["known_i"].u64(), c["known"].id<Reveal>()};
        const Verdict verdict =
            check_reveal(network.id, view(owner), known, c["i"].u64(), c["reveal"].id<Reveal>(),
                         reveal_limit(network.params));
        check.flag(c["holds"], verdict.accepted());
    }
}

}  // namespace

void check_selection(Checker& check, const Network&, const Value& cases) {
    check_v2(check, cases);
    check_v1(check, cases);
    for (const Value& v : cases["cells"].items()) {
        check.run_case(v, [&] {
            const Digest e = v["e"].digest();
            std::vector<std::uint64_t> cells;
            for (std::uint32_t j = 0; j < v["cells"].size(); ++j) {
                cells.push_back(cell_in_chunk(e, j));
            }
            check.equal(v["cells"], cells);
        });
    }
}

void check_entropy(Checker& check, const Network& network, const Value& cases) {
    for (const Value& v : cases["seeds"].items()) {
        check.run_case(v, [&] { check_seed(check, v, network); });
    }
    check.run_case(cases, [&] { check.equal(cases["genesis_y"], genesis_output(network.id)); });
    const Value beacon = cases["beacon"];
    check.run_case(beacon, [&] { check_beacon(check, beacon, network); });
    const Value reveals = cases["reveals"];
    check.run_case(reveals, [&] { check_reveal_chain(check, reveals, network); });
    for (const Value& v : cases["chains"].items()) {
        check.run_case(v, [&] {
            check.equal(v["e"],
                        chain_entropy(network.id, v["y"].id<VdfOutput>(),
                                      v["chain_id"].id<ChainId>(), v["reveal"].id<Reveal>()));
        });
    }
}

}  // namespace holdfast::conformance
