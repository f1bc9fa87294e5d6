// A node on the shipped adapters in a temporary folder, with a small network and one sealed
// replica.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "api/aggregator.hpp"
#include "api/verifier.hpp"
#include "chunking/seal.hpp"
#include "embedded/bond_ledger.hpp"
#include "embedded/local_chain.hpp"

namespace holdfast::test {

inline NetworkParams small_network() {
    NetworkParams params = NetworkParams::preset(kParamsVersion2);
    params.name = "api";
    params.seal_windows = 2;
    params.least_chain_part = params.least_challenger_part = params.least_submitter_part = 100;
    params.operator_key = KeyPair::from_secret(Bytes(32, 200)).public_key();
    params.seal_presets = {kSealDev};
    params.vdf = {256, 1, 4, 16, 4};
    return params;
}

template <class T>
T value_of(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

inline void succeed(const Status& status) {
    if (!status) throw std::runtime_error(status.error().message);
}

class Node : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "holdfast-api-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
        chain_ = value_of(LocalChain::create(dir_ / "chain", params_, 1'700'000'000'000));
        ledger_ = value_of(BondLedger::open(dir_ / "ledger", params_.id()));
    }
    void TearDown() override { std::filesystem::remove_all(dir_); }

    static KeyPair key_of(std::uint8_t n) { return KeyPair::from_secret(Bytes(32, n)); }

    void new_blocks(std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            succeed(list_bond_events(*chain_, *ledger_));
            value_of(chain_->append_block());
        }
    }

    ProverFiles files(const std::string& name) const {
        return ProverFiles::beside(dir_ / (name + ".replica"));
    }

    /// Seals `bytes` bytes for the key and submits the registration.
    Registration seal_and_register(const std::string& name, std::uint8_t key_number,
                                   std::size_t bytes, bool commitment = true) {
        const KeyPair key = key_of(key_number);
        std::ofstream(dir_ / name, std::ios::binary) << std::string(bytes, 'h');
        SealRequest request;
        request.network = params_;
        request.prover = key.public_key();
        request.seal = kSealDev;
        request.source = dir_ / name;
        request.replica_path = files(name).replica;
        request.tree_path = files(name).tree;
        const SealedReplica sealed = value_of(seal(request));
        const auto once = [&](const char* what) {
            return IdempotencyKey(tagged_hash(what, view(std::string_view(name))));
        };
        succeed(ledger_->issue(key.public_key(), 100, once("issue")));
        const BondId bond = value_of(
            ledger_->create_bond(key.public_key(), 100, BondPurpose::kStorage, once("bond")));
        const Height tip = value_of(chain_->current_height());
        const BlockInfo genesis = value_of(chain_->block_by_height(tip - params_.finality_blocks));
        const Registration registration = value_of(make_registration(
            params_, sealed.header,
            {genesis.height, genesis.hash, Retention::kDefault, bond, commitment}, key));
        succeed(
            chain_->submit_registration(wrap_object(Kind::kRegistration, registration.encode())));
        return registration;
    }

    VdfClock clock(std::optional<KeyPair> evaluator, const std::string& folder = "vdf") {
        return value_of(
            VdfClock::open(params_, *chain_, nullptr, std::move(evaluator), {dir_ / folder, 1}));
    }
    Aggregator aggregator(VdfClock& with, const std::string& folder = "registry") {
        AggregatorOptions options;
        options.registry = dir_ / folder;
        options.operator_key = &operator_;
        return value_of(Aggregator::open(params_, *chain_, with, ledger_.get(), nullptr, options));
    }
    /// Every final block; returns the reports.
    static std::vector<BlockReport> advance_all(Aggregator& aggregator,
                                                std::span<Prover* const> provers) {
        std::vector<BlockReport> out;
        while (std::optional<BlockReport> report = value_of(aggregator.advance(provers))) {
            out.push_back(std::move(*report));
        }
        return out;
    }
    /// Block after block, as they come.
    void live(Aggregator& node, std::span<Prover* const> provers, int blocks) {
        for (int i = 0; i < blocks; ++i) {
            new_blocks(1);
            advance_all(node, provers);
        }
    }

    NetworkParams params_ = small_network();
    KeyPair operator_ = key_of(200);
    std::filesystem::path dir_;
    std::unique_ptr<LocalChain> chain_;
    std::unique_ptr<BondLedger> ledger_;
};

}  // namespace holdfast::test
