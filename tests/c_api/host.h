// A host for tests, kept in memory and written in C: a chain whose blocks list what was submitted,
// and a token of bonds. Any thread.
#ifndef HOLDFAST_TEST_HOST_H
#define HOLDFAST_TEST_HOST_H

#include <holdfast/holdfast.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: %s; last error: %s\n", __FILE__, __LINE__, #condition, \
                    holdfast_last_error());                                                \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)
#define CHECK_STATUS(expected, call)                                                           \
    do {                                                                                       \
        const holdfast_status status_ = (call);                                                \
        if (status_ != (expected)) {                                                           \
            fprintf(stderr, "%s:%d: %s gave %s, not %s; last error: %s\n", __FILE__, __LINE__, \
                    #call, holdfast_status_name(status_), holdfast_status_name(expected),      \
                    holdfast_last_error());                                                    \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)
#define OK(call) CHECK_STATUS(HOLDFAST_OK, call)

enum { kMostBlocks = 256, kMostListed = 64, kMostBonds = 32, kMostKeys = 256 };

typedef struct listed_object {
    holdfast_kind kind;
    uint8_t* bytes;
    size_t size;
} listed_object;

typedef struct host_block {
    listed_object objects[kMostListed];
    size_t objects_count;
    holdfast_bond_event bonds[kMostListed];
    size_t bonds_count;
} host_block;

typedef struct answered_key {
    uint8_t key[32];
    uint64_t answer;
} answered_key;

typedef struct host {
    pthread_mutex_t mutex;
    uint64_t tip;
    uint64_t finality;
    uint64_t block_ms;
    uint64_t events;
    host_block blocks[kMostBlocks];
    holdfast_bond_info bonds[kMostBonds];
    size_t bonds_count;
    answered_key keys[kMostKeys];
    size_t keys_count;
    int destroyed;  // how often a destroy hook was called
} host;

host* host_new(uint64_t finality, uint64_t block_ms);
void host_free(host* h);
void host_new_block(host* h);
holdfast_blockchain_callbacks host_chain(host* h);
holdfast_token_callbacks host_token(host* h);

#endif
