// A made-up history of a small network: who registers, links, proves, cheats, leaves and when, all
// of it a function of a seed and the height, so that it can be told again from any block on. Acting
// twice at the same tip changes nothing.
#pragma once

#include <memory>
#include <vector>

#include "support/registry_model.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {

/// Everything happens within a few dozen blocks: audits, misses, both ends of a chain, reused
/// slots.
inline NetworkParams story_network() {
    NetworkParams p = short_network();
    p.name = "registry story";
    p.audits_per_block = 2;
    p.rate_window = 12;
    p.misses_late = 4;
    p.misses_expired = 24;
    p.group_slots = 3;
    p.region_groups = 2;
    p.liability_blocks = 10;
    return p;
}

class RegistryStory {
  public:
    static constexpr std::uint64_t kChains = 16;

    RegistryStory(const NetworkParams& params, std::uint64_t seed) : params_(params), seed_(seed) {
        for (std::uint64_t i = 0; i < kChains; ++i) {
            const Height genesis = params.genesis_height + dice("genesis", i, 30);
            const auto retention = static_cast<Retention>(1 + dice("retention", i, 2));
            chains_.push_back(
                std::make_unique<TestChain>(params, 1000 * seed + i, genesis, retention));
        }
    }

    [[nodiscard]] FinalBlock block(Height h) const {
        FinalBlock b{h, test_hash(h), h.value * 60, std::nullopt, {}};
        if (y_with_block(h)) b.y = test_y(h);
        if (const auto g = anchor_height(params_, h)) b.suspended = suspended(*g);
        return b;
    }

    /// What happens while `tip` is the newest block. Accepted events go into the model, if there is
    /// one.
    void act(Registry& registry, Height tip, RegistryModel* model = nullptr) {
        if (model != nullptr) {
            model->blocks[tip] = test_hash(tip);
            if (y_with_block(tip)) model->ys[tip] = test_y(tip);
            for (const ChainId& id : suspended(tip)) model->suspended[tip].insert(id);
        }
        late_y(registry, tip, model);
        for (std::uint64_t i = 0; i < kChains; ++i) act(registry, tip, i, model);
        receipts(registry, tip, model);
        proofs(registry, tip, model);
    }

  private:
    [[nodiscard]] std::uint64_t dice(std::string_view what, std::uint64_t a, std::uint64_t sides,
                                     std::uint64_t b = 0) const {
        return load_le64(
                   tagged_hash("test/dice", seed_, a, b, std::uint64_t{what.size()}, view(what))
                       .data()) %
               sides;
    }
    // Of 10 heights 6 have y with their block, 3 a block later, 1 never.
    [[nodiscard]] bool y_with_block(Height h) const { return dice("y", h.value, 10) < 6; }
    [[nodiscard]] bool y_later(Height h) const {
        return !y_with_block(h) && dice("y", h.value, 10) < 9;
    }
    [[nodiscard]] std::vector<ChainId> suspended(Height h) const {
        std::vector<ChainId> out;
        for (std::uint64_t i = 0; i < kChains; ++i) {
            if (dice("suspended", h.value, 20, i) == 0) out.push_back(chains_[i]->id());
        }
        return out;
    }

    void late_y(Registry& registry, Height tip, RegistryModel* model) const {
        const Height h = tip - 1;
        if (h < params_.genesis_height || !y_later(h)) return;
        EXPECT_EQ(must(registry.note_y(h, test_y(h))), Verdict::ok());
        if (model != nullptr) model->ys[h] = test_y(h);
    }

    void act(Registry& registry, Height tip, std::uint64_t i, RegistryModel* model) {
        TestChain& chain = *chains_[i];
        const Height genesis = chain.registration().genesis_height;
        if (tip == genesis + dice("register", i, 20)) {
            const Verdict v = must(registry.accept_registration(chain.registration()));
            if (v && model != nullptr) {
                auto& entry = model->chains[chain.id()];
                entry.genesis = genesis;
                entry.retention = chain.registration().retention;
                entry.accepted = tip;
            }
        }
        const auto info = must(registry.chain(chain.id()));
        if (!info) return;
        const bool answers =
            info->phase == ChainPhase::kPending ? i % 5 != 0 : dice("audit", i, 3) != 0;
        if (answers && dice("answer", tip.value, 3, i) != 0) answer(registry, tip, chain, model);
        if (tip == info->accepted + 12 + dice("remove", i, 60)) {
            const Removal removal =
                make_removal(params_.id(), chain.id(), info->last_sequence + 1, tip, chain.key());
            if (must(registry.accept_removal(removal)) && model != nullptr) {
                model->chains[chain.id()].removal_at = tip;
            }
        }
        if (info->phase == ChainPhase::kSealed && dice("invalid", tip.value, 30, i) == 0) {
            const Verdict v = must(registry.note_invalid_response(chain.id(), tip - 1));
            if (v && model != nullptr) model->chains[chain.id()].invalid.insert(tip - 1);
        }
    }

    void answer(Registry& registry, Height tip, const TestChain& chain,
                RegistryModel* model) const {
        for (const SealDuty& duty : must(registry.seal_duties(chain.id()))) {
            if (!duty.y_height) continue;
            const Verdict v =
                must(registry.accept_seal_proof(chain.id(), *duty.y_height, seal_passes()));
            if (!v || model == nullptr) continue;
            auto& entry = model->chains[chain.id()];
            if (duty.kind == SealProofKind::kSeal) entry.sealed_at = tip;
            entry.answers.emplace_back(*duty.y_height, tip);
        }
    }

    /// Links of the newest height with y, by those who feel like it.
    void receipts(Registry& registry, Height tip, RegistryModel* model) {
        std::vector<SubmittedReceipt> batch;
        for (const Height h : must(registry.open_heights())) {
            for (std::uint64_t i = 0; i < kChains; ++i) {
                if (dice("link", h.value, 8, i) < (i % 4 == 3 ? 5U : 1U)) continue;
                if (!must(registry.chain(chains_[i]->id()))) continue;
                const KnownHeight known = must(registry.known_height(h, chains_[i]->id()));
                if (!known.y) continue;
                batch.push_back({chains_[i]->id(), chains_[i]->full(known).receipt});
            }
        }
        const auto outcomes = must(registry.accept_receipts(batch));
        for (std::size_t n = 0; n < batch.size(); ++n) {
            if (!outcomes[n].verdict || model == nullptr) continue;
            model->chains[batch[n].chain_id].receipts[batch[n].receipt.height] =
                batch[n].receipt.link;
        }
        EXPECT_LE(tip, must(registry.tip()).value());
    }

    void proofs(Registry& registry, Height tip, RegistryModel* model) {
        const std::uint64_t lag = params_.closing_blocks() + params_.finality_blocks;
        if (tip.since(params_.genesis_height) < lag) return;
        const Height h = tip - lag;
        std::vector<AnyProof> batch;
        for (std::uint64_t i = 0; i < kChains; ++i) {
            TestChain& chain = *chains_[i];
            const auto receipt = must(registry.receipt(chain.id(), h));
            if (!receipt || dice("prove", h.value, 12, i) == 0) continue;
            const KnownHeight known = must(registry.known_height(h, chain.id()));
            const bool full = !known.y_compact || dice("full", h.value, 3, i) == 0 ||
                              full_required(params_.id(), *known.y_compact, chain.id());
            if (full) {
                batch.emplace_back(chain.full(known));
            } else {
                const PathProof path = must(registry.path(chain.id(), h));
                batch.emplace_back(chain.compact(known, path));
            }
        }
        const auto verdicts = must(registry.accept_proofs(batch));
        for (std::size_t n = 0; n < batch.size(); ++n) {
            EXPECT_EQ(verdicts[n], Verdict::ok());
            if (!verdicts[n] || model == nullptr) continue;
            model->chains[chain_of(batch[n])].proofs[h] =
                std::holds_alternative<Full>(batch[n]) ? LinkProof::kFull : LinkProof::kCompact;
        }
    }

    NetworkParams params_;
    std::uint64_t seed_;
    std::vector<std::unique_ptr<TestChain>> chains_;
};

}  // namespace holdfast::test
