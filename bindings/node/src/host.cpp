#include "host.hpp"

#include <chrono>
#include <cstring>

#include "instance.hpp"
#include "job.hpp"

namespace holdfast_node {

const std::vector<const char*> kBondPurposes = {"storage",   "challenger", "checkpoint",
                                                "evaluator", "accusation", "operator"};
const std::vector<const char*> kBondEvents = {"created", "added", "released", "slashed"};

namespace {

constexpr std::uint32_t kDefaultTimeoutMs = 10'000;
/// The library's own time-out comes first; this one lets its thread go.
constexpr std::uint32_t kGraceMs = 1'000;

using Take = std::function<void(const In&)>;

/// On its way to the event loop.
struct Question {
    std::uint32_t number;
    const char* method;
    Items arguments;
};

void settle(Requests& requests, std::uint32_t number, holdfast_status status,
            holdfast_reason reason, const std::string& text) {
    const std::lock_guard lock(requests.mutex);
    const auto found = requests.open.find(number);
    if (found == requests.open.end() || found->second->done) return;
    Request& request = *found->second;
    request.status = status;
    request.reason = reason;
    request.text = text;
    request.done = true;
    requests.answered.notify_all();
}

/// What JavaScript gave as one interface: the user_data of a struct of callbacks.
class Host {
  public:
    Host(napi_env env, const In& ask, std::uint32_t timeout_ms)
        : requests_(Instance::of(env).requests()), timeout_ms_(timeout_ms) {
        napi_value label = nullptr;
        must(env, napi_create_string_utf8(env, "holdfast host", NAPI_AUTO_LENGTH, &label));
        must(env,
             napi_create_threadsafe_function(env, ask.function(), nullptr, label, 0, 1, nullptr,
                                             nullptr, nullptr, &Host::hand_over, &event_loop_));
        must(env, napi_unref_threadsafe_function(env, event_loop_));  // keeps no program alive
    }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    ~Host() {
        const std::lock_guard lock(requests_->mutex);
        if (!requests_->closed) napi_release_threadsafe_function(event_loop_, napi_tsfn_release);
    }

    /// Asks JavaScript and waits. `take` reads the answer on the event loop while this waits.
    holdfast_status ask(const char* method, Items arguments, Take take, std::uint32_t more_ms = 0) {
        if (std::this_thread::get_id() == requests_->event_loop) {
            holdfast_callback_error(HOLDFAST_REASON_OK, "asked on the event loop itself");
            return HOLDFAST_UNAVAILABLE;
        }
        auto request = std::make_shared<Request>();
        request->take = std::move(take);
        std::unique_lock lock(requests_->mutex);
        if (requests_->closed) return HOLDFAST_UNAVAILABLE;
        const std::uint32_t number = requests_->next++;
        auto question = std::make_unique<Question>(Question{number, method, std::move(arguments)});
        requests_->open.emplace(number, request);
        if (napi_call_threadsafe_function(event_loop_, question.get(), napi_tsfn_nonblocking) ==
            napi_ok) {
            static_cast<void>(question.release());
            const std::chrono::milliseconds longest(std::uint64_t{timeout_ms_} + more_ms);
            if (!requests_->answered.wait_for(lock, longest, [&] { return request->done; })) {
                request->done = true;
                request->status = HOLDFAST_TIMEOUT;
                request->text = std::string(method) + " has not answered in time";
            }
        }
        requests_->open.erase(number);
        lock.unlock();
        if (request->status != HOLDFAST_OK) {
            holdfast_callback_error(request->reason, request->text.c_str());
        }
        return request->status;
    }

  private:
    static void hand_over(napi_env env, napi_value ask, void*, void* data) {
        const std::unique_ptr<Question> question(static_cast<Question*>(data));
        if (env == nullptr) return;  // the environment ends
        try {
            std::vector<napi_value> arguments = {
                to_js(env, number(question->number)),
                to_js(env, std::string(question->method)),
            };
            for (Value& argument : question->arguments) {
                arguments.push_back(to_js(env, std::move(argument)));
            }
            napi_value global = nullptr;
            must(env, napi_get_global(env, &global));
            must(env,
                 napi_call_function(env, global, ask, arguments.size(), arguments.data(), nullptr));
        } catch (const Pending&) {
            napi_value error = nullptr;
            napi_get_and_clear_last_exception(env, &error);
            settle(*Instance::of(env).requests(), question->number, HOLDFAST_UNAVAILABLE,
                   HOLDFAST_REASON_OK, std::string(question->method) + " could not be asked");
        }
    }

    std::shared_ptr<Requests> requests_;
    std::uint32_t timeout_ms_;
    napi_threadsafe_function event_loop_ = nullptr;
};

Host& host(void* user_data) { return *static_cast<Host*>(user_data); }
void destroy_host(void* user_data) { delete static_cast<Host*>(user_data); }

Value digest_of(const std::uint8_t* bytes) { return bytes_of(bytes, 32); }

void put_digest(const In& from, std::uint8_t* out) {
    const Digest digest = from.digest();
    std::memcpy(out, digest.data(), digest.size());
}

// --- chain ---------------------------------------------------------------------------------------

holdfast_status current_height(void* user, std::uint64_t* out) {
    return host(user).ask("currentHeight", {}, [=](const In& v) { *out = v.u64(); });
}

holdfast_status block_by_height(void* user, std::uint64_t height, holdfast_block* out) {
    return host(user).ask("blockByHeight", {height}, [=](const In& v) {
        put_digest(v.field("hash"), out->hash);
        put_digest(v.field("parent"), out->parent);
        out->height = v.field("height").u64();
        out->time_ms = v.field("timeMs").u64();
        out->final = v.field("final").flag() ? 1 : 0;
    });
}

holdfast_status submit(void* user, holdfast_kind kind, const std::uint8_t* object,
                       std::size_t size) {
    return host(user).ask("submit", {name(holdfast_kind_name(kind)), bytes_of(object, size)},
                          [](const In&) {});
}

holdfast_status submissions_at(void* user, std::uint64_t height, holdfast_answer* out) {
    return host(user).ask("submissionsAt", {height}, [=](const In& v) {
        for (const In& item : v.items()) {
            const holdfast_bytes object = item.view();
            if (object.size < 2) item.bad("an object");
            check(holdfast_answer_add_object(out, object.data[1], object.data, object.size));
        }
    });
}

holdfast_status bond_events_at(void* user, std::uint64_t height, holdfast_answer* out) {
    return host(user).ask("bondEventsAt", {height}, [=](const In& v) {
        for (const In& item : v.items()) {
            holdfast_bond_event event{};
            event.struct_size = sizeof event;
            event.what = item.field("what").word(kBondEvents, HOLDFAST_BOND_CREATED);
            put_digest(item.field("bond"), event.bond);
            event.amount = item.field("amount").u64();
            event.number = item.field("number").u64();
            if (event.what == HOLDFAST_BOND_CREATED) {
                event.purpose = item.field("purpose").word(kBondPurposes, HOLDFAST_BOND_STORAGE);
                put_digest(item.field("owner"), event.owner);
                const In subject = item.field("subject");
                if (subject.present()) put_digest(subject, event.subject);
            }
            check(holdfast_answer_add_bond_event(out, &event));
        }
    });
}

// --- token ---------------------------------------------------------------------------------------

holdfast_status create_bond(void* user, const std::uint8_t owner[32], std::uint64_t amount,
                            holdfast_bond_purpose purpose, const std::uint8_t key[32],
                            std::uint8_t bond_out[32]) {
    const auto place = static_cast<std::size_t>(purpose - HOLDFAST_BOND_STORAGE);
    Fields request{{"owner", digest_of(owner)},
                   {"amount", amount},
                   {"purpose", name(place < kBondPurposes.size() ? kBondPurposes[place] : nullptr)},
                   {"key", digest_of(key)}};
    return host(user).ask("createBond", {std::move(request)},
                          [=](const In& v) { put_digest(v, bond_out); });
}

holdfast_status release_bond(void* user, const std::uint8_t bond[32], std::uint64_t amount,
                             const std::uint8_t key[32], std::uint64_t* released) {
    Fields request{{"bond", digest_of(bond)}, {"amount", amount}, {"key", digest_of(key)}};
    return host(user).ask("releaseBond", {std::move(request)},
                          [=](const In& v) { *released = v.u64(); });
}

holdfast_status slash_bond(void* user, const std::uint8_t bond[32], std::uint64_t amount,
                           const std::uint8_t offence[32], const std::uint8_t key[32],
                           std::uint64_t* slashed) {
    Fields request{{"bond", digest_of(bond)},
                   {"amount", amount},
                   {"offence", digest_of(offence)},
                   {"key", digest_of(key)}};
    return host(user).ask("slashBond", {std::move(request)},
                          [=](const In& v) { *slashed = v.u64(); });
}

holdfast_status pay_reward(void* user, const std::uint8_t to[32], std::uint64_t amount,
                           const std::uint8_t reference[32], const std::uint8_t key[32]) {
    Fields request{{"to", digest_of(to)},
                   {"amount", amount},
                   {"reference", digest_of(reference)},
                   {"key", digest_of(key)}};
    return host(user).ask("payReward", {std::move(request)}, [](const In&) {});
}

holdfast_status bond_info(void* user, const std::uint8_t bond[32], holdfast_bond_info* out) {
    return host(user).ask("bondInfo", {digest_of(bond)}, [=](const In& v) {
        put_digest(v.field("bond"), out->bond);
        put_digest(v.field("owner"), out->owner);
        out->purpose = v.field("purpose").word(kBondPurposes, HOLDFAST_BOND_STORAGE);
        out->released = v.field("released").flag() ? 1 : 0;
        out->created_amount = v.field("createdAmount").u64();
        out->held_amount = v.field("heldAmount").u64();
        out->slashed_amount = v.field("slashedAmount").u64();
    });
}

// --- beacon --------------------------------------------------------------------------------------

holdfast_status randomness(void* user, std::uint64_t round, std::uint8_t out[32],
                           holdfast_answer* proof) {
    return host(user).ask("randomness", {round}, [=](const In& v) {
        put_digest(v.field("randomness"), out);
        const holdfast_bytes bytes = v.field("proof").view();
        check(holdfast_answer_set_bytes(proof, bytes.data, bytes.size));
    });
}

holdfast_status verify_round(void* user, std::uint64_t round, const std::uint8_t value[32],
                             const std::uint8_t* proof, std::size_t size) {
    return host(user).ask(
        "verify", {round, digest_of(value), bytes_of(proof, size)}, [](const In& v) {
            if (v.flag()) return;
            throw Failure{
                HOLDFAST_REFUSED, "not the beacon's value", {HOLDFAST_REASON_BEACON, 0, 0}};
        });
}

// --- peers ---------------------------------------------------------------------------------------

holdfast_status peers(void* user, holdfast_answer* out) {
    return host(user).ask("peers", {}, [=](const In& v) {
        for (const In& item : v.items()) {
            const Digest key = item.field("key").digest();
            check(holdfast_answer_add_peer(out, key.data(), item.field("address").text().c_str()));
        }
    });
}

holdfast_status measure_latency(void* user, const std::uint8_t peer[32], std::uint32_t samples,
                                std::uint32_t timeout_ms, holdfast_answer* out) {
    return host(user).ask(
        "measureLatency", {digest_of(peer), number(samples), number(timeout_ms)},
        [=](const In& v) {
            for (const In& item : v.items()) check(holdfast_answer_add_number(out, item.u64()));
        },
        timeout_ms);
}

holdfast_status send_challenge(void* user, const std::uint8_t peer[32],
                               const std::uint8_t* challenge, std::size_t size,
                               std::uint32_t deadline_ms, holdfast_answer* response,
                               std::uint32_t* service_us, std::uint32_t* ping_us) {
    return host(user).ask(
        "sendChallenge", {digest_of(peer), bytes_of(challenge, size), number(deadline_ms)},
        [=](const In& v) {
            *service_us = v.field("serviceUs").u32();
            *ping_us = v.field("pingUs").u32();
            const holdfast_bytes bytes = v.field("response").view();
            check(holdfast_answer_set_bytes(response, bytes.data, bytes.size));
        },
        deadline_ms);
}

holdfast_status verify_place(void* user, const std::uint8_t peer[32], std::int32_t latitude,
                             std::int32_t longitude, std::uint32_t timeout_ms,
                             holdfast_answer* out) {
    return host(user).ask(
        "verifyPlace", {digest_of(peer), number(latitude), number(longitude), number(timeout_ms)},
        [=](const In& v) {
            for (const In& item : v.items()) {
                check(holdfast_answer_add_vantage(out, item.field("vantage").text().c_str(),
                                                  item.field("rttNs").u64(),
                                                  item.field("distanceM").u64()));
            }
        },
        timeout_ms);
}

// --- signer --------------------------------------------------------------------------------------

holdfast_status public_key(void* user, std::uint8_t out[32]) {
    return host(user).ask("publicKey", {}, [=](const In& v) { put_digest(v, out); });
}

holdfast_status sign(void* user, const std::uint8_t* message, std::size_t size, std::uint8_t* out,
                     std::size_t* out_bytes) {
    return host(user).ask("sign", {bytes_of(message, size)}, [=](const In& v) {
        const auto signature = v.fixed<64>();
        std::memcpy(out, signature.data(), signature.size());
        *out_bytes = signature.size();
    });
}

holdfast_guard_options guard_of(const In& options) {
    holdfast_guard_options guard{};
    guard.struct_size = sizeof guard;
    if (options.present()) {
        const In timeout = options.field("timeoutMs");
        const In calls = options.field("maxCalls");
        if (timeout.present()) guard.timeout_ms = timeout.u32();
        if (calls.present()) guard.max_calls = calls.u32();
    }
    if (guard.timeout_ms == 0) guard.timeout_ms = kDefaultTimeoutMs;
    return guard;
}

/// Gives the library an interface: `make` is the constructor of the C ABI.
template <class Callbacks, class Handle>
HandleBox make(napi_env env, const In& ask, const In& options, Callbacks callbacks,
               holdfast_status (*make)(const Callbacks*, const holdfast_guard_options*, Handle**)) {
    const holdfast_guard_options guard = guard_of(options);
    auto user = std::make_unique<Host>(env, ask, guard.timeout_ms + kGraceMs);
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = user.get();
    callbacks.destroy = destroy_host;
    Handle* handle = nullptr;
    check(make(&callbacks, &guard, &handle));
    static_cast<void>(user.release());
    return box(handle);
}

}  // namespace

HandleBox make_blockchain(napi_env env, const In& ask, const In& options) {
    holdfast_blockchain_callbacks callbacks{};
    callbacks.current_height = current_height;
    callbacks.block_by_height = block_by_height;
    callbacks.submit = submit;
    callbacks.submissions_at = submissions_at;
    callbacks.bond_events_at = bond_events_at;
    return make(env, ask, options, callbacks, holdfast_blockchain_new);
}

HandleBox make_token(napi_env env, const In& ask, const In& options) {
    holdfast_token_callbacks callbacks{};
    callbacks.create_bond = create_bond;
    callbacks.release_bond = release_bond;
    callbacks.slash_bond = slash_bond;
    callbacks.pay_reward = pay_reward;
    callbacks.bond_info = bond_info;
    return make(env, ask, options, callbacks, holdfast_token_new);
}

HandleBox make_beacon(napi_env env, const In& ask, const In& options) {
    holdfast_beacon_callbacks callbacks{};
    callbacks.randomness = randomness;
    callbacks.verify = verify_round;
    return make(env, ask, options, callbacks, holdfast_beacon_new);
}

HandleBox make_peers(napi_env env, const In& ask, const In& options) {
    holdfast_peers_callbacks callbacks{};
    callbacks.peers = peers;
    callbacks.measure_latency = measure_latency;
    callbacks.send_challenge = send_challenge;
    callbacks.verify_place = verify_place;
    return make(env, ask, options, callbacks, holdfast_peers_new);
}

napi_value make_signer(napi_env env, const In& ask, const In& options) {
    auto user = std::make_shared<std::unique_ptr<Host>>(
        std::make_unique<Host>(env, ask, guard_of(options).timeout_ms));
    const std::uint32_t timeout_ms = guard_of(options).timeout_ms;
    return Job::start(env, Job::Where::kThread,
                      [user, timeout_ms](const holdfast_control*) -> Value {
                          holdfast_signer_callbacks callbacks{};
                          callbacks.struct_size = sizeof callbacks;
                          callbacks.user_data = user->get();
                          callbacks.destroy = destroy_host;
                          callbacks.public_key = public_key;
                          callbacks.sign = sign;
                          callbacks.timeout_ms = timeout_ms;
                          holdfast_signer* signer = nullptr;
                          check(holdfast_signer_from_callbacks(&callbacks, &signer));
                          static_cast<void>(user->release());
                          return box(signer);
                      });
}

void answer(napi_env env, const In& number, const In& value) {
    Requests& requests = *Instance::of(env).requests();
    const std::uint32_t key = number.u32();
    std::unique_lock lock(requests.mutex);
    const auto found = requests.open.find(key);
    if (found == requests.open.end() || found->second->done) return;
    const std::shared_ptr<Request> request = found->second;
    request->status = HOLDFAST_UNAVAILABLE;
    // The lock is held while the answer is read: whoever asked waits, and its memory stands.
    try {
        request->take(value);
        request->status = HOLDFAST_OK;
    } catch (const BadArgument& bad) {
        request->text = "nonsense was answered: " + bad.text;
    } catch (const Failure& failure) {
        request->status = failure.status;
        request->reason = failure.verdict.reason;
        request->text = failure.text;
    } catch (const Pending&) {
        napi_value error = nullptr;
        napi_get_and_clear_last_exception(env, &error);
        request->text = "the answer could not be read";
    }
    request->done = true;
    requests.answered.notify_all();
}

void refuse(napi_env env, const In& number, const In& code, const In& reason, const In& text) {
    // Out of the statuses that a host may return; anything else is no answer.
    static const std::vector<std::pair<const char*, holdfast_status>> kStatuses = [] {
        std::vector<std::pair<const char*, holdfast_status>> out;
        for (holdfast_status s = HOLDFAST_INVALID_ARGUMENT; s <= HOLDFAST_UNSUPPORTED; ++s) {
            if (const char* word = holdfast_status_name(s)) out.emplace_back(word, s);
        }
        return out;
    }();
    holdfast_status status = HOLDFAST_UNAVAILABLE;
    if (code.present()) {
        const std::string word = code.text();
        for (const auto& [known, value] : kStatuses) {
            if (word == known) status = value;
        }
    }
    holdfast_reason why = HOLDFAST_REASON_OK;
    if (status == HOLDFAST_REFUSED && reason.present()) {
        const std::string word = reason.text();
        for (std::size_t i = 1; i < holdfast_reason_count(); ++i) {
            const auto r = static_cast<holdfast_reason>(i);
            if (word == holdfast_reason_name(r)) why = r;
        }
    }
    settle(*Instance::of(env).requests(), number.u32(), status, why, text.text());
}

}  // namespace holdfast_node
