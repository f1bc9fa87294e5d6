#include "callbacks/conformance_impl.hpp"
#include "core/hash.hpp"

namespace holdfast {
namespace {

class TokenChecks {
  public:
    TokenChecks(const TokenSubject& subject, const ConformanceOptions& options)
        : subject_(subject), options_(options) {}

    ConformanceReport run() {
        token_ = guarded(suite_, subject_.token, options_);
        if (!token_) return suite_.report();
        suite_.check("a bond holds what was put in", [&] { return bond_is_made(); });
        suite_.check("a repeated call has its effect once", [&] { return repeats(); });
        suite_.check("a key with other arguments is refused", [&] { return other_arguments(); });
        suite_.check("an amount of nothing is refused", [&] { return nothing(); });
        suite_.check("nobody gives what they do not have", [&] { return overdrawn(); });
        suite_.check("an unknown bond is not found", [&] { return unknown_bond(); });
        suite_.check("no more is slashed than is held", [&] { return slash_is_bounded(); });
        suite_.check("one offence is slashed once", [&] { return one_offence(); });
        suite_.check("a released bond is empty", [&] { return released(); });
        suite_.check("a reward is paid once", [&] { return reward(); });
        suite_.check("equal calls at once have one effect", [&] { return equal_calls_at_once(); });
        return suite_.report();
    }

  private:
    IdempotencyKey key(std::uint64_t n) const {
        return IdempotencyKey(tagged_hash("conformance/key", subject_.salt, n));
    }
    OffenceId offence(std::uint64_t n) const {
        return OffenceId(tagged_hash("conformance/offence", subject_.salt, n));
    }
    Result<BondId> make_bond(std::uint64_t amount, std::uint64_t n) {
        return token_->create_bond(subject_.owner, amount, BondPurpose::kStorage, key(n));
    }
    Finding want_held(const BondId& bond, std::uint64_t held) {
        const auto info = token_->bond_info(bond);
        if (!info) return want_success("bond_info", info);
        return want(info->held_amount == held, "the bond holds " +
                                                   std::to_string(info->held_amount) + ", not " +
                                                   std::to_string(held));
    }

    Finding bond_is_made() {
        const auto bond = make_bond(100, 1);
        if (!bond) return want_success("create_bond", bond);
        const auto info = token_->bond_info(*bond);
        if (!info) return want_success("bond_info", info);
        return want(info->owner == subject_.owner && info->purpose == BondPurpose::kStorage &&
                        info->state == BondState::kHeld && info->created_amount == 100 &&
                        info->held_amount == 100 && info->slashed_amount == 0,
                    "bond_info does not say what create_bond was told");
    }
    Finding repeats() {
        const auto before = owner_units();
        const auto first = make_bond(50, 2);
        const auto again = make_bond(50, 2);
        if (!first || !again) return want_success("create_bond", first ? again : first);
        if (*first != *again) return "the same key gave two bonds";
        return want_units(before, 50);
    }
    Finding other_arguments() {
        return first_of({[&] { return want_success("create_bond", make_bond(10, 3)); },
                         [&] {
                             return want_error("the same key with another amount", make_bond(11, 3),
                                               ErrorCode::kInvalidArgument);
                         },
                         [&] {
                             return want_error(
                                 "the same key for another call",
                                 token_->pay_reward(subject_.owner, 10, Digest{}, key(3)),
                                 ErrorCode::kInvalidArgument);
                         }});
    }
    Finding nothing() {
        return want_error("a bond of 0", make_bond(0, 4), ErrorCode::kInvalidArgument);
    }
    Finding overdrawn() {
        const auto bond =
            token_->create_bond(subject_.empty_handed, 1, BondPurpose::kStorage, key(5));
        const auto all = make_bond(UINT64_MAX, 6);
        if (all) return "a bond of 2^64 - 1 was made";
        return want_error("a bond of somebody without units", bond, ErrorCode::kUnavailable);
    }
    Finding unknown_bond() {
        const BondId nobody(tagged_hash("conformance/no-bond", subject_.salt));
        return first_of(
            {[&] {
                 return want_error("bond_info", token_->bond_info(nobody), ErrorCode::kNotFound);
             },
             [&] {
                 return want_error("slash_bond", token_->slash_bond(nobody, 1, offence(1), key(7)),
                                   ErrorCode::kNotFound);
             },
             [&] {
                 return want_error("release_bond", token_->release_bond(nobody, 1, key(8)),
                                   ErrorCode::kNotFound);
             }});
    }
    Finding slash_is_bounded() {
        const auto bond = make_bond(40, 10);
        if (!bond) return want_success("create_bond", bond);
        const auto taken = token_->slash_bond(*bond, 1'000, offence(2), key(11));
        if (!taken) return want_success("slash_bond", taken);
        if (*taken != 40) return std::to_string(*taken) + " taken of a bond of 40";
        return want_held(*bond, 0);
    }
    Finding one_offence() {
        const auto bond = make_bond(60, 12);
        if (!bond) return want_success("create_bond", bond);
        const auto first = token_->slash_bond(*bond, 20, offence(3), key(13));
        const auto second = token_->slash_bond(*bond, 20, offence(3), key(14));
        const auto other = token_->slash_bond(*bond, 20, offence(4), key(15));
        const auto repeated = token_->slash_bond(*bond, 20, offence(3), key(13));
        for (const auto* r : {&first, &second, &other, &repeated}) {
            if (!*r) return want_success("slash_bond", *r);
        }
        if (*first != 20 || *other != 20) return "an offence was not slashed by the amount asked";
        if (*second != 0) return "one offence was slashed twice, under another key";
        if (*repeated != 20) return "a repeated call was not given its first answer";
        return want_held(*bond, 20);
    }
    Finding released() {
        const auto bond = make_bond(30, 16);
        if (!bond) return want_success("create_bond", bond);
        const auto back = token_->release_bond(*bond, 30, key(17));
        const auto again = token_->release_bond(*bond, 30, key(18));
        const auto taken = token_->slash_bond(*bond, 30, offence(5), key(19));
        if (!back || !again) return want_success("release_bond", back ? again : back);
        if (!taken) return want_success("slash_bond", taken);
        if (*back != 30) return std::to_string(*back) + " given back of a bond of 30";
        return want(*again == 0 && *taken == 0, "a released bond still gave units");
    }
    Finding reward() {
        // Somebody's slashed units, at the least, are there to be paid out.
        const auto bond = make_bond(25, 20);
        if (!bond) return want_success("create_bond", bond);
        const auto taken = token_->slash_bond(*bond, 25, offence(6), key(21));
        if (!taken) return want_success("slash_bond", taken);
        const auto before = units(subject_.empty_handed);
        const Digest reference = tagged_hash("conformance/reward", subject_.salt);
        for (int i = 0; i < 2; ++i) {
            const auto paid = token_->pay_reward(subject_.empty_handed, 5, reference, key(22));
            if (!paid) return want_success("pay_reward", paid);
        }
        if (!before) return {};
        return want(units(subject_.empty_handed) == *before + 5,
                    "a repeated reward was not paid once");
    }
    Finding equal_calls_at_once() {
        const auto bond = make_bond(64, 30);
        if (!bond) return want_success("create_bond", bond);
        std::vector<Result<std::uint64_t>> taken(thread_count(options_), std::uint64_t{0});
        at_once(thread_count(options_),
                [&](unsigned i) { taken[i] = token_->slash_bond(*bond, 8, offence(7), key(31)); });
        for (const auto& t : taken) {
            if (!t) return want_success("slash_bond", t);
            if (*t != 8) return "equal calls at once got different answers";
        }
        return want_held(*bond, 56);
    }

    /// Units of an account where the host says them.
    std::optional<std::uint64_t> units(const PublicKey& account) {
        if (!subject_.balance) return std::nullopt;
        const auto held = subject_.balance(account);
        return held ? std::optional(*held) : std::nullopt;
    }
    std::optional<std::uint64_t> owner_units() { return units(subject_.owner); }
    Finding want_units(const std::optional<std::uint64_t>& before, std::uint64_t less) {
        const auto now = owner_units();
        if (!before || !now) return {};
        return want(*before - *now == less, "the owner has " + std::to_string(*before - *now) +
                                                " units less, not " + std::to_string(less));
    }

    const TokenSubject& subject_;
    const ConformanceOptions& options_;
    Suite suite_{"token"};
    std::shared_ptr<Token> token_;
};

}  // namespace

ConformanceReport check_token(const TokenSubject& subject, const ConformanceOptions& options) {
    return TokenChecks(subject, options).run();
}

}  // namespace holdfast
