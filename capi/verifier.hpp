// A verifier behind its handle: what is known can grow while verdicts are made.
//
// Threading: any. A verdict is made from the state that stood when it began, and holds no lock: the
// state is shared by counting, and changed in place only while nobody else has it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "api/verifier.hpp"
#include "capi/border.hpp"

struct holdfast_verifier : holdfast::capi::Handle<0x7265696669726576> {
    explicit holdfast_verifier(holdfast::PublicRecord record)
        : state_(std::make_shared<holdfast::Verifier>(std::move(record))) {}

    /// What is known now; stays as it is for as long as it is held.
    [[nodiscard]] std::shared_ptr<const holdfast::Verifier> state() const {
        const std::lock_guard lock(mutex_);
        return state_;
    }
    /// Changes what is known, or after an error nothing. `change` calls nobody else's code.
    [[nodiscard]] holdfast::capi::Done change(
        const std::function<holdfast::capi::Done(holdfast::PublicRecord&)>& change);

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<holdfast::Verifier> state_;
};
