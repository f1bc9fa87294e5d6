// The main job in C against the installed library, with a chain, a token and a key store of the
// program's own: seal, register, link, prove, verify, aggregate, settle. Everything is freed again.
//
//   journey EMPTY_FOLDER
#include <string.h>

#include "host.h"

enum { kHeights = 26, kPathBytes = 512 };

static char folder_path[kPathBytes];

static const char* in_folder(const char* name, char out[kPathBytes]) {
    CHECK(snprintf(out, kPathBytes, "%s/%s", folder_path, name) < kPathBytes);
    return out;
}

static void write_data(const char* path, size_t bytes) {
    FILE* file = fopen(path, "wb");
    CHECK(file != NULL);
    for (size_t i = 0; i < bytes; ++i) CHECK(fputc((int)(i * 31 % 251), file) != EOF);
    CHECK(fclose(file) == 0);
}

// --- a key store of the host's: it holds a key of the library's and lends its signatures ---

typedef struct key_store {
    holdfast_signer* inside;
    int destroyed;
} key_store;

static holdfast_status store_key(void* user_data, uint8_t out[32]) {
    return holdfast_signer_public_key(((key_store*)user_data)->inside, out);
}

static holdfast_status store_sign(void* user_data, const uint8_t* message, size_t message_bytes,
                                  uint8_t* out, size_t* out_bytes) {
    CHECK(*out_bytes == 64);
    return holdfast_signer_sign(((key_store*)user_data)->inside, message, message_bytes, out);
}

static void store_destroy(void* user_data) { ++((key_store*)user_data)->destroyed; }

static holdfast_signer* store_signer(key_store* store) {
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

// --- what the journey is made of ---

typedef struct world {
    host* host;
    key_store store;
    holdfast_signer* operator_signer;
    holdfast_signer* evaluator;
    holdfast_signer* signer;  // the prover's, through the key store
    uint8_t prover_key[32];
    holdfast_network* network;
    holdfast_blockchain* chain;
    holdfast_token* token;
    holdfast_clock* clock;
    holdfast_aggregator* aggregator;
    holdfast_prover* prover;
    uint8_t proven[32];  // chain that does all it owes
    uint8_t silent[32];  // chain whose replica is not driven: it never shows that it was sealed
    uint8_t silent_bond[32];
    uint8_t registration[HOLDFAST_REGISTRATION_BYTES];
} world;

static void make_network(world* w) {
    uint8_t key[32];
    char hex[65];
    char setting[96];
    OK(holdfast_signer_generate(&w->operator_signer));
    OK(holdfast_signer_generate(&w->evaluator));
    OK(holdfast_signer_public_key(w->operator_signer, key));
    for (int i = 0; i < 32; ++i) snprintf(hex + 2 * i, 3, "%02x", key[i]);
    snprintf(setting, sizeof setting, "operator_key=%s", hex);
    const char* settings[] = {
        "name=journey",      setting,           "vdf.steps_per_checkpoint=256",
        "vdf.checkpoints=8", "seal_deadline=4", "liability_blocks=20"};
    OK(holdfast_network_from_preset("dev", settings, 6, &w->network));
    w->host = host_new(3, 1000);
    for (int i = 0; i < 4; ++i) host_new_block(w->host);
    const holdfast_blockchain_callbacks chain = host_chain(w->host);
    const holdfast_token_callbacks token = host_token(w->host);
    OK(holdfast_blockchain_new(&chain, NULL, &w->chain));
    OK(holdfast_token_new(&token, NULL, &w->token));
}

static void open_node(world* w) {
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

static void register_both(world* w) {
    char records[kPathBytes];
    uint8_t bond[32];
    uint8_t other[HOLDFAST_REGISTRATION_BYTES];
    w->signer = store_signer(&w->store);
    OK(holdfast_signer_public_key(w->signer, w->prover_key));
    holdfast_prover_options options = {0};
    options.struct_size = sizeof options;
    options.kept_heights = 64;
    OK(holdfast_prover_open(w->network, w->signer, in_folder("records", records), &options,
                            &w->prover));
    seal_and_register(w, "good", 200000, w->prover, bond, w->proven, w->registration);
    seal_and_register(w, "silent", 70000, w->prover, w->silent_bond, w->silent, other);
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
static uint64_t follow(world* w) {
    uint64_t links = 0;
    for (int i = 0; i < kHeights; ++i) {
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

// A proof of a link, made again by hand from what the registry says; its height, if there is one.
static int prove(world* w, uint64_t height, uint8_t* proof, size_t* size) {
    holdfast_link_place place = {0};
    holdfast_link_facts facts = {0};
    holdfast_digest_info draw = {0};
    place.struct_size = sizeof place;
    facts.struct_size = sizeof facts;
    draw.struct_size = sizeof draw;
    if (holdfast_aggregator_link_facts(w->aggregator, w->proven, height, &place, &facts) !=
        HOLDFAST_OK) {
        return 0;
    }
    uint64_t drawn = 0;
    OK(holdfast_network_compact_height(w->network, height, &drawn));
    if (holdfast_aggregator_height(w->aggregator, drawn, &draw) != HOLDFAST_OK || !draw.has_y) {
        return 0;
    }
    uint8_t path[HOLDFAST_MAX_PROOF_BYTES];
    size_t path_size = sizeof path;
    if (holdfast_aggregator_path(w->aggregator, w->proven, height, path, &path_size) !=
        HOLDFAST_OK) {
        return 0;
    }
    *size = HOLDFAST_MAX_PROOF_BYTES;
    OK(holdfast_prover_prove(w->prover, &place, &facts, draw.y, path, path_size, proof, size));
    return 1;
}

static void prove_and_verify(world* w) {
    holdfast_verifier* verifier = NULL;
    OK(holdfast_aggregator_verifier(w->aggregator, 0, &verifier));
    static uint8_t proofs[HOLDFAST_MAX_WINDOW_LINKS][HOLDFAST_MAX_PROOF_BYTES];
    holdfast_bytes parts[HOLDFAST_MAX_WINDOW_LINKS];
    size_t count = 0;
    for (uint64_t h = 8; h < kHeights && count < HOLDFAST_MAX_WINDOW_LINKS; ++h) {
        size_t size = 0;
        if (!prove(w, h, proofs[count], &size)) continue;
        holdfast_verify_report report = {0};
        report.struct_size = sizeof report;
        OK(holdfast_verifier_verify(verifier, proofs[count], size, NULL, NULL, &report));
        CHECK(report.verdict.reason == HOLDFAST_REASON_OK);
        CHECK(report.height == h && memcmp(report.chain_id, w->proven, 32) == 0);
        parts[count].data = proofs[count];
        parts[count++].size = size;

        proofs[count - 1][size - 10] ^= 1;  // one bit: refused, with a reason that has a name
        OK(holdfast_verifier_verify(verifier, proofs[count - 1], size, NULL, NULL, &report));
        CHECK(report.verdict.reason != HOLDFAST_REASON_OK);
        CHECK(strlen(holdfast_reason_name(report.verdict.reason)) > 0);
        proofs[count - 1][size - 10] ^= 1;
    }
    CHECK(count >= 3);
    static uint8_t window[HOLDFAST_MAX_WINDOW_LINKS * HOLDFAST_MAX_PROOF_BYTES];
    size_t window_size = sizeof window;
    OK(holdfast_window_make(parts, count, window, &window_size));
    holdfast_verify_report shown = {0};
    shown.struct_size = sizeof shown;
    OK(holdfast_verifier_verify(verifier, window, window_size, NULL, NULL, &shown));
    CHECK(shown.verdict.reason == HOLDFAST_REASON_OK && shown.has_window && shown.links == count);

    // As others get it: by a folder, and told again piece by piece.
    char folder[kPathBytes];
    OK(holdfast_verifier_save(verifier, in_folder("public", folder)));
    holdfast_verifier* loaded = NULL;
    OK(holdfast_verifier_load(folder, &loaded));
    OK(holdfast_verifier_verify(loaded, window, window_size, NULL, NULL, &shown));
    CHECK(shown.verdict.reason == HOLDFAST_REASON_OK);
    FILE* file = fopen(in_folder("proof.compact", folder), "wb");
    CHECK(file != NULL && fwrite(parts[0].data, 1, parts[0].size, file) == parts[0].size);
    CHECK(fclose(file) == 0);
    holdfast_verifier_free(loaded);
    holdfast_verifier_free(verifier);
}

// A height linked by hand gives the bytes that the node got: nothing new is signed.
static void link_again(world* w) {
    holdfast_link_place place = {0};
    holdfast_link_facts facts = {0};
    place.struct_size = sizeof place;
    facts.struct_size = sizeof facts;
    uint64_t tip = 0;
    uint64_t closed = 0;
    OK(holdfast_aggregator_tip(w->aggregator, &tip, &closed));
    OK(holdfast_aggregator_link_facts(w->aggregator, w->proven, closed, &place, &facts));
    uint8_t bundle[512];
    size_t size = sizeof bundle;
    holdfast_status each = -1;
    OK(holdfast_prover_link(w->prover, &place, &facts, 1, bundle, &size, &each));
    CHECK(each == HOLDFAST_OK);
    uint8_t receipt[HOLDFAST_RECEIPT_BYTES];
    size = sizeof receipt;
    OK(holdfast_prover_receipt(w->prover, &place, w->proven, receipt, &size));
    place.anchor[0] ^= 1;  // never linked there: nothing to sign a receipt for
    size = sizeof receipt;
    CHECK_STATUS(HOLDFAST_REFUSED,
                 holdfast_prover_receipt(w->prover, &place, w->proven, receipt, &size));
    holdfast_verdict verdict;
    holdfast_last_verdict(&verdict);
    CHECK(verdict.reason == HOLDFAST_REASON_TOO_LATE);
}

// The chain that never showed its sealing has lost its bond, through the token's callbacks.
static void check_settled(world* w) {
    holdfast_settlement_report report = {0};
    report.struct_size = sizeof report;
    OK(holdfast_aggregator_settle(w->aggregator, NULL, &report));
    CHECK(report.open == 0 && report.refused == 0);
    const holdfast_token_callbacks token = host_token(w->host);
    holdfast_bond_info bond = {0};
    bond.struct_size = sizeof bond;
    OK(token.bond_info(w->host, w->silent_bond, &bond));
    CHECK(bond.slashed_amount > 0);
    char text[8192];
    size_t size = sizeof text;
    OK(holdfast_aggregator_cases_to_json(w->aggregator, text, &size));
    CHECK(strstr(text, "\"slash\"") != NULL);
    size = sizeof text;
    OK(holdfast_aggregator_statistics_to_json(w->aggregator, text, &size));
    CHECK(strstr(text, "\"totalChains\":1") != NULL);
}

static void restore(world* w) {
    char replica[kPathBytes];
    char output[kPathBytes];
    OK(holdfast_unseal(w->network, in_folder("good.replica", replica),
                       in_folder("restored", output), 1, NULL));
    uint8_t part[1000];
    OK(holdfast_unseal_range(w->network, replica, 5000, part, sizeof part, 1, NULL));
    for (size_t i = 0; i < sizeof part; ++i) CHECK(part[i] == (5000 + i) * 31 % 251);
}

// Handles may be freed in any order: each keeps what it was made from.
static void free_all(world* w) {
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

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    CHECK(snprintf(folder_path, sizeof folder_path, "%s", argv[1]) < kPathBytes);
    CHECK(holdfast_abi_version() >= HOLDFAST_ABI_VERSION);
    world w;
    memset(&w, 0, sizeof w);
    make_network(&w);
    register_both(&w);
    open_node(&w);
    CHECK(follow(&w) >= 8);
    prove_and_verify(&w);
    link_again(&w);
    check_settled(&w);
    restore(&w);
    free_all(&w);
    puts("sealed, registered, linked, proved, verified, aggregated, settled");
    return 0;
}
