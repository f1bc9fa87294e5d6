// Sealing and shards.
#include "call.hpp"
#include "structs.hpp"

namespace holdfast_node {
namespace {

napi_value seal(Call& c) {
    const In in = c.at(4, "options");
    std::optional<std::string> preset;
    auto options = sized_struct<holdfast_seal_options>();
    if (in.present()) {
        preset = optional_text(in.field("preset"));
        options.segment = u64_or(in.field("segment"), 0);
        const In nonce = in.field("nonce");
        if (nonce.present()) {
            options.nonce = nonce.u64();
            options.has_nonce = 1;
        }
        options.workers = u32_or(in.field("workers"), 0);
        options.restart = flag_or(in.field("restart"), false) ? 1 : 0;
    }
    return c.thread(
        c.at(5, "control"),
        [network = c.at(0, "network").handle<holdfast_network>(),
         prover = c.at(1, "prover").digest(), source = c.at(2, "source").text(),
         replica = c.at(3, "replica").text(), preset, options](auto control) mutable -> Value {
            options.preset = text_or_null(preset);
            auto info = sized_struct<holdfast_replica_info>();
            check(holdfast_seal(network.get(), prover.data(), source.c_str(), replica.c_str(),
                                &options, control, &info));
            return replica_value(info);
        });
}

napi_value unseal(Call& c) {
    return c.thread(c.at(4, "control"),
                    [network = c.at(0, "network").handle<holdfast_network>(),
                     replica = c.at(1, "replica").text(), output = c.at(2, "output").text(),
                     workers = u32_or(c.at(3, "workers"), 0)](auto control) -> Value {
                        check(holdfast_unseal(network.get(), replica.c_str(), output.c_str(),
                                              workers, control));
                        return {};
                    });
}

napi_value unseal_range(Call& c) {
    const std::uint64_t bytes = c.at(3, "bytes").u64();
    if (bytes > (std::uint64_t{1} << 30)) c.at(3, "bytes").bad("at most 2^30", true);
    return c.thread(c.at(5, "control"),
                    [network = c.at(0, "network").handle<holdfast_network>(),
                     replica = c.at(1, "replica").text(), offset = c.at(2, "offset").u64(), bytes,
                     workers = u32_or(c.at(4, "workers"), 0)](auto control) -> Value {
                        // The replica says how much there is before room is made for it.
                        auto info = sized_struct<holdfast_replica_info>();
                        check(holdfast_replica_inspect(network.get(), replica.c_str(), &info));
                        if (offset > info.data_bytes || bytes > info.data_bytes - offset) {
                            throw Failure{
                                HOLDFAST_INVALID_ARGUMENT, "the range ends behind the data", {}};
                        }
                        Bytes out(bytes);
                        check(holdfast_unseal_range(network.get(), replica.c_str(), offset,
                                                    out.data(), out.size(), workers, control));
                        return out;
                    });
}

napi_value replica_inspect(Call& c) {
    return c.pool([network = c.at(0, "network").handle<holdfast_network>(),
                   replica = c.at(1, "replica").text()](auto) -> Value {
        auto info = sized_struct<holdfast_replica_info>();
        check(holdfast_replica_inspect(network.get(), replica.c_str(), &info));
        return replica_value(info);
    });
}

napi_value shards_encode(Call& c) {
    return c.thread(
        c.at(4, "control"),
        [source = c.at(0, "source").text(), data = c.at(1, "data").u32(),
         parity = c.at(2, "parity").u32(), paths = texts(c.at(3, "paths"))](auto control) -> Value {
            const auto names = paths.pointers();
            return sized(64 * 1024, [&](std::uint8_t* out, std::size_t* size) {
                return holdfast_shards_encode(source.c_str(), data, parity, names.data(),
                                              names.size(), control, out, size);
            });
        });
}

napi_value shards_decode(Call& c) {
    return c.thread(c.at(3, "control"),
                    [manifest = c.at(0, "manifest").bytes(), paths = texts(c.at(1, "paths")),
                     output = c.at(2, "output").text()](auto control) -> Value {
                        const auto names = paths.pointers();
                        check(holdfast_shards_decode(manifest.data(), manifest.size(), names.data(),
                                                     names.size(), output.c_str(), control));
                        return {};
                    });
}

napi_value shards_rebuild(Call& c) {
    return c.thread(
        c.at(4, "control"),
        [manifest = c.at(0, "manifest").bytes(), paths = texts(c.at(1, "paths")),
         shard = c.at(2, "shard").u32(), output = c.at(3, "output").text()](auto control) -> Value {
            const auto names = paths.pointers();
            check(holdfast_shards_rebuild(manifest.data(), manifest.size(), names.data(),
                                          names.size(), shard, output.c_str(), control));
            return {};
        });
}

}  // namespace

void add_storage(Exports& exports) {
    exports.insert(exports.end(), {
                                      {"seal", entry<seal>},
                                      {"unseal", entry<unseal>},
                                      {"unsealRange", entry<unseal_range>},
                                      {"replicaInspect", entry<replica_inspect>},
                                      {"shardsEncode", entry<shards_encode>},
                                      {"shardsDecode", entry<shards_decode>},
                                      {"shardsRebuild", entry<shards_rebuild>},
                                  });
}

}  // namespace holdfast_node
