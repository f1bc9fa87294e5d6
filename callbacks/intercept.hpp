// What stands between the engine and a host's callbacks: one place where every call passes.
//
// intercept() wraps a host's Blockchain, Beacon, Token or Network. Each call becomes a HostCall
// (which function, its arguments in canonical bytes) and each answer canonical bytes, so that one
// Interceptor serves all four interfaces: time-outs (guard.hpp), repetition (retry.hpp), caching
// (cache.hpp), recording and replay (call_log.hpp). They stack: the one wrapped last is asked
// first.
//
// Whatever is wrapped, three things hold towards the engine: an exception of the host becomes
// kUnavailable; an answer that cannot be true by itself (another height than asked for, more
// slashed than allowed, a response beyond its bound, …) becomes kUnavailable, so that it is asked
// for again and never used; and arguments are copied, so that a call that is given up may go on by
// itself.
//
// Threading   as the wrapped interface: any number of threads. Ownership is shared: what a call
//             that was given up still uses stays alive until it returns.
// Errors      kInvalidArgument for a null host or interceptor; else those of host and interceptor.
// Spec: docs/architecture.md, section 5.
//
//     HOLDFAST_ASSIGN(guard, make_guard({.timeout_ms = 5'000}));
//     HOLDFAST_ASSIGN(guarded, intercept(std::shared_ptr<Blockchain>(host), guard));
//     HOLDFAST_ASSIGN(chain, intercept(guarded, make_call_cache()));  // the cache is asked first
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "callbacks/network.hpp"
#include "callbacks/token.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// A function of a callback interface. The numbers stand in call logs and never change.
enum class HostFunction : std::uint8_t {
    kCurrentHeight = 1,
    kBlockByHeight = 2,
    kSubmit = 3,
    kSubmissionsAt = 4,
    kBondEventsAt = 5,
    kBeaconRandomness = 16,
    kBeaconVerify = 17,
    kCreateBond = 32,
    kReleaseBond = 33,
    kSlashBond = 34,
    kPayReward = 35,
    kBondInfo = 36,
    kPeers = 48,
    kMeasureLatency = 49,
    kSendChallenge = 50,
    kVerifyPlace = 51,
    kSignerKey = 64,  // a Signer has no interceptor; a guard may stand around it
    kSign = 65,
};
/// "block_by_height"; empty for a number that is none of them.
std::string_view to_string(HostFunction function);

/// A call: equal calls ask for the same thing.
struct HostCall {
    HostFunction function{};
    Bytes arguments;  // canonical
    /// How long the host may take by its own arguments (a challenge's deadline, …), in
    /// milliseconds; 0 where the arguments name no time.
    std::uint64_t own_limit_ms = 0;
};

/// Stands between the library and a host's interface, and sees every call.
class Interceptor {
  public:
    /// Asks the host and gives its answer in canonical bytes. Owns all that it needs: it may be
    /// called any number of times, from any thread, also after around() has returned.
    using Next = std::function<Result<Bytes>()>;

    virtual ~Interceptor() = default;
    /// The answer to `call`. Called from any number of threads at once.
    [[nodiscard]] virtual Result<Bytes> around(const HostCall& call, const Next& next) = 0;
};

[[nodiscard]] Result<std::shared_ptr<Blockchain>> intercept(std::shared_ptr<Blockchain> host,
                                                            std::shared_ptr<Interceptor> by);
[[nodiscard]] Result<std::shared_ptr<Beacon>> intercept(std::shared_ptr<Beacon> host,
                                                        std::shared_ptr<Interceptor> by);
[[nodiscard]] Result<std::shared_ptr<Token>> intercept(std::shared_ptr<Token> host,
                                                       std::shared_ptr<Interceptor> by);
[[nodiscard]] Result<std::shared_ptr<Network>> intercept(std::shared_ptr<Network> host,
                                                         std::shared_ptr<Interceptor> by);

/// Interfaces without a host: the interceptor alone answers (a replay). Its next() gives
/// kUnavailable.
struct HostInterfaces {
    std::shared_ptr<Blockchain> blockchain;
    std::shared_ptr<Beacon> beacon;
    std::shared_ptr<Token> token;
    std::shared_ptr<Network> network;
};
[[nodiscard]] Result<HostInterfaces> answered_by(const std::shared_ptr<Interceptor>& by);

}  // namespace holdfast
