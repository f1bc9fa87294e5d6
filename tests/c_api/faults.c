// What goes wrong at the border, in C: short buffers, sizes of structs, and hosts that are slow, that
// lie, that lack functions, that call back in. Each gives a status of its own and nothing else.
//
//   faults EMPTY_FOLDER
#include <string.h>
#include <time.h>

#include "host.h"

static void sleep_ms(long ms) {
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static holdfast_network* dev_network(void) {
    const char* settings[] = {"vdf.steps_per_checkpoint=256", "vdf.checkpoints=8"};
    holdfast_network* network = NULL;
    OK(holdfast_network_from_preset("dev", settings, 2, &network));
    return network;
}

static void check_buffers(const holdfast_network* network) {
    uint8_t object[1024];
    size_t size = 0;
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER, holdfast_network_object(network, NULL, &size));
    const size_t needed = size;
    CHECK(needed > 100 && needed < sizeof object);
    memset(object, 0xee, sizeof object);
    size = needed - 1;
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER, holdfast_network_object(network, object, &size));
    CHECK(size == needed && object[0] == 0xee);
    OK(holdfast_network_object(network, object, &size));
    CHECK(size == needed && object[needed] == 0xee);
    CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT, holdfast_network_object(network, object, NULL));

    holdfast_kind kind = 0;
    OK(holdfast_object_kind(object, size, &kind));
    CHECK(kind == HOLDFAST_KIND_NETWORK && strcmp(holdfast_kind_name(kind), "network") == 0);
    char text[8192];
    size_t text_size = 1;
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER, holdfast_object_to_json(object, needed, text, &text_size));
    OK(holdfast_object_to_json(object, needed, text, &text_size));
    CHECK(text[text_size - 1] == '\0' && strlen(text) == text_size - 1);

    holdfast_verdict verdict = {0};
    CHECK_STATUS(HOLDFAST_REFUSED, holdfast_object_to_json(object, 40, text, &text_size));
    holdfast_last_verdict(&verdict);
    CHECK(verdict.reason == HOLDFAST_REASON_TRUNCATED);
    CHECK(strstr(holdfast_last_error(), holdfast_reason_name(verdict.reason)) != NULL);
    CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT, holdfast_object_from_json("{", 1, object, &size));
}

static void check_struct_sizes(const holdfast_network* network) {
    struct {
        holdfast_verify_hints hints;
        char newer[64];
    } later;
    holdfast_verifier* verifier = NULL;
    OK(holdfast_verifier_new(network, &verifier));
    uint8_t object[1024];
    size_t size = sizeof object;
    OK(holdfast_network_object(network, object, &size));
    holdfast_verify_report report = {0};
    report.struct_size = sizeof report;
    memset(&later, 0, sizeof later);
    const size_t good[] = {sizeof(size_t), offsetof(holdfast_verify_hints, path),
                           sizeof(holdfast_verify_hints), sizeof later, 4096};
    for (size_t i = 0; i + 1 < sizeof good / sizeof *good; ++i) {
        later.hints.struct_size = good[i];
        OK(holdfast_verifier_verify(verifier, object, size, &later.hints, NULL, &report));
        CHECK(report.verdict.reason == HOLDFAST_REASON_OK);
    }
    const size_t absurd[] = {0, 1, 7, 9, 4097, 4104, (size_t)-8, (size_t)-1};
    for (size_t i = 0; i < sizeof absurd / sizeof *absurd; ++i) {
        later.hints.struct_size = absurd[i];
        CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT,
                     holdfast_verifier_verify(verifier, object, size, &later.hints, NULL, &report));
        report.struct_size = absurd[i];
        CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT,
                     holdfast_verifier_verify(verifier, object, size, NULL, NULL, &report));
        report.struct_size = sizeof report;
    }
    later.hints.struct_size = sizeof later;
    later.newer[3] = 1;  // a field that this library does not know is asked for
    CHECK_STATUS(HOLDFAST_UNSUPPORTED,
                 holdfast_verifier_verify(verifier, object, size, &later.hints, NULL, &report));
    // Of an older report no byte behind its end is written.
    memset(&report, 0xee, sizeof report);
    report.struct_size = offsetof(holdfast_verify_report, height);
    OK(holdfast_verifier_verify(verifier, object, size, NULL, NULL, &report));
    CHECK(((unsigned char*)&report)[offsetof(holdfast_verify_report, height)] == 0xee);
    CHECK_STATUS(
        HOLDFAST_NOT_FOUND,
        holdfast_verifier_height(
            verifier, 7, &(holdfast_known_height){.struct_size = sizeof(holdfast_known_height)}));
    holdfast_verifier_free(verifier);
}

static void check_handles(holdfast_network* network) {
    uint8_t id[32];
    CHECK_STATUS(HOLDFAST_WRONG_HANDLE, holdfast_network_id(NULL, id));
    holdfast_signer* signer = NULL;
    OK(holdfast_signer_generate(&signer));
    CHECK_STATUS(HOLDFAST_WRONG_HANDLE, holdfast_network_id((void*)signer, id));
    CHECK_STATUS(HOLDFAST_WRONG_HANDLE, holdfast_signer_public_key((void*)network, id));
    holdfast_network_free((void*)signer);  // of another type: left alone
    OK(holdfast_signer_public_key(signer, id));
    holdfast_signer_free(signer);
    holdfast_network_free(NULL);
}

// --- hosts ---

typedef struct bad_host {
    holdfast_blockchain_callbacks good;
    host* host;
    enum { kSlow, kLying, kNoStatus, kCallsIn } how;
    holdfast_aggregator* aggregator;
    holdfast_status from_inside;
} bad_host;

static holdfast_status bad_height(void* user_data, uint64_t* out) {
    bad_host* b = user_data;
    if (b->how == kSlow) sleep_ms(400);
    if (b->how == kNoStatus) return 99;
    if (b->how == kCallsIn && b->aggregator != NULL) {
        holdfast_block_report* report = NULL;
        b->from_inside = holdfast_aggregator_advance(b->aggregator, NULL, 0, NULL, &report);
    }
    return b->good.current_height(b->host, out);
}

static holdfast_status bad_block(void* user_data, uint64_t height, holdfast_block* out) {
    bad_host* b = user_data;
    const holdfast_status status = b->good.block_by_height(b->host, height, out);
    if (b->how == kLying) ++out->height;
    return status;
}

static holdfast_status no_object(void* user_data, holdfast_kind kind, const uint8_t* object,
                                 size_t size) {
    (void)user_data, (void)kind, (void)object, (void)size;
    return HOLDFAST_OK;
}

static holdfast_status wrong_answer(void* user_data, uint64_t height, holdfast_answer* out) {
    (void)user_data, (void)height;
    return holdfast_answer_add_number(out, 7);  // of another callback's kind
}

static holdfast_blockchain* bad_chain(bad_host* b) {
    holdfast_blockchain_callbacks callbacks = {0};
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = b;
    callbacks.current_height = bad_height;
    callbacks.block_by_height = bad_block;
    callbacks.submit = no_object;
    callbacks.submissions_at = wrong_answer;
    callbacks.bond_events_at = wrong_answer;
    const holdfast_guard_options guard = {sizeof guard, 50, 4};
    holdfast_blockchain* chain = NULL;
    OK(holdfast_blockchain_new(&callbacks, &guard, &chain));
    callbacks.bond_events_at = NULL;
    holdfast_blockchain* none = NULL;
    CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT, holdfast_blockchain_new(&callbacks, NULL, &none));
    CHECK(none == NULL);
    return chain;
}

static void check_hosts(const holdfast_network* network, const char* folder) {
    char vdf[256];
    char registry[256];
    CHECK(snprintf(vdf, sizeof vdf, "%s/vdf", folder) < (int)sizeof vdf);
    CHECK(snprintf(registry, sizeof registry, "%s/registry", folder) < (int)sizeof registry);
    bad_host bad = {0};
    bad.host = host_new(3, 1000);
    bad.good = host_chain(bad.host);
    for (int i = 0; i < 6; ++i) host_new_block(bad.host);
    holdfast_blockchain* chain = bad_chain(&bad);
    holdfast_clock_options options = {0};
    options.struct_size = sizeof options;
    options.folder = vdf;
    holdfast_clock* clock = NULL;
    OK(holdfast_clock_open(network, chain, NULL, NULL, &options, &clock));
    holdfast_aggregator_options how = {0};
    how.struct_size = sizeof how;
    CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT,
                 holdfast_aggregator_open(network, chain, clock, NULL, &how, &bad.aggregator));
    how.registry = registry;
    OK(holdfast_aggregator_open(network, chain, clock, NULL, &how, &bad.aggregator));

    uint64_t behind = 0;
    bad.how = kSlow;
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_aggregator_behind(bad.aggregator, &behind));
    sleep_ms(500);  // until the host has come back
    bad.how = kNoStatus;
    CHECK_STATUS(HOLDFAST_UNAVAILABLE, holdfast_aggregator_behind(bad.aggregator, &behind));
    CHECK(strstr(holdfast_last_error(), "99") != NULL);
    bad.how = kLying;
    CHECK_STATUS(HOLDFAST_UNAVAILABLE, holdfast_aggregator_behind(bad.aggregator, &behind));
    bad.how = kCallsIn;
    holdfast_block_report* report = NULL;
    // What the block lists is answered with a number: the height waits.
    const holdfast_status advanced =
        holdfast_aggregator_advance(bad.aggregator, NULL, 0, NULL, &report);
    CHECK(advanced == HOLDFAST_INVALID_ARGUMENT || advanced == HOLDFAST_UNAVAILABLE);
    CHECK(bad.from_inside == HOLDFAST_BUSY);
    CHECK_STATUS(HOLDFAST_UNAVAILABLE, holdfast_aggregator_tip(bad.aggregator, &behind, NULL));
    holdfast_blockchain_free(chain);
    holdfast_clock_free(clock);
    holdfast_aggregator_free(bad.aggregator);
    host_free(bad.host);
}

// --- signers ---

typedef struct bad_store {
    holdfast_signer* inside;
    enum { kGood, kForged, kShort, kRefuses, kHangs } how;
    int finished;
} bad_store;

static holdfast_status bad_key(void* user_data, uint8_t out[32]) {
    return holdfast_signer_public_key(((bad_store*)user_data)->inside, out);
}

static holdfast_status bad_sign(void* user_data, const uint8_t* message, size_t size, uint8_t* out,
                                size_t* out_bytes) {
    bad_store* b = user_data;
    if (b->how == kRefuses) {
        holdfast_callback_error(HOLDFAST_REASON_OK, "the store is locked");
        return HOLDFAST_UNAVAILABLE;
    }
    if (b->how == kHangs) sleep_ms(300);
    const holdfast_status status = holdfast_signer_sign(b->inside, message, size, out);
    b->finished = 1;
    if (b->how == kForged) out[5] ^= 1;
    if (b->how == kShort) *out_bytes = 63;
    return status;
}

static void check_signers(void) {
    bad_store store = {0};
    OK(holdfast_signer_generate(&store.inside));
    holdfast_signer_callbacks callbacks = {0};
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = &store;
    callbacks.public_key = bad_key;
    holdfast_signer* signer = NULL;
    CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT, holdfast_signer_from_callbacks(&callbacks, &signer));
    callbacks.sign = bad_sign;
    callbacks.timeout_ms = 100;
    store.how = kForged;
    CHECK_STATUS(HOLDFAST_UNAVAILABLE, holdfast_signer_from_callbacks(&callbacks, &signer));
    CHECK(signer == NULL);
    // One that hangs while it is made: an error, and when it comes no call runs with user_data any more.
    store.how = kHangs;
    store.finished = 0;
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_signer_from_callbacks(&callbacks, &signer));
    CHECK(signer == NULL && store.finished == 1);
    store.how = kGood;
    OK(holdfast_signer_from_callbacks(&callbacks, &signer));
    uint8_t signature[64];
    const uint8_t message[3] = {1, 2, 3};
    store.how = kShort;
    CHECK_STATUS(HOLDFAST_UNAVAILABLE, holdfast_signer_sign(signer, message, 3, signature));
    store.how = kRefuses;
    CHECK_STATUS(HOLDFAST_UNAVAILABLE, holdfast_signer_sign(signer, message, 3, signature));
    CHECK(strstr(holdfast_last_error(), "locked") != NULL);
    CHECK_STATUS(HOLDFAST_UNSUPPORTED, holdfast_signer_save(signer, "/nowhere/key"));
    store.how = kHangs;
    store.finished = 0;
    memset(signature, 0xee, sizeof signature);
    CHECK_STATUS(HOLDFAST_TIMEOUT, holdfast_signer_sign(signer, message, 3, signature));
    CHECK(store.finished == 0 && strstr(holdfast_last_error(), "sign within 100 ms") != NULL);
    store.how = kGood;  // one that hangs keeps no other from signing
    OK(holdfast_signer_sign(signer, message, 3, signature));
    const uint8_t kept = signature[0];
    sleep_ms(400);  // until the store has come back
    CHECK(store.finished == 1 && signature[0] == kept);
    holdfast_signer_free(signer);
    holdfast_signer_free(store.inside);
}

// --- stopping ---

static int stop_now(void* user_data) {
    (void)user_data;
    return 1;
}

static void count(void* user_data) { ++*(int*)user_data; }

static void check_control(const holdfast_network* network) {
    holdfast_vdf* vdf = NULL;
    holdfast_signer* signer = NULL;
    OK(holdfast_vdf_new(network, 0, 1, &vdf));
    OK(holdfast_signer_generate(&signer));
    uint8_t input[32] = {1};
    uint8_t proof[1024];
    size_t size = 10;
    int destroyed = 0;
    holdfast_control control = {sizeof control, &destroyed, count, stop_now, NULL};
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER,
                 holdfast_vdf_evaluate(vdf, signer, 1, input, NULL, &control, proof, &size, NULL));
    CHECK(size == 195 + 32 * 9 && destroyed == 1);
    CHECK_STATUS(HOLDFAST_INTERRUPTED,
                 holdfast_vdf_evaluate(vdf, signer, 1, input, NULL, &control, proof, &size, NULL));
    CHECK(destroyed == 2);
    control.struct_size = 5;
    CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT,
                 holdfast_vdf_evaluate(vdf, signer, 1, input, NULL, &control, proof, &size, NULL));
    CHECK(destroyed == 2);
    uint8_t y[32];
    uint8_t again[32];
    holdfast_verdict verdict = {0};
    OK(holdfast_vdf_evaluate(vdf, signer, 1, input, NULL, NULL, proof, &size, y));
    OK(holdfast_vdf_verify(vdf, 1, input, NULL, proof, size, 0, NULL, &verdict, again));
    CHECK(verdict.reason == HOLDFAST_REASON_OK && memcmp(y, again, 32) == 0);
    proof[200] ^= 1;
    OK(holdfast_vdf_verify(vdf, 1, input, NULL, proof, size, 0, NULL, &verdict, NULL));
    CHECK(verdict.reason == HOLDFAST_REASON_VDF_SIGNATURE);
    holdfast_signer_free(signer);
    holdfast_vdf_free(vdf);
}

static void check_names(void) {
    CHECK(holdfast_reason_count() == HOLDFAST_REASON_BOND_TAKEN + 1);
    CHECK(holdfast_reason_name(-1) == NULL);
    CHECK(holdfast_reason_name((holdfast_reason)holdfast_reason_count()) == NULL);
    CHECK(strcmp(holdfast_reason_name(HOLDFAST_REASON_SEALED_ROOT), "sealed-root") == 0);
    CHECK(strcmp(holdfast_status_name(HOLDFAST_SHORT_BUFFER), "short-buffer") == 0);
    CHECK(holdfast_status_name(20) == NULL && holdfast_kind_name(99) == NULL);
    CHECK(holdfast_has_feature("verifier") == 1 && holdfast_has_feature("teleport") == 0);
}

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    holdfast_network* network = dev_network();
    check_names();
    check_buffers(network);
    check_struct_sizes(network);
    check_handles(network);
    check_signers();
    check_control(network);
    check_hosts(network, argv[1]);
    holdfast_network_free(network);
    puts("every fault has its status");
    return 0;
}
