#include "api/prover.hpp"
#include "capi/network.hpp"
#include "chunking/seal.hpp"
#include "chunking/unseal.hpp"
#include "json/param_fields.hpp"

namespace holdfast::capi {
namespace {

holdfast_replica_info info_of(const FileHeader& header, std::uint64_t windows) {
    holdfast_replica_info out{};
    put_fixed(out.replica_id, header.replica_id);
    put_fixed(out.prover, header.replica.prover);
    put_fixed(out.raw_root, header.replica.raw_root);
    put_fixed(out.sealed_root, header.sealed_root);
    out.data_bytes = header.replica.data_len;
    out.chunks = header.replica.chunks.value;
    out.windows = windows;
    return out;
}

Got<SealRequest> request_from(const NetworkParams& network, const PublicKey& prover,
                              const holdfast_seal_options& options) {
    SealRequest out;
    out.network = network;
    out.prover = prover;
    out.seal = network.seal_presets.front();
    if (options.preset != nullptr) {
        HOLDFAST_ASSIGN(preset, json::seal_params_from(options.preset));
        out.seal = preset;
    }
    out.segment = options.segment;
    if (options.has_nonce != 0) out.nonce = options.nonce;
    return out;
}

Got<Replica> open_replica(const holdfast_network* network, const char* replica) {
    HOLDFAST_TRY(check_handle(network, "network"));
    HOLDFAST_ASSIGN(path, text_of(replica, "replica"));
    const ProverFiles files = ProverFiles::beside(path);
    HOLDFAST_ASSIGN(opened, Replica::open(files.replica, files.tree, network->params));
    return opened;
}

UnsealOptions unseal_options(std::uint32_t workers, Control& work) {
    UnsealOptions out;
    out.workers = workers;
    out.stop = work.stop();
    out.progress = work.progress_of("unsealing");
    return out;
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_seal(const holdfast_network* network, const uint8_t prover[32],
                              const char* source, const char* replica,
                              const holdfast_seal_options* options, const holdfast_control* control,
                              holdfast_replica_info* out) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        HOLDFAST_ASSIGN(key, fixed_of<PublicKey>(prover, "prover"));
        HOLDFAST_ASSIGN(from, text_of(source, "source"));
        HOLDFAST_ASSIGN(to, text_of(replica, "replica"));
        HOLDFAST_ASSIGN(given, read_optional(options, "options"));
        if (out != nullptr) HOLDFAST_TRY(check_out(out, "out"));
        HOLDFAST_ASSIGN(request, request_from(network->params, key, given));
        request.source = from;
        request.replica_path = to;
        if (request.replica_path.extension() != ".replica") {
            return bad_argument("'" + to + "' does not end in .replica");
        }
        request.tree_path = ProverFiles::beside(request.replica_path).tree;
        SealOptions how;
        how.workers = given.workers;
        how.restart = given.restart != 0;
        how.stop = work.stop();
        if (const auto tell = work.progress()) {
            how.progress = [tell](const SealProgress& p) {
                tell(to_string(p.stage), p.done_bytes, p.total_bytes);
            };
        }
        HOLDFAST_ASSIGN(sealed, seal(request, how));
        if (out == nullptr) return {};
        holdfast_replica_info info = info_of(sealed.header, sealed.windows);
        info.windows_taken_over = sealed.windows_taken_over;
        write_struct(out, info);
        return {};
    });
}

holdfast_status holdfast_unseal(const holdfast_network* network, const char* replica,
                                const char* output, uint32_t workers,
                                const holdfast_control* control) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_ASSIGN(opened, open_replica(network, replica));
        HOLDFAST_ASSIGN(to, text_of(output, "output"));
        HOLDFAST_TRY(unseal(opened, to, unseal_options(workers, work)));
        return {};
    });
}

holdfast_status holdfast_unseal_range(const holdfast_network* network, const char* replica,
                                      uint64_t offset, uint8_t* out, size_t bytes, uint32_t workers,
                                      const holdfast_control* control) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_ASSIGN(opened, open_replica(network, replica));
        if (out == nullptr) return missing("out");
        HOLDFAST_TRY(unseal_range(opened, offset, {out, bytes}, unseal_options(workers, work)));
        return {};
    });
}

holdfast_status holdfast_replica_inspect(const holdfast_network* network, const char* replica,
                                         holdfast_replica_info* out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_out(out, "out"));
        HOLDFAST_ASSIGN(opened, open_replica(network, replica));
        write_struct(out, info_of(opened.header(), opened.windows().count()));
        return {};
    });
}
