// The chains of links.json as a prover and a verifier see them.
#pragma once

#include <span>
#include <vector>

#include "api/link_prover.hpp"
#include "proofs/link_verify.hpp"
#include "support/sealed_case.hpp"

namespace holdfast::test {

/// One height of a chain's story; `told` is the entry of the vector file.
struct LinkHeight {
    nlohmann::json told;
    KnownHeight known;
    [[nodiscard]] bool has_link() const { return told.contains("link"); }
    [[nodiscard]] Bytes body(const char* name) const { return hex(told.at(name)); }
};

struct LinkWorld {
    nlohmann::json story;
    VectorNetwork network;
    Registration registration;
    KnownChain chain;
    std::vector<LinkHeight> heights;

    explicit LinkWorld(std::size_t which)
        : story(load_vectors("links.json")["cases"]["chains"][which]),
          network(network_of(story)),
          registration(*Registration::decode(hex(story["registration"]))),
          chain(KnownChain::of(network.id, registration)) {
        for (const auto& h : story["heights"]) {
            KnownHeight known;
            known.height = Height(h["block"]["height"].get<std::uint64_t>());
            known.block_hash = fixed<BlockHash>(h["block"]["block_hash"]);
            known.y = fixed<VdfOutput>(h["block"]["y"]);
            known.anchor = fixed<GlobalDigest>(h["anchor"]);
            known.y_compact = fixed<VdfOutput>(h["next_y"]);
            known.previous_global = fixed<GlobalDigest>(h["previous_global"]);
            known.global = fixed<GlobalDigest>(h["global"]);
            if (h.contains("link_before")) known.link_before = fixed<Link>(h["link_before"]);
            heights.push_back({h, known});
        }
    }

    /// What a prover derives height i's link from.
    [[nodiscard]] LinkFacts facts(std::size_t i) const {
        const KnownHeight& k = heights.at(i).known;
        return {chain.id,
                k.height,
                k.block_hash,
                *k.y,
                k.anchor,
                k.link_before.value(),
                fixed<Reveal>(heights.at(i).told["reveal"])};
    }
    /// A verdict on everything but whether each link's kind counts, which is the last check.
    [[nodiscard]] Verdict window(std::span<const KnownHeight> at, const ProofWindow& links) const {
        const Verdict v = window_counts(at, links);
        return v.reason == Reason::kCompactNotAllowed ? Verdict::ok() : v;
    }
    [[nodiscard]] Verdict window_counts(std::span<const KnownHeight> at,
                                        const ProofWindow& links) const {
        std::vector<KnownPlace> places;
        for (const KnownHeight& known : at) places.push_back({chain, known});
        return verify_window(network.params, network.id, places, links);
    }
    /// The height with the refusal lists.
    [[nodiscard]] std::size_t rich() const {
        for (std::size_t i = 0; i < heights.size(); ++i) {
            if (heights[i].told.contains("refused_full")) return i;
        }
        return heights.size();
    }
    [[nodiscard]] Verdict receipt(const KnownHeight& known, ByteView body) const {
        const auto decoded = Receipt::decode(body);
        return decoded ? verify_receipt(network.id, chain, known, *decoded) : decoded.error();
    }
    [[nodiscard]] Verdict compact(const KnownHeight& known, ByteView body) const {
        const auto decoded = Compact::decode(body);
        if (!decoded) return decoded.error();
        return verify_compact(network.params, network.id, chain, known, *decoded);
    }
    [[nodiscard]] Verdict full(const KnownHeight& known, ByteView body) const {
        const auto decoded = Full::decode(body);
        if (!decoded) return decoded.error();
        return verify_full(network.params, network.id, chain, known, *decoded);
    }
};

}  // namespace holdfast::test
