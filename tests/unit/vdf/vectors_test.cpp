// The vectors of section 6, positive and negative, with every kernel.
#include <gtest/gtest.h>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "support/json.hpp"
#include "support/refused.hpp"
#include "vdf/arena.hpp"
#include "vdf/evaluate.hpp"
#include "vdf/proof.hpp"
#include "vdf/verify.hpp"

namespace holdfast::test {
namespace {

using nlohmann::json;

WalkState state_of(const Bytes& raw) {
    WalkState x;
    for (std::size_t i = 0; i < 16; ++i) x.words[i] = load_le32(raw.data() + 4 * i);
    return x;
}

/// Everything that one evaluation's case tells.
struct Case {
    json values;
    NetworkParams params;
    NetworkId network_id;
    VdfContext context;
    std::shared_ptr<const VdfArena> arena;

    explicit Case(const json& v)
        : values(v),
          params(network_of(v).params),
          network_id(params.id()),
          context(make_vdf_context(params, network_id, Height(v["height"].get<std::uint64_t>()),
                                   fixed<Seed>(v["input"]), fixed<VdfOutput>(v["epoch_source"]))) {
        auto filled = VdfArena::fill(params.vdf, context.epoch, context.epoch_seed);
        EXPECT_TRUE(filled.has_value());
        arena = *filled;
    }
    Case(const Case&) = delete;
};

class VdfVectors : public ::testing::Test {
  protected:
    static const json& cases() { return load_vectors("vdf.json").at("cases"); }
};

TEST_F(VdfVectors, FunctionF) {
    EXPECT_EQ(vdf_f(state_of(hex(cases()["f_input"]))), state_of(hex(cases()["f_output"])));
}

TEST_F(VdfVectors, Epochs) {
    const NetworkParams params = network_of(load_vectors("vdf.json")).params;
    ASSERT_FALSE(cases()["epochs"].empty());
    for (const json& e : cases()["epochs"]) {
        const std::uint64_t epoch = epoch_of(params, Height(e["height"].get<std::uint64_t>()));
        EXPECT_EQ(epoch, e["epoch"].get<std::uint64_t>());
        const auto source = epoch_source_height(params, epoch);
        ASSERT_EQ(source.has_value(), !e["source_height"].is_null());
        if (source) {
            EXPECT_EQ(source->value, e["source_height"].get<std::uint64_t>());
        }
    }
}

TEST_F(VdfVectors, Evaluations) {
    for (const json& v : cases()["evaluations"]) {
        const Case c(v);
        SCOPED_TRACE(v["arena_kib"].dump() + " KiB, " + v["steps_per_checkpoint"].dump());
        EXPECT_EQ(c.params.vdf.steps_per_checkpoint,
                  v["steps_per_checkpoint"].get<std::uint64_t>());
        EXPECT_EQ(c.context.epoch, v["epoch"].get<std::uint64_t>());
        EXPECT_EQ(c.context.epoch_seed, fixed<EpochSeed>(v["epoch_seed"]));
        EXPECT_EQ(sha256(c.arena->bytes()), fixed<Digest>(v["arena_sha256"]));
        const ByteView first = c.arena->bytes().first(kVdfLineBytes);
        const ByteView last = c.arena->bytes().last(kVdfLineBytes);
        EXPECT_EQ(to_hex(first), v["arena_first_line"].get<std::string>());
        EXPECT_EQ(to_hex(last), v["arena_last_line"].get<std::string>());

        for (const WalkKernel& kernel : walk_kernels()) {
            if (!kernel.usable()) continue;
            VdfEvaluateOptions options;
            options.kernel = &kernel;
            const auto d = evaluate(c.arena->view(), c.params.vdf, c.network_id,
                                    {c.context.height, c.context.input, {}}, options);
            ASSERT_TRUE(d.has_value()) << kernel.name;
            ASSERT_EQ(d->size(), v["d"].size());
            for (std::size_t i = 0; i < d->size(); ++i) {
                EXPECT_EQ((*d)[i], fixed<Digest>(v["d"][i])) << kernel.name << " d_" << i;
            }
            EXPECT_EQ(checkpoints_root(*d), fixed<Digest>(v["root"]));
            const KeyPair key = KeyPair::from_secret(hex(v["secret_key"]));
            const VdfProof proof = make_vdf_proof(c.params.vdf, c.network_id, c.context.height,
                                                  c.context.input, *d, key)
                                       .value();
            EXPECT_EQ(proof.y, fixed<VdfOutput>(v["y"]));
            EXPECT_EQ(to_hex(proof.encode()), v["proof"].get<std::string>());
        }
        // The plain form that defines the function.
        for (std::uint32_t i = 0; i < c.params.vdf.checkpoints; ++i) {
            EXPECT_EQ(vdf_run_segment(c.arena->view(), c.params.vdf, fixed<Digest>(v["d"][i]), i),
                      fixed<Digest>(v["d"][i + 1]));
        }
    }
}

TEST_F(VdfVectors, Proofs) {
    std::size_t refused = 0;
    for (const json& v : cases()["evaluations"]) {
        const Case c(v);
        const Bytes body = hex(v["proof"]);
        const auto proof = VdfProof::decode(body);
        ASSERT_TRUE(proof.has_value());
        EXPECT_EQ(proof->encode(), body);
        for (const WalkKernel& kernel : walk_kernels()) {
            if (!kernel.usable()) continue;
            VdfVerifyOptions options;
            options.kernel = &kernel;
            const auto verdict = verify_vdf_full(c.context, *proof, c.arena->view(), options);
            ASSERT_TRUE(verdict.has_value());
            EXPECT_EQ(*verdict, Verdict::ok()) << to_string(*verdict);
            for (const json& entry : v["refused"]) {
                ++refused;
                const auto bad = VdfProof::decode(splice(body, entry));
                if (!bad) continue;
                const auto found = verify_vdf_full(c.context, *bad, c.arena->view(), options);
                ASSERT_TRUE(found.has_value());
                EXPECT_FALSE(found->accepted()) << entry["why"];
            }
        }
    }
    EXPECT_GE(refused, 100U);
}

TEST_F(VdfVectors, Segments) {
    std::size_t refused = 0;
    for (const json& v : cases()["evaluations"]) {
        const Case c(v);
        const auto proof = VdfProof::decode(hex(v["proof"]));
        ASSERT_TRUE(proof.has_value());
        const Digest root = fixed<Digest>(v["root"]);
        for (const json& s : v["segments"]) {
            const Bytes body = hex(s["body"]);
            const auto i = s["i"].get<std::uint32_t>();
            EXPECT_EQ(make_segment(*proof, i).encode(), body);
            const auto segment = VdfSegment::decode(body);
            ASSERT_TRUE(segment.has_value());
            EXPECT_EQ(segment->encode(), body);
            const auto verdict = verify_vdf_segment(c.context, *segment, root, c.arena->view());
            ASSERT_TRUE(verdict.has_value());
            EXPECT_EQ(*verdict, Verdict::ok()) << to_string(*verdict);
            for (const json& entry : s["refused"]) {
                ++refused;
                const auto bad = VdfSegment::decode(splice(body, entry));
                if (!bad) continue;
                const auto found = verify_vdf_segment(c.context, *bad, root, c.arena->view());
                ASSERT_TRUE(found.has_value());
                EXPECT_FALSE(found->accepted()) << entry["why"];
            }
        }
    }
    EXPECT_GE(refused, 15U);
}

TEST_F(VdfVectors, SegmentEvidence) {
    const json& file = load_vectors("evidence.json");
    const NetworkParams params = network_of(file).params;
    const NetworkId network_id = params.id();
    std::size_t seen = 0;
    for (const json& e : file["cases"]["evidence"]) {
        const Bytes object = hex(e["body"]);
        if (object.empty() || object[0] != 4) continue;
        ++seen;
        const VdfContext context{params,
                                 network_id,
                                 Height(e["height"].get<std::uint64_t>()),
                                 fixed<Seed>(e["input"]),
                                 epoch_of(params, Height(e["height"].get<std::uint64_t>())),
                                 fixed<EpochSeed>(e["epoch_seed"])};
        const auto arena = VdfArena::fill(params.vdf, context.epoch, context.epoch_seed);
        ASSERT_TRUE(arena.has_value());
        const auto judge = [&](const Bytes& whole) {
            // u8 kind || u64 length || body: the evidence room's envelope.
            Reader r(whole);
            if (r.u8() != 4 || r.u64() != r.remaining()) return false;
            const auto body = VdfSegmentEvidence::decode(r.raw(r.remaining()));
            if (!body) return false;
            EXPECT_EQ(body->encode(), Bytes(whole.begin() + 9, whole.end()));
            const auto verdict = verify_segment_evidence(context, *body, (*arena)->view());
            EXPECT_TRUE(verdict.has_value());
            return verdict.has_value() && verdict->accepted();
        };
        EXPECT_TRUE(judge(object));
        for (const json& entry : e["refused"]) {
            EXPECT_FALSE(judge(splice(object, entry))) << entry["why"];
        }
    }
    EXPECT_GE(seen, 1U);
}

}  // namespace
}  // namespace holdfast::test
