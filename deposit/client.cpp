#include "deposit/client.hpp"

#include <chrono>
#include <thread>

namespace holdfast {
namespace {

using DepositTime = std::chrono::steady_clock;

bool passes(ErrorCode code) {
    return code == ErrorCode::kTimeout || code == ErrorCode::kUnavailable ||
           code == ErrorCode::kBusy;
}

template <class T>
Result<T> expect(Result<DepositAnswer> answer) {
    if (!answer) return fail(answer.error());
    if (const auto* refused = std::get_if<DepositRefused>(&*answer)) {
        return fail(refusal_error(refused->reason));
    }
    if (auto* wanted = std::get_if<T>(&*answer)) return std::move(*wanted);
    return fail_refused(Reason::kBadKind, "the prover's answer");
}

}  // namespace

Error refusal_error(DepositReason reason) {
    const auto code = [&] {
        switch (reason) {
            case DepositReason::kNotAllowed:
            case DepositReason::kBadSignature:
                return ErrorCode::kPermission;
            case DepositReason::kQuotaBytes:
            case DepositReason::kQuotaCount:
            case DepositReason::kNoSpace:
                return ErrorCode::kOutOfSpace;
            case DepositReason::kUnknown:
                return ErrorCode::kNotFound;
            case DepositReason::kConflict:
                return ErrorCode::kAlreadyExists;
            case DepositReason::kStopped:
            case DepositReason::kProverFailed:
                return ErrorCode::kUnavailable;
            default:
                return ErrorCode::kInvalidArgument;
        }
    }();
    return Error{code, "the prover refused: " + std::string(to_string(reason)), {}};
}

// Spec 16.1: a state is of the terms that the deposit was opened on.
Verdict check_deposit_state(const DepositState& state, const DepositOrder& order) {
    const bool same = state.id == order.id && state.bytes == order.bytes &&
                      state.terms == order.terms.digest() && state.until == order.terms.until;
    return same ? Reason::kOk : Reason::kWrongObject;
}

DepositClient::DepositClient(const NetworkId& network, const PublicKey& prover,
                             const KeyPair& owner, AskProver ask, DepositClientOptions options)
    : network_(network),
      prover_(prover),
      owner_(owner),
      ask_(std::move(ask)),
      options_(std::move(options)) {}

Status DepositClient::wait(std::uint32_t ms) const {
    constexpr std::chrono::milliseconds kSlice{20};
    const auto until = DepositTime::now() + std::chrono::milliseconds(ms);
    while (DepositTime::now() < until) {
        if (options_.stop && options_.stop()) {
            return fail(ErrorCode::kInterrupted, "stopped while the prover was waited for");
        }
        std::this_thread::sleep_for(
            std::min<DepositTime::duration>(kSlice, until - DepositTime::now()));
    }
    return {};
}

Result<DepositAnswer> DepositClient::ask(ByteView question) const {
    const auto until = DepositTime::now() + std::chrono::milliseconds(options_.patience_ms);
    for (;;) {
        if (options_.stop && options_.stop()) return fail(ErrorCode::kInterrupted, "stopped");
        const Result<Bytes> bytes = ask_(question);
        std::uint32_t pause_ms = options_.pause_ms;
        Error last{ErrorCode::kTimeout, "the prover has been busy for too long", {}};
        if (bytes) {
            Checked<DepositAnswer> answer = decode_deposit_answer(*bytes);
            if (!answer) return fail_refused(answer.error(), "the prover's answer");
            const auto* busy = std::get_if<DepositBusy>(&*answer);
            if (busy == nullptr) return std::move(*answer);
            pause_ms = busy->retry_ms;
        } else if (passes(bytes.error().code)) {
            last = bytes.error();
        } else {
            return fail(bytes.error());
        }
        if (DepositTime::now() + std::chrono::milliseconds(pause_ms) > until) return fail(last);
        HOLDFAST_TRY(wait(pause_ms));
    }
}

Result<DepositState> DepositClient::ask_state(ByteView question, const DepositId& id) const {
    HOLDFAST_ASSIGN(state, expect<DepositState>(ask(question)));
    if (state.id != id) return fail_refused(Reason::kWrongObject, "the state of a deposit");
    return state;
}

Result<DepositState> DepositClient::ask_state(ByteView question, const DepositOrder& order) const {
    HOLDFAST_ASSIGN(state, ask_state(question, order.id));
    if (const Verdict same = check_deposit_state(state, order); !same) {
        return fail_refused(same, "the state of a deposit, whose size or terms are not the agreed");
    }
    return state;
}

Result<DepositTerms> DepositClient::terms(std::uint64_t bytes) const {
    if (bytes == 0 || bytes > kMaxDataBytes) {
        return fail(ErrorCode::kInvalidArgument, "a deposit has 1 byte to 4 GiB");
    }
    HOLDFAST_ASSIGN(offered, expect<DepositTerms>(ask(encode_question(AskTerms{bytes}))));
    if (const Verdict v = check_terms(offered, network_, prover_, owner_.public_key()); !v) {
        return fail_refused(v, "the prover's terms");
    }
    if (offered.max_bytes < bytes) return fail(refusal_error(DepositReason::kSize));
    return offered;
}

Result<DepositState> DepositClient::open(const DepositOrder& order) const {
    return ask_state(encode_question(OpenDeposit{order.id, order.terms, order.bytes}), order);
}

Result<DepositState> DepositClient::send_piece(const DepositOrder& order, std::uint64_t index,
                                               ByteView piece) const {
    if (piece.empty() || piece.size() != piece_bytes(order.bytes, index)) {
        return fail(ErrorCode::kInvalidArgument, "piece " + std::to_string(index) +
                                                     " is no piece of this deposit, or has another "
                                                     "size");
    }
    return ask_state(encode_piece(order.id, index, piece), order);
}

Result<DepositState> DepositClient::state(const DepositOrder& order) const {
    return ask_state(encode_question(AskState{order.id}), order);
}

Result<DepositState> DepositClient::state(const DepositId& id) const {
    return ask_state(encode_question(AskState{id}), id);
}

Result<DepositState> DepositClient::finish(const DepositOrder& order, const Root& raw_root) const {
    const Digest message = finish_message(network_, prover_, order.id, order.bytes, raw_root);
    HOLDFAST_ASSIGN(signature, owner_.sign(view(message)));
    HOLDFAST_ASSIGN(
        state, ask_state(encode_question(FinishDeposit{order.id, raw_root, signature}), order));
    if (state.arrived != state.bytes || state.arrived_root != raw_root) {
        return fail_refused(Reason::kRootMismatch, "what the prover says has arrived");
    }
    return state;
}

Result<DepositState> DepositClient::remove(const DepositId& id, std::uint64_t counter) const {
    const Digest message = remove_message(network_, prover_, id, counter);
    HOLDFAST_ASSIGN(signature, owner_.sign(view(message)));
    return ask_state(encode_question(RemoveDeposit{id, counter, signature}), id);
}

Result<DepositState> DepositClient::remove(const DepositOrder& order, std::uint64_t counter) const {
    HOLDFAST_ASSIGN(state, remove(order.id, counter));
    if (const Verdict same = check_deposit_state(state, order); !same) {
        return fail_refused(same, "the state of a deposit, whose size or terms are not the agreed");
    }
    return state;
}

Result<DepositList> DepositClient::list(const DepositId& after, std::uint32_t most) const {
    if (most == 0 || most > kMostListedDeposits) {
        return fail(ErrorCode::kInvalidArgument,
                    "1 to " + std::to_string(kMostListedDeposits) + " deposits at a time");
    }
    HOLDFAST_ASSIGN(list, expect<DepositList>(ask(encode_question(ListDeposits{after, most}))));
    if (list.deposits.size() > most ||
        (!list.deposits.empty() && !(after < list.deposits.front().id)) ||
        (list.more && list.deposits.empty())) {
        return fail_refused(Reason::kWrongObject, "the list of deposits");
    }
    return list;
}

}  // namespace holdfast
