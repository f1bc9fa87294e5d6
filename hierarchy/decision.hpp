// What the registry has decided and a host carries out: slashes, releases, rewards.
//
// A decision follows from entries alone; what a token answers changes nothing in it. Decisions are
// numbered in the order in which they were made, and each is carried out once
// (settlement/settlement_ledger.hpp). Plain values, any thread. Amounts are u64 counts of the host
// token's smallest unit. Spec: docs/spec.md section 15.4.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/codec.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

using CaseId = DigestOf<struct CaseIdTag>;

/// What a case is about.
enum class CaseKind : std::uint8_t {
    kOffence = 1,
    kDeposit = 2,  // an accuser's, taken or given back
    kChain = 3,    // a chain's part: voided, forfeited, released
    kOutcome = 4,  // of a challenge
    kBond = 5,     // another role's part, or what is free
};
std::string_view to_string(CaseKind kind);

struct DecidedStep {
    enum class Kind : std::uint8_t {
        kSlash = 1,          // `amount` of `bond`, which `party` owns
        kRelease = 2,        // `amount` of `bond`
        kReward = 3,         // to `party`: `share_per_mille` of what the slashes of the case took
        kPayChallenger = 4,  // to `party`, what the host pays for an outcome
        kPayProver = 5,      // likewise
    };
    Kind kind = Kind::kSlash;
    BondId bond;
    PublicKey party;
    std::uint64_t amount = 0;
    std::uint32_t share_per_mille = 0;
    friend bool operator==(const DecidedStep&, const DecidedStep&) = default;

    static DecidedStep slash(const BondId& bond, const PublicKey& owner, std::uint64_t amount);
    static DecidedStep release(const BondId& bond, std::uint64_t amount);
    static DecidedStep reward(const PublicKey& to, std::uint32_t share_per_mille);
    static DecidedStep pay(Kind kind, const PublicKey& to);
};

struct Decision {
    CaseId id;
    CaseKind kind = CaseKind::kOffence;
    std::vector<DecidedStep> steps;  // at most kMaxSteps
    friend bool operator==(const Decision&, const Decision&) = default;

    static constexpr std::size_t kMaxSteps = 16;
    [[nodiscard]] Bytes encode() const;
    static Checked<Decision> decode(ByteView bytes);
};

}  // namespace holdfast
