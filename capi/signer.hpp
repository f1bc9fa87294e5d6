// A signer behind its handle: a key of this process, or a host's key store. Any thread.
#pragma once

#include <memory>

#include "capi/border.hpp"
#include "core/keys.hpp"

struct holdfast_signer : holdfast::capi::Handle<0x72656e6769737468> {
    holdfast_signer(holdfast::KeyPair from, bool host)
        : key(std::make_shared<const holdfast::KeyPair>(std::move(from))), of_host(host) {}

    /// The same key for whoever wants one of its own.
    [[nodiscard]] holdfast::KeyPair own() const {
        return holdfast::KeyPair::external(
            key->public_key(),
            [shared = key](holdfast::ByteView message) { return shared->sign(message); });
    }

    const std::shared_ptr<const holdfast::KeyPair> key;
    const bool of_host;
};
