// A host chain whose blocks, branches, failures and lies a test decides, and a tiny VDF network
// with several epochs on it.
#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "clock/vdf_clock.hpp"
#include "core/hash.hpp"
#include "proofs/entropy.hpp"
#include "support/temp_folder.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast::test {

class ScriptedChain final : public Blockchain {
  public:
    explicit ScriptedChain(std::uint32_t finality_blocks) : finality_(finality_blocks) {
        append(1);
    }

    void append(std::size_t count, std::uint64_t branch = 0) {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < count; ++i) {
            hashes_.push_back(BlockHash(
                tagged_hash("scripted", std::uint64_t{hashes_.size()}, std::uint64_t{branch})));
        }
    }
    /// Drops the blocks from `first` on and puts as many of another branch in their place.
    void replace(std::uint64_t first, std::uint64_t branch) {
        std::size_t count = 0;
        {
            const std::lock_guard lock(mutex_);
            count = hashes_.size() - first;
            hashes_.resize(first);
        }
        append(count, branch);
    }
    /// Every call fails with this until it is taken back.
    void fail_with(std::optional<ErrorCode> code) {
        const std::lock_guard lock(mutex_);
        failure_ = code;
    }
    /// Blocks carry another height than the one asked for.
    void lie_about_heights(bool lie) {
        const std::lock_guard lock(mutex_);
        lie_ = lie;
    }

    Result<Height> current_height() override {
        const std::lock_guard lock(mutex_);
        if (failure_) return fail(*failure_, "the host is silent");
        return Height(hashes_.size() - 1);
    }
    Result<BlockInfo> block_by_height(Height height) override {
        const std::lock_guard lock(mutex_);
        if (failure_) return fail(*failure_, "the host is silent");
        if (height.value >= hashes_.size()) return fail(ErrorCode::kNotFound, "no such block");
        BlockInfo block;
        block.height = lie_ ? height + 1 : height;
        block.hash = hashes_[height.value];
        block.final = height.value + finality_ < hashes_.size();
        return block;
    }
    Status submit(Kind, ByteView) override { return fail(ErrorCode::kUnsupported, "not here"); }
    Result<std::vector<BondEvent>> bond_events_at(Height) override {
        return std::vector<BondEvent>();
    }
    Result<std::vector<Submission>> submissions_at(Height) override {
        return std::vector<Submission>{};
    }

  private:
    const std::uint32_t finality_;
    std::mutex mutex_;
    std::vector<BlockHash> hashes_;
    std::optional<ErrorCode> failure_;
    bool lie_ = false;
};

inline NetworkParams clock_network(const VdfParams& vdf = {64, 1, 4, 64, 4}) {
    NetworkParams params;
    params.name = "clock";
    params.finality_blocks = 1;
    params.link_lag = 1;
    params.epoch_blocks = 6;
    params.epoch_lag = 4;
    params.vdf = vdf;
    return params;
}

class ClockWorld : public ::testing::Test {
  protected:
    static KeyPair key_of(std::uint8_t n) { return KeyPair::from_secret(Bytes(32, n)); }

    [[nodiscard]] VdfClockOptions options(const std::string& folder = "vdf") const {
        VdfClockOptions out;
        out.folder = folder_ / folder;
        out.threads = 1;
        out.poll_ms = 0;
        return out;
    }
    Result<VdfClock> try_open(const VdfClockOptions& with, bool with_key = true) {
        std::optional<KeyPair> key;
        if (with_key) key = key_of(9);
        return VdfClock::open(params_, chain_, nullptr, std::move(key), with);
    }
    VdfClock open(const VdfClockOptions& with, bool with_key = true) {
        auto clock = try_open(with, with_key);
        if (!clock) throw std::runtime_error(clock.error().message);
        return std::move(*clock);
    }
    template <class T>
    static T must(Result<T> result) {
        if (!result) throw std::runtime_error(result.error().message);
        return std::move(*result);
    }

    [[nodiscard]] Seed seed(Height height) {
        return *make_seed(params_, params_.id(), height, must(chain_.block_by_height(height)).hash,
                          std::nullopt);
    }
    /// What is signed and served for a height, computed by the plain walk alone.
    std::vector<Digest> plain_checkpoints(Height height, const Seed& input,
                                          const EpochSeed& epoch_seed) {
        const std::uint64_t epoch = epoch_of(params_, height);
        const auto arena = must(VdfArena::fill(params_.vdf, epoch, epoch_seed));
        std::vector<Digest> d{vdf_start(params_.id(), params_.vdf, epoch_seed, input)};
        for (std::uint32_t i = 0; i < params_.vdf.checkpoints; ++i) {
            d.push_back(vdf_run_segment(arena->view(), params_.vdf, d.back(), i));
        }
        return d;
    }
    VdfOutput plain_y(Height height, const EpochSeed& epoch_seed) {
        return vdf_output(plain_checkpoints(height, seed(height), epoch_seed).back(), params_.vdf);
    }
    EpochSeed first_epoch() { return epoch_seed(params_.id(), 0, genesis_output(params_.id())); }
    [[nodiscard]] std::uint64_t segments() const { return params_.vdf.checkpoints; }

    NetworkParams params_ = clock_network();
    ScriptedChain chain_{params_.finality_blocks};
    TempFolder folder_;
};

}  // namespace holdfast::test
