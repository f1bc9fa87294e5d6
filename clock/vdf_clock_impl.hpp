// The parts of VdfClock that its two files share: vdf_clock.cpp (seeds, epochs, proofs, y of one
// height) and vdf_clock_advance.cpp (what is missing, evaluation, reorganisations).
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <variant>

#include "clock/arena_cache.hpp"
#include "clock/vdf_clock.hpp"

namespace holdfast {

struct VdfClock::Impl {
    NetworkParams params;
    NetworkId network_id;
    Blockchain* chain = nullptr;
    Beacon* beacon = nullptr;
    std::optional<KeyPair> evaluator;
    VdfClockOptions options;
    ParallelFor parallel;
    std::unique_ptr<ClockStore> store;
    std::unique_ptr<ArenaCache> arenas;

    // Guards what follows. Never held during a callback, a fill, a walk or a verification.
    mutable std::mutex mutex;
    std::condition_variable changed;  // a turn has ended, a y has become usable
    bool evaluating = false;
    struct KnownEpoch {
        Height source;
        Seed source_seed;
        EpochSeed seed;
    };
    std::map<std::uint64_t, KnownEpoch> epochs;
    std::set<Digest> refused_proofs;  // SHA-256 of proofs that did not survive full verification
    std::optional<BlockInfo> newest_settled;
    std::optional<Height> pruned_below;
    VdfClockStatus counters;

    // Seeds and epochs.
    Result<HeightEntropy> seed_of(Height height);
    struct EpochSource {
        Height height;
        Seed seed;
    };
    Result<std::optional<EpochSource>> source_of(std::uint64_t epoch);
    /// The epoch's seed, or the earliest epoch source whose y must be found first.
    Result<std::variant<EpochSeed, VdfContext>> epoch_step(std::uint64_t epoch);
    [[nodiscard]] VdfContext context_with(Height height, const Seed& seed, std::uint64_t epoch,
                                          const EpochSeed& epoch_seed) const {
        return {params, network_id, height, seed, epoch, epoch_seed};
    }
    Result<VdfContext> context(Height height, const Seed& seed, const VdfClockWork& work);
    [[nodiscard]] std::optional<VdfOutput> usable(const VdfContext& context) const;

    // Proofs.
    Result<std::shared_ptr<const VdfArena>> arena_of(const VdfContext& context,
                                                     const VdfClockWork& work);
    Result<Verdict> accept(const VdfContext& context, const VdfProof& proof, bool evaluated,
                           const VdfClockWork& work);
    /// y without evaluating: a mark, a proof in the folder, somebody else's proof.
    Result<std::optional<VdfOutput>> find(const VdfContext& context, const VdfClockWork& work,
                                          VdfClockReport& report);
    Result<std::optional<VdfOutput>> try_proof(const VdfContext& context, const VdfProof& proof,
                                               const char* from, const VdfClockWork& work,
                                               VdfClockReport& report);
    void note_refused(VdfClockReport& report, Height height, const Verdict& verdict,
                      const char* from);
    Result<VdfOutput> obtain(const VdfContext& context, const VdfClockWork& work);
    Result<HeightEntropy> at(Height height, const VdfClockWork& work);

    // Evaluation. A Turn is the right to evaluate; one thread has it.
    class Turn {
      public:
        explicit Turn(Impl& impl) : impl_(&impl) {}
        Turn(Turn&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
        Turn& operator=(Turn&&) = delete;
        ~Turn();

      private:
        Impl* impl_;
    };
    /// Empty when `context` has become usable meanwhile. kInterrupted.
    Result<std::optional<Turn>> take_turn(const VdfContext* context, const VdfClockWork& work);
    [[nodiscard]] bool can_evaluate() const {
        return evaluator.has_value() && options.access == ClockFolder::kOwn;
    }
    /// Evaluates side by side (one epoch) until all are done or the host's blocks are others:
    /// `planned_tip`, where given, makes room for new blocks. Finished ones are kept.
    Status evaluate(std::vector<VdfContext> contexts, const std::optional<Height>& planned_tip,
                    const VdfClockWork& work, VdfClockReport& report);
    Status ask_outside(std::vector<VdfContext>& contexts, const VdfClockWork& work,
                       VdfClockReport& report);

    // Following the host.
    struct Plan {
        Height tip;
        std::vector<VdfContext> missing;  // lowest first
    };
    Result<Plan> make_plan(VdfClockReport& report);
    Result<std::optional<VdfContext>> missing_at(Height height, const Seed& seed);
    Status check_settled_block();
    Status settle(const BlockInfo& block);
    Status prune(Height below) const;
    void fill_ahead(Height tip);
    Result<VdfClockReport> advance(const VdfClockWork& work);
};

}  // namespace holdfast
