// What the programs of this folder live in: a network, a host, a node of the operator, and a prover with
// two sealed replicas, one of which it does not drive. All in one folder.
#ifndef HOLDFAST_TEST_WORLD_H
#define HOLDFAST_TEST_WORLD_H

#include "host.h"

enum { kPathBytes = 512, kBlockMs = 1000 };

extern char folder_path[kPathBytes];

/// A key store of the host's: it holds a key of the library's and lends its signatures.
typedef struct key_store {
    holdfast_signer* inside;
    int destroyed;
} key_store;

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
    uint8_t registration[HOLDFAST_REGISTRATION_BYTES];         // of `proven`
    uint8_t silent_registration[HOLDFAST_REGISTRATION_BYTES];  // of `silent`
} world;

const char* in_folder(const char* name, char out[kPathBytes]);
/// A file of so many bytes, byte i being i * 31 % 251.
void write_data(const char* path, size_t bytes);
holdfast_signer* store_signer(key_store* store);
void make_network(world* w);
void open_node(world* w);
/// Seals both replicas and hands their registrations to the chain.
void register_both(world* w);
/// The node takes so many new final blocks and drives the prover. How many links it took.
uint64_t follow(world* w, int blocks);
void free_all(world* w);

#endif
