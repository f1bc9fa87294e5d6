// What a host gives through callbacks in C, as the interfaces of callbacks/ that the engine asks.
//
// Each is wrapped in a guard (callbacks/guard.hpp) on its way in, so that what hangs, throws or
// answers nonsense never comes further. Threading: as those interfaces: any number of threads.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "callbacks/network.hpp"
#include "callbacks/token.hpp"
#include "capi/border.hpp"

namespace holdfast::capi {

/// What a callback has said about the status that it returns (holdfast_callback_error), for as long
/// as this lives on the callback's thread.
class CallbackWords {
  public:
    CallbackWords();
    CallbackWords(const CallbackWords&) = delete;
    CallbackWords& operator=(const CallbackWords&) = delete;
    ~CallbackWords();
    void say(Reason reason, const char* text);
    /// The error of a callback that returned this.
    [[nodiscard]] Status error(const char* function, holdfast_status status) const;

  private:
    CallbackWords* outer_;
    Reason reason_ = Reason::kOk;
    std::string text_;
};

/// Calls back. An exception, and a status that is none, is kUnavailable.
template <class Call>
[[nodiscard]] Status ask_host(const char* function, Call&& call) {
    CallbackWords words;
    holdfast_status status = HOLDFAST_OK;
    try {
        status = call();
    } catch (...) {
        return fail(ErrorCode::kUnavailable,
                    std::string("the host's callback ") + function + " threw");
    }
    return words.error(function, status);
}

/// A host's destroy hook; whoever throws out of one is not heard.
void destroy_quietly(void (*destroy)(void* user_data), void* user_data) noexcept;

/// A struct of callbacks. Its user_data is given back at the end, but for one that was never
/// adopted: then making a handle on it has failed, and it stays the caller's.
template <class Callbacks>
class Host {
  public:
    explicit Host(const Callbacks& callbacks) : c_(callbacks) {}
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    ~Host() {
        if (adopted_) destroy_quietly(c_.destroy, c_.user_data);
    }
    void adopt() { adopted_ = true; }

  protected:
    const Callbacks c_;

  private:
    bool adopted_ = false;
};

}  // namespace holdfast::capi

/// What a callback's answer is made of. It stands on the stack of whoever asks.
struct holdfast_answer : holdfast::capi::Handle<0x7265777366e61682> {
    std::variant<std::vector<holdfast::Submission>, std::vector<holdfast::BondEvent>,
                 std::vector<holdfast::Peer>, std::vector<std::uint64_t>,
                 std::vector<holdfast::VantageReport>, holdfast::Bytes>
        parts;
};

struct holdfast_blockchain : holdfast::capi::Handle<0x6e69616863666f68> {
    std::shared_ptr<holdfast::Blockchain> host;
};
struct holdfast_token : holdfast::capi::Handle<0x6e656b6f74666f68> {
    std::shared_ptr<holdfast::Token> host;
};
struct holdfast_beacon : holdfast::capi::Handle<0x6e6f636165626668> {
    std::shared_ptr<holdfast::Beacon> host;
};
struct holdfast_peers : holdfast::capi::Handle<0x7372656570666f68> {
    std::shared_ptr<holdfast::Network> host;
};
