// A network that allows tiny windows, a key, and files sealed under them.
#pragma once

#include <gtest/gtest.h>

#include "chunking/replica.hpp"
#include "chunking/seal.hpp"
#include "core/hash.hpp"
#include "core/keys.hpp"
#include "support/refused.hpp"
#include "support/temp_folder.hpp"

namespace holdfast::test {

/// Bytes that never repeat.
inline Bytes some_bytes(std::size_t length, std::string_view seed = "data") {
    return expand(view(seed), length);
}

/// 16 chunks a window (64 KiB), the least work.
inline constexpr SealParams kTinySeal{16, 512};

inline NetworkParams seal_network() {
    NetworkParams network;
    network.name = "tiny";
    network.seal_presets = {kTinySeal, kSealDev};
    return network;
}

struct SealWorld {
    NetworkParams network = seal_network();
    KeyPair key = KeyPair::from_secret(view(sha256(view("prover"))));
    TempFolder folder;

    [[nodiscard]] SealRequest request(const std::string& name,
                                      const SealParams& seal = kTinySeal) const {
        SealRequest r;
        r.network = network;
        r.prover = key.public_key();
        r.seal = seal;
        r.source = folder / name;
        r.replica_path = folder / (name + ".replica");
        r.tree_path = folder / (name + ".tree");
        return r;
    }
    /// Writes `data` to a source file and seals it.
    SealedReplica seal_bytes(const std::string& name, ByteView data,
                             const SealParams& params = kTinySeal) const {
        spill(folder / name, data);
        auto sealed = seal(request(name, params));
        if (!sealed) {
            ADD_FAILURE() << sealed.error().message;
            std::abort();
        }
        return *sealed;
    }
    [[nodiscard]] Result<Replica> open(const std::string& name) const {
        return Replica::open(folder / (name + ".replica"), folder / (name + ".tree"), network);
    }
    /// Names in the folder, sorted: what a test finds there and nothing else.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
            found.push_back(entry.path().filename().string());
        }
        std::sort(found.begin(), found.end());
        return found;
    }
};

}  // namespace holdfast::test
