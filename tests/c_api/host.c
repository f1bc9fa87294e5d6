#include "host.h"

#include <string.h>

host* host_new(uint64_t finality, uint64_t block_ms) {
    host* h = calloc(1, sizeof *h);
    CHECK(h != NULL);
    pthread_mutex_init(&h->mutex, NULL);
    h->finality = finality;
    h->block_ms = block_ms;
    return h;
}

void host_free(host* h) {
    for (size_t b = 0; b < kMostBlocks; ++b) {
        for (size_t i = 0; i < h->blocks[b].objects_count; ++i) free(h->blocks[b].objects[i].bytes);
    }
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

void host_new_block(host* h) {
    pthread_mutex_lock(&h->mutex);
    CHECK(h->tip + 2 < kMostBlocks);
    ++h->tip;
    pthread_mutex_unlock(&h->mutex);
}

static void destroy(void* user_data) { ++((host*)user_data)->destroyed; }

// --- the chain ---

static void hash_of(uint64_t height, uint8_t out[32]) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = (uint8_t)(height >> (8 * i));
    OK(holdfast_sha256(bytes, sizeof bytes, out));  // a callback may call the library
}

static holdfast_status current_height(void* user_data, uint64_t* out) {
    host* h = user_data;
    pthread_mutex_lock(&h->mutex);
    *out = h->tip;
    pthread_mutex_unlock(&h->mutex);
    return HOLDFAST_OK;
}

static holdfast_status block_by_height(void* user_data, uint64_t height, holdfast_block* out) {
    host* h = user_data;
    pthread_mutex_lock(&h->mutex);
    const uint64_t tip = h->tip;
    pthread_mutex_unlock(&h->mutex);
    if (height > tip) {
        holdfast_callback_error(HOLDFAST_REASON_OK, "no such block");
        return HOLDFAST_NOT_FOUND;
    }
    CHECK(out->struct_size == sizeof *out);
    out->height = height;
    hash_of(height, out->hash);
    if (height > 0) hash_of(height - 1, out->parent);
    out->time_ms = height * h->block_ms;
    out->final = tip - height >= h->finality;
    return HOLDFAST_OK;
}

static holdfast_status submit(void* user_data, holdfast_kind kind, const uint8_t* object,
                              size_t object_bytes) {
    host* h = user_data;
    pthread_mutex_lock(&h->mutex);
    host_block* block = &h->blocks[h->tip + 1];
    CHECK(block->objects_count < kMostListed);
    listed_object* listed = &block->objects[block->objects_count++];
    listed->kind = kind;
    listed->bytes = malloc(object_bytes);
    CHECK(listed->bytes != NULL);
    memcpy(listed->bytes, object, object_bytes);
    listed->size = object_bytes;
    pthread_mutex_unlock(&h->mutex);
    return HOLDFAST_OK;
}

static holdfast_status submissions_at(void* user_data, uint64_t height, holdfast_answer* out) {
    host* h = user_data;
    holdfast_status status = HOLDFAST_OK;
    pthread_mutex_lock(&h->mutex);
    const host_block* block = &h->blocks[height];
    for (size_t i = 0; i < block->objects_count && status == HOLDFAST_OK; ++i) {
        const listed_object* o = &block->objects[i];
        status = holdfast_answer_add_object(out, o->kind, o->bytes, o->size);
    }
    pthread_mutex_unlock(&h->mutex);
    return status;
}

static holdfast_status bond_events_at(void* user_data, uint64_t height, holdfast_answer* out) {
    host* h = user_data;
    holdfast_status status = HOLDFAST_OK;
    pthread_mutex_lock(&h->mutex);
    const host_block* block = &h->blocks[height];
    for (size_t i = 0; i < block->bonds_count && status == HOLDFAST_OK; ++i) {
        status = holdfast_answer_add_bond_event(out, &block->bonds[i]);
    }
    pthread_mutex_unlock(&h->mutex);
    return status;
}

holdfast_blockchain_callbacks host_chain(host* h) {
    holdfast_blockchain_callbacks out = {0};
    out.struct_size = sizeof out;
    out.user_data = h;
    out.destroy = destroy;
    out.current_height = current_height;
    out.block_by_height = block_by_height;
    out.submit = submit;
    out.submissions_at = submissions_at;
    out.bond_events_at = bond_events_at;
    return out;
}

// --- the token; what happens to bonds stands in the next block ---

static void list_event(host* h, int32_t what, const holdfast_bond_info* bond, uint64_t amount) {
    host_block* block = &h->blocks[h->tip + 1];
    CHECK(block->bonds_count < kMostListed);
    holdfast_bond_event* event = &block->bonds[block->bonds_count++];
    event->struct_size = sizeof *event;
    event->what = what;
    memcpy(event->bond, bond->bond, 32);
    event->amount = amount;
    event->number = h->events++;
    if (what != HOLDFAST_BOND_CREATED) return;
    event->purpose = bond->purpose;
    memcpy(event->owner, bond->owner, 32);
}

static holdfast_bond_info* find_bond(host* h, const uint8_t bond[32]) {
    for (size_t i = 0; i < h->bonds_count; ++i) {
        if (memcmp(h->bonds[i].bond, bond, 32) == 0) return &h->bonds[i];
    }
    return NULL;
}

static holdfast_status create_bond(void* user_data, const uint8_t owner[32], uint64_t amount,
                                   holdfast_bond_purpose purpose, const uint8_t key[32],
                                   uint8_t bond_out[32]) {
    host* h = user_data;
    uint8_t id[32];
    OK(holdfast_sha256(key, 32, id));
    pthread_mutex_lock(&h->mutex);
    if (find_bond(h, id) == NULL) {
        CHECK(h->bonds_count < kMostBonds);
        holdfast_bond_info* made = &h->bonds[h->bonds_count++];
        made->struct_size = sizeof *made;
        memcpy(made->bond, id, 32);
        memcpy(made->owner, owner, 32);
        made->purpose = purpose;
        made->created_amount = made->held_amount = amount;
        list_event(h, HOLDFAST_BOND_CREATED, made, amount);
    }
    pthread_mutex_unlock(&h->mutex);
    memcpy(bond_out, id, 32);
    return HOLDFAST_OK;
}

// Takes at most `amount` of a bond, once for each key.
static holdfast_status take(host* h, const uint8_t bond[32], uint64_t amount, const uint8_t key[32],
                            int32_t what, uint64_t* taken) {
    pthread_mutex_lock(&h->mutex);
    holdfast_bond_info* found = find_bond(h, bond);
    size_t k = 0;
    while (k < h->keys_count && memcmp(h->keys[k].key, key, 32) != 0) ++k;
    if (found != NULL && k == h->keys_count) {
        CHECK(k < kMostKeys);
        memcpy(h->keys[k].key, key, 32);
        h->keys[k].answer = amount < found->held_amount ? amount : found->held_amount;
        ++h->keys_count;
        found->held_amount -= h->keys[k].answer;
        if (what == HOLDFAST_BOND_SLASHED) found->slashed_amount += h->keys[k].answer;
        found->released = found->held_amount == 0;
        list_event(h, what, found, h->keys[k].answer);
    }
    if (found != NULL) *taken = h->keys[k].answer;
    pthread_mutex_unlock(&h->mutex);
    return found == NULL ? HOLDFAST_NOT_FOUND : HOLDFAST_OK;
}

static holdfast_status release_bond(void* user_data, const uint8_t bond[32], uint64_t amount,
                                    const uint8_t key[32], uint64_t* released) {
    return take(user_data, bond, amount, key, HOLDFAST_BOND_RELEASED, released);
}

static holdfast_status slash_bond(void* user_data, const uint8_t bond[32], uint64_t amount,
                                  const uint8_t offence[32], const uint8_t key[32],
                                  uint64_t* slashed) {
    (void)offence;
    return take(user_data, bond, amount, key, HOLDFAST_BOND_SLASHED, slashed);
}

static holdfast_status pay_reward(void* user_data, const uint8_t to[32], uint64_t amount,
                                  const uint8_t reference[32], const uint8_t key[32]) {
    (void)user_data, (void)to, (void)amount, (void)reference, (void)key;
    return HOLDFAST_OK;
}

static holdfast_status bond_info(void* user_data, const uint8_t bond[32], holdfast_bond_info* out) {
    host* h = user_data;
    pthread_mutex_lock(&h->mutex);
    const holdfast_bond_info* found = find_bond(h, bond);
    if (found != NULL) *out = *found;
    pthread_mutex_unlock(&h->mutex);
    return found == NULL ? HOLDFAST_NOT_FOUND : HOLDFAST_OK;
}

holdfast_token_callbacks host_token(host* h) {
    holdfast_token_callbacks out = {0};
    out.struct_size = sizeof out;
    out.user_data = h;
    out.destroy = destroy;
    out.create_bond = create_bond;
    out.release_bond = release_bond;
    out.slash_bond = slash_bond;
    out.pay_reward = pay_reward;
    out.bond_info = bond_info;
    return out;
}
