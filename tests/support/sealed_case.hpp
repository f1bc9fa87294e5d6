// A replica of the vector files, sealed again into a folder of its own.
#pragma once

#include <optional>

#include "chunking/replica.hpp"
#include "chunking/seal.hpp"
#include "core/keys.hpp"
#include "proofs/registration.hpp"
#include "support/refused.hpp"
#include "support/temp_folder.hpp"

namespace holdfast::test {

struct SealedCase {
    TempFolder folder;
    KeyPair key;
    Registration registration;
    std::optional<Replica> replica;

    SealedCase(const VectorNetwork& network, const nlohmann::json& c)
        : key(KeyPair::from_secret(hex(c.at("secret_key")))),
          registration(*Registration::decode(hex(c.at("registration")))) {
        spill(folder / "source", data_of(c.at("data")));
        SealRequest request;
        request.network = network.params;
        request.prover = key.public_key();
        request.seal = registration.header.seal;
        request.nonce = registration.header.nonce;
        request.source = folder / "source";
        request.replica_path = folder / "x.replica";
        request.tree_path = folder / "x.tree";
        SealOptions options;
        options.workers = 1;
        const auto sealed = seal(request, options);
        EXPECT_TRUE(sealed) << sealed.error().message;
        auto opened = Replica::open(request.replica_path, request.tree_path, network.params);
        EXPECT_TRUE(opened) << opened.error().message;
        if (opened) replica.emplace(std::move(*opened));
    }
};

}  // namespace holdfast::test
