// What the batch hash's driver (core/hash.cpp) and its kernels (core/sha256_*.cpp) share. Internal.
//
// C headers only, and nothing with external linkage that is defined here (see
// core/fill_kernel.hpp).
#pragma once

#include <stdint.h>
#include <string.h>

namespace holdfast {

/// Messages of one length at one distance; digest i goes to out + 32 i. A kernel reads all messages
/// that it works on at once before it writes their digests.
struct Sha256Run {
    const uint8_t* data;
    uint64_t message_bytes;
    uint64_t stride_bytes;
    uint64_t count;
    uint8_t* out;
    bool has_prefix;
    uint8_t prefix;  // hashed before each message when has_prefix
};

void sha256_run_portable(const Sha256Run& run);
void sha256_run_shani(const Sha256Run& run);
void sha256_run_avx2(const Sha256Run& run);
void sha256_run_avx512(const Sha256Run& run);

namespace {

constexpr unsigned kSha256BlockBytes = 64;

alignas(64) constexpr uint32_t kSha256Constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr uint32_t kSha256Start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/// Bytes that a message takes before padding: the prefix and itself.
inline uint64_t sha256_length(const Sha256Run& run) {
    return run.message_bytes + (run.has_prefix ? 1 : 0);
}

/// Blocks of a padded message: 0x80 and the u64 length follow its bytes.
inline uint64_t sha256_blocks(const Sha256Run& run) {
    return (sha256_length(run) + 9 + kSha256BlockBytes - 1) / kSha256BlockBytes;
}

/// What padding puts into block `block`, the same for all messages: prefix, 0x80, length. The bytes
/// of the message itself are zero.
inline void sha256_padding(const Sha256Run& run, uint64_t block, uint8_t* out) {
    const uint64_t length = sha256_length(run);
    const uint64_t start = block * kSha256BlockBytes;
    memset(out, 0, kSha256BlockBytes);
    if (block == 0 && run.has_prefix) out[0] = run.prefix;
    if (length >= start && length < start + kSha256BlockBytes) out[length - start] = 0x80;
    if (block + 1 == sha256_blocks(run)) {
        for (unsigned i = 0; i < 8; ++i) {
            out[kSha256BlockBytes - 1 - i] = static_cast<uint8_t>((length * 8) >> (8 * i));
        }
    }
}

/// Which bytes of block `block` are the message's: from + count of them, starting at byte `at` of
/// it.
struct Sha256Part {
    unsigned from;  // within the block
    unsigned count;
    uint64_t at;  // within the message
};

inline Sha256Part sha256_part(const Sha256Run& run, uint64_t block) {
    const uint64_t prefix = run.has_prefix ? 1 : 0;
    const uint64_t start = block * kSha256BlockBytes;
    const uint64_t end = start + kSha256BlockBytes;
    const uint64_t first = start < prefix ? prefix : start;
    const uint64_t length = sha256_length(run);
    const uint64_t last = length < end ? length : end;
    if (first >= last) return {0, 0, 0};
    return {static_cast<unsigned>(first - start), static_cast<unsigned>(last - first),
            first - prefix};
}

/// The 64 bytes of a message's block: in place where they are all its own, else put together in
/// `buffer`, which must hold the block's padding (sha256_padding).
inline const uint8_t* sha256_block(const uint8_t* message, const Sha256Part& part,
                                   uint8_t* buffer) {
    if (part.count == kSha256BlockBytes) return message + part.at;
    if (part.count != 0) memcpy(buffer + part.from, message + part.at, part.count);
    return buffer;
}

}  // namespace
}  // namespace holdfast
