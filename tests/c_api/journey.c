// The main job in C against the installed library, with a chain, a token and a key store of the
// program's own: seal, register, link, prove, verify, aggregate, settle. Everything is freed again.
//
//   journey EMPTY_FOLDER
#include <string.h>

#include "world.h"

enum { kHeights = 26 };

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

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    CHECK(snprintf(folder_path, sizeof folder_path, "%s", argv[1]) < kPathBytes);
    CHECK(holdfast_abi_version() >= HOLDFAST_ABI_VERSION);
    world w;
    memset(&w, 0, sizeof w);
    make_network(&w);
    register_both(&w);
    open_node(&w);
    CHECK(follow(&w, kHeights) >= 8);
    prove_and_verify(&w);
    link_again(&w);
    check_settled(&w);
    restore(&w);
    free_all(&w);
    puts("sealed, registered, linked, proved, verified, aggregated, settled");
    return 0;
}
