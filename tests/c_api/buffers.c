// Every function that fills a buffer of the caller's, given too little room: it says how much is needed,
// writes nothing, and does its work once there is as much. every_function.py holds the table against
// the header; functions whose buffer is told of in another way are in roles.c, by name.
//
//   buffers EMPTY_FOLDER
#include <string.h>

#include "world.h"

/// What the functions of the table are called with.
typedef struct given {
    world* w;
    holdfast_verifier* verifier;
    holdfast_block_report* report;
    holdfast_vdf* vdf;
    holdfast_link_place place;
    holdfast_link_facts facts;
    holdfast_registration_terms terms;
    uint8_t replica_id[32];
    uint8_t full[HOLDFAST_MAX_PROOF_BYTES];
    size_t full_bytes;
    char json[65536];
    size_t json_bytes;
    uint8_t object[1024];
    size_t object_bytes;
    uint64_t closed;
} given;

typedef holdfast_status (*filler)(given* g, void* out, size_t* size);
#define FILLS(name, ...)                                                    \
    static holdfast_status fill_##name(given* g, void* out, size_t* size) { \
        return holdfast_##name(__VA_ARGS__);                                \
    }
FILLS(object_to_json, g->object, g->object_bytes, out, size)
FILLS(object_from_json, g->json, g->json_bytes, out, size)
FILLS(network_object, g->w->network, out, size)
FILLS(network_to_json, g->w->network, out, size)
FILLS(verifier_chains, g->verifier, out, size)
FILLS(prover_to_json, g->w->prover, out, size)
FILLS(prover_make_registration, g->w->prover, g->replica_id, &g->terms, out, size, NULL)
FILLS(prover_make_update, g->w->prover, g->w->proven, 1, 100, 0, out, size)
FILLS(prover_make_removal, g->w->prover, g->w->proven, 1, 100, out, size)
FILLS(prover_link, g->w->prover, &g->place, &g->facts, 1, out, size, NULL)
FILLS(prover_receipt, g->w->prover, &g->place, g->w->proven, out, size)
FILLS(prover_prove, g->w->prover, &g->place, &g->facts, NULL, NULL, 0, out, size)
FILLS(proof_shorten, g->full, g->full_bytes, out, size)
FILLS(window_make, &(holdfast_bytes){g->full, g->full_bytes}, 1, out, size)
FILLS(prover_seal_proof, g->w->prover, g->w->proven, g->place.height, g->place.y, 0, NULL, out,
      size)
FILLS(challenge_make, g->w->network, g->w->evaluator, g->w->proven, g->place.height,
      g->place.block_hash, g->place.y, g->place.y, out, size)
FILLS(vdf_evaluate, g->vdf, g->w->evaluator, 1, g->place.y, NULL, NULL, out, size, NULL)
FILLS(clock_proof, g->w->clock, g->closed, out, size)
FILLS(block_report_to_json, g->report, out, size)
FILLS(aggregator_path, g->w->aggregator, g->w->proven, g->closed, out, size)
FILLS(aggregator_head, g->w->aggregator, g->closed, out, size)
FILLS(aggregator_chain_to_json, g->w->aggregator, g->w->proven, out, size)
FILLS(aggregator_statistics_to_json, g->w->aggregator, out, size)
FILLS(aggregator_cases_to_json, g->w->aggregator, out, size)

#define ENTRY(name) {#name, fill_##name}
static const struct {
    const char* name;
    filler fill;
} kFillers[] = {
    ENTRY(object_to_json),
    ENTRY(object_from_json),
    ENTRY(network_object),
    ENTRY(network_to_json),
    ENTRY(verifier_chains),
    ENTRY(prover_to_json),
    ENTRY(prover_make_registration),
    ENTRY(prover_make_update),
    ENTRY(prover_make_removal),
    ENTRY(prover_link),
    ENTRY(prover_receipt),
    ENTRY(prover_prove),
    ENTRY(proof_shorten),
    ENTRY(window_make),
    ENTRY(prover_seal_proof),
    ENTRY(challenge_make),
    ENTRY(vdf_evaluate),
    ENTRY(clock_proof),
    ENTRY(block_report_to_json),
    ENTRY(aggregator_path),
    ENTRY(aggregator_head),
    ENTRY(aggregator_chain_to_json),
    ENTRY(aggregator_statistics_to_json),
    ENTRY(aggregator_cases_to_json),
};

static void check_short_buffer(given* g, const char* name, filler fill) {
    static uint8_t out[1 << 20];
    size_t needed = 0;
    holdfast_status status = fill(g, NULL, &needed);
    if (status != HOLDFAST_SHORT_BUFFER || needed == 0 || needed >= sizeof out) {
        fprintf(stderr, "%s without room: %s, %zu: %s\n", name, holdfast_status_name(status),
                needed, holdfast_last_error());
        exit(1);
    }
    const size_t rooms[] = {0, 1, needed - 1};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; ++i) {
        memset(out, 0xee, needed);
        size_t size = rooms[i];
        status = fill(g, out, &size);
        int touched = 0;
        for (size_t at = 0; at < needed; ++at) touched |= out[at] != 0xee;
        if (status != HOLDFAST_SHORT_BUFFER || size != needed || touched) {
            fprintf(stderr, "%s with room for %zu: %s, %zu, %s\n", name, rooms[i],
                    holdfast_status_name(status), size, touched ? "written to" : "untouched");
            exit(1);
        }
    }
    memset(out, 0xee, needed + 1);
    size_t size = needed;
    status = fill(g, out, &size);
    if (status != HOLDFAST_OK || size > needed || out[needed] != 0xee) {
        fprintf(stderr, "%s with all its room: %s: %s\n", name, holdfast_status_name(status),
                holdfast_last_error());
        exit(1);
    }
}

static void check_short_buffers(world* w) {
    static given g;
    g.w = w;
    OK(holdfast_aggregator_tip(w->aggregator, NULL, &g.closed));
    g.place.struct_size = sizeof g.place;
    g.facts.struct_size = sizeof g.facts;
    OK(holdfast_aggregator_link_facts(w->aggregator, w->proven, g.closed, &g.place, &g.facts));
    OK(holdfast_aggregator_verifier(w->aggregator, 0, &g.verifier));
    host_new_block(w->host);
    OK(holdfast_aggregator_advance(w->aggregator, &w->prover, 1, NULL, &g.report));
    CHECK(g.report != NULL);
    OK(holdfast_vdf_new(w->network, 0, 1, &g.vdf));
    g.terms.struct_size = sizeof g.terms;
    g.terms.genesis_height = 1;
    g.object_bytes = sizeof g.object;
    OK(holdfast_network_object(w->network, g.object, &g.object_bytes));
    g.full_bytes = sizeof g.full;
    OK(holdfast_prover_prove(w->prover, &g.place, &g.facts, NULL, NULL, 0, g.full, &g.full_bytes));
    g.json_bytes = sizeof g.json;
    OK(holdfast_object_to_json(g.full, g.full_bytes, g.json, &g.json_bytes));
    --g.json_bytes;  // without the closing NUL
    char replica[kPathBytes];
    holdfast_replica_info info = {0};
    info.struct_size = sizeof info;
    OK(holdfast_replica_inspect(w->network, in_folder("good.replica", replica), &info));
    memcpy(g.replica_id, info.replica_id, 32);
    const size_t count = sizeof kFillers / sizeof *kFillers;
    for (size_t i = 0; i < count; ++i) check_short_buffer(&g, kFillers[i].name, kFillers[i].fill);
    holdfast_vdf_free(g.vdf);
    holdfast_block_report_free(g.report);
    holdfast_verifier_free(g.verifier);
}

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    CHECK(snprintf(folder_path, sizeof folder_path, "%s", argv[1]) < kPathBytes);
    static world w;
    make_network(&w);
    register_both(&w);
    open_node(&w);
    CHECK(follow(&w, 20) > 0);
    check_short_buffers(&w);
    free_all(&w);
    puts("every function with too little room says how much it needs");
    return 0;
}
