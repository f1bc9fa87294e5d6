// A network behind its handle. Immutable; any thread.
#pragma once

#include <memory>

#include "capi/border.hpp"
#include "core/params.hpp"

struct holdfast_network : holdfast::capi::Handle<0x6b726f7774656e68> {
    explicit holdfast_network(const holdfast::NetworkParams& from) : params(from), id(from.id()) {}
    const holdfast::NetworkParams params;
    const holdfast::NetworkId id;
};
