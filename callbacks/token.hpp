// What the host's token does for the engine: bonds, slashes, rewards.
//
// Every changing call carries an idempotency key chosen by the engine (for a slash derived from the
// offence id, for a reward from what it pays for). Same key and same arguments: the effect happens
// once, and every repetition gets the first answer. Same key with other arguments: kInvalidArgument
// and no effect. A call that failed had no effect and may be repeated with its key, forever.
//
// Threading   every function may be called from several threads at once, also with equal keys.
// Time-out    an implementation bounds each call itself and then gives kTimeout, after which the
//             effect may or may not have happened: the engine repeats the same call with the same
//             key until it answers, across restarts (it records the decision durably before the
//             first call).
// Failure     kUnavailable, kTimeout, kBusy, kIo: repeat later. kNotFound: no such bond.
//             kInvalidArgument: never repeat. Amounts that would overflow or that nobody has are
//             refused, never clipped to something else.
// Ownership   the engine keeps a reference; the host keeps the object alive as long as the engine.
// Amounts are u64 counts of the token's smallest unit. Spec sections 3 (deposits) and 11
// (settlement).
//
//     Result<std::uint64_t> MyToken::release_bond(const BondId& bond, const IdempotencyKey& key) {
//         Transaction t(database_);
//         if (const auto first = t.answer(key)) return *first;  // asked before: the same answer
//         const auto held = t.close(bond);                      // 0 where it is closed already
//         if (!held) return fail(ErrorCode::kNotFound, "no such bond");
//         t.remember(key, *held);
//         t.commit();  // effect and answer together, or neither
//         return *held;
//     }
//
//     Whether a token keeps to this contract: check_token() of callbacks/conformance.hpp.
#pragma once

#include <cstdint>

#include "core/listed_block.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

using IdempotencyKey = DigestOf<struct IdempotencyKeyTag>;

enum class BondState : std::uint8_t { kHeld = 1, kReleased = 2 };

/// What a token says of a bond.
struct BondInfo {
    BondId id;
    PublicKey owner;
    BondPurpose purpose{};
    BondState state{};
    std::uint64_t created_amount = 0;
    std::uint64_t held_amount = 0;  // created less slashed; 0 once released
    std::uint64_t slashed_amount = 0;
    friend bool operator==(const BondInfo&, const BondInfo&) = default;
};

/// Bonds, slashes and rewards, each once under its idempotency key. A host implements it.
class Token {
  public:
    virtual ~Token() = default;

    /// Moves `amount` (at least 1) of the owner's units into a new bond. kUnavailable when the
    /// owner does not have them (yet).
    [[nodiscard]] virtual Result<BondId> create_bond(const PublicKey& owner, std::uint64_t amount,
                                                     BondPurpose purpose,
                                                     const IdempotencyKey& key) = 0;

    /// Gives min(amount, what the bond still holds) back to its owner and returns what was given; a
    /// bond that holds nothing any more is released.
    [[nodiscard]] virtual Result<std::uint64_t> release_bond(const BondId& bond,
                                                             std::uint64_t amount,
                                                             const IdempotencyKey& key) = 0;

    /// Takes min(amount, what the bond still holds) for an offence and returns what was taken; 0
    /// for a released or empty bond. One offence is settled once: a second slash of the same bond
    /// for the same offence takes nothing, whatever its key.
    [[nodiscard]] virtual Result<std::uint64_t> slash_bond(const BondId& bond, std::uint64_t amount,
                                                           const OffenceId& offence,
                                                           const IdempotencyKey& key) = 0;

    /// Pays `amount` to an account; `reference` says for what (a link, an offence id, a challenge
    /// id). kUnavailable when the source of rewards does not hold as much.
    [[nodiscard]] virtual Status pay_reward(const PublicKey& to, std::uint64_t amount,
                                            const Digest& reference, const IdempotencyKey& key) = 0;

    [[nodiscard]] virtual Result<BondInfo> bond_info(const BondId& bond) = 0;
};

}  // namespace holdfast
