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

    /// The block of a height; its y, where it comes with the block, is note_y()'s.
    [[nodiscard]] FinalBlock block(Height h) const {
        FinalBlock b{h, test_hash(h), h.value * 60'000, {}};
        for (std::uint64_t i = 0; i < kChains; ++i) {
            const TestChain& chain = *chains_[i];
            if (h == registered_at(i)) {
                b.listed.bonds.push_back(chain.bond());
                b.listed.objects.push_back(object(Kind::kRegistration, chain.registration()));
            }
            if (h == registered_at(i) + 12 + dice("remove", i, 60)) {
                b.listed.objects.push_back(
                    object(Kind::kRemoval,
                           make_removal(params_.id(), chain.id(), 1, h, chain.key()).value()));
            }
        }
        return b;
    }
    /// Feeds the block of a height, and its y where that comes with it.
    BlockOutcome feed(Registry& registry, Height h, RegistryModel* model = nullptr) const {
        BlockOutcome out = must(registry.on_final_block(block(h)));
        if (y_with_block(h)) {
            EXPECT_EQ(must(registry.note_y(h, test_y(h))), Verdict::ok());
        }
        if (model == nullptr) return out;
        model->blocks[h] = test_hash(h);
        if (y_with_block(h)) model->ys[h] = test_y(h);
        for (const ObjectOutcome& o : out.objects) {
            if (!o.verdict) continue;
            auto& entry = model->chains[*o.chain_id];
            if (o.kind == Kind::kRemoval) {
                entry.removal_at = h;
                continue;
            }
            const ChainInfo info = must(registry.chain(*o.chain_id)).value();
            entry.genesis = info.registration.genesis_height;
            entry.retention = info.registration.retention;
            entry.accepted = h;
        }
        return out;
    }

    /// What happens while `tip` is the newest block. Accepted events go into the model, if there is
    /// one.
    void act(Registry& registry, Height tip, RegistryModel* model = nullptr) {
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
    [[nodiscard]] Height registered_at(std::uint64_t i) const {
        return chains_[i]->registration().genesis_height + dice("register", i, 20);
    }
    template <class T>
    static Submission object(Kind kind, const T& value) {
        return {kind, wrap_object(kind, value.encode())};
    }

    void late_y(Registry& registry, Height tip, RegistryModel* model) const {
        const Height h = tip - 1;
        if (h < params_.genesis_height || !y_later(h)) return;
        EXPECT_EQ(must(registry.note_y(h, test_y(h))), Verdict::ok());
        if (model != nullptr) model->ys[h] = test_y(h);
    }

    void act(Registry& registry, Height tip, std::uint64_t i, RegistryModel* model) {
        TestChain& chain = *chains_[i];
        const auto info = must(registry.chain(chain.id()));
        if (!info) return;
        const bool answers =
            info->phase == ChainPhase::kPending ? i % 5 != 0 : dice("audit", i, 3) != 0;
        if (answers && dice("answer", tip.value, 3, i) != 0) answer(registry, tip, chain, model);
    }

    void answer(Registry& registry, Height tip, const TestChain& chain,
                RegistryModel* model) const {
        for (const SealDuty& duty : must(registry.seal_duties(chain.id()))) {
            if (!duty.y_height) continue;
            const Bytes proof = seal_object(chain.id(), *duty.y_height);
            const Verdict v = must(registry.accept(ByteView(proof), seal_passes())).verdict;
            if (!v || model == nullptr) continue;
            auto& entry = model->chains[chain.id()];
            if (duty.kind == SealProofKind::kSeal) entry.sealed_at = tip;
            entry.answers.emplace_back(*duty.y_height, tip);
        }
    }

    /// Links of open heights with y, by those who feel like it.
    void receipts(Registry& registry, Height tip, RegistryModel* model) {
        for (const Height h : must(registry.open_heights())) {
            for (std::uint64_t i = 0; i < kChains; ++i) {
                TestChain& chain = *chains_[i];
                if (dice("link", h.value, 8, i) < (i % 4 == 3 ? 5U : 1U)) continue;
                if (!must(registry.chain(chain.id()))) continue;
                const KnownHeight known = must(registry.known_height(h, chain.id()));
                if (!known.y) continue;
                const Link link = chain.full(known).receipt.link;
                const Bytes bundle = chain.bundle(known, link);
                const ObjectOutcome out = must(registry.accept(ByteView(bundle)));
                const bool taken = out.verdict && !out.members.empty() && out.members[0];
                if (taken && model != nullptr) model->chains[chain.id()].receipts[h] = link;
            }
        }
        EXPECT_LE(tip, must(registry.tip()).value());
    }

    void proofs(Registry& registry, Height tip, RegistryModel* model) {
        const std::uint64_t lag = params_.closing_blocks() + params_.finality_blocks;
        if (tip.since(params_.genesis_height) < lag) return;
        const Height h = tip - lag;
        for (std::uint64_t i = 0; i < kChains; ++i) {
            TestChain& chain = *chains_[i];
            const auto stands = must(registry.link(chain.id(), h));
            if (!stands || dice("prove", h.value, 12, i) == 0) continue;
            const KnownHeight known = must(registry.known_height(h, chain.id()));
            const bool full = !known.y_compact || dice("full", h.value, 3, i) == 0 ||
                              full_required(params_.id(), *known.y_compact, chain.id());
            Bytes proof;
            if (full) {
                proof = wrap_object(Kind::kFull, chain.full(known).encode());
            } else {
                const PathProof path = must(registry.path(chain.id(), h));
                proof = wrap_object(Kind::kCompact, chain.compact(known, path).encode());
            }
            EXPECT_EQ(must(registry.accept(ByteView(proof))).verdict, Verdict::ok());
            if (model == nullptr) continue;
            auto& best = model->chains[chain.id()].proofs[h];
            best = std::max(best, full ? LinkProof::kFull : LinkProof::kCompact);
        }
    }

    NetworkParams params_;
    std::uint64_t seed_;
    std::vector<std::unique_ptr<TestChain>> chains_;
};

}  // namespace holdfast::test
