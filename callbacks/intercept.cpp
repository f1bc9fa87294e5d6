#include "callbacks/intercept.hpp"

#include <exception>
#include <string>

#include "callbacks/answer_codec_impl.hpp"
#include "core/codec.hpp"

namespace holdfast {
namespace {

/// What is wrong with an answer; null when nothing is.
using Complaint = const char*;

tl::unexpected<Error> unusable(HostFunction function, const std::string& why) {
    return fail(
        ErrorCode::kUnavailable,
        "the host's answer to " + std::string(to_string(function)) + " cannot be used: " + why);
}

/// One interface's calls on their way to the host and back.
template <class Host>
class Border {
  public:
    Border(std::shared_ptr<Host> host, std::shared_ptr<Interceptor> by)
        : host_(std::move(host)), by_(std::move(by)) {}

    /// `body` asks the host; it owns all that it uses. `check` judges the answer by itself.
    template <class T, class Body, class Check>
    Result<T> ask(const HostCall& call, Body body, Check check) {
        HOLDFAST_ASSIGN(bytes, by_->around(call, next<T>(call.function, std::move(body))));
        Reader r(bytes);
        T answer{};
        decode_answer(r, answer);
        if (const Verdict v = r.finish(); !v) return unusable(call.function, to_string(v));
        // NOLINTNEXTLINE(bugprone-string-constructor): it is not null here
        if (const Complaint complaint = check(answer)) return unusable(call.function, complaint);
        return answer;
    }

    template <class Body>
    Status act(const HostCall& call, Body body) {
        const auto done = [body = std::move(body)](Host& host) -> Result<Done> {
            HOLDFAST_TRY(body(host));
            return Done{};
        };
        HOLDFAST_TRY(ask<Done>(call, done, [](const Done&) { return Complaint(nullptr); }));
        return {};
    }

  private:
    template <class T, class Body>
    Interceptor::Next next(HostFunction function, Body body) {
        return [host = host_, function, body = std::move(body)]() -> Result<Bytes> {
            if (!host) return fail(ErrorCode::kUnavailable, "there is no host to ask");
            try {
                Result<T> answer = body(*host);
                if (!answer) return fail(std::move(answer).error());
                Writer w;
                encode_answer(w, *answer);
                return w.take();
            } catch (const std::exception& e) {
                return unusable(function, std::string("it threw: ") + e.what());
            } catch (...) {
                return unusable(function, "it threw something that is no exception of ours");
            }
        };
    }

    std::shared_ptr<Host> host_;
    std::shared_ptr<Interceptor> by_;
};

HostCall call_of(HostFunction function, Writer arguments = {}, std::uint64_t own_limit_ms = 0) {
    return HostCall{function, arguments.take(), own_limit_ms};
}

constexpr auto kAnyAnswer = [](const auto&) { return Complaint(nullptr); };

Writer words(std::uint64_t a) {
    Writer w;
    w.u64(a);
    return w;
}

class InterceptedBlockchain final : public Blockchain {
  public:
    InterceptedBlockchain(std::shared_ptr<Blockchain> host, std::shared_ptr<Interceptor> by)
        : border_(std::move(host), std::move(by)) {}

    Result<Height> current_height() override {
        return border_.ask<Height>(
            call_of(HostFunction::kCurrentHeight), [](Blockchain& c) { return c.current_height(); },
            kAnyAnswer);
    }
    Result<BlockInfo> block_by_height(Height height) override {
        return border_.ask<BlockInfo>(
            call_of(HostFunction::kBlockByHeight, words(height.value)),
            [height](Blockchain& c) { return c.block_by_height(height); },
            [height](const BlockInfo& block) {
                return block.height == height ? nullptr : "it is a block of another height";
            });
    }
    Status submit(Kind kind, ByteView object) override {
        Writer w;
        w.u8(static_cast<std::uint8_t>(kind)).u64(object.size()).raw(object);
        return border_.act(call_of(HostFunction::kSubmit, std::move(w)),
                           [kind, copy = Bytes(object.begin(), object.end())](Blockchain& c) {
                               return c.submit(kind, copy);
                           });
    }
    Result<std::vector<Submission>> submissions_at(Height height) override {
        return border_.ask<std::vector<Submission>>(
            call_of(HostFunction::kSubmissionsAt, words(height.value)),
            [height](Blockchain& c) { return c.submissions_at(height); }, kAnyAnswer);
    }
    Result<std::vector<BondEvent>> bond_events_at(Height height) override {
        return border_.ask<std::vector<BondEvent>>(
            call_of(HostFunction::kBondEventsAt, words(height.value)),
            [height](Blockchain& c) { return c.bond_events_at(height); }, kAnyAnswer);
    }

  private:
    Border<Blockchain> border_;
};

class InterceptedBeacon final : public Beacon {
  public:
    InterceptedBeacon(std::shared_ptr<Beacon> host, std::shared_ptr<Interceptor> by)
        : border_(std::move(host), std::move(by)) {}

    Result<BeaconRound> randomness(std::uint64_t round) override {
        return border_.ask<BeaconRound>(
            call_of(HostFunction::kBeaconRandomness, words(round)),
            [round](Beacon& b) { return b.randomness(round); },
            [round](const BeaconRound& value) -> Complaint {
                if (value.round != round) return "it is another round";
                return value.proof.size() <= kMaxBeaconProofBytes ? nullptr
                                                                  : "its proof is too long";
            });
    }
    Status verify(std::uint64_t round, const BeaconRound& value) override {
        Writer w;
        w.u64(round);
        encode_answer(w, value);
        return border_.act(call_of(HostFunction::kBeaconVerify, std::move(w)),
                           [round, value](Beacon& b) { return b.verify(round, value); });
    }

  private:
    Border<Beacon> border_;
};

Complaint judge_bond(const BondInfo& info, const BondId& asked) {
    if (info.id != asked) return "it is another bond";
    const std::uint64_t kept = info.created_amount - info.slashed_amount;
    const bool adds_up =
        info.slashed_amount <= info.created_amount &&
        info.held_amount <= (info.state == BondState::kHeld ? kept : std::uint64_t{0});
    return adds_up ? nullptr : "its amounts do not add up";
}

class InterceptedToken final : public Token {
  public:
    InterceptedToken(std::shared_ptr<Token> host, std::shared_ptr<Interceptor> by)
        : border_(std::move(host), std::move(by)) {}

    Result<BondId> create_bond(const PublicKey& owner, std::uint64_t amount, BondPurpose purpose,
                               const IdempotencyKey& key) override {
        Writer w;
        w.fixed(owner).u64(amount).u8(static_cast<std::uint8_t>(purpose)).fixed(key);
        return border_.ask<BondId>(
            call_of(HostFunction::kCreateBond, std::move(w)),
            [=](Token& t) { return t.create_bond(owner, amount, purpose, key); }, kAnyAnswer);
    }
    Result<std::uint64_t> release_bond(const BondId& bond, std::uint64_t amount,
                                       const IdempotencyKey& key) override {
        Writer w;
        w.fixed(bond).u64(amount).fixed(key);
        return border_.ask<std::uint64_t>(
            call_of(HostFunction::kReleaseBond, std::move(w)),
            [=](Token& t) { return t.release_bond(bond, amount, key); },
            [amount](std::uint64_t back) {
                return back <= amount ? nullptr : "more was given back than was asked for";
            });
    }
    Result<std::uint64_t> slash_bond(const BondId& bond, std::uint64_t amount,
                                     const OffenceId& offence, const IdempotencyKey& key) override {
        Writer w;
        w.fixed(bond).u64(amount).fixed(offence).fixed(key);
        return border_.ask<std::uint64_t>(
            call_of(HostFunction::kSlashBond, std::move(w)),
            [=](Token& t) { return t.slash_bond(bond, amount, offence, key); },
            [amount](std::uint64_t taken) {
                return taken <= amount ? nullptr : "more was taken than was asked for";
            });
    }
    Status pay_reward(const PublicKey& to, std::uint64_t amount, const Digest& reference,
                      const IdempotencyKey& key) override {
        Writer w;
        w.fixed(to).u64(amount).fixed(reference).fixed(key);
        return border_.act(call_of(HostFunction::kPayReward, std::move(w)),
                           [=](Token& t) { return t.pay_reward(to, amount, reference, key); });
    }
    Result<BondInfo> bond_info(const BondId& bond) override {
        Writer w;
        w.fixed(bond);
        return border_.ask<BondInfo>(
            call_of(HostFunction::kBondInfo, std::move(w)),
            [=](Token& t) { return t.bond_info(bond); },
            [bond](const BondInfo& info) { return judge_bond(info, bond); });
    }

  private:
    Border<Token> border_;
};

class InterceptedNetwork final : public Network {
  public:
    InterceptedNetwork(std::shared_ptr<Network> host, std::shared_ptr<Interceptor> by)
        : border_(std::move(host), std::move(by)) {}

    Result<std::vector<Peer>> peers() override {
        return border_.ask<std::vector<Peer>>(
            call_of(HostFunction::kPeers), [](Network& n) { return n.peers(); }, kAnyAnswer);
    }
    Result<std::vector<std::uint64_t>> measure_latency(const PublicKey& peer, std::uint32_t samples,
                                                       std::uint32_t timeout_ms) override {
        Writer w;
        w.fixed(peer).u32(samples).u32(timeout_ms);
        return border_.ask<std::vector<std::uint64_t>>(
            call_of(HostFunction::kMeasureLatency, std::move(w),
                    std::uint64_t{samples} * timeout_ms),
            [=](Network& n) { return n.measure_latency(peer, samples, timeout_ms); },
            [samples](const std::vector<std::uint64_t>& times) {
                return times.size() <= samples ? nullptr : "there are more samples than asked for";
            });
    }
    Result<ChallengeReply> send_challenge(const PublicKey& peer, ByteView challenge,
                                          std::uint32_t deadline_ms) override {
        Writer w;
        w.fixed(peer).u64(challenge.size()).raw(challenge).u32(deadline_ms);
        return border_.ask<ChallengeReply>(
            call_of(HostFunction::kSendChallenge, std::move(w), deadline_ms),
            [peer, copy = Bytes(challenge.begin(), challenge.end()), deadline_ms](Network& n) {
                return n.send_challenge(peer, copy, deadline_ms);
            },
            [](const ChallengeReply& reply) {
                return reply.response.size() <= kMaxResponseBytes ? nullptr
                                                                  : "the response is too long";
            });
    }
    Result<std::vector<VantageReport>> verify_place(const PublicKey& peer, const Place& claimed,
                                                    std::uint32_t timeout_ms) override {
        Writer w;
        w.fixed(peer).u32(static_cast<std::uint32_t>(claimed.latitude_udeg));
        w.u32(static_cast<std::uint32_t>(claimed.longitude_udeg)).u32(timeout_ms);
        return border_.ask<std::vector<VantageReport>>(
            call_of(HostFunction::kVerifyPlace, std::move(w), timeout_ms),
            [=](Network& n) { return n.verify_place(peer, claimed, timeout_ms); }, kAnyAnswer);
    }

  private:
    Border<Network> border_;
};

template <class Interface, class Intercepted>
Result<std::shared_ptr<Interface>> wrap(std::shared_ptr<Interface> host,
                                        std::shared_ptr<Interceptor> by) {
    if (!host) return fail(ErrorCode::kInvalidArgument, "there is no host to wrap (null)");
    if (!by) return fail(ErrorCode::kInvalidArgument, "there is no interceptor (null)");
    return std::make_shared<Intercepted>(std::move(host), std::move(by));
}

}  // namespace

std::string_view to_string(HostFunction function) {
    switch (function) {
        case HostFunction::kCurrentHeight:
            return "current_height";
        case HostFunction::kBlockByHeight:
            return "block_by_height";
        case HostFunction::kSubmit:
            return "submit";
        case HostFunction::kSubmissionsAt:
            return "submissions_at";
        case HostFunction::kBondEventsAt:
            return "bond_events_at";
        case HostFunction::kBeaconRandomness:
            return "randomness";
        case HostFunction::kBeaconVerify:
            return "verify";
        case HostFunction::kCreateBond:
            return "create_bond";
        case HostFunction::kReleaseBond:
            return "release_bond";
        case HostFunction::kSlashBond:
            return "slash_bond";
        case HostFunction::kPayReward:
            return "pay_reward";
        case HostFunction::kBondInfo:
            return "bond_info";
        case HostFunction::kPeers:
            return "peers";
        case HostFunction::kMeasureLatency:
            return "measure_latency";
        case HostFunction::kSendChallenge:
            return "send_challenge";
        case HostFunction::kVerifyPlace:
            return "verify_place";
        case HostFunction::kSignerKey:
            return "public_key";
        case HostFunction::kSign:
            return "sign";
    }
    return {};
}

Result<std::shared_ptr<Blockchain>> intercept(std::shared_ptr<Blockchain> host,
                                              std::shared_ptr<Interceptor> by) {
    return wrap<Blockchain, InterceptedBlockchain>(std::move(host), std::move(by));
}
Result<std::shared_ptr<Beacon>> intercept(std::shared_ptr<Beacon> host,
                                          std::shared_ptr<Interceptor> by) {
    return wrap<Beacon, InterceptedBeacon>(std::move(host), std::move(by));
}
Result<std::shared_ptr<Token>> intercept(std::shared_ptr<Token> host,
                                         std::shared_ptr<Interceptor> by) {
    return wrap<Token, InterceptedToken>(std::move(host), std::move(by));
}
Result<std::shared_ptr<Network>> intercept(std::shared_ptr<Network> host,
                                           std::shared_ptr<Interceptor> by) {
    return wrap<Network, InterceptedNetwork>(std::move(host), std::move(by));
}

Result<HostInterfaces> answered_by(const std::shared_ptr<Interceptor>& by) {
    if (!by) return fail(ErrorCode::kInvalidArgument, "there is no interceptor (null)");
    return HostInterfaces{std::make_shared<InterceptedBlockchain>(nullptr, by),
                          std::make_shared<InterceptedBeacon>(nullptr, by),
                          std::make_shared<InterceptedToken>(nullptr, by),
                          std::make_shared<InterceptedNetwork>(nullptr, by)};
}

}  // namespace holdfast
