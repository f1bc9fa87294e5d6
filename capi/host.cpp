#include "capi/host.hpp"

namespace holdfast::capi {
namespace {

thread_local CallbackWords* innermost_words = nullptr;

/// The vector that the callback in progress answers with.
template <class T>
Got<T*> parts_of(holdfast_answer* answer) {
    HOLDFAST_TRY(check_handle(answer, "answer"));
    if (T* const parts = std::get_if<T>(&answer->parts)) return parts;
    return bad_argument("the callback in progress does not answer with that");
}

}  // namespace

CallbackWords::CallbackWords() : outer_(innermost_words) { innermost_words = this; }
CallbackWords::~CallbackWords() { innermost_words = outer_; }

void CallbackWords::say(Reason reason, const char* text) {
    reason_ = reason;
    text_ = text == nullptr ? "" : text;
}

Status CallbackWords::error(const char* function, holdfast_status status) const {
    if (status == HOLDFAST_OK) return {};
    const std::string who = std::string("the host's callback ") + function;
    const std::optional<ErrorCode> code = code_of(status);
    if (!code) {
        return fail(ErrorCode::kUnavailable,
                    who + " returned " + std::to_string(status) + ", which is no status");
    }
    if (*code == ErrorCode::kRefused) {
        const Reason reason = reason_ == Reason::kOk ? Reason::kBadField : reason_;
        return fail_refused(reason, text_.empty() ? who : who + " (" + text_ + ")");
    }
    return fail(*code, text_.empty() ? who + " failed" : text_);
}

void destroy_quietly(void (*destroy)(void* user_data), void* user_data) noexcept {
    if (destroy == nullptr) return;
    try {
        destroy(user_data);
    } catch (...) {
        return;
    }
}

}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

void holdfast_callback_error(holdfast_reason reason, const char* text) {
    if (innermost_words == nullptr) return;
    const bool known = reason >= 0 && static_cast<std::size_t>(reason) < reason_count();
    try {
        innermost_words->say(known ? static_cast<Reason>(reason) : Reason::kBadField, text);
    } catch (...) {
        return;  // no memory for the text: the status stands without it
    }
}

holdfast_status holdfast_answer_add_object(holdfast_answer* answer, holdfast_kind kind,
                                           const uint8_t* object, size_t object_bytes) {
    return run([&]() -> Done {
        HOLDFAST_ASSIGN(parts, parts_of<std::vector<Submission>>(answer));
        HOLDFAST_ASSIGN(bytes, view_of(object, object_bytes, "object"));
        if (kind < 1 || kind > static_cast<holdfast_kind>(Kind::kChallenge2)) {
            return bad_argument("there is no kind " + std::to_string(kind));
        }
        parts->push_back({static_cast<Kind>(kind), Bytes(bytes.begin(), bytes.end())});
        return {};
    });
}

holdfast_status holdfast_answer_add_bond_event(holdfast_answer* answer,
                                               const holdfast_bond_event* event) {
    return run([&]() -> Done {
        HOLDFAST_ASSIGN(parts, parts_of<std::vector<BondEvent>>(answer));
        HOLDFAST_ASSIGN(given, read_struct(event, "event"));
        if (given.what < HOLDFAST_BOND_CREATED || given.what > HOLDFAST_BOND_SLASHED) {
            return bad_argument("there is no bond event " + std::to_string(given.what));
        }
        BondEvent out;
        out.what = static_cast<BondEventKind>(given.what);
        HOLDFAST_ASSIGN(bond, fixed_of<BondId>(given.bond, "bond"));
        out.bond = bond;
        out.amount = given.amount;
        out.number = given.number;
        if (out.what == BondEventKind::kCreated) {
            if (given.purpose < HOLDFAST_BOND_STORAGE || given.purpose > HOLDFAST_BOND_OPERATOR) {
                return bad_argument("there is no purpose " + std::to_string(given.purpose));
            }
            out.purpose = static_cast<BondPurpose>(given.purpose);
            HOLDFAST_ASSIGN(owner, fixed_of<PublicKey>(given.owner, "owner"));
            HOLDFAST_ASSIGN(subject, fixed_of<Digest>(given.subject, "subject"));
            out.owner = owner;
            out.subject = subject;
        }
        parts->push_back(out);
        return {};
    });
}

holdfast_status holdfast_answer_set_bytes(holdfast_answer* answer, const uint8_t* bytes,
                                          size_t size) {
    return run([&]() -> Done {
        HOLDFAST_ASSIGN(parts, parts_of<Bytes>(answer));
        HOLDFAST_ASSIGN(given, view_of(bytes, size, "bytes"));
        parts->assign(given.begin(), given.end());
        return {};
    });
}

holdfast_status holdfast_answer_add_peer(holdfast_answer* answer, const uint8_t key[32],
                                         const char* address) {
    return run([&]() -> Done {
        HOLDFAST_ASSIGN(parts, parts_of<std::vector<Peer>>(answer));
        HOLDFAST_ASSIGN(peer, fixed_of<PublicKey>(key, "key"));
        HOLDFAST_ASSIGN(text, text_of(address, "address"));
        parts->push_back({peer, text});
        return {};
    });
}

holdfast_status holdfast_answer_add_number(holdfast_answer* answer, uint64_t number) {
    return run([&]() -> Done {
        HOLDFAST_ASSIGN(parts, parts_of<std::vector<std::uint64_t>>(answer));
        parts->push_back(number);
        return {};
    });
}

holdfast_status holdfast_answer_add_vantage(holdfast_answer* answer, const char* vantage,
                                            uint64_t rtt_ns, uint64_t distance_m) {
    return run([&]() -> Done {
        HOLDFAST_ASSIGN(parts, parts_of<std::vector<VantageReport>>(answer));
        HOLDFAST_ASSIGN(name, text_of(vantage, "vantage"));
        parts->push_back({name, rtt_ns, distance_m});
        return {};
    });
}
