// Hosts in C++ whose callbacks throw: a status, and no exception on this side.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <holdfast/holdfast.h>

namespace {

#define CHECK_STATUS(expected, call)                                            \
    do {                                                                        \
        const holdfast_status status_ = (call);                                 \
        if (status_ != (expected)) {                                            \
            std::fprintf(stderr, "%d: %s gave %s (%s)\n", __LINE__, #call,      \
                         holdfast_status_name(status_), holdfast_last_error()); \
            std::exit(1);                                                       \
        }                                                                       \
    } while (false)

int throwing_stop(void*) { throw std::runtime_error("stop"); }
void throwing_progress(void*, const char*, std::uint64_t, std::uint64_t) { throw 7; }
void throwing_destroy(void*) { throw std::runtime_error("destroy"); }
holdfast_status throwing_key(void*, std::uint8_t*) { throw std::runtime_error("key"); }
holdfast_status throwing_sign(void*, const std::uint8_t*, std::size_t, std::uint8_t*,
                              std::size_t*) {
    throw std::runtime_error("sign");
}
holdfast_status throwing_height(void*, std::uint64_t*) { throw std::runtime_error("height"); }
holdfast_status throwing_block(void*, std::uint64_t, holdfast_block*) { throw 1; }
holdfast_status throwing_submit(void*, holdfast_kind, const std::uint8_t*, std::size_t) { throw 2; }
holdfast_status throwing_list(void*, std::uint64_t, holdfast_answer*) { throw 3; }

}  // namespace

int main() {
    holdfast_network* network = nullptr;
    holdfast_signer* signer = nullptr;
    holdfast_vdf* vdf = nullptr;
    CHECK_STATUS(HOLDFAST_OK, holdfast_network_from_preset("dev", nullptr, 0, &network));
    CHECK_STATUS(HOLDFAST_OK, holdfast_signer_generate(&signer));
    CHECK_STATUS(HOLDFAST_OK, holdfast_vdf_new(network, 0, 1, &vdf));

    std::uint8_t input[32] = {};
    std::uint8_t proof[4096];
    std::size_t size = sizeof proof;
    holdfast_control control = {sizeof control, nullptr, throwing_destroy, throwing_stop, nullptr};
    CHECK_STATUS(HOLDFAST_CALLBACK_FAILED, holdfast_vdf_evaluate(vdf, signer, 1, input, nullptr,
                                                                 &control, proof, &size, nullptr));
    control.stop = nullptr;
    control.progress = throwing_progress;
    CHECK_STATUS(HOLDFAST_CALLBACK_FAILED, holdfast_vdf_evaluate(vdf, signer, 1, input, nullptr,
                                                                 &control, proof, &size, nullptr));

    holdfast_signer_callbacks store = {
        sizeof store, nullptr, throwing_destroy, throwing_key, throwing_sign, 0, 0};
    holdfast_signer* none = nullptr;
    CHECK_STATUS(HOLDFAST_UNAVAILABLE, holdfast_signer_from_callbacks(&store, &none));

    holdfast_blockchain_callbacks callbacks = {};
    callbacks.struct_size = sizeof callbacks;
    callbacks.destroy = throwing_destroy;
    callbacks.current_height = throwing_height;
    callbacks.block_by_height = throwing_block;
    callbacks.submit = throwing_submit;
    callbacks.submissions_at = throwing_list;
    callbacks.bond_events_at = throwing_list;
    holdfast_blockchain* chain = nullptr;
    CHECK_STATUS(HOLDFAST_OK, holdfast_blockchain_new(&callbacks, nullptr, &chain));
    holdfast_clock_options options = {};
    options.struct_size = sizeof options;
    CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT,
                 holdfast_clock_open(network, chain, nullptr, nullptr, &options, nullptr));
    const char* folder = std::getenv("HOLDFAST_TEST_FOLDER");
    options.folder = folder == nullptr ? "clock" : folder;
    holdfast_clock* clock = nullptr;
    CHECK_STATUS(HOLDFAST_OK,
                 holdfast_clock_open(network, chain, nullptr, nullptr, &options, &clock));
    std::uint64_t evaluated = 0;
    CHECK_STATUS(HOLDFAST_UNAVAILABLE, holdfast_clock_advance(clock, nullptr, &evaluated));
    holdfast_clock_free(clock);
    holdfast_blockchain_free(chain);
    holdfast_vdf_free(vdf);
    holdfast_signer_free(signer);
    holdfast_network_free(network);
    std::puts("nothing was thrown across the border");
    return 0;
}
