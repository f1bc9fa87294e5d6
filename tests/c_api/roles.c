// Every role beside the main job, with real data: a challenger and the prover that answers it, a seal
// proof made by hand, evidence, shards, and networks that do not fit.
//
//   roles EMPTY_FOLDER
#include <string.h>
#include <time.h>

#include "world.h"

typedef struct roles {
    world w;
    holdfast_prover* other;  // of the same key, with records of its own: it may contradict itself
    holdfast_signer* challenger_signer;
    uint8_t challenger_key[32];
    holdfast_challenger* challenger;
    holdfast_peers* peers;
    uint8_t challenge[HOLDFAST_CHALLENGE_BYTES];
    uint8_t response[HOLDFAST_MAX_RESPONSE_BYTES];
    size_t response_bytes;
    int answered;
} roles;

static void sleep_ms(uint64_t ms) {
    const struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000 * 1000000)};
    nanosleep(&time, NULL);
}

static void accepted(const holdfast_verifier* verifier, const uint8_t* object, size_t size) {
    holdfast_verify_report report = {0};
    report.struct_size = sizeof report;
    OK(holdfast_verifier_verify(verifier, object, size, NULL, NULL, &report));
    if (report.verdict.reason != HOLDFAST_REASON_OK) {
        fprintf(stderr, "refused: %s\n", holdfast_reason_name(report.verdict.reason));
    }
    CHECK(report.verdict.reason == HOLDFAST_REASON_OK);
}

// --- a seal proof by hand ------------------------------------------------------------------------

static void open_other(roles* r) {
    char records[kPathBytes];
    char replica[kPathBytes];
    holdfast_prover_options options = {0};
    options.struct_size = sizeof options;
    OK(holdfast_prover_open(r->w.network, r->w.signer, in_folder("other-records", records),
                            &options, &r->other));
    OK(holdfast_prover_add(r->other, in_folder("silent.replica", replica), NULL));
    OK(holdfast_prover_add(r->other, in_folder("good.replica", replica), NULL));
    uint8_t id[32];
    OK(holdfast_prover_note_registration(r->other, r->w.silent_registration,
                                         HOLDFAST_REGISTRATION_BYTES, id));
    CHECK(memcmp(id, r->w.silent, 32) == 0);
    OK(holdfast_prover_note_registration(r->other, r->w.registration, HOLDFAST_REGISTRATION_BYTES,
                                         id));
}

static void check_seal_proof(roles* r) {
    holdfast_seal_duty duty = {0};
    duty.struct_size = sizeof duty;
    for (int i = 0; i < 20 && !duty.has_y; ++i) {
        follow(&r->w, 1);
        if (holdfast_aggregator_seal_duty(r->w.aggregator, r->w.silent, 0, &duty) != HOLDFAST_OK) {
            duty.has_y = 0;
        }
    }
    CHECK(duty.has_y && !duty.audit);
    size_t size = 0;
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER,
                 holdfast_prover_seal_proof(r->other, r->w.silent, duty.y_height, duty.y, 0, NULL,
                                            NULL, &size));
    uint8_t* proof = malloc(size);
    CHECK(proof != NULL);
    OK(holdfast_prover_seal_proof(r->other, r->w.silent, duty.y_height, duty.y, 0, NULL, proof,
                                  &size));
    holdfast_verifier* verifier = NULL;
    OK(holdfast_aggregator_verifier(r->w.aggregator, 0, &verifier));
    accepted(verifier, proof, size);
    holdfast_verifier_free(verifier);
    holdfast_outcome outcome = {0};
    outcome.struct_size = sizeof outcome;
    proof[size - 70] ^= 1;
    OK(holdfast_aggregator_submit(r->w.aggregator, "stranger", proof, size, NULL, &outcome, NULL,
                                  0));
    CHECK(outcome.verdict.reason != HOLDFAST_REASON_OK && !outcome.has_entry);
    proof[size - 70] ^= 1;
    OK(holdfast_aggregator_submit(r->w.aggregator, NULL, proof, size, NULL, &outcome, NULL, 0));
    CHECK(outcome.verdict.reason == HOLDFAST_REASON_OK && outcome.has_entry);
    CHECK(outcome.kind == HOLDFAST_KIND_SEAL_PROOF);
    free(proof);
}

// --- evidence ------------------------------------------------------------------------------------

static void link_facts(roles* r, uint64_t height, holdfast_link_place* place,
                       holdfast_link_facts* facts) {
    memset(place, 0, sizeof *place);
    memset(facts, 0, sizeof *facts);
    place->struct_size = sizeof *place;
    facts->struct_size = sizeof *facts;
    OK(holdfast_aggregator_link_facts(r->w.aggregator, r->w.proven, height, place, facts));
}

static void check_evidence(roles* r) {
    uint64_t tip = 0;
    uint64_t closed = 0;
    OK(holdfast_aggregator_tip(r->w.aggregator, &tip, &closed));
    holdfast_link_place place;
    holdfast_link_facts facts;
    link_facts(r, closed, &place, &facts);
    uint8_t first[512];
    uint8_t second[512];
    size_t first_size = sizeof first;
    size_t second_size = sizeof second;
    OK(holdfast_prover_link(r->w.prover, &place, &facts, 1, first, &first_size, NULL));
    facts.link_before[0] ^= 1;  // a node lies to a prover that has lost its records
    OK(holdfast_prover_link(r->other, &place, &facts, 1, second, &second_size, NULL));

    holdfast_outcome outcome = {0};
    outcome.struct_size = sizeof outcome;
    holdfast_verdict member = {.reason = -1};
    OK(holdfast_aggregator_submit(r->w.aggregator, NULL, first, first_size, NULL, &outcome, &member,
                                  1));
    CHECK(outcome.kind == HOLDFAST_KIND_BUNDLE);

    holdfast_verifier* verifier = NULL;
    OK(holdfast_aggregator_verifier(r->w.aggregator, 0, &verifier));
    const holdfast_bytes objects[] = {{first, first_size}, {second, second_size}};
    holdfast_accusation_request request = {0};
    request.struct_size = sizeof request;
    request.what = HOLDFAST_ACCUSE_EQUIVOCATION;
    request.objects = objects;
    request.objects_count = 2;
    request.chain_id = r->w.proven;
    size_t size = 0;
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER,
                 holdfast_evidence_make(verifier, &request, NULL, NULL, &size));
    uint8_t* evidence = malloc(size);
    CHECK(evidence != NULL);
    --size;
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER,
                 holdfast_evidence_make(verifier, &request, NULL, evidence, &size));
    OK(holdfast_evidence_make(verifier, &request, NULL, evidence, &size));
    holdfast_judgement judged = {0};
    judged.struct_size = sizeof judged;
    OK(holdfast_evidence_verify(verifier, evidence, size, 0, NULL, &judged));
    CHECK(judged.verdict.reason == HOLDFAST_REASON_OK && !judged.needs_fill);
    CHECK(judged.offence > 0 && judged.height == closed);
    evidence[size - 1] ^= 1;
    OK(holdfast_evidence_verify(verifier, evidence, size, 0, NULL, &judged));
    CHECK(judged.verdict.reason != HOLDFAST_REASON_OK);
    free(evidence);
    const holdfast_bytes same[] = {{first, first_size}, {first, first_size}};
    request.objects = same;
    CHECK_STATUS(HOLDFAST_REFUSED, holdfast_evidence_make(verifier, &request, NULL, NULL, &size));
    request.objects_count = 1;
    CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT,
                 holdfast_evidence_make(verifier, &request, NULL, NULL, &size));
    holdfast_verifier_free(verifier);
}

// --- a challenger and who answers it -------------------------------------------------------------

static holdfast_status no_peers(void* user_data, holdfast_answer* out) {
    (void)user_data, (void)out;
    return HOLDFAST_OK;
}

static holdfast_status no_latency(void* user_data, const uint8_t peer[32], uint32_t samples,
                                  uint32_t timeout_ms, holdfast_answer* out) {
    (void)user_data, (void)peer, (void)samples, (void)timeout_ms, (void)out;
    return HOLDFAST_UNAVAILABLE;
}

static holdfast_status carry(void* user_data, const uint8_t peer[32], const uint8_t* challenge,
                             size_t challenge_bytes, uint32_t deadline_ms, holdfast_answer* answer,
                             uint32_t* service_us, uint32_t* ping_us) {
    roles* r = user_data;
    CHECK(deadline_ms > 0 && memcmp(peer, r->w.prover_key, 32) == 0);
    CHECK(challenge_bytes == HOLDFAST_CHALLENGE_BYTES);
    memcpy(r->challenge, challenge, challenge_bytes);
    // Too little room is told before anything is answered: each challenge is answered once.
    r->response_bytes = 100;
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER,
                 holdfast_prover_respond(r->w.prover, r->challenger_key, challenge, challenge_bytes,
                                         r->response, &r->response_bytes));
    CHECK(r->response_bytes == HOLDFAST_MAX_RESPONSE_BYTES);
    const uint8_t stranger[32] = {7};
    uint8_t forged[HOLDFAST_CHALLENGE_BYTES];
    memcpy(forged, challenge, sizeof forged);
    forged[sizeof forged - 1] ^= 1;
    r->response_bytes = sizeof r->response;
    CHECK_STATUS(HOLDFAST_REFUSED,
                 holdfast_prover_respond(r->w.prover, stranger, forged, sizeof forged, r->response,
                                         &r->response_bytes));
    r->response_bytes = sizeof r->response;
    OK(holdfast_prover_respond(r->w.prover, r->challenger_key, challenge, challenge_bytes,
                               r->response, &r->response_bytes));
    ++r->answered;
    *service_us = 900;
    *ping_us = 200;
    return holdfast_answer_set_bytes(answer, r->response, r->response_bytes);
}

static void open_challenger(roles* r) {
    OK(holdfast_signer_generate(&r->challenger_signer));
    OK(holdfast_signer_public_key(r->challenger_signer, r->challenger_key));
    const uint8_t key[32] = {0xc1};
    uint8_t bond[32];
    const holdfast_token_callbacks token = host_token(r->w.host);
    OK(token.create_bond(r->w.host, r->challenger_key, 5000, HOLDFAST_BOND_CHALLENGER, key, bond));
    follow(&r->w, 1);
    const uint64_t base = r->w.host->tip + 8;
    uint8_t registration[HOLDFAST_CHALLENGER_BYTES];
    size_t size = 0;
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER,
                 holdfast_challenger_make_registration(r->w.network, r->challenger_signer, base,
                                                       bond, NULL, &size));
    CHECK(size == sizeof registration);
    OK(holdfast_challenger_make_registration(r->w.network, r->challenger_signer, base, bond,
                                             registration, &size));
    const holdfast_blockchain_callbacks chain = host_chain(r->w.host);
    OK(chain.submit(r->w.host, HOLDFAST_KIND_CHALLENGER, registration, size));
    follow(&r->w, 13);
    holdfast_peers_callbacks callbacks = {0};
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = r;
    callbacks.peers = no_peers;
    callbacks.measure_latency = no_latency;
    callbacks.send_challenge = carry;
    OK(holdfast_peers_new(&callbacks, NULL, &r->peers));
    char journal[kPathBytes];
    OK(holdfast_challenger_open(r->w.network, r->challenger_signer, base,
                                in_folder("challenges", journal), r->peers, &r->challenger));
    holdfast_challenger* second = NULL;  // one process at a time has a journal
    CHECK_STATUS(HOLDFAST_BUSY, holdfast_challenger_open(r->w.network, r->challenger_signer, base,
                                                         journal, r->peers, &second));
}

/// Tells prover and challenger of the newest block, and draws the one before it.
static uint64_t draw_newest(roles* r) {
    holdfast_challenge_height height;
    holdfast_challenger_part challengers[4];
    holdfast_challenged_chain chains[4];
    size_t challengers_count = 0;
    size_t chains_count = 4;
    uint64_t tip = 0;
    OK(holdfast_aggregator_tip(r->w.aggregator, &tip, NULL));
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER,
                 holdfast_aggregator_challenges(r->w.aggregator, tip - 1, challengers,
                                                &challengers_count, chains, &chains_count));
    CHECK(challengers_count == 1 && chains_count >= 1);
    OK(holdfast_aggregator_challenges(r->w.aggregator, tip - 1, challengers, &challengers_count,
                                      chains, &chains_count));
    size_t own = 0;  // the other chain's replica is not driven here
    while (own < chains_count && memcmp(chains[own].chain_id, r->w.proven, 32) != 0) ++own;
    CHECK(own < chains_count && memcmp(chains[own].prover, r->w.prover_key, 32) == 0);
    CHECK(memcmp(challengers[0].key, r->challenger_key, 32) == 0);
    uint64_t planned = 0;
    for (uint64_t h = tip - 1; h <= tip; ++h) {
        holdfast_digest_info info = {0};
        info.struct_size = sizeof info;
        OK(holdfast_aggregator_height(r->w.aggregator, h, &info));
        memset(&height, 0, sizeof height);
        height.struct_size = sizeof height;
        height.height = h;
        memcpy(height.block_hash, info.block_hash, 32);
        memcpy(height.y, info.y, 32);
        height.has_y = 1;
        height.challengers = challengers;
        height.challengers_count = 1;
        OK(holdfast_prover_on_final_block(r->w.prover, &height));
        OK(holdfast_challenger_on_final_block(r->challenger, h));
        if (h == tip) continue;
        OK(holdfast_challenger_on_final_block(r->challenger, tip));
        OK(holdfast_challenger_draw(r->challenger, &height, &chains[own], 1, &planned));
    }
    return planned;
}

/// How many of the challenges of the next height were served.
static uint64_t challenge_newest(roles* r) {
    follow(&r->w, 1);
    CHECK(draw_newest(r) >= 1);
    uint64_t served = 0;
    uint64_t due = 0;
    while (holdfast_challenger_next_due_ms(r->challenger, &due) == HOLDFAST_OK) {
        CHECK(due <= kBlockMs);
        sleep_ms(due + 1);
        holdfast_challenger_report report = {0};
        report.struct_size = sizeof report;
        OK(holdfast_challenger_work(r->challenger, NULL, &report));
        CHECK(report.late == 0 && report.invalid == 0 && report.unreachable == 0);
        served += report.served;
    }
    return served;
}

static void check_challenger(roles* r) {
    open_challenger(r);
    // A machine with other work may miss a challenge's moment: then it is abandoned, and the next
    // height has its own.
    uint64_t served = 0;
    for (int tries = 0; served == 0 && tries < 10; ++tries) served = challenge_newest(r);
    CHECK(served >= 1);
    CHECK(r->answered >= 1);
    holdfast_verdict verdict;
    OK(holdfast_response_verify(r->w.network, r->w.registration, HOLDFAST_REGISTRATION_BYTES,
                                r->challenge, sizeof r->challenge, r->response, r->response_bytes,
                                &verdict));
    CHECK(verdict.reason == HOLDFAST_REASON_OK);
    r->response[r->response_bytes / 2] ^= 1;
    OK(holdfast_response_verify(r->w.network, r->w.registration, HOLDFAST_REGISTRATION_BYTES,
                                r->challenge, sizeof r->challenge, r->response, r->response_bytes,
                                &verdict));
    CHECK(verdict.reason != HOLDFAST_REASON_OK);
    CHECK_STATUS(
        HOLDFAST_REFUSED,  // answered once
        holdfast_prover_respond(r->w.prover, r->challenger_key, r->challenge, sizeof r->challenge,
                                r->response, &(size_t){sizeof r->response}));
    holdfast_last_verdict(&verdict);
    CHECK(verdict.reason == HOLDFAST_REASON_DUPLICATE_CHALLENGE);
    uint64_t published = 0;  // once the outcome's block is behind
    for (int blocks = 0; published == 0 && blocks < 8; ++blocks) {
        uint64_t tip = 0;
        follow(&r->w, 1);
        OK(holdfast_aggregator_tip(r->w.aggregator, &tip, NULL));
        OK(holdfast_challenger_on_final_block(r->challenger, tip));
        OK(holdfast_challenger_work(r->challenger, NULL, NULL));
        OK(holdfast_challenger_publish(r->challenger, r->w.chain, &published));
    }
    CHECK(published >= 1);
}

// --- shards --------------------------------------------------------------------------------------

static void check_shards(void) {
    char source[kPathBytes];
    char names[5][kPathBytes];
    const char* paths[5];
    char output[kPathBytes];
    write_data(in_folder("whole", source), 150001);
    for (int i = 0; i < 5; ++i) {
        char name[16];
        snprintf(name, sizeof name, "shard-%d", i);
        paths[i] = in_folder(name, names[i]);
    }
    size_t size = 0;
    CHECK_STATUS(HOLDFAST_SHORT_BUFFER,
                 holdfast_shards_encode(source, 3, 2, paths, 5, NULL, NULL, &size));
    CHECK(fopen(paths[0], "rb") == NULL);  // before any work
    uint8_t manifest[1024];
    CHECK(size < sizeof manifest);
    CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT,
                 holdfast_shards_encode(source, 3, 2, paths, 4, NULL, manifest, &size));
    size = sizeof manifest;
    OK(holdfast_shards_encode(source, 3, 2, paths, 5, NULL, manifest, &size));
    const char* some[] = {paths[4], paths[0], paths[3]};  // any three, in any order
    OK(holdfast_shards_decode(manifest, size, some, 3, in_folder("again", output), NULL));
    FILE* file = fopen(output, "rb");
    CHECK(file != NULL);
    for (size_t i = 0; i < 150001; ++i) CHECK(fgetc(file) == (int)(i * 31 % 251));
    CHECK(fgetc(file) == EOF && fclose(file) == 0);
    CHECK_STATUS(HOLDFAST_UNAVAILABLE,
                 holdfast_shards_decode(manifest, size, some, 2, in_folder("none", output), NULL));
    CHECK_STATUS(HOLDFAST_REFUSED,
                 holdfast_shards_decode(manifest, size - 1, some, 3, output, NULL));
    OK(holdfast_shards_rebuild(manifest, size, some, 3, 1, in_folder("rebuilt", output), NULL));
    const char* with[] = {output, paths[3], paths[4]};
    char whole[kPathBytes];
    OK(holdfast_shards_decode(manifest, size, with, 3, in_folder("from-rebuilt", whole), NULL));
}

// --- a beacon ------------------------------------------------------------------------------------

typedef struct test_beacon {
    int asked;
    int lies;      // its own check refuses every value
    int hangs_ms;  // before it answers
    int absent;    // no round is published yet
} test_beacon;

/// Round r's value is thirty-two bytes of r, its proof the same.
static holdfast_status beacon_randomness(void* user_data, uint64_t round, uint8_t out[32],
                                         holdfast_answer* proof) {
    test_beacon* beacon = user_data;
    ++beacon->asked;
    CHECK(round >= 1);
    sleep_ms((uint64_t)beacon->hangs_ms);
    if (beacon->absent) return HOLDFAST_UNAVAILABLE;
    memset(out, (int)(round % 251), 32);
    return holdfast_answer_set_bytes(proof, out, 32);
}

static holdfast_status beacon_verify(void* user_data, uint64_t round, const uint8_t randomness[32],
                                     const uint8_t* proof, size_t proof_bytes) {
    const test_beacon* beacon = user_data;
    uint8_t expected[32];
    memset(expected, (int)(round % 251), sizeof expected);
    const int good = !beacon->lies && proof_bytes == 32 && memcmp(proof, expected, 32) == 0 &&
                     memcmp(randomness, expected, 32) == 0;
    return good ? HOLDFAST_OK : HOLDFAST_REFUSED;
}

/// y of height 1 of a network with this beacon.
static holdfast_status beacon_y(roles* r, test_beacon* state, const char* folder, uint8_t y[32]) {
    holdfast_network* network = NULL;
    const char* settings[] = {"name=beacon", "vdf.steps_per_checkpoint=256", "vdf.checkpoints=8",
                              "beacon_key=be", "beacon_genesis_s=0"};
    OK(holdfast_network_from_preset("dev", settings, 5, &network));
    holdfast_beacon_callbacks callbacks = {0};
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = state;
    callbacks.randomness = beacon_randomness;
    callbacks.verify = beacon_verify;
    holdfast_guard_options guard = {0};
    guard.struct_size = sizeof guard;
    guard.timeout_ms = 200;
    holdfast_beacon* beacon = NULL;
    OK(holdfast_beacon_new(&callbacks, &guard, &beacon));
    char path[kPathBytes];
    holdfast_clock_options options = {0};
    options.struct_size = sizeof options;
    options.folder = in_folder(folder, path);
    holdfast_clock* clock = NULL;
    CHECK_STATUS(HOLDFAST_INVALID_ARGUMENT,
                 holdfast_clock_open(network, r->w.chain, NULL, r->w.evaluator, &options, &clock));
    OK(holdfast_clock_open(network, r->w.chain, beacon, r->w.evaluator, &options, &clock));
    uint8_t input[32];
    const holdfast_status status = holdfast_clock_at(clock, 1, NULL, NULL, input, y);
    if (status == HOLDFAST_OK) {
        // The round that the block's time asks for is in the input, and no other is.
        uint8_t expected[32];
        uint8_t randomness[32];
        uint8_t hash[32];
        holdfast_block block = {0};
        block.struct_size = sizeof block;
        OK(holdfast_clock_at(clock, 1, NULL, &block, NULL, NULL));
        memcpy(hash, block.hash, 32);
        const uint64_t round = (block.time_ms / 1000 + 3 + 2) / 3 + 1;  // spec 5: period, delay 3 s
        memset(randomness, (int)(round % 251), 32);
        OK(holdfast_vdf_input(network, 1, hash, round, randomness, expected));
        CHECK(memcmp(expected, input, 32) == 0);
    }
    holdfast_clock_free(clock);
    holdfast_beacon_free(beacon);
    holdfast_network_free(network);
    return status;
}

static void check_beacon(roles* r) {
    uint8_t y[32];
    uint8_t again[32];
    test_beacon honest = {0};
    OK(beacon_y(r, &honest, "beacon-1", y));
    CHECK(honest.asked >= 1);
    OK(beacon_y(r, &honest, "beacon-2", again));
    CHECK(memcmp(y, again, 32) == 0);
    test_beacon absent = {.absent = 1};
    CHECK_STATUS(HOLDFAST_UNAVAILABLE, beacon_y(r, &absent, "beacon-3", y));
    test_beacon liar = {.lies = 1};
    const holdfast_status lied = beacon_y(r, &liar, "beacon-4", y);
    CHECK(lied == HOLDFAST_REFUSED || lied == HOLDFAST_UNAVAILABLE);
    test_beacon slow = {.hangs_ms = 600};
    const holdfast_status late = beacon_y(r, &slow, "beacon-5", y);
    CHECK(late == HOLDFAST_TIMEOUT || late == HOLDFAST_UNAVAILABLE);
    sleep_ms(600);  // its call comes back: what it was given is still there
}

// --- what does not fit ---------------------------------------------------------------------------

static void check_other_network(roles* r) {
    holdfast_network* other = NULL;
    const char* settings[] = {"name=another", "vdf.steps_per_checkpoint=256", "vdf.checkpoints=8"};
    OK(holdfast_network_from_preset("dev", settings, 3, &other));
    char folder[kPathBytes];
    holdfast_clock_options options = {0};
    options.struct_size = sizeof options;
    options.folder = in_folder("other-vdf", folder);
    holdfast_clock* clock = NULL;
    OK(holdfast_clock_open(other, r->w.chain, NULL, NULL, &options, &clock));
    char registry[kPathBytes];
    holdfast_aggregator_options how = {0};
    how.struct_size = sizeof how;
    how.registry = in_folder("other-registry", registry);
    how.operator_signer = r->w.operator_signer;
    holdfast_aggregator* aggregator = NULL;
    const holdfast_status clocked =
        holdfast_aggregator_open(r->w.network, r->w.chain, clock, NULL, &how, &aggregator);
    CHECK(clocked == HOLDFAST_INVALID_ARGUMENT || clocked == HOLDFAST_REFUSED);
    holdfast_clock_free(clock);

    char records[kPathBytes];
    holdfast_prover* prover = NULL;
    OK(holdfast_prover_open(other, r->w.signer, in_folder("network-records", records), NULL,
                            &prover));
    char replica[kPathBytes];  // sealed for the first network
    CHECK(holdfast_prover_add(prover, in_folder("good.replica", replica), NULL) != HOLDFAST_OK);
    uint8_t id[32];
    CHECK_STATUS(HOLDFAST_REFUSED, holdfast_prover_note_registration(
                                       prover, r->w.registration, HOLDFAST_REGISTRATION_BYTES, id));
    holdfast_block_report* report = NULL;
    host_new_block(r->w.host);
    const holdfast_status driven =
        holdfast_aggregator_advance(r->w.aggregator, &prover, 1, NULL, &report);
    CHECK(driven == HOLDFAST_INVALID_ARGUMENT || driven == HOLDFAST_REFUSED);
    CHECK(report == NULL);
    holdfast_prover_free(prover);
    // The records belong to their network.
    CHECK_STATUS(HOLDFAST_REFUSED,
                 holdfast_prover_open(r->w.network, r->w.signer, records, NULL, &prover));
    holdfast_network_free(other);
}

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    CHECK(snprintf(folder_path, sizeof folder_path, "%s", argv[1]) < kPathBytes);
    static roles r;
    make_network(&r.w);
    register_both(&r.w);
    open_node(&r.w);
    open_other(&r);
    check_seal_proof(&r);
    follow(&r.w, 12);
    check_evidence(&r);
    check_challenger(&r);
    check_shards();
    check_beacon(&r);
    check_other_network(&r);
    holdfast_challenger_free(r.challenger);
    holdfast_peers_free(r.peers);
    holdfast_signer_free(r.challenger_signer);
    holdfast_prover_free(r.other);
    free_all(&r.w);
    puts("sealed by hand, accused, challenged, answered, sharded, drawn by a beacon");
    return 0;
}
