// The sequential function and the clock.
#include "call.hpp"
#include "structs.hpp"

namespace holdfast_node {
namespace {

napi_value vdf_new(Call& c) {
    return c.pool([network = c.at(0, "network").handle<holdfast_network>(),
                   memory = u64_or(c.at(1, "memoryBytes"), 0),
                   threads = u32_or(c.at(2, "threads"), 0)](auto) -> Value {
        holdfast_vdf* vdf = nullptr;
        check(holdfast_vdf_new(network.get(), memory, threads, &vdf));
        return box(vdf);
    });
}

napi_value vdf_input(Call& c) {
    const Digest block_hash = c.at(2, "blockHash").digest();
    const In beacon = c.at(3, "beacon");
    std::uint64_t round = 0;
    OptionalDigest randomness;
    if (beacon.present()) {
        round = beacon.field("round").u64();
        randomness = optional_digest(beacon.field("randomness"));
    }
    std::uint8_t out[32];
    check(holdfast_vdf_input(c.at(0, "network").handle<holdfast_network>().get(),
                             c.at(1, "height").u64(), block_hash.data(), round, randomness.data(),
                             out));
    return c.now(bytes_of(out));
}

napi_value vdf_epoch_source(Call& c) {
    std::uint64_t height = 0;
    std::uint32_t has = 0;
    check(holdfast_vdf_epoch_source(c.at(0, "network").handle<holdfast_network>().get(),
                                    c.at(1, "height").u64(), &height, &has));
    if (has == 0) return c.nothing();
    return c.now(height);
}

napi_value vdf_evaluate(Call& c) {
    return c.thread(c.at(5, "control"),
                    [vdf = c.at(0, "vdf").handle<holdfast_vdf>(),
                     evaluator = c.at(1, "evaluator").handle<holdfast_signer>(),
                     height = c.at(2, "height").u64(), input = c.at(3, "input").digest(),
                     source = optional_digest(c.at(4, "epochSource"))](auto control) -> Value {
                        std::uint8_t y[32];
                        Bytes proof = sized(256 * 1024, [&](std::uint8_t* out, std::size_t* size) {
                            return holdfast_vdf_evaluate(vdf.get(), evaluator.get(), height,
                                                         input.data(), source.data(), control, out,
                                                         size, y);
                        });
                        return Fields{{"proof", std::move(proof)}, {"y", bytes_of(y)}};
                    });
}

napi_value vdf_verify(Call& c) {
    return c.thread(
        c.at(6, "control"),
        [vdf = c.at(0, "vdf").handle<holdfast_vdf>(), height = c.at(1, "height").u64(),
         input = c.at(2, "input").digest(), source = optional_digest(c.at(3, "epochSource")),
         proof = c.at(4, "proof").bytes(),
         segments = u32_or(c.at(5, "segments"), 0)](auto control) -> Value {
            holdfast_verdict verdict{};
            std::uint8_t y[32] = {};
            check(holdfast_vdf_verify(vdf.get(), height, input.data(), source.data(), proof.data(),
                                      proof.size(), segments, control, &verdict, y));
            return Fields{{"verdict", verdict_value(verdict)},
                          {"y", verdict.reason == HOLDFAST_REASON_OK ? bytes_of(y) : Value{}}};
        });
}

// --- the clock -----------------------------------------------------------------------------------

std::shared_ptr<holdfast_clock> clock_of(Call& c) {
    return c.at(0, "clock").handle<holdfast_clock>();
}

napi_value clock_open(Call& c) {
    const In in = c.at(1, "options");
    auto options = sized_struct<holdfast_clock_options>();
    std::shared_ptr<holdfast_beacon> beacon;
    std::shared_ptr<holdfast_signer> evaluator;
    if (in.field("beacon").present()) beacon = in.field("beacon").handle<holdfast_beacon>();
    if (in.field("evaluator").present())
        evaluator = in.field("evaluator").handle<holdfast_signer>();
    options.threads = u32_or(in.field("threads"), 0);
    options.at_once = u32_or(in.field("atOnce"), 0);
    options.memory_bytes = u64_or(in.field("memoryBytes"), 0);
    options.keep_proofs = u64_or(in.field("keepProofs"), 0);
    if (in.field("first").present()) {
        options.first = in.field("first").u64();
        options.has_first = 1;
    }
    return c.thread([network = c.at(0, "network").handle<holdfast_network>(),
                     chain = in.field("chain").handle<holdfast_blockchain>(), beacon, evaluator,
                     folder = optional_text(in.field("folder")), options](auto) mutable -> Value {
        options.folder = text_or_null(folder);
        holdfast_clock* clock = nullptr;
        check(holdfast_clock_open(network.get(), chain.get(), beacon.get(), evaluator.get(),
                                  &options, &clock));
        return box(clock);
    });
}

napi_value clock_at(Call& c) {
    return c.thread(c.at(2, "control"),
                    [clock = clock_of(c), height = c.at(1, "height").u64()](auto control) -> Value {
                        auto block = sized_struct<holdfast_block>();
                        std::uint8_t input[32];
                        std::uint8_t y[32];
                        check(holdfast_clock_at(clock.get(), height, control, &block, input, y));
                        return Fields{{"height", block.height},
                                      {"hash", bytes_of(block.hash)},
                                      {"parent", bytes_of(block.parent)},
                                      {"timeMs", block.time_ms},
                                      {"final", block.final != 0},
                                      {"input", bytes_of(input)},
                                      {"y", bytes_of(y)}};
                    });
}

napi_value clock_advance(Call& c) {
    return c.thread(c.at(1, "control"), [clock = clock_of(c)](auto control) -> Value {
        std::uint64_t evaluated = 0;
        check(holdfast_clock_advance(clock.get(), control, &evaluated));
        return evaluated;
    });
}

napi_value clock_proof(Call& c) {
    return c.pool([clock = clock_of(c), height = c.at(1, "height").u64()](auto) -> Value {
        return sized(16 * 1024, [&](std::uint8_t* out, std::size_t* size) {
            return holdfast_clock_proof(clock.get(), height, out, size);
        });
    });
}

napi_value clock_import(Call& c) {
    return c.thread(c.at(2, "control"),
                    [clock = clock_of(c), proof = c.at(1, "proof").bytes()](auto control) -> Value {
                        holdfast_verdict verdict{};
                        check(holdfast_clock_import(clock.get(), proof.data(), proof.size(),
                                                    control, &verdict));
                        return verdict_value(verdict);
                    });
}

}  // namespace

void add_time(Exports& exports) {
    exports.insert(exports.end(), {
                                      {"vdfNew", entry<vdf_new>},
                                      {"vdfInput", entry<vdf_input>},
                                      {"vdfEpochSource", entry<vdf_epoch_source>},
                                      {"vdfEvaluate", entry<vdf_evaluate>},
                                      {"vdfVerify", entry<vdf_verify>},
                                      {"clockOpen", entry<clock_open>},
                                      {"clockAt", entry<clock_at>},
                                      {"clockAdvance", entry<clock_advance>},
                                      {"clockProof", entry<clock_proof>},
                                      {"clockImport", entry<clock_import>},
                                  });
}

}  // namespace holdfast_node
