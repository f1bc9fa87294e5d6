// A clock behind its handle, with all that it uses. Any thread.
#pragma once

#include <memory>

#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "capi/border.hpp"
#include "clock/vdf_clock.hpp"

namespace holdfast::capi {

struct ClockState {
    NetworkId network;
    std::shared_ptr<Blockchain> chain;
    std::shared_ptr<Beacon> beacon;  // null without one
    VdfClock clock;                  // uses chain and beacon
};

/// What a control watches of the clock's work.
[[nodiscard]] VdfClockWork clock_work(Control& work);

}  // namespace holdfast::capi

struct holdfast_clock : holdfast::capi::Handle<0x6b636f6c63666864> {
    std::shared_ptr<holdfast::capi::ClockState> state;
};
