// What the host chain does for the engine: heights, blocks, and one order for everything submitted.
//
// Who decides the order: the host chain, alone. The engine hands objects over with submit() and
// reads them back, block by block, with submissions_at(); what counts is the order in which a final
// block lists them, never the order of the calls. Nothing here assumes a particular chain: a block
// is a height, a hash, a parent and a time, and finality is what the implementation says it is.
//
// Threading   every function may be called from several threads at once; the engine never calls
//             back into the host from inside such a call and holds no lock of its own during one.
// Time-out    an implementation bounds each call itself (some seconds) and then gives kTimeout; the
//             engine calls it from worker threads only and never within a hash or a verification.
// Failure     kUnavailable or kTimeout: ask again later, nothing has changed. kNotFound: no such
//             block on the current branch. kRefused carries the verdict on an object. A failed call
//             is never replaced by a guess: without an answer the height waits.
// Ownership   the engine keeps a reference; the host keeps the object alive as long as the engine.
// Times are milliseconds since 1970 as the chain states them; the protocol hashes them only through
// beacon rounds. Spec sections 1 (finality), 3 (acceptance), 5 (beacon rounds).
//
//     Result<BlockInfo> MyChain::block_by_height(Height height) {
//         const auto header = node_.header(height.value);  // the host's own
//         if (!header) return fail(ErrorCode::kNotFound, "no such block");
//         const bool final = height.value <= node_.finalised();
//         return BlockInfo{height, header->hash, header->parent, header->time_ms, final};
//     }
//
//     All four functions: examples/minimal_node.cpp. Whether they keep to this contract:
//     check_blockchain() of callbacks/conformance.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "core/constants.hpp"
#include "core/listed_block.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// A block of the host chain, as seen on the branch that is current at the time of the call.
struct BlockInfo {
    Height height;
    BlockHash hash;
    BlockHash parent;           // zeros for the chain's first block
    std::uint64_t time_ms = 0;  // as the block states it
    bool final = false;         // true for good: a final block is never replaced
    friend bool operator==(const BlockInfo&, const BlockInfo&) = default;
};

/// The host's chain: final blocks, what they list, submissions. A host implements it.
class Blockchain {
  public:
    virtual ~Blockchain() = default;

    /// Height of the newest block, final or not.
    [[nodiscard]] virtual Result<Height> current_height() = 0;

    /// The block at `height` on the current branch. kNotFound above the tip and below the first
    /// block. Two calls may see two branches: whoever needs several heights of one branch follows
    /// `parent`.
    [[nodiscard]] virtual Result<BlockInfo> block_by_height(Height height) = 0;

    /// Hands over an object of `kind`, standing alone, for some later block. Success means that the
    /// host has taken it durably, not that it is in a block; the object counts from the final block
    /// that lists it. Repeating a call is harmless: the same bytes are listed at most once on a
    /// branch. A reorganisation may move an object to another height; the host brings it back by
    /// itself. kRefused: malformed, of another kind, too large, or a kind that this chain does not
    /// carry.
    [[nodiscard]] virtual Status submit(Kind kind, ByteView object) = 0;

    /// Everything that the block at `height` lists, in the chain's order: registrations, updates,
    /// removals, seal proofs, challengers, outcomes, checkpoints, evidence. kNotFound as above. For
    /// a block that is not final, read the block again afterwards and compare hashes.
    [[nodiscard]] virtual Result<std::vector<Submission>> submissions_at(Height height) = 0;

    /// What the block says of bonds, in its order: every creation, addition, release and slash that
    /// has happened in it, whoever caused it. Registries believe nothing else about bonds, so a
    /// host that leaves one out splits its network. kNotFound as above. Spec section 15.4.
    [[nodiscard]] virtual Result<std::vector<BondEvent>> bond_events_at(Height height) = 0;

    [[nodiscard]] Status submit_registration(ByteView object) {
        return submit(Kind::kRegistration, object);
    }
    [[nodiscard]] Status submit_checkpoint(ByteView object) {
        return submit(Kind::kCheckpoint, object);
    }
};

}  // namespace holdfast
