// A network with a tiny VDF, its first arena and an evaluator, for tests of the VDF.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "core/hash.hpp"
#include "core/keys.hpp"
#include "storage/parallel.hpp"
#include "vdf/arena.hpp"
#include "vdf/evaluate.hpp"
#include "vdf/proof.hpp"
#include "vdf/verify.hpp"

namespace holdfast::test {

inline Digest digest_of(std::string_view text) { return sha256(view(text)); }

struct VdfWorld {
    NetworkParams params;
    NetworkId network_id;
    std::shared_ptr<const VdfArena> arena;
    KeyPair key;
    Height height{1'000};
    Seed input{digest_of("block 1000")};

    explicit VdfWorld(const VdfParams& vdf = {64, 1, 4, 16, 5})
        : key(KeyPair::from_secret(view(digest_of("evaluator")))) {
        params.name = "tiny";
        params.genesis_height = Height(1'000);
        params.vdf = vdf;
        network_id = params.id();
        auto filled = VdfArena::fill(vdf, 0, context().epoch_seed);
        EXPECT_TRUE(filled.has_value());
        arena = *filled;
    }

    [[nodiscard]] VdfContext context() const { return context_of(height, input); }
    [[nodiscard]] VdfContext context_of(Height h, const Seed& seed) const {
        return make_vdf_context(params, network_id, h, seed, genesis_output(network_id));
    }
    [[nodiscard]] std::vector<Digest> checkpoints() const {
        auto d = evaluate(arena->view(), params.vdf, network_id, {height, input, {}});
        EXPECT_TRUE(d.has_value());
        return *d;
    }
    /// A proof over any checkpoints, honestly signed.
    [[nodiscard]] VdfProof sign(std::vector<Digest> d) const {
        return make_vdf_proof(params.vdf, network_id, height, input, std::move(d), key).value();
    }
    [[nodiscard]] VdfProof proof() const { return sign(checkpoints()); }
    /// Signs again after a field has been changed.
    void resign(VdfProof& p) const {
        const Digest message =
            vdf_signing_digest(network_id, p.height, p.input, checkpoints_root(p.checkpoints), p.y);
        p.evaluator = key.public_key();
        p.signature = key.sign(view(message)).value();
    }
};

}  // namespace holdfast::test
