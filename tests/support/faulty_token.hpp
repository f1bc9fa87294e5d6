// A Token that misbehaves in every way that the settlement ledger must survive.
#pragma once

#include <functional>
#include <stdexcept>

#include "callbacks/token.hpp"

namespace holdfast::test {

/// What one call does instead of what it should.
enum class Fault : std::uint8_t {
    kNone,
    kFails,             // no effect, no answer
    kTimesOut,          // the effect happens, and the answer comes too late
    kThrows,            // no effect
    kThrowsAfter,       // the effect happens first
    kThrowsAnything,    // no std::exception
    kTwice,             // the call is carried out twice
    kClaimsMore,        // says that it took more than it was asked to
    kClaimsForNothing,  // says that it took all, and takes nothing
};
inline constexpr std::size_t kFaults = 9;

/// Passes calls on to a real token, with the fault that `next` gives for each changing call.
class FaultyToken final : public Token {
  public:
    FaultyToken(Token& inner, std::function<Fault()> next)
        : inner_(inner), next_(std::move(next)) {}

    Result<BondId> create_bond(const PublicKey& owner, std::uint64_t amount, BondPurpose purpose,
                               const IdempotencyKey& key) override {
        return inner_.create_bond(owner, amount, purpose, key);
    }
    Result<std::uint64_t> release_bond(const BondId& bond, std::uint64_t amount,
                                       const IdempotencyKey& key) override {
        return with_fault(0, [&] { return inner_.release_bond(bond, amount, key); });
    }
    Result<std::uint64_t> slash_bond(const BondId& bond, std::uint64_t amount,
                                     const OffenceId& offence, const IdempotencyKey& key) override {
        return with_fault(amount, [&] { return inner_.slash_bond(bond, amount, offence, key); });
    }
    Status pay_reward(const PublicKey& to, std::uint64_t amount, const Digest& reference,
                      const IdempotencyKey& key) override {
        const auto done = with_fault(0, [&]() -> Result<std::uint64_t> {
            HOLDFAST_TRY(inner_.pay_reward(to, amount, reference, key));
            return 0;
        });
        if (!done) return fail(done.error());
        return {};
    }
    Result<BondInfo> bond_info(const BondId& bond) override { return inner_.bond_info(bond); }

    std::uint64_t calls = 0;

  private:
    /// `asked`: of a slash; 0 for calls whose answer nobody could believe too much of.
    template <class Call>
    Result<std::uint64_t> with_fault(std::uint64_t asked, Call&& call) {
        ++calls;
        switch (next_()) {
            case Fault::kFails:
                return fail(ErrorCode::kUnavailable, "no answer");
            case Fault::kTimesOut:
                (void)call();
                return fail(ErrorCode::kTimeout, "too late");
            case Fault::kThrows:
                throw std::runtime_error("a bug of the host");
            case Fault::kThrowsAfter:
                (void)call();
                throw std::runtime_error("a bug of the host, too late");
            case Fault::kThrowsAnything:
                throw 17;
            case Fault::kTwice:
                (void)call();
                return call();
            case Fault::kClaimsMore:
                if (asked == 0) return call();
                return asked == UINT64_MAX ? asked : asked + 1;
            case Fault::kClaimsForNothing:
                return asked == 0 ? call() : Result<std::uint64_t>(asked);
            case Fault::kNone:
                break;
        }
        return call();
    }

    Token& inner_;
    std::function<Fault()> next_;
};

}  // namespace holdfast::test
