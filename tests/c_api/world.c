#include "world.h"

#include <string.h>

char folder_path[kPathBytes];

const char* in_folder(const char* name, char out[kPathBytes]) {
    CHECK(snprintf(out, kPathBytes, "%s/%s", folder_path, name) < kPathBytes);
    return out;
}

void write_data(const char* path, size_t bytes) {
    FILE* file = fopen(path, "wb");
    CHECK(file != NULL);
    for (size_t i = 0; i < bytes; ++i) CHECK(fputc((int)(i * 31 % 251), file) != EOF);
    CHECK(fclose(file) == 0);
}

// --- a key store of the host's: it holds a key of the library's and lends its signatures ---

static holdfast_status store_key(void* user_data, uint8_t out[32]) {
    return holdfast_signer_public_key(((key_store*)user_data)->inside, out);
}

static holdfast_status store_sign(void* user_data, const uint8_t* message, size_t message_bytes,
                                  uint8_t* out, size_t* out_bytes) {
    CHECK(*out_bytes == 64);
    return holdfast_signer_sign(((key_store*)user_data)->inside, message, message_bytes, out);
}

static void store_destroy(void* user_data) { ++((key_store*)user_data)->destroyed; }

holdfast_signer* store_signer(key_store* store) {
    OK(holdfast_signer_generate(&store->inside));
    holdfast_signer_callbacks callbacks = {0};
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = store;
    callbacks.destroy = store_destroy;
    callbacks.public_key = store_key;
    callbacks.sign = store_sign;
    holdfast_signer* signer = NULL;
    OK(holdfast_signer_from_callbacks(&callbacks, &signer));
    return signer;
}

void make_network(world* w) {
    uint8_t key[32];
    char hex[65];
    char setting[96];
    OK(holdfast_signer_generate(&w->operator_signer));
    OK(holdfast_signer_generate(&w->evaluator));
    OK(holdfast_signer_public_key(w->operator_signer, key));
    for (int i = 0; i < 32; ++i) snprintf(hex + 2 * i, 3, "%02x", key[i]);
    snprintf(setting, sizeof setting, "operator_key=%s", hex);
    const char* settings[] = {"name=journey",
                              setting,
                              "vdf.steps_per_checkpoint=256",
                              "vdf.checkpoints=8",
                              "seal_deadline=4",
                              "liability_blocks=20",
                              "availability_n=1",
                              "availability_d=1",
                              "block_ms=1000"};
    OK(holdfast_network_from_preset("dev", settings, 9, &w->network));
    w->host = host_new(3, 1000);
    for (int i = 0; i < 4; ++i) host_new_block(w->host);
    const holdfast_blockchain_callbacks chain = host_chain(w->host);
    const holdfast_token_callbacks token = host_token(w->host);
    OK(holdfast_blockchain_new(&chain, NULL, &w->chain));
    OK(holdfast_token_new(&token, NULL, &w->token));
}

void open_node(world* w) {
    char clock_folder[kPathBytes];
    char registry[kPathBytes];
    holdfast_clock_options clock = {0};
    clock.struct_size = sizeof clock;
    clock.folder = in_folder("vdf", clock_folder);
    OK(holdfast_clock_open(w->network, w->chain, NULL, w->evaluator, &clock, &w->clock));
    holdfast_aggregator_options options = {0};
    options.struct_size = sizeof options;
    options.registry = in_folder("registry", registry);
    options.operator_signer = w->operator_signer;
    OK(holdfast_aggregator_open(w->network, w->chain, w->clock, w->token, &options,
                                &w->aggregator));
}

// Seals a file and hands the registration to the chain; a prover of its own gives the chain id.
static void seal_and_register(world* w, const char* name, size_t bytes, holdfast_prover* prover,
                              uint8_t bond[32], uint8_t chain_id[32],
                              uint8_t registration[HOLDFAST_REGISTRATION_BYTES]) {
    char source[kPathBytes];
    char replica[kPathBytes];
    char file[kPathBytes];
    write_data(in_folder(name, source), bytes);
    CHECK(snprintf(file, sizeof file, "%s.replica", name) < kPathBytes);
    in_folder(file, replica);
    holdfast_replica_info sealed = {0};
    sealed.struct_size = sizeof sealed;
    OK(holdfast_seal(w->network, w->prover_key, source, replica, NULL, NULL, &sealed));
    CHECK(sealed.data_bytes == bytes && memcmp(sealed.prover, w->prover_key, 32) == 0);

    uint8_t key[32] = {0};
    memcpy(key, sealed.replica_id, 32);
    const holdfast_token_callbacks token = host_token(w->host);
    OK(token.create_bond(w->host, w->prover_key, 5000, HOLDFAST_BOND_STORAGE, key, bond));

    uint8_t replica_id[32];
    OK(holdfast_prover_add(prover, replica, replica_id));
    CHECK(memcmp(replica_id, sealed.replica_id, 32) == 0);
    const holdfast_blockchain_callbacks chain = host_chain(w->host);
    holdfast_block genesis = {0};
    genesis.struct_size = sizeof genesis;
    OK(chain.block_by_height(w->host, 1, &genesis));
    holdfast_registration_terms terms = {0};
    terms.struct_size = sizeof terms;
    terms.genesis_height = 1;
    memcpy(terms.genesis_block_hash, genesis.hash, 32);
    memcpy(terms.bond, bond, 32);
    terms.with_commitment = 1;
    size_t size = HOLDFAST_REGISTRATION_BYTES;
    OK(holdfast_prover_make_registration(prover, replica_id, &terms, registration, &size,
                                         chain_id));
    CHECK(size == HOLDFAST_REGISTRATION_BYTES);
    OK(chain.submit(w->host, HOLDFAST_KIND_REGISTRATION, registration, size));
}

void register_both(world* w) {
    char records[kPathBytes];
    uint8_t bond[32];
    w->signer = store_signer(&w->store);
    OK(holdfast_signer_public_key(w->signer, w->prover_key));
    holdfast_prover_options options = {0};
    options.struct_size = sizeof options;
    options.kept_heights = 64;
    OK(holdfast_prover_open(w->network, w->signer, in_folder("records", records), &options,
                            &w->prover));
    seal_and_register(w, "good", 200000, w->prover, bond, w->proven, w->registration);
    seal_and_register(w, "silent", 70000, w->prover, w->silent_bond, w->silent,
                      w->silent_registration);
    char replica[kPathBytes];
    uint64_t removed = 0;
    OK(holdfast_prover_remove(w->prover, in_folder("silent.replica", replica), &removed));
    CHECK(removed == 1);
    uint8_t chain_id[32];
    OK(holdfast_prover_note_registration(w->prover, w->registration, sizeof w->registration,
                                         chain_id));
    CHECK(memcmp(chain_id, w->proven, 32) == 0);
}

// The node takes every final block and drives the prover. How many links it took.
uint64_t follow(world* w, int blocks) {
    uint64_t links = 0;
    for (int i = 0; i < blocks; ++i) {
        host_new_block(w->host);
        for (;;) {
            holdfast_block_report* report = NULL;
            OK(holdfast_aggregator_advance(w->aggregator, &w->prover, 1, NULL, &report));
            if (report == NULL) break;
            holdfast_block_summary summary = {0};
            summary.struct_size = sizeof summary;
            OK(holdfast_block_report_summary(report, &summary));
            if (summary.faults != 0) {
                char text[4096];
                size_t size = sizeof text;
                OK(holdfast_block_report_to_json(report, text, &size));
                fprintf(stderr, "%s\n", text);
            }
            CHECK(summary.has_y && summary.faults == 0);
            links += summary.links;
            holdfast_block_report_free(report);
        }
    }
    return links;
}

// Handles may be freed in any order: each keeps what it was made from.
void free_all(world* w) {
    holdfast_blockchain_free(w->chain);
    holdfast_token_free(w->token);
    holdfast_network_free(w->network);
    holdfast_signer_free(w->operator_signer);
    holdfast_signer_free(w->signer);
    CHECK(w->host->destroyed == 0 && w->store.destroyed == 0);
    holdfast_prover_free(w->prover);
    CHECK(w->store.destroyed == 1);
    holdfast_clock_free(w->clock);
    holdfast_aggregator_free(w->aggregator);
    CHECK(w->host->destroyed == 2);
    holdfast_signer_free(w->evaluator);
    holdfast_signer_free(w->store.inside);
    host_free(w->host);
}
