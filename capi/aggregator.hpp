// An aggregator behind its handle, with all that it uses.
//
// Threading: what changes it takes turns (`taken`), but for submit() and head(); what reads asks
// the registry, which any thread may.
#pragma once

#include <atomic>
#include <memory>

#include "api/aggregator.hpp"
#include "callbacks/token.hpp"
#include "capi/border.hpp"
#include "capi/clock.hpp"

namespace holdfast::capi {

struct AggregatorState {
    std::shared_ptr<Blockchain> chain;
    std::shared_ptr<ClockState> clock;
    std::shared_ptr<Token> token;  // null without one
    std::shared_ptr<const KeyPair> operator_signer;
    std::shared_ptr<const KeyPair> checkpointer;
    Aggregator engine;  // uses the five above
};

}  // namespace holdfast::capi

struct holdfast_aggregator : holdfast::capi::Handle<0x726f746167657267> {
    std::shared_ptr<holdfast::capi::AggregatorState> state;
    mutable std::atomic<bool> taken{false};

    [[nodiscard]] const holdfast::Registry& registry() const { return state->engine.registry(); }
};

struct holdfast_block_report : holdfast::capi::Handle<0x74726f7065726b63> {
    holdfast::BlockReport report;
};
