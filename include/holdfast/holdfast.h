// Holdfast: proof of storage, for programs in C and in every language that calls C.
//
// One header, C11, no dependency but the C library. What the words mean: README.md; every byte that
// is hashed, signed or verified: docs/spec.md, whose sections the comments below cite.
//
// Shape
//   Handles     opaque, made by a function that fills `*out`, released by holdfast_X_free (which
//               takes NULL). A handle keeps alive what it was made from: free them in any order.
//               NULL, a handle of another type or one that was freed gives HOLDFAST_WRONG_HANDLE
//               where it can be told.
//   Status      every function that can fail returns a holdfast_status. Whatever `out` parameters
//               it has are untouched after an error, but for lengths (see Buffers). Text about the
//               last error of the calling thread: holdfast_last_error().
//   Verdicts    a proof that does not hold is no error: the function returns HOLDFAST_OK and fills
//               a holdfast_verdict. Where something cannot go on because an object does not hold it
//               returns HOLDFAST_REFUSED, and holdfast_last_verdict() says why.
//   Buffers     belong to the caller: `uint8_t *out, size_t *out_bytes`, *out_bytes being the room
//               there is before and the length after the call. With out NULL or too little room:
//               HOLDFAST_SHORT_BUFFER and the length that is needed. Work of more than some
//               milliseconds is not begun then. Text is UTF-8 and its length counts the closing
//               NUL.
//   Structs     that may grow begin with `size_t struct_size`, which the caller sets to sizeof of
//               the struct. Any size from sizeof(size_t) to 4,096 is taken: fields that an older
//               header does not have are zeros, and zero is always the default; bytes that this
//               library does not know must be zeros (HOLDFAST_UNSUPPORTED otherwise). Other sizes:
//               HOLDFAST_INVALID_ARGUMENT.
//   Sizes       in bytes; heights and counts are uint64_t; digests, ids, keys and seeds are 32
//               bytes, signatures 64. Times name their unit. Flags are 0 or 1.
//   Objects     "an object" stands alone: u8 version, u8 kind, body (spec 0), as files and messages
//               carry it.
//   Paths       are NUL-terminated bytes as the operating system takes them.
//
// Threads
//   any       functions without a handle, and those of holdfast_network, holdfast_signer,
//             holdfast_verifier, holdfast_vdf, holdfast_clock, holdfast_blockchain, holdfast_token,
//             holdfast_beacon, holdfast_peers and holdfast_block_report: any number of threads at
//             once, on one handle too.
//   one       holdfast_prover, holdfast_aggregator, holdfast_challenger: one call at a time on one
//             handle. A second one, from another thread or out of a callback, gives HOLDFAST_BUSY
//             and does nothing. What may run beside others says so.
//   free      nobody may free a handle while a call on it runs.
//   errors    are kept for each thread.
//   callbacks come from any thread, several at once, and never while the library holds a lock: they
//             may call the library. One that throws (C++) is caught.
//   process   nothing here ends it, installs a signal handler, reads the environment or prints.
//
// Versions
//   HOLDFAST_ABI_VERSION grows when something was added; what there is does not change. Numbers of
//   statuses, reasons and kinds are fixed for good and only added to.
#ifndef HOLDFAST_H
#define HOLDFAST_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define HOLDFAST_API
#elif defined(__GNUC__)
#define HOLDFAST_API __attribute__((visibility("default")))
#else
#define HOLDFAST_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

// --- versions, statuses, reasons -----------------------------------------------------------------

#define HOLDFAST_ABI_VERSION 1

#define HOLDFAST_DIGEST_BYTES 32
#define HOLDFAST_KEY_BYTES 32
#define HOLDFAST_SIGNATURE_BYTES 64

/// Sizes of objects, that is of bodies and two bytes more (spec 0).
#define HOLDFAST_REGISTRATION_BYTES 304
#define HOLDFAST_UPDATE_BYTES 142
#define HOLDFAST_REMOVAL_BYTES 110
#define HOLDFAST_RECEIPT_BYTES 138
#define HOLDFAST_CHALLENGER_BYTES 170
#define HOLDFAST_CHALLENGE_BYTES 234
#define HOLDFAST_HEAD_BYTES 242
#define HOLDFAST_ACKNOWLEDGEMENT_BYTES 170
/// The most that any compact, full, short or path proof of one link has.
#define HOLDFAST_MAX_PROOF_BYTES 16386
/// The most that a response to a challenge has.
#define HOLDFAST_MAX_RESPONSE_BYTES 65536
/// The most that evidence has which costs a fill to make (of a seal or the VDF).
#define HOLDFAST_MAX_FILLED_EVIDENCE_BYTES 4096
#define HOLDFAST_MAX_BUNDLE_MEMBERS 16384
#define HOLDFAST_MAX_WINDOW_LINKS 5

/// What became of a call.
typedef int32_t holdfast_status;
enum {
    HOLDFAST_OK = 0,
    /// The caller asked for something that makes no sense, NULL included.
    HOLDFAST_INVALID_ARGUMENT = 1,
    HOLDFAST_NOT_FOUND = 2,
    HOLDFAST_ALREADY_EXISTS = 3,
    HOLDFAST_PERMISSION = 4,
    HOLDFAST_IO = 5,            // the disk or the file system failed
    HOLDFAST_CORRUPT = 6,       // a file of ours does not hold what it must
    HOLDFAST_OUT_OF_SPACE = 7,  // on a disk
    HOLDFAST_OUT_OF_MEMORY = 8,
    HOLDFAST_BUSY = 9,          // locked by another process or call, or a ceiling is reached
    HOLDFAST_INTERRUPTED = 10,  // a stop callback said so
    HOLDFAST_UNAVAILABLE = 11,  // a required source or callback has no answer (yet); ask again
    HOLDFAST_TIMEOUT = 12,
    HOLDFAST_REFUSED = 13,       // an object does not hold: holdfast_last_verdict()
    HOLDFAST_UNSUPPORTED = 14,   // newer schema or struct, or a way that this machine does not have
    HOLDFAST_SHORT_BUFFER = 32,  // the length that is needed stands in *out_bytes
    HOLDFAST_WRONG_HANDLE = 33,  // NULL, freed, or of another type
    HOLDFAST_CALLBACK_FAILED = 34,  // a stop or progress callback threw
    HOLDFAST_INTERNAL = 35  // a fault of this library, caught at its border; please report it
};

/// Why an object was refused; 0: it was not. The list with names, meanings and what to do:
/// docs/verdicts.md, holdfast_reason_name() and its siblings.
typedef int32_t holdfast_reason;
enum {
    HOLDFAST_REASON_OK = 0,
    HOLDFAST_REASON_TRUNCATED = 1,
    HOLDFAST_REASON_TRAILING_BYTES = 2,
    HOLDFAST_REASON_VERSION = 3,
    HOLDFAST_REASON_KIND = 4,
    HOLDFAST_REASON_FIELD = 5,
    HOLDFAST_REASON_NOT_CANONICAL = 6,
    HOLDFAST_REASON_TOO_LARGE = 7,
    HOLDFAST_REASON_KEY = 8,
    HOLDFAST_REASON_SIGNATURE = 9,
    HOLDFAST_REASON_PARAMETERS = 10,
    HOLDFAST_REASON_SEAL_POLICY = 11,
    HOLDFAST_REASON_VDF_POLICY = 12,
    HOLDFAST_REASON_NETWORK_POLICY = 13,
    HOLDFAST_REASON_NETWORK = 14,
    HOLDFAST_REASON_PATH = 15,
    HOLDFAST_REASON_MULTIPROOF = 16,
    HOLDFAST_REASON_PROOF_LENGTH = 17,
    HOLDFAST_REASON_INDEX = 18,
    HOLDFAST_REASON_CHAIN = 19,
    HOLDFAST_REASON_HEIGHT = 20,
    HOLDFAST_REASON_BLOCK = 21,
    HOLDFAST_REASON_ANCHOR = 22,
    HOLDFAST_REASON_GEOMETRY = 23,
    HOLDFAST_REASON_ROOT = 24,
    HOLDFAST_REASON_RAW_ROOT = 25,
    HOLDFAST_REASON_SEALED_ROOT = 26,
    HOLDFAST_REASON_SEALING = 27,
    HOLDFAST_REASON_GENESIS_AGE = 28,
    HOLDFAST_REASON_ALREADY_REGISTERED = 29,
    HOLDFAST_REASON_MIN_CHUNKS = 30,
    HOLDFAST_REASON_SEQUENCE = 31,
    HOLDFAST_REASON_TOO_EARLY = 32,
    HOLDFAST_REASON_TOO_LATE = 33,
    HOLDFAST_REASON_UNKNOWN_CHAIN = 34,
    HOLDFAST_REASON_NO_ENTROPY = 35,
    HOLDFAST_REASON_BEACON = 36,
    HOLDFAST_REASON_REVEAL = 37,
    HOLDFAST_REASON_REVEAL_DISTANCE = 38,
    HOLDFAST_REASON_REVEAL_EXHAUSTED = 39,
    HOLDFAST_REASON_LINK = 40,
    HOLDFAST_REASON_LINK_BEFORE = 41,
    HOLDFAST_REASON_OPENING = 42,
    HOLDFAST_REASON_FULL_REQUIRED = 43,
    HOLDFAST_REASON_SLOT = 44,
    HOLDFAST_REASON_STATUS = 45,
    HOLDFAST_REASON_VACANT_SLOT = 46,
    HOLDFAST_REASON_DUPLICATE_SLOT = 47,
    HOLDFAST_REASON_GLOBAL_DIGEST = 48,
    HOLDFAST_REASON_WINDOW_ORDER = 49,
    HOLDFAST_REASON_VDF_INPUT = 50,
    HOLDFAST_REASON_VDF_START = 51,
    HOLDFAST_REASON_VDF_SEGMENT = 52,
    HOLDFAST_REASON_VDF_OUTPUT = 53,
    HOLDFAST_REASON_VDF_SIGNATURE = 54,
    HOLDFAST_REASON_NOT_ASSIGNED = 55,
    HOLDFAST_REASON_NOT_DRAWN = 56,
    HOLDFAST_REASON_NONCE = 57,
    HOLDFAST_REASON_OUTCOME = 58,
    HOLDFAST_REASON_DUPLICATE_CHALLENGE = 59,
    HOLDFAST_REASON_PLACE = 60,
    HOLDFAST_REASON_SAMPLES = 61,
    HOLDFAST_REASON_NO_OFFENCE = 62,
    HOLDFAST_REASON_ALREADY_SETTLED = 63,
    HOLDFAST_REASON_CHECKPOINT_HEIGHT = 64,
    HOLDFAST_REASON_EVIDENCE_ORDER = 65,
    HOLDFAST_REASON_MAGIC = 66,
    HOLDFAST_REASON_CHECKSUM = 67,
    HOLDFAST_REASON_BUSY = 68,
    HOLDFAST_REASON_CHALLENGE = 69,
    HOLDFAST_REASON_NO_SLOT = 70,
    HOLDFAST_REASON_ALREADY_REMOVED = 71,
    HOLDFAST_REASON_NOT_IN_DIGEST = 72,
    HOLDFAST_REASON_DIGEST_UNKNOWN = 73,
    HOLDFAST_REASON_BOND = 74,
    HOLDFAST_REASON_WRONG_PROVER = 75,
    HOLDFAST_REASON_MEMBER_ORDER = 76,
    HOLDFAST_REASON_WRONG_HOST = 77,
    HOLDFAST_REASON_WRONG_OBJECT = 78,
    HOLDFAST_REASON_WRONG_Y = 79,
    HOLDFAST_REASON_NOT_OPERATOR = 80,
    HOLDFAST_REASON_WRONG_RESPONSE = 81,
    HOLDFAST_REASON_BOND_TAKEN = 82
};

/// The verdict on an object. Never grows.
typedef struct holdfast_verdict {
    holdfast_reason reason;  // HOLDFAST_REASON_OK: accepted
    int32_t has_index;
    /// The offending part (link of a window, member, cell, segment), as the reason's meaning says.
    uint64_t index;
} holdfast_verdict;

/// What an object is (spec 0).
typedef int32_t holdfast_kind;
enum {
    HOLDFAST_KIND_REGISTRATION = 1,
    HOLDFAST_KIND_UPDATE = 2,
    HOLDFAST_KIND_SEAL_PROOF = 3,
    HOLDFAST_KIND_RECEIPT = 4,
    HOLDFAST_KIND_COMPACT = 5,
    HOLDFAST_KIND_FULL = 6,
    HOLDFAST_KIND_PATH = 7,
    HOLDFAST_KIND_WINDOW = 8,
    HOLDFAST_KIND_VDF_PROOF = 9,
    HOLDFAST_KIND_VDF_SEGMENT = 10,
    HOLDFAST_KIND_CHALLENGE_V1 = 11,
    HOLDFAST_KIND_RESPONSE = 12,
    HOLDFAST_KIND_OUTCOME_V1 = 13,
    HOLDFAST_KIND_MANIFEST = 14,
    HOLDFAST_KIND_CHECKPOINT = 15,
    HOLDFAST_KIND_EVIDENCE = 16,
    HOLDFAST_KIND_NETWORK = 19,
    HOLDFAST_KIND_REMOVAL = 20,
    HOLDFAST_KIND_CHALLENGER = 21,
    HOLDFAST_KIND_BUNDLE = 22,
    HOLDFAST_KIND_MEMBER = 23,
    HOLDFAST_KIND_SHORT_COMPACT = 24,
    HOLDFAST_KIND_SHORT_FULL = 25,
    HOLDFAST_KIND_ACKNOWLEDGEMENT = 26,
    HOLDFAST_KIND_OUTCOME = 27,
    HOLDFAST_KIND_HEAD = 28,
    HOLDFAST_KIND_CHALLENGE = 29
};

/// Bytes of the caller's; read during the call alone.
typedef struct holdfast_bytes {
    const uint8_t* data;  // NULL with size 0: none
    size_t size;
} holdfast_bytes;

/// The ABI of the library that is loaded; at least HOLDFAST_ABI_VERSION of the header that a
/// program needs.
HOLDFAST_API uint32_t holdfast_abi_version(void);
/// "0.1.0". Static.
HOLDFAST_API const char* holdfast_version(void);
/// 1 when the library has it, else 0: "verifier", "prover", "aggregator", "challenger", "vdf",
/// "shards", "evidence", "json", "host-signer"; "kernel:NAME" for the kernel of this machine
/// ("kernel:avx512"). NULL: 0.
HOLDFAST_API int holdfast_has_feature(const char* name);
/// "short-buffer"; NULL for a number that is none. Static.
HOLDFAST_API const char* holdfast_status_name(holdfast_status status);
/// Numbers from 0 to count - 1 are reasons.
HOLDFAST_API size_t holdfast_reason_count(void);
/// "sealed-root"; stable. NULL for a number that is none, as its siblings. Static.
HOLDFAST_API const char* holdfast_reason_name(holdfast_reason reason);
/// One sentence. Static.
HOLDFAST_API const char* holdfast_reason_meaning(holdfast_reason reason);
/// What an operator should do. Static.
HOLDFAST_API const char* holdfast_reason_action(holdfast_reason reason);
/// "compact"; NULL for a number that is none. Static.
HOLDFAST_API const char* holdfast_kind_name(holdfast_kind kind);

/// What happened to which thing in the last call of this thread that did not return HOLDFAST_OK,
/// and what to do about it. Never NULL; "" before the first error. Stands until the next such call
/// of this thread.
HOLDFAST_API const char* holdfast_last_error(void);
/// The verdict of the last HOLDFAST_REFUSED of this thread; accepted if there was none. NULL is
/// ignored.
HOLDFAST_API void holdfast_last_verdict(holdfast_verdict* out);

// --- work that takes long ------------------------------------------------------------------------

/// How to watch and stop one call. Its pointers are used during that call alone.
typedef struct holdfast_control {
    size_t struct_size;
    void* user_data;
    /// Called once with user_data before the function returns, whatever it returns; may be NULL.
    /// Not called when the struct itself is refused.
    void (*destroy)(void* user_data);
    /// Asked about every 10 ms to 100 ms from any thread, several at once; other than 0 ends the
    /// call with HOLDFAST_INTERRUPTED. May be NULL.
    int (*stop)(void* user_data);
    /// From any thread, one call at a time (what falls into another is left out). `stage` says what is being done ("hashing", "sealing",
    /// "filling the arena", "evaluating", ...), done and total its bytes, steps or items. May be
    /// NULL.
    void (*progress)(void* user_data, const char* stage, uint64_t done, uint64_t total);
} holdfast_control;

// --- objects -------------------------------------------------------------------------------------

/// The kind that an object claims; REFUSED (truncated, version, kind). Nothing else of it is looked
/// at.
HOLDFAST_API holdfast_status holdfast_object_kind(const uint8_t* object, size_t object_bytes,
                                                  holdfast_kind* out);
/// The object field by field, {"kind", "bytes", ...}: one line of UTF-8, hex for bytes. REFUSED for
/// a malformed object. Says nothing about whether it is true.
HOLDFAST_API holdfast_status holdfast_object_to_json(const uint8_t* object, size_t object_bytes,
                                                     char* out, size_t* out_bytes);
/// The other direction, for receipts, proofs, windows, bundles, members and acknowledgements.
/// INVALID_ARGUMENT names the field; REFUSED: the fields make no object. `json` need not be
/// NUL-terminated.
HOLDFAST_API holdfast_status holdfast_object_from_json(const char* json, size_t json_bytes,
                                                       uint8_t* out, size_t* out_bytes);
/// SHA-256, by which acknowledgements and deposits name objects.
HOLDFAST_API holdfast_status holdfast_sha256(const uint8_t* data, size_t data_bytes,
                                             uint8_t out[32]);

// --- networks (spec 1) ---------------------------------------------------------------------------

/// The parameters of a network: what everybody in it agrees on. Immutable; any thread.
typedef struct holdfast_network holdfast_network;

/// Of network.params, or a folder that has it. NOT_FOUND, CORRUPT, REFUSED, PERMISSION, IO.
HOLDFAST_API holdfast_status holdfast_network_load(const char* path, holdfast_network** out);
/// Of an object of kind 19. REFUSED.
HOLDFAST_API holdfast_status holdfast_network_from_object(const uint8_t* object,
                                                          size_t object_bytes,
                                                          holdfast_network** out);
/// A new network from a preset: "default" (NULL too) or "dev" (quick; protects nobody), changed by
/// settings "NAME=VALUE" with the names that holdfast_network_to_json gives: "name=mine",
/// "genesis_height=7", "block_ms=6000", "operator_key=HEX", "seal_presets=standard,hardened",
/// "has_vdf=0", "beacon_key=HEX" (a network with a beacon, with "beacon_genesis_s=0", a period and a
/// delay of 3 s unless they are set). NOT_FOUND: no such preset. INVALID_ARGUMENT names the setting,
/// or the bound that is broken.
HOLDFAST_API holdfast_status holdfast_network_from_preset(const char* preset,
                                                          const char* const* settings,
                                                          size_t settings_count,
                                                          holdfast_network** out);
HOLDFAST_API void holdfast_network_free(holdfast_network* network);
HOLDFAST_API holdfast_status holdfast_network_id(const holdfast_network* network, uint8_t out[32]);
/// The object of kind 19: at most 1,024 bytes.
HOLDFAST_API holdfast_status holdfast_network_object(const holdfast_network* network, uint8_t* out,
                                                     size_t* out_bytes);
/// The height whose y decides which proof of a link of `height` counts, and draws its compact
/// opening: height + 1 + link_lag + finality_blocks (spec 7).
HOLDFAST_API holdfast_status holdfast_network_compact_height(const holdfast_network* network,
                                                             uint64_t height, uint64_t* out);
HOLDFAST_API holdfast_status holdfast_network_to_json(const holdfast_network* network, char* out,
                                                      size_t* out_bytes);
/// Writes the object to a new file, whole and durable or not at all. ALREADY_EXISTS.
HOLDFAST_API holdfast_status holdfast_network_save(const holdfast_network* network,
                                                   const char* path);

// --- keys and signers (spec 0, signatures) -------------------------------------------------------

/// Who signs: a key of this process, or a host's key store. Any thread.
typedef struct holdfast_signer holdfast_signer;

/// A host's own key store or HSM: the library sees the public key alone. Signatures must be those of
/// Ed25519 (RFC 8032), which are deterministic: when the signer is made one is asked for twice and
/// compared, and each is verified before it is used. One that throws, gives no status, false bytes or
/// another length: HOLDFAST_UNAVAILABLE, and nothing is signed. One that does not answer in time:
/// HOLDFAST_TIMEOUT, and what it says later is thrown away; with max_calls of them in flight
/// HOLDFAST_BUSY. holdfast_callback_error applies.
typedef struct holdfast_signer_callbacks {
    size_t struct_size;
    void* user_data;
    void (*destroy)(void* user_data);  // once, when nobody signs any more; may be NULL
    /// Ed25519. Asked once, when the signer is made.
    holdfast_status (*public_key)(void* user_data, uint8_t out[32]);
    /// The pure Ed25519 signature of the message (32 bytes in all that the protocol signs);
    /// *out_bytes is 64 before and must be 64 after. From any thread, several at once.
    holdfast_status (*sign)(void* user_data, const uint8_t* message, size_t message_bytes,
                            uint8_t* out, size_t* out_bytes);
    uint32_t timeout_ms;  // of every call; 0: 10,000
    uint32_t max_calls;   // in flight at once; 0: 16
} holdfast_signer_callbacks;

/// A new key from the system's randomness.
HOLDFAST_API holdfast_status holdfast_signer_generate(holdfast_signer** out);
/// Of the 32-byte secret of RFC 8032; the caller wipes its own copy.
HOLDFAST_API holdfast_status holdfast_signer_from_secret(const uint8_t secret[32],
                                                         holdfast_signer** out);
/// Ed25519 PKCS#8 PEM. PERMISSION when others can read the file, CORRUPT, NOT_FOUND.
HOLDFAST_API holdfast_status holdfast_signer_load(const char* path, holdfast_signer** out);
/// The struct is copied. After an error user_data stays the caller's: destroy is not called, and no
/// call runs any more, for which this waits however long the host takes.
HOLDFAST_API holdfast_status
holdfast_signer_from_callbacks(const holdfast_signer_callbacks* callbacks, holdfast_signer** out);
HOLDFAST_API void holdfast_signer_free(holdfast_signer* signer);
/// A new PEM file, mode 0600. ALREADY_EXISTS; UNSUPPORTED for a host's signer.
HOLDFAST_API holdfast_status holdfast_signer_save(const holdfast_signer* signer, const char* path);
HOLDFAST_API holdfast_status holdfast_signer_public_key(const holdfast_signer* signer,
                                                        uint8_t out[32]);
HOLDFAST_API holdfast_status holdfast_signer_sign(const holdfast_signer* signer,
                                                  const uint8_t* message, size_t message_bytes,
                                                  uint8_t out[64]);
/// Under the protocol's one rule: key, signature.
HOLDFAST_API holdfast_status holdfast_signature_verify(const uint8_t public_key[32],
                                                       const uint8_t* message, size_t message_bytes,
                                                       const uint8_t signature[64],
                                                       holdfast_verdict* out);

// --- sealing (spec 3) ----------------------------------------------------------------------------

typedef struct holdfast_seal_options {
    size_t struct_size;
    /// "standard", "hardened", "dev" or "WINDOW_CHUNKS:WORK_BLOCKS"; NULL: the network's first
    const char* preset;
    uint64_t segment;  // which 4 GiB of the source
    uint64_t nonce;    // with has_nonce; by default the segment
    uint32_t has_nonce;
    uint32_t workers;  // windows at once, each with its memory; 0: one for each core
    uint32_t restart;  // 1: throws an unfinished earlier attempt away instead of going on with it
} holdfast_seal_options;

/// A sealed replica.
typedef struct holdfast_replica_info {
    size_t struct_size;
    uint8_t replica_id[32];
    uint8_t prover[32];  // public key
    uint8_t raw_root[32];
    uint8_t sealed_root[32];
    uint64_t data_bytes;  // before sealing
    uint64_t chunks;      // of 4,096 bytes
    uint64_t windows;
    uint64_t windows_taken_over;  // of an earlier attempt; of holdfast_seal alone
} holdfast_replica_info;

/// Seals a segment of a file for the owner of a key. `replica` is the new X.replica; X.tree appears
/// beside it. Both appear whole, durable and read back, or not at all; a stopped or crashed call
/// goes on where it was when it is repeated. options and out may be NULL. Seconds to hours: by the
/// network's presets. REFUSED (key, preset or size that the network does not allow),
/// INVALID_ARGUMENT (empty source, no regular file, a name that does not end in .replica),
/// ALREADY_EXISTS, OUT_OF_SPACE before any long work, CORRUPT (the source changed, or the disk does
/// not give back what was written), BUSY (somebody else seals to these names), INTERRUPTED,
/// NOT_FOUND, PERMISSION, IO, OUT_OF_MEMORY.
HOLDFAST_API holdfast_status holdfast_seal(const holdfast_network* network,
                                           const uint8_t prover[32], const char* source,
                                           const char* replica,
                                           const holdfast_seal_options* options,
                                           const holdfast_control* control,
                                           holdfast_replica_info* out);
/// The whole original into a new file, every byte checked against raw_root. workers: 0: one for
/// each core. ALREADY_EXISTS, CORRUPT (naming the chunk), REFUSED (of another network),
/// OUT_OF_SPACE, INTERRUPTED.
HOLDFAST_API holdfast_status holdfast_unseal(const holdfast_network* network, const char* replica,
                                             const char* output, uint32_t workers,
                                             const holdfast_control* control);
/// Bytes [offset, offset + bytes) of the original into memory, checked likewise; costs the windows
/// that are touched. INVALID_ARGUMENT beyond its end.
HOLDFAST_API holdfast_status holdfast_unseal_range(const holdfast_network* network,
                                                   const char* replica, uint64_t offset,
                                                   uint8_t* out, size_t bytes, uint32_t workers,
                                                   const holdfast_control* control);
/// What the header of a replica says, checked; nothing else of it is read.
HOLDFAST_API holdfast_status holdfast_replica_inspect(const holdfast_network* network,
                                                      const char* replica,
                                                      holdfast_replica_info* out);

// --- what a host gives: chain, token, beacon, peers ----------------------------------------------

// Each of the four is made from a struct of callbacks, which is copied; user_data is used until
// destroy, which is called once, from any thread, when no handle needs it any more (never when
// making failed). Between library and host stands a guard: a call that does not return within
// timeout_ms gives the library HOLDFAST_TIMEOUT and is left alone; an exception, a status that is
// none, or an answer that cannot be true by itself (another height than asked for, more slashed
// than allowed) counts as HOLDFAST_UNAVAILABLE: it is asked for again and never used. Callbacks may
// call the library, on other handles than those that ask. A callback returns HOLDFAST_OK or another
// status; text and reason for it: holdfast_callback_error.

/// Inside a callback that will not return HOLDFAST_OK: what happened (may be NULL), and with
/// HOLDFAST_REFUSED why. For the calling thread's innermost callback.
HOLDFAST_API void holdfast_callback_error(holdfast_reason reason, const char* text);

/// Where a callback puts an answer of many parts. Valid during that callback alone, on any thread
/// of the host's.
typedef struct holdfast_answer holdfast_answer;

/// How the library waits for a host.
typedef struct holdfast_guard_options {
    size_t struct_size;
    uint32_t timeout_ms;  // of every call, beside what its arguments allow; 0: 10,000
    uint32_t max_calls;   // in flight at once; further ones wait and then get HOLDFAST_BUSY; 0: 16
} holdfast_guard_options;

/// A block on the branch that is current at the time of the call.
typedef struct holdfast_block {
    size_t struct_size;
    uint64_t height;
    uint8_t hash[32];
    uint8_t parent[32];  // zeros for the chain's first block
    uint64_t time_ms;    // since 1970, as the block states it
    uint32_t final;      // 1 for good: a final block is never replaced
} holdfast_block;

typedef int32_t holdfast_bond_purpose;
enum {
    HOLDFAST_BOND_STORAGE = 1,
    HOLDFAST_BOND_CHALLENGER = 2,
    HOLDFAST_BOND_CHECKPOINT = 3,
    HOLDFAST_BOND_EVALUATOR = 4,
    HOLDFAST_BOND_ACCUSATION = 5,
    HOLDFAST_BOND_OPERATOR = 6
};

enum {
    HOLDFAST_BOND_CREATED = 1,
    HOLDFAST_BOND_ADDED = 2,
    HOLDFAST_BOND_RELEASED = 3,
    HOLDFAST_BOND_SLASHED = 4
};

/// A fact about a bond that a block states (spec 15.4). Amounts: the token's smallest unit.
typedef struct holdfast_bond_event {
    size_t struct_size;
    int32_t what;  // HOLDFAST_BOND_CREATED, ...
    /// purpose, owner and subject of CREATED alone; else zeros
    holdfast_bond_purpose purpose;
    uint8_t bond[32];
    uint8_t owner[32];
    uint64_t amount;
    uint64_t number;      // so that two events of one bond differ
    uint8_t subject[32];  // of an accuser's deposit: SHA-256 of the evidence
} holdfast_bond_event;

/// The host chain decides the order of everything; nothing here assumes a particular chain.
typedef struct holdfast_blockchain_callbacks {
    size_t struct_size;
    void* user_data;
    void (*destroy)(void* user_data);
    /// Height of the newest block, final or not.
    holdfast_status (*current_height)(void* user_data, uint64_t* out);
    /// NOT_FOUND above the tip and below the first block. out->struct_size is set.
    holdfast_status (*block_by_height)(void* user_data, uint64_t height, holdfast_block* out);
    /// An object for some later block: OK means that the host has taken it durably. Repeating is
    /// harmless: the same bytes are listed at most once. REFUSED: malformed, too large, of a kind
    /// that this chain does not carry.
    holdfast_status (*submit)(void* user_data, holdfast_kind kind, const uint8_t* object,
                              size_t object_bytes);
    /// Everything that the block lists, in the chain's order: holdfast_answer_add_object. NOT_FOUND
    /// as above.
    holdfast_status (*submissions_at)(void* user_data, uint64_t height, holdfast_answer* out);
    /// What the block says of bonds, in its order: holdfast_answer_add_bond_event. A host that
    /// leaves one out splits its network.
    holdfast_status (*bond_events_at)(void* user_data, uint64_t height, holdfast_answer* out);
} holdfast_blockchain_callbacks;

/// Adds to the answer of submissions_at. INVALID_ARGUMENT for another callback's answer.
HOLDFAST_API holdfast_status holdfast_answer_add_object(holdfast_answer* answer, holdfast_kind kind,
                                                        const uint8_t* object, size_t object_bytes);
HOLDFAST_API holdfast_status holdfast_answer_add_bond_event(holdfast_answer* answer,
                                                            const holdfast_bond_event* event);

typedef struct holdfast_blockchain holdfast_blockchain;
/// guard may be NULL. INVALID_ARGUMENT unless all five functions are there.
HOLDFAST_API holdfast_status holdfast_blockchain_new(const holdfast_blockchain_callbacks* callbacks,
                                                     const holdfast_guard_options* guard,
                                                     holdfast_blockchain** out);
HOLDFAST_API void holdfast_blockchain_free(holdfast_blockchain* chain);

typedef struct holdfast_bond_info {
    size_t struct_size;
    uint8_t bond[32];
    uint8_t owner[32];
    holdfast_bond_purpose purpose;
    uint32_t released;  // 1: holds nothing any more and is closed
    uint64_t created_amount;
    uint64_t held_amount;  // created less slashed and released
    uint64_t slashed_amount;
} holdfast_bond_info;

/// Bonds, slashes, rewards. Every changing call carries a key: the same key and arguments again
/// give the first answer and no second effect; the same key with other arguments gives
/// INVALID_ARGUMENT. A call that failed had no effect; one that timed out may have had one, and is
/// repeated with its key until it answers.
typedef struct holdfast_token_callbacks {
    size_t struct_size;
    void* user_data;
    void (*destroy)(void* user_data);
    /// UNAVAILABLE when the owner does not have the units (yet).
    holdfast_status (*create_bond)(void* user_data, const uint8_t owner[32], uint64_t amount,
                                   holdfast_bond_purpose purpose, const uint8_t key[32],
                                   uint8_t bond_out[32]);
    /// Gives min(amount, held) back and says how much. NOT_FOUND: no such bond.
    holdfast_status (*release_bond)(void* user_data, const uint8_t bond[32], uint64_t amount,
                                    const uint8_t key[32], uint64_t* released);
    /// Takes min(amount, held) for an offence and says how much; one offence is settled once,
    /// whatever the key.
    holdfast_status (*slash_bond)(void* user_data, const uint8_t bond[32], uint64_t amount,
                                  const uint8_t offence[32], const uint8_t key[32],
                                  uint64_t* slashed);
    /// UNAVAILABLE when the source of rewards does not hold as much.
    holdfast_status (*pay_reward)(void* user_data, const uint8_t to[32], uint64_t amount,
                                  const uint8_t reference[32], const uint8_t key[32]);
    holdfast_status (*bond_info)(void* user_data, const uint8_t bond[32], holdfast_bond_info* out);
} holdfast_token_callbacks;

typedef struct holdfast_token holdfast_token;
/// guard may be NULL. INVALID_ARGUMENT unless all five functions are there.
HOLDFAST_API holdfast_status holdfast_token_new(const holdfast_token_callbacks* callbacks,
                                                const holdfast_guard_options* guard,
                                                holdfast_token** out);
HOLDFAST_API void holdfast_token_free(holdfast_token* token);

/// A randomness beacon, for networks that have one (spec 5). Rounds begin with 1.
typedef struct holdfast_beacon_callbacks {
    size_t struct_size;
    void* user_data;
    void (*destroy)(void* user_data);
    /// The round's value and, by holdfast_answer_set_bytes, its proof of at most 1,024 bytes.
    /// UNAVAILABLE: not published yet.
    holdfast_status (*randomness)(void* user_data, uint64_t round, uint8_t out[32],
                                  holdfast_answer* proof);
    /// OK only when this is the beacon's value of exactly this round; REFUSED otherwise. It may be
    /// hostile.
    holdfast_status (*verify)(void* user_data, uint64_t round, const uint8_t randomness[32],
                              const uint8_t* proof, size_t proof_bytes);
} holdfast_beacon_callbacks;

/// The bytes of an answer that is bytes (a beacon's proof, a response); a second call replaces
/// them.
HOLDFAST_API holdfast_status holdfast_answer_set_bytes(holdfast_answer* answer,
                                                       const uint8_t* bytes, size_t size);

typedef struct holdfast_beacon holdfast_beacon;
HOLDFAST_API holdfast_status holdfast_beacon_new(const holdfast_beacon_callbacks* callbacks,
                                                 const holdfast_guard_options* guard,
                                                 holdfast_beacon** out);
HOLDFAST_API void holdfast_beacon_free(holdfast_beacon* beacon);

/// The host's network, which challengers send and measure through (spec 8). Times are those of the
/// host's own monotonic clock on a warm connection. TIMEOUT: the peer took the request and did not
/// answer in time; UNAVAILABLE: no connection; NOT_FOUND: no such peer.
typedef struct holdfast_peers_callbacks {
    size_t struct_size;
    void* user_data;
    void (*destroy)(void* user_data);
    /// Everybody known now: holdfast_answer_add_peer.
    holdfast_status (*peers)(void* user_data, holdfast_answer* out);
    /// `samples` round trips in nanoseconds, in the order measured: holdfast_answer_add_number.
    holdfast_status (*measure_latency)(void* user_data, const uint8_t peer[32], uint32_t samples,
                                       uint32_t timeout_ms, holdfast_answer* out);
    /// Sends a challenge and waits for the response at most deadline_ms: holdfast_answer_set_bytes;
    /// service_us from the last byte sent to the last byte received, ping_us of a round trip beside
    /// it.
    holdfast_status (*send_challenge)(void* user_data, const uint8_t peer[32],
                                      const uint8_t* challenge, size_t challenge_bytes,
                                      uint32_t deadline_ms, holdfast_answer* response,
                                      uint32_t* service_us, uint32_t* ping_us);
    /// The shortest round trip from every vantage that could reach the peer:
    /// holdfast_answer_add_vantage. Places in millionths of a degree. May be NULL: UNSUPPORTED.
    holdfast_status (*verify_place)(void* user_data, const uint8_t peer[32], int32_t latitude_udeg,
                                    int32_t longitude_udeg, uint32_t timeout_ms,
                                    holdfast_answer* out);
} holdfast_peers_callbacks;

HOLDFAST_API holdfast_status holdfast_answer_add_peer(holdfast_answer* answer,
                                                      const uint8_t key[32], const char* address);
HOLDFAST_API holdfast_status holdfast_answer_add_number(holdfast_answer* answer, uint64_t number);
/// distance_m: from the vantage to the claimed place, rounded down.
HOLDFAST_API holdfast_status holdfast_answer_add_vantage(holdfast_answer* answer,
                                                         const char* vantage, uint64_t rtt_ns,
                                                         uint64_t distance_m);

typedef struct holdfast_peers holdfast_peers;
HOLDFAST_API holdfast_status holdfast_peers_new(const holdfast_peers_callbacks* callbacks,
                                                const holdfast_guard_options* guard,
                                                holdfast_peers** out);
HOLDFAST_API void holdfast_peers_free(holdfast_peers* peers);

// --- the verifier (spec 7) -----------------------------------------------------------------------

// Judges objects from public data alone: heights and chains that the caller tells it (of its own
// chain, or of a folder that a node exported). Any thread, also while it is told more: a verdict
// rests on what was known when the call began.
typedef struct holdfast_verifier holdfast_verifier;

/// What is known of a final block.
typedef struct holdfast_known_height {
    size_t struct_size;
    uint64_t height;
    uint8_t block_hash[32];
    uint8_t parent[32];
    uint64_t time_ms;
    uint32_t has_y;       // y was fully verified (holdfast_vdf, holdfast_clock) or is trusted
    uint32_t has_global;  // the digest of this height, once it has closed
    uint8_t y[32];
    uint8_t global[32];
    uint32_t has_beacon;  // in networks with a beacon
    uint64_t beacon_round;
    uint8_t beacon_randomness[32];
    holdfast_bytes beacon_proof;  // an input alone
} holdfast_known_height;

/// A reveal that is known of a commitment: a_index of the reveal chain with this base (spec 5).
typedef struct holdfast_known_reveal {
    size_t struct_size;
    uint64_t base;  // the registration's genesis height, or an update's effective height
    uint64_t index;
    uint8_t reveal[32];
} holdfast_known_reveal;

/// An accepted chain.
typedef struct holdfast_known_chain {
    size_t struct_size;
    holdfast_bytes registration;    // object of kind 1
    uint64_t accepted;              // height of the block that lists it
    const holdfast_bytes* updates;  // objects of kind 2, by sequence
    size_t updates_count;
    /// The newest of each commitment; none: the commitment itself.
    const holdfast_known_reveal* reveals;
    size_t reveals_count;
} holdfast_known_chain;

HOLDFAST_API holdfast_status holdfast_verifier_new(const holdfast_network* network,
                                                   holdfast_verifier** out);
/// Of a folder of public data (network.params, public.json). NOT_FOUND, CORRUPT, REFUSED.
HOLDFAST_API holdfast_status holdfast_verifier_load(const char* folder, holdfast_verifier** out);
/// Writes such a folder, each file whole and durable.
HOLDFAST_API holdfast_status holdfast_verifier_save(const holdfast_verifier* verifier,
                                                    const char* folder);
HOLDFAST_API void holdfast_verifier_free(holdfast_verifier* verifier);
/// A new handle on the verifier's network.
HOLDFAST_API holdfast_status holdfast_verifier_network(const holdfast_verifier* verifier,
                                                       holdfast_network** out);
/// Tells or replaces heights; all or, after an error, none. `heights` are elements of
/// heights[0].struct_size bytes each.
HOLDFAST_API holdfast_status holdfast_verifier_set_heights(holdfast_verifier* verifier,
                                                           const holdfast_known_height* heights,
                                                           size_t count);
/// Tells or replaces a chain; chain_id may be NULL. REFUSED when registration or an update does not
/// hold.
HOLDFAST_API holdfast_status holdfast_verifier_add_chain(holdfast_verifier* verifier,
                                                         const holdfast_known_chain* chain,
                                                         uint8_t chain_id[32]);
/// What was told of a height. NOT_FOUND.
HOLDFAST_API holdfast_status holdfast_verifier_height(const holdfast_verifier* verifier,
                                                      uint64_t height, holdfast_known_height* out);
/// Chains that were told, ascending by id: 32 bytes each.
HOLDFAST_API holdfast_status holdfast_verifier_chains(const holdfast_verifier* verifier,
                                                      uint8_t* out, size_t* out_bytes);

/// What the object does not say itself, or what the caller expects it to be; all optional.
typedef struct holdfast_verify_hints {
    size_t struct_size;
    const uint8_t* chain_id;  // 32 bytes; needed for a receipt when several chains are known
    uint64_t height;          // with has_height; needed for a path
    uint32_t has_height;
    holdfast_bytes path;  // of a checkpoint: a path that proves its number of chains
    /// Of a short proof: what the registry took for this chain and height (32 bytes each).
    const uint8_t* link;         // NULL: no link stands there
    const uint8_t* link_before;  // NULL: not known
    /// Of an acknowledgement: what it is of, and the node's key (32 bytes).
    holdfast_bytes acknowledged;
    const uint8_t* host;
} holdfast_verify_hints;

typedef struct holdfast_verify_report {
    size_t struct_size;
    holdfast_verdict verdict;
    holdfast_kind kind;  // 0: the object does not say
    uint32_t has_chain_id;
    uint32_t has_height;
    uint8_t chain_id[32];
    uint64_t height;
    /// Of an accepted window. Whoever made it has chosen its heights.
    uint32_t has_window;
    uint64_t first;
    uint64_t last;
    uint64_t links;
    uint64_t full;      // of them; these do not show that their link stands in a digest
    uint64_t left_out;  // heights between first and last that have y and are not shown
    uint64_t heights;   // of the chain that have y, as far as is known
    uint64_t openings;
    /// Of an accepted checkpoint.
    uint32_t has_total;
    uint32_t total_is_proven;  // by a path; otherwise the submitter's word
    uint64_t total_chains;
} holdfast_verify_report;

/// Judges an object: registration, update, removal, seal proof, receipt, bundle, member, compact,
/// full, short compact, short full, path, window, checkpoint, head, acknowledgement, network. hints
/// and control may be NULL. Some hundred microseconds, but for seal proofs: one fill for each
/// window (seconds), to which control applies. NOT_FOUND: something that is needed was not told.
/// INVALID_ARGUMENT: a hint is missing, or the kind has a function of its own (VDF proofs:
/// holdfast_vdf_verify; evidence: holdfast_evidence_verify; responses: holdfast_response_verify).
/// INTERRUPTED, OUT_OF_MEMORY.
HOLDFAST_API holdfast_status holdfast_verifier_verify(const holdfast_verifier* verifier,
                                                      const uint8_t* object, size_t object_bytes,
                                                      const holdfast_verify_hints* hints,
                                                      const holdfast_control* control,
                                                      holdfast_verify_report* out);

// --- the prover (spec 3, 5, 7) -------------------------------------------------------------------

// The sealed replicas of one key on one machine. Links are on the device before they are signed; a
// second link for a recorded chain, height, block and anchor is refused, whatever a caller says. It
// locks its folder of records: one process at a time (BUSY). One call at a time, but for
// holdfast_prover_respond.
typedef struct holdfast_prover holdfast_prover;

typedef struct holdfast_prover_options {
    size_t struct_size;
    uint32_t open_files;         // at one time, at most; 0: 512
    uint32_t kept_heights;       // of link records; 0: 16
    uint32_t threads;            // for reading and hashing; 0: one for each core
    uint32_t responses_at_once;  // answered at one time; 0: 64
} holdfast_prover_options;

/// `records`: a folder for what was signed, made when missing; it belongs to the key, not to a
/// replica. options may be NULL. BUSY, CORRUPT, REFUSED (of another network or key), UNSUPPORTED (a
/// newer form), IO.
HOLDFAST_API holdfast_status holdfast_prover_open(const holdfast_network* network,
                                                  const holdfast_signer* signer,
                                                  const char* records,
                                                  const holdfast_prover_options* options,
                                                  holdfast_prover** out);
HOLDFAST_API void holdfast_prover_free(holdfast_prover* prover);
/// Takes a replica (X.replica, with X.tree beside it) in; replica_id may be NULL. INVALID_ARGUMENT:
/// sealed for another key, or taken in before. NOT_FOUND, CORRUPT, REFUSED, IO.
HOLDFAST_API holdfast_status holdfast_prover_add(holdfast_prover* prover, const char* replica,
                                                 uint8_t replica_id[32]);
/// Takes it out, or everything below a folder; removed (may be NULL) says how many. NOT_FOUND. What
/// was signed stays on record.
HOLDFAST_API holdfast_status holdfast_prover_remove(holdfast_prover* prover, const char* replica,
                                                    uint64_t* removed);
HOLDFAST_API holdfast_status holdfast_prover_count(const holdfast_prover* prover, uint64_t* out);
/// {"replicas": [{"replica", "replica_id", "sealed_root", "chunks", "chain_id" or null}, ...]}
HOLDFAST_API holdfast_status holdfast_prover_to_json(const holdfast_prover* prover, char* out,
                                                     size_t* out_bytes);

typedef int32_t holdfast_retention;
enum {
    HOLDFAST_RETENTION_TEMPORARY = 1,
    HOLDFAST_RETENTION_DEFAULT = 2,
    HOLDFAST_RETENTION_ARCHIVAL = 3
};

typedef struct holdfast_registration_terms {
    size_t struct_size;
    /// Of a final block, at most 100 blocks old when a block lists the registration.
    uint64_t genesis_height;
    uint8_t genesis_block_hash[32];
    uint8_t bond[32];              // a storage bond of the key
    holdfast_retention retention;  // 0: default
    /// 1: commits to a reveal chain (local entropy); its first use takes 2^20 hashes
    uint32_t with_commitment;
} holdfast_registration_terms;

/// The registration of a replica of this prover, for the host chain; HOLDFAST_REGISTRATION_BYTES.
/// The same terms give the same bytes. chain_id may be NULL. NOT_FOUND: no such replica.
HOLDFAST_API holdfast_status holdfast_prover_make_registration(
    holdfast_prover* prover, const uint8_t replica_id[32], const holdfast_registration_terms* terms,
    uint8_t* out, size_t* out_bytes, uint8_t chain_id[32]);
/// Tells the prover under which registration a replica has been accepted; needed by the functions
/// below that name a chain. holdfast_aggregator_advance finds it by itself. chain_id may be NULL.
/// NOT_FOUND: no such replica here; REFUSED: it does not hold.
HOLDFAST_API holdfast_status holdfast_prover_note_registration(holdfast_prover* prover,
                                                               const uint8_t* registration,
                                                               size_t registration_bytes,
                                                               uint8_t chain_id[32]);
/// A new commitment from `effective` on (with_commitment 0: none from then on);
/// HOLDFAST_UPDATE_BYTES.
HOLDFAST_API holdfast_status holdfast_prover_make_update(holdfast_prover* prover,
                                                         const uint8_t chain_id[32],
                                                         uint32_t sequence, uint64_t effective,
                                                         uint32_t with_commitment, uint8_t* out,
                                                         size_t* out_bytes);
/// A request to end a chain, at this tip; HOLDFAST_REMOVAL_BYTES.
HOLDFAST_API holdfast_status holdfast_prover_make_removal(holdfast_prover* prover,
                                                          const uint8_t chain_id[32],
                                                          uint32_t sequence, uint64_t tip,
                                                          uint8_t* out, size_t* out_bytes);
/// The reveal of a height under the commitment with this base (spec 5). Secret until the height's
/// link is made: whoever has it earlier knows what the chain will be asked. REFUSED
/// (reveal-exhausted).
HOLDFAST_API holdfast_status holdfast_prover_reveal(holdfast_prover* prover,
                                                    const uint8_t chain_id[32], uint64_t base,
                                                    uint64_t height, uint8_t out[32]);

/// What all links of one height have in common: a final block, its verified y, and the digest of
/// height - 1 - link_lag (or the network's genesis digest) as anchor.
typedef struct holdfast_link_place {
    size_t struct_size;
    uint64_t height;
    uint8_t block_hash[32];
    uint8_t y[32];
    uint8_t anchor[32];
} holdfast_link_place;

/// What is a chain's own.
typedef struct holdfast_link_facts {
    size_t struct_size;
    uint8_t chain_id[32];
    /// In the chain's leaf under the anchor; the chain id where there is none.
    uint8_t link_before[32];
    uint64_t reveal_base;  // of the commitment in force, with has_reveal_base
    uint32_t has_reveal_base;
} holdfast_link_facts;

/// The place of links at a height, as a verifier knows it. NOT_FOUND: block, y or anchor is not
/// known.
HOLDFAST_API holdfast_status holdfast_verifier_link_place(const holdfast_verifier* verifier,
                                                          uint64_t height,
                                                          holdfast_link_place* out);
/// Makes the links of chains at one height: reads and checks sixteen cells of each, makes them
/// durable with one wait for the device, and signs them all as one bundle (kind 22) of at most 142
/// + 64·count bytes, 1 to 16,384 chains. `chains` are elements of chains[0].struct_size bytes each.
/// statuses (may be NULL; count elements) says what became of each: CORRUPT (a damaged cell: a
/// missed link, nothing is signed), REFUSED (another link is on record), NOT_FOUND (no such chain
/// here). OK when at least one link was made; otherwise the first chain's error. Repeating gives
/// the same bytes. SHORT_BUFFER before anything is read.
HOLDFAST_API holdfast_status holdfast_prover_link(holdfast_prover* prover,
                                                  const holdfast_link_place* place,
                                                  const holdfast_link_facts* chains, size_t count,
                                                  uint8_t* out, size_t* out_bytes,
                                                  holdfast_status* statuses);
/// The receipt (kind 4) of a link on record; HOLDFAST_RECEIPT_BYTES. REFUSED (too-late: not on
/// record).
HOLDFAST_API holdfast_status holdfast_prover_receipt(holdfast_prover* prover,
                                                     const holdfast_link_place* place,
                                                     const uint8_t chain_id[32], uint8_t* out,
                                                     size_t* out_bytes);
/// The proof of a link on record that counts: compact (kind 5) where y_compact (y of height + 1 +
/// link_lag + finality_blocks) and the chain's path under the digest of the link's height are given
/// and that y asks for no full one; full (kind 6) elsewhere. At most HOLDFAST_MAX_PROOF_BYTES.
/// y_compact may be NULL, path empty. REFUSED (too-late, link: the facts are not those on record),
/// CORRUPT, INVALID_ARGUMENT (the path is not this link's).
HOLDFAST_API holdfast_status holdfast_prover_prove(holdfast_prover* prover,
                                                   const holdfast_link_place* place,
                                                   const holdfast_link_facts* chain,
                                                   const uint8_t* y_compact, const uint8_t* path,
                                                   size_t path_bytes, uint8_t* out,
                                                   size_t* out_bytes);
/// The short form (kinds 24, 25) of a compact or full proof, for a registry that has its link.
/// REFUSED.
HOLDFAST_API holdfast_status holdfast_proof_shorten(const uint8_t* proof, size_t proof_bytes,
                                                    uint8_t* out, size_t* out_bytes);
/// A window (kind 8) of 1 to 5 compact or full proofs of one chain, heights ascending. REFUSED
/// (window-order, chain, kind).
HOLDFAST_API holdfast_status holdfast_window_make(const holdfast_bytes* proofs, size_t count,
                                                  uint8_t* out, size_t* out_bytes);
/// The answer (kind 3) to a seal challenge (audit 0) or an audit (audit 1) drawn from y of
/// y_height: one fill for each window drawn. SHORT_BUFFER before any fill. Needs the chain's
/// registration.
HOLDFAST_API holdfast_status holdfast_prover_seal_proof(
    holdfast_prover* prover, const uint8_t chain_id[32], uint64_t y_height, const uint8_t y[32],
    uint32_t audit, const holdfast_control* control, uint8_t* out, size_t* out_bytes);

/// A challenger in force and its part of a bond. Never grows.
typedef struct holdfast_challenger_part {
    uint8_t key[32];
    uint64_t part;
} holdfast_challenger_part;

/// A final block as challenged provers and challengers must know it.
typedef struct holdfast_challenge_height {
    size_t struct_size;
    uint64_t height;
    uint8_t block_hash[32];
    /// With has_y: verified in full, or covered by a head of the operator (spec 15.8).
    uint8_t y[32];
    uint32_t has_y;
    const holdfast_challenger_part* challengers;  // in force at this height, ascending by key
    size_t challengers_count;
} holdfast_challenge_height;

/// The next final block. Challenges of height h are answered while h + 1 is the newest one told.
HOLDFAST_API holdfast_status holdfast_prover_on_final_block(holdfast_prover* prover,
                                                            const holdfast_challenge_height* block);
/// Answers a challenge (kind 29) that must be answered, and no other: the response (kind 12).
/// `from`: key of the peer that the connection proves. `out` must have room for
/// HOLDFAST_MAX_RESPONSE_BYTES (SHORT_BUFFER otherwise, and nothing is answered): each challenge is
/// answered once. REFUSED with the reason why it is ignored (not-drawn, not-assigned, too-early,
/// duplicate-challenge, busy, ...). CORRUPT: a damaged chunk; nothing is signed. Any number of
/// threads at once, also beside one other call.
HOLDFAST_API holdfast_status holdfast_prover_respond(holdfast_prover* prover,
                                                     const uint8_t from[32],
                                                     const uint8_t* challenge,
                                                     size_t challenge_bytes, uint8_t* out,
                                                     size_t* out_bytes);

// --- challenges, from the other side (spec 8) ----------------------------------------------------

/// A challenge (kind 29) of one chain at a height; `reveal` is the challenger's of that height.
/// Whether it must be answered is the draw's to say. HOLDFAST_CHALLENGE_BYTES.
HOLDFAST_API holdfast_status holdfast_challenge_make(const holdfast_network* network,
                                                     const holdfast_signer* challenger,
                                                     const uint8_t chain_id[32], uint64_t height,
                                                     const uint8_t block_hash[32],
                                                     const uint8_t y[32], const uint8_t reveal[32],
                                                     uint8_t* out, size_t* out_bytes);
/// Whether a response answers a challenge with what was registered: challenge, key, signature,
/// proof-length, multiproof. The last two are evidence, since the prover has signed them.
HOLDFAST_API holdfast_status holdfast_response_verify(
    const holdfast_network* network, const uint8_t* registration, size_t registration_bytes,
    const uint8_t* challenge, size_t challenge_bytes, const uint8_t* response,
    size_t response_bytes, holdfast_verdict* out);

/// A challenger's daemon without a transport: draws, sends through holdfast_peers at moments of its
/// own, judges, publishes. One call at a time, but for holdfast_challenger_on_final_block.
typedef struct holdfast_challenger holdfast_challenger;

/// The registration of a challenger (kind 21) from `base` on, for the host chain;
/// HOLDFAST_CHALLENGER_BYTES. Takes 2^20 hashes.
HOLDFAST_API holdfast_status holdfast_challenger_make_registration(const holdfast_network* network,
                                                                   const holdfast_signer* signer,
                                                                   uint64_t base,
                                                                   const uint8_t bond[32],
                                                                   uint8_t* out, size_t* out_bytes);
/// `journal`: a folder of its own for this key. `base`: of the registration in force. BUSY,
/// CORRUPT, REFUSED.
HOLDFAST_API holdfast_status holdfast_challenger_open(const holdfast_network* network,
                                                      const holdfast_signer* signer, uint64_t base,
                                                      const char* journal, holdfast_peers* peers,
                                                      holdfast_challenger** out);
HOLDFAST_API void holdfast_challenger_free(holdfast_challenger* challenger);
/// The newest final block is here. Any thread, at any time.
HOLDFAST_API holdfast_status holdfast_challenger_on_final_block(holdfast_challenger* challenger,
                                                                uint64_t tip);

/// A chain that may be challenged. Never grows.
typedef struct holdfast_challenged_chain {
    uint8_t chain_id[32];
    uint8_t prover[32];
    uint8_t sealed_root[32];
    uint64_t chunks;
} holdfast_challenged_chain;

/// Plans the challenges of a height while height + 1 is the newest final block; planned (may be
/// NULL): how many are new. REFUSED (too-early, too-late, no-entropy, reveal-exhausted).
/// holdfast_aggregator_challenges tells both.
HOLDFAST_API holdfast_status holdfast_challenger_draw(holdfast_challenger* challenger,
                                                      const holdfast_challenge_height* height,
                                                      const holdfast_challenged_chain* chains,
                                                      size_t count, uint64_t* planned);
/// Milliseconds until the next planned challenge is due; UNAVAILABLE: none is planned.
HOLDFAST_API holdfast_status holdfast_challenger_next_due_ms(holdfast_challenger* challenger,
                                                             uint64_t* out);

typedef struct holdfast_challenger_report {
    size_t struct_size;
    uint64_t sent;
    uint64_t served;
    uint64_t late;
    uint64_t invalid;
    uint64_t unreachable;
    uint64_t abandoned;
} holdfast_challenger_report;

/// Sends what is due now and judges the answers. out may be NULL. INTERRUPTED.
HOLDFAST_API holdfast_status holdfast_challenger_work(holdfast_challenger* challenger,
                                                      const holdfast_control* control,
                                                      holdfast_challenger_report* out);
/// Hands outcomes over to the chain; published (may be NULL): how many.
HOLDFAST_API holdfast_status holdfast_challenger_publish(holdfast_challenger* challenger,
                                                         holdfast_blockchain* chain,
                                                         uint64_t* published);

// --- the sequential function and the clock (spec 6) ----------------------------------------------

/// Evaluates and verifies; keeps arenas (256 MiB each in the default network) of the newest epochs.
/// Any thread.
typedef struct holdfast_vdf holdfast_vdf;

/// memory_bytes: of all arenas together; 0: two of the network's. threads: 0: one for each core.
/// UNSUPPORTED: a network without VDF, whose y is the seed.
HOLDFAST_API holdfast_status holdfast_vdf_new(const holdfast_network* network,
                                              uint64_t memory_bytes, uint32_t threads,
                                              holdfast_vdf** out);
HOLDFAST_API void holdfast_vdf_free(holdfast_vdf* vdf);
/// The input of a height (its seed): of the block's hash and, in networks with a beacon, of the
/// round's randomness (NULL elsewhere) (spec 5). REFUSED (no-entropy, network-policy).
HOLDFAST_API holdfast_status holdfast_vdf_input(const holdfast_network* network, uint64_t height,
                                                const uint8_t block_hash[32], uint64_t beacon_round,
                                                const uint8_t* beacon_randomness, uint8_t out[32]);
/// The height whose y seeds the epoch of `height`; *out_has is 0 in epoch 0, where none is needed.
HOLDFAST_API holdfast_status holdfast_vdf_epoch_source(const holdfast_network* network,
                                                       uint64_t height, uint64_t* out,
                                                       uint32_t* out_has);
/// Evaluates y of an input and signs the proof (kind 9): 195 + 32·(checkpoints + 1) bytes.
/// `epoch_source`: y of the epoch's source height; NULL in epoch 0. Takes what the network's
/// parameters say, seconds and more; SHORT_BUFFER before. y may be NULL. BUSY (memory),
/// INTERRUPTED, OUT_OF_MEMORY.
HOLDFAST_API holdfast_status holdfast_vdf_evaluate(holdfast_vdf* vdf,
                                                   const holdfast_signer* evaluator,
                                                   uint64_t height, const uint8_t input[32],
                                                   const uint8_t* epoch_source,
                                                   const holdfast_control* control, uint8_t* out,
                                                   size_t* out_bytes, uint8_t y[32]);
/// Verifies a proof (kind 9). segments 0: in full, the only way that makes y usable; otherwise so
/// many, drawn here and now from the system's randomness: accepted then means "not refuted". y (may
/// be NULL) is the proof's. Reasons: vdf-policy, height, vdf-input, field, key, vdf-signature,
/// vdf-start, vdf-output, vdf-segment.
HOLDFAST_API holdfast_status holdfast_vdf_verify(holdfast_vdf* vdf, uint64_t height,
                                                 const uint8_t input[32],
                                                 const uint8_t* epoch_source, const uint8_t* proof,
                                                 size_t proof_bytes, uint32_t segments,
                                                 const holdfast_control* control,
                                                 holdfast_verdict* out, uint8_t y[32]);

/// y of every height of a host chain, verified in full and kept on disk. Any thread.
typedef struct holdfast_clock holdfast_clock;

typedef struct holdfast_clock_options {
    size_t struct_size;
    /// Of proofs and checkpoints, made when missing; needed in networks with a VDF
    const char* folder;
    uint32_t threads;       // 0: one for each core
    uint32_t at_once;       // heights evaluated side by side; 0: 8
    uint64_t memory_bytes;  // of all arenas; 0: two of the network's
    uint64_t keep_proofs;   // of the newest so many heights; 0: all
    /// The first height that advance brings up, with has_first; else the genesis height.
    uint64_t first;
    uint32_t has_first;
} holdfast_clock_options;

/// beacon may be NULL in networks without one. evaluator may be NULL: then y comes from imported
/// proofs alone. BUSY (the folder is in use), INVALID_ARGUMENT, REFUSED, IO. A clock that signs
/// must know which heights the network closed without y: holdfast_aggregator_open tells it.
HOLDFAST_API holdfast_status holdfast_clock_open(
    const holdfast_network* network, holdfast_blockchain* chain, holdfast_beacon* beacon,
    const holdfast_signer* evaluator, const holdfast_clock_options* options, holdfast_clock** out);
HOLDFAST_API void holdfast_clock_free(holdfast_clock* clock);
/// Block, input and y of a height, evaluated when nobody's proof is known; each of the out
/// parameters may be NULL. UNAVAILABLE: no block, beacon round or (without an evaluator) proof yet.
/// INTERRUPTED.
HOLDFAST_API holdfast_status holdfast_clock_at(holdfast_clock* clock, uint64_t height,
                                               const holdfast_control* control,
                                               holdfast_block* block, uint8_t input[32],
                                               uint8_t y[32]);
/// Brings every height up to the host's tip; evaluated (may be NULL): how many were evaluated here.
HOLDFAST_API holdfast_status holdfast_clock_advance(holdfast_clock* clock,
                                                    const holdfast_control* control,
                                                    uint64_t* evaluated);
/// The kept proof (kind 9) of a height, for others. NOT_FOUND.
HOLDFAST_API holdfast_status holdfast_clock_proof(const holdfast_clock* clock, uint64_t height,
                                                  uint8_t* out, size_t* out_bytes);
/// Verifies somebody's proof in full and keeps it when it holds.
HOLDFAST_API holdfast_status holdfast_clock_import(holdfast_clock* clock, const uint8_t* proof,
                                                   size_t proof_bytes,
                                                   const holdfast_control* control,
                                                   holdfast_verdict* out);

// --- the aggregator: a node of the operator (spec 10, 15) ----------------------------------------

// The registry of all chains of a network, advanced block by block; drives provers of its own
// process, closes digests, carries out through the token what was decided. All that it decides
// follows from the chain's blocks and its journal. _advance and _settle take turns: one call at a
// time. _submit, _head and what only reads it may run at any time, in any thread, beside them too.
// One process at a time has its folders (BUSY).
typedef struct holdfast_aggregator holdfast_aggregator;

typedef struct holdfast_aggregator_options {
    size_t struct_size;
    const char* registry;  // folder, made when missing; needed
    /// Folder of what became of bonds; NULL: the registry's name and ".settlement"
    const char* settlement;
    /// Folder of what the keys below have signed; NULL: the registry's name and ".signed"
    const char* statements;
    /// Needed where the network names an operator, NULL elsewhere.
    const holdfast_signer* operator_signer;
    const holdfast_signer* checkpointer;  // submits the checkpoints that fall due; NULL: nobody
    const uint8_t* checkpoint_bond;       // 32 bytes, with checkpointer
    uint64_t prover_reward;               // for a served challenge, in the token's smallest unit
    uint64_t challenger_reward;           // for any outcome
    uint64_t kept_heights;   // of leaves and receipts on disk; 0: what settling needs and 64 more
    uint64_t map_bytes;      // address space for the database; 0: 64 GiB
    uint32_t threads;        // for hashing and checking; 0: one for each core
    uint32_t fills_at_once;  // windows refilled at once for seal proofs; 0: 1
} holdfast_aggregator_options;

/// token may be NULL: then nothing is carried out. The handles are kept alive. REFUSED
/// (not-operator, network-policy, network), BUSY, CORRUPT, UNSUPPORTED (newer schema), IO.
HOLDFAST_API holdfast_status holdfast_aggregator_open(const holdfast_network* network,
                                                      holdfast_blockchain* chain,
                                                      holdfast_clock* clock, holdfast_token* token,
                                                      const holdfast_aggregator_options* options,
                                                      holdfast_aggregator** out);
HOLDFAST_API void holdfast_aggregator_free(holdfast_aggregator* aggregator);

/// What one block did. Immutable; any thread.
typedef struct holdfast_block_report holdfast_block_report;

/// Takes the next final block: y, what it lists, the digest that it closes, then everything that
/// the given provers owe (seal proofs, links, proofs of earlier links), then settling. *out is NULL
/// when there is no further final block. A damaged replica is a fault of its own in the report.
/// After an error everything is as after some prefix of the block's steps, and the next call goes
/// on from there. INTERRUPTED, UNAVAILABLE, ...
HOLDFAST_API holdfast_status holdfast_aggregator_advance(holdfast_aggregator* aggregator,
                                                         holdfast_prover* const* provers,
                                                         size_t provers_count,
                                                         const holdfast_control* control,
                                                         holdfast_block_report** out);
/// How many final blocks have not been taken.
HOLDFAST_API holdfast_status holdfast_aggregator_behind(const holdfast_aggregator* aggregator,
                                                        uint64_t* out);

typedef struct holdfast_block_summary {
    size_t struct_size;
    uint64_t height;
    uint32_t has_y;
    uint32_t has_closed;
    uint8_t y[32];
    uint64_t closed;        // the height whose digest this block closed
    uint8_t global[32];     // of `closed`
    uint64_t total_chains;  // in it, and of them:
    uint64_t active;
    uint64_t late;
    uint64_t removing;
    uint64_t expired;
    uint64_t objects;  // listed by the block or made by the provers
    uint64_t refused;  // of them
    uint64_t links;    // of the provers, taken
    uint64_t proofs;   // likewise
    /// Something that was needed and did not come: see holdfast_block_report_to_json.
    uint64_t faults;
} holdfast_block_summary;

HOLDFAST_API holdfast_status holdfast_block_report_summary(const holdfast_block_report* report,
                                                           holdfast_block_summary* out);
/// All of it: height, y, closed, objects with their verdicts, effects, faults in words, seconds.
HOLDFAST_API holdfast_status holdfast_block_report_to_json(const holdfast_block_report* report,
                                                           char* out, size_t* out_bytes);
HOLDFAST_API void holdfast_block_report_free(holdfast_block_report* report);

/// What became of an object that was handed over.
typedef struct holdfast_outcome {
    size_t struct_size;
    holdfast_verdict verdict;
    holdfast_kind kind;
    uint32_t has_chain_id;
    uint32_t has_height;
    uint32_t has_entry;
    uint8_t chain_id[32];
    uint64_t height;
    uint64_t entry;            // of the journal; none where it was refused or changed nothing
    uint64_t members;          // of a bundle
    uint64_t members_refused;  // of them
} holdfast_outcome;

/// The door for objects that no block lists (bundles, proofs, seal proofs, ...): judged with
/// bounded cost and, if it holds, durable when this returns. Registrations, updates, removals,
/// challengers, outcomes, checkpoints and evidence go to the host chain. `peer`: the name that its
/// connection proves, for ceilings; NULL: our own. Any thread, also during advance. members (may be
/// NULL): a verdict for each member of a bundle, room for members_count of them.
HOLDFAST_API holdfast_status
holdfast_aggregator_submit(holdfast_aggregator* aggregator, const char* peer, const uint8_t* object,
                           size_t object_bytes, const holdfast_control* control,
                           holdfast_outcome* out, holdfast_verdict* members, size_t members_count);

/// A height as the registry holds it.
typedef struct holdfast_digest_info {
    size_t struct_size;
    uint64_t height;
    uint8_t block_hash[32];
    uint64_t time_ms;
    uint32_t has_y;
    uint32_t closed;  // 1: the following stand
    uint8_t y[32];
    uint8_t global[32];
    uint64_t regions;
    uint64_t total_chains;
    uint64_t active;
    uint64_t late;
    uint64_t removing;
    uint64_t expired;
} holdfast_digest_info;

/// NOT_FOUND: no such block (yet).
HOLDFAST_API holdfast_status holdfast_aggregator_height(const holdfast_aggregator* aggregator,
                                                        uint64_t height, holdfast_digest_info* out);
/// The newest block taken and the newest digest closed; UNAVAILABLE before the first. Either may be
/// NULL.
HOLDFAST_API holdfast_status holdfast_aggregator_tip(const holdfast_aggregator* aggregator,
                                                     uint64_t* tip, uint64_t* closed);
/// The chain's path (kind 7) under the digest of a height that is kept. NOT_FOUND.
HOLDFAST_API holdfast_status holdfast_aggregator_path(const holdfast_aggregator* aggregator,
                                                      const uint8_t chain_id[32], uint64_t height,
                                                      uint8_t* out, size_t* out_bytes);
/// The head (kind 28) of a closed height, signed by the operator; HOLDFAST_HEAD_BYTES. NOT_FOUND,
/// REFUSED. Any thread, at any time.
HOLDFAST_API holdfast_status holdfast_aggregator_head(holdfast_aggregator* aggregator,
                                                      uint64_t height, uint8_t* out,
                                                      size_t* out_bytes);
/// What a prover needs for its link at an open height, and for proofs of a link at a height that is
/// kept. UNAVAILABLE: there is none to make (no y, no slot yet, chain ended).
HOLDFAST_API holdfast_status holdfast_aggregator_link_facts(const holdfast_aggregator* aggregator,
                                                            const uint8_t chain_id[32],
                                                            uint64_t height,
                                                            holdfast_link_place* place,
                                                            holdfast_link_facts* chain);

/// A seal proof that a chain owes.
typedef struct holdfast_seal_duty {
    size_t struct_size;
    uint32_t audit;  // 0: after its registration
    uint32_t has_y;
    uint64_t y_height;  // with has_y: whose y makes the challenge
    uint8_t y[32];
    uint64_t deadline;  // with has_y: the last tip before it is missed
} holdfast_seal_duty;

/// The chain's duty number `index`, from 0. NOT_FOUND beyond the last.
HOLDFAST_API holdfast_status holdfast_aggregator_seal_duty(const holdfast_aggregator* aggregator,
                                                           const uint8_t chain_id[32], size_t index,
                                                           holdfast_seal_duty* out);
/// A chain: phase, slot, status, misses, bond. NOT_FOUND: never registered.
HOLDFAST_API holdfast_status
holdfast_aggregator_chain_to_json(const holdfast_aggregator* aggregator, const uint8_t chain_id[32],
                                  char* out, size_t* out_bytes);
/// What the registry holds: {"totalChains", "active", ..., "regions", "groups", ...}.
HOLDFAST_API holdfast_status holdfast_aggregator_statistics_to_json(
    const holdfast_aggregator* aggregator, char* out, size_t* out_bytes);
/// Who challenges at a height, and who may be challenged, as holdfast_challenger_draw takes them.
/// Two arrays of the caller's with in and out counts; SHORT_BUFFER and both counts where one is too
/// short.
HOLDFAST_API holdfast_status holdfast_aggregator_challenges(
    const holdfast_aggregator* aggregator, uint64_t height, holdfast_challenger_part* challengers,
    size_t* challengers_count, holdfast_challenged_chain* chains, size_t* chains_count);
/// Everything public, of heights from `first` on, as a verifier of its own.
HOLDFAST_API holdfast_status holdfast_aggregator_verifier(const holdfast_aggregator* aggregator,
                                                          uint64_t first, holdfast_verifier** out);

typedef struct holdfast_settlement_report {
    size_t struct_size;
    uint64_t answered;  // steps that got an answer
    uint64_t refused;   // steps that the token will never do
    uint64_t open;      // cases that still wait
    uint64_t timeouts;  // answers that did not come in time; three end the pass
} holdfast_settlement_report;

/// Asks the token once for every step that has no answer yet; advance does the same with every
/// block. out may be NULL. UNAVAILABLE without a token.
HOLDFAST_API holdfast_status holdfast_aggregator_settle(holdfast_aggregator* aggregator,
                                                        const holdfast_control* control,
                                                        holdfast_settlement_report* out);
/// {"cases": [{"case", "about", "settled", "steps": [...]}, ...]}
HOLDFAST_API holdfast_status holdfast_aggregator_cases_to_json(
    const holdfast_aggregator* aggregator, char* out, size_t* out_bytes);

// --- shards (spec 9) -----------------------------------------------------------------------------

/// Writes data + parity shard files (none may exist), any `data` of which restore the source, and
/// their manifest (kind 14, 28 + 32·roots bytes; SHORT_BUFFER before any work). 1 <= data, data +
/// parity <= 255, paths_count = data + parity.
HOLDFAST_API holdfast_status holdfast_shards_encode(const char* source, uint32_t data,
                                                    uint32_t parity, const char* const* paths,
                                                    size_t paths_count,
                                                    const holdfast_control* control,
                                                    uint8_t* manifest, size_t* manifest_bytes);
/// Restores the source into a new file from shard files in any order; which each is follows from
/// its roots. Every one is read in full and held against the manifest; those that match nothing are
/// left aside. UNAVAILABLE (naming what is missing) with too few good ones; ALREADY_EXISTS, REFUSED
/// (manifest).
HOLDFAST_API holdfast_status holdfast_shards_decode(const uint8_t* manifest, size_t manifest_bytes,
                                                    const char* const* paths, size_t paths_count,
                                                    const char* output,
                                                    const holdfast_control* control);
/// Makes shard number `shard` again, from 0, out of others.
HOLDFAST_API holdfast_status holdfast_shards_rebuild(const uint8_t* manifest, size_t manifest_bytes,
                                                     const char* const* paths, size_t paths_count,
                                                     uint32_t shard, const char* output,
                                                     const holdfast_control* control);

// --- evidence (spec 11) --------------------------------------------------------------------------

typedef int32_t holdfast_accusation;
enum {
    /// Two signed links of one chain, height and block that differ (receipt, compact, full, member,
    /// bundle); needs chain_id. Evidence kinds 1, 9.
    HOLDFAST_ACCUSE_EQUIVOCATION = 1,
    /// A compact or full proof that fails; needs `replica`, any whole copy of the chain's
    /// X.replica. Kinds 2, 10.
    HOLDFAST_ACCUSE_OPENING = 2,
    /// A seal proof that fails at a cell: fills. Kind 3.
    HOLDFAST_ACCUSE_SEAL = 3,
    /// A VDF proof that fails: fills an arena and verifies it in full. Kinds 4, 7, 8.
    HOLDFAST_ACCUSE_VDF = 4,
    /// Two checkpoints of one submitter and block. Kind 5.
    HOLDFAST_ACCUSE_CHECKPOINT = 5,
    /// A challenge and a signed response that fails its multiproof. Kind 6.
    HOLDFAST_ACCUSE_RESPONSE = 6,
    /// Two heads of the operator for one height and block. Kind 11.
    HOLDFAST_ACCUSE_HEAD = 11,
    /// A checkpoint and two paths that show one chain in two slots. Kind 5.
    HOLDFAST_ACCUSE_SLOTS = 12
};

typedef struct holdfast_accusation_request {
    size_t struct_size;
    holdfast_accusation what;
    const holdfast_bytes* objects;  // in the order that `what` names them
    size_t objects_count;
    const uint8_t* chain_id;  // 32 bytes; of equivocation
    const char* replica;      // of opening
} holdfast_accusation_request;

/// Makes evidence (kind 16) out of objects that contradict each other or what the verifier knows,
/// and judges it as far as that can be told without a fill. REFUSED: it shows no offence, and why
/// (no-offence, ...). NOT_FOUND: something that is needed is not known. INVALID_ARGUMENT: other
/// objects than `what` asks for.
HOLDFAST_API holdfast_status holdfast_evidence_make(const holdfast_verifier* verifier,
                                                    const holdfast_accusation_request* request,
                                                    const holdfast_control* control, uint8_t* out,
                                                    size_t* out_bytes);

typedef struct holdfast_judgement {
    size_t struct_size;
    holdfast_verdict verdict;  // accepted: the offence is shown
    int32_t offence;           // evidence kind, 1 to 11
    uint32_t needs_fill;       // judging it costs a fill or an arena
    uint8_t offender[32];      // chain id, or the signer's key
    uint64_t height;
    uint8_t offence_id[32];  // under which it is settled, once
} holdfast_judgement;

/// Judges evidence by what the verifier knows; fills where its kind needs one, unless without_fill
/// is 1: then an accepted verdict with needs_fill says that only the fill is left.
HOLDFAST_API holdfast_status holdfast_evidence_verify(const holdfast_verifier* verifier,
                                                      const uint8_t* evidence,
                                                      size_t evidence_bytes, uint32_t without_fill,
                                                      const holdfast_control* control,
                                                      holdfast_judgement* out);

#ifdef __cplusplus
}
#endif

#endif  // HOLDFAST_H
