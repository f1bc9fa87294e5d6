// A host chain in memory that branches before its blocks are final, and the token on it: what the
// nodes of a random history share.
//
// What was submitted is listed by a later block, in some order; a reorganisation drops blocks that
// are not final and lists what stood in them anew. Bond events keep their order. The token carries
// each decision out once, whichever node brings it, and its facts are listed like all others.
#pragma once

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "callbacks/blockchain.hpp"
#include "core/codec.hpp"
#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "core/params.hpp"
#include "hierarchy/decision.hpp"

namespace holdfast::test {

class HistoryHost final : public Blockchain {
  public:
    /// `repeatable`: its final blocks have the hashes of an embedded local chain that lists the
    /// same, bond events before objects and nothing twice.
    HistoryHost(const NetworkParams& params, std::uint64_t seed, bool repeatable = false)
        : first_(params.genesis_height),
          finality_(params.finality_blocks),
          random_(seed),
          network_id_(params.id()),
          repeatable_(repeatable) {
        append();
    }

    // --- making blocks ---------------------------------------------------------------------------

    /// For some later block.
    void list(const BondEvent& event) {
        if (event.what == BondEventKind::kCreated && !held_.contains(event.bond)) {
            held_[event.bond] = event.amount;
        } else if (event.what == BondEventKind::kAdded) {
            held_[event.bond] += event.amount;
        }
        waiting_.bonds.push_back(event);
    }
    /// The next block, with everything that waits.
    void append() {
        Block block;
        block.info.height = first_ + blocks_.size();
        block.info.time_ms = block.info.height.value * 1'000 + random_() % 900;
        block.info.parent = blocks_.empty() ? BlockHash{} : blocks_.back().info.hash;
        block.listed = std::exchange(waiting_, {});
        block.info.hash = repeatable_
                              ? repeatable_hash(block)
                              : BlockHash(tagged_hash("test/history block", block.info.parent,
                                                      block.info.height, branches_));
        blocks_.push_back(std::move(block));
    }
    /// What a block lists, as an embedded chain does.
    static std::vector<Bytes> listed_bytes(const ListedBlock& listed) {
        std::vector<Bytes> out;
        for (const BondEvent& event : listed.bonds) {
            out.push_back(wrap_object(Kind{0}, event.encode()));
        }
        for (const Submission& one : listed.objects) out.push_back(one.object);
        return out;
    }
    Result<std::vector<Bytes>> listed_at(Height height) const {
        HOLDFAST_ASSIGN(block, at(height));
        return listed_bytes(block->listed);
    }
    /// Drops the newest block, unless it is final, and makes another in its place. Some of what it
    /// listed may have to wait longer.
    void replace_newest() {
        if (blocks_.size() < 2 || finality_ == 0) return;
        ++branches_;
        ListedBlock dropped = std::move(blocks_.back().listed);
        blocks_.pop_back();
        waiting_.bonds.insert(waiting_.bonds.begin(), dropped.bonds.begin(), dropped.bonds.end());
        waiting_.objects.insert(waiting_.objects.begin(), dropped.objects.begin(),
                                dropped.objects.end());
        std::shuffle(waiting_.objects.begin(), waiting_.objects.end(), random_);
        std::vector<Submission> later;
        while (!waiting_.objects.empty() && random_() % 4 == 0) {
            later.push_back(std::move(waiting_.objects.back()));
            waiting_.objects.pop_back();
        }
        append();
        waiting_.objects = std::move(later);
    }
    [[nodiscard]] std::uint64_t branches() const { return branches_; }
    [[nodiscard]] std::optional<Height> newest_final() const {
        if (blocks_.size() <= finality_) return std::nullopt;
        return first_ + (blocks_.size() - 1 - finality_);
    }

    // --- the token -------------------------------------------------------------------------------

    /// Whoever brings a decision: its steps are done once.
    void carry_out(const Decision& decision) {
        if (!done_.insert(decision.id).second) return;
        for (const DecidedStep& step : decision.steps) {
            const bool slash = step.kind == DecidedStep::Kind::kSlash;
            if (!slash && step.kind != DecidedStep::Kind::kRelease) continue;
            std::uint64_t& held = held_[step.bond];
            const std::uint64_t moved = std::min(held, step.amount);
            held -= moved;
            if (slash) slashed_.insert(step.bond);
            BondEvent event;
            event.what = slash ? BondEventKind::kSlashed : BondEventKind::kReleased;
            event.bond = step.bond;
            event.amount = moved;
            event.number = ++events_;
            waiting_.bonds.push_back(event);
        }
    }
    [[nodiscard]] std::uint64_t cases() const { return done_.size(); }
    [[nodiscard]] bool was_slashed(const BondId& bond) const { return slashed_.contains(bond); }
    [[nodiscard]] std::uint64_t held(const BondId& bond) const {
        const auto at = held_.find(bond);
        return at == held_.end() ? 0 : at->second;
    }

    // --- Blockchain ------------------------------------------------------------------------------

    Result<Height> current_height() override { return first_ + (blocks_.size() - 1); }
    Result<BlockInfo> block_by_height(Height height) override {
        HOLDFAST_ASSIGN(block, at(height));
        BlockInfo info = block->info;
        info.final = newest_final() && height <= *newest_final();
        return info;
    }
    Status submit(Kind kind, ByteView object) override {
        if (repeatable_ && !submitted_.insert(sha256(object)).second) return {};
        waiting_.objects.push_back({kind, Bytes(object.begin(), object.end())});
        return {};
    }
    Result<std::vector<Submission>> submissions_at(Height height) override {
        HOLDFAST_ASSIGN(block, at(height));
        return block->listed.objects;
    }
    Result<std::vector<BondEvent>> bond_events_at(Height height) override {
        HOLDFAST_ASSIGN(block, at(height));
        return block->listed.bonds;
    }

  private:
    struct Block {
        BlockInfo info;
        ListedBlock listed;
    };
    Result<const Block*> at(Height height) const {
        if (height < first_ || height.since(first_) >= blocks_.size()) {
            return fail(ErrorCode::kNotFound, "no such block");
        }
        return &blocks_[height.since(first_)];
    }

    [[nodiscard]] BlockHash repeatable_hash(const Block& block) const {
        std::vector<Digest> leaves;
        for (const Bytes& one : listed_bytes(block.listed)) leaves.push_back(leaf_hash(one));
        return BlockHash(tagged_hash("local-chain/block", network_id_, block.info.height,
                                     block.info.parent, block.info.time_ms,
                                     static_cast<std::uint32_t>(branches_), merkle_root(leaves)));
    }

    Height first_;
    std::uint64_t finality_;
    std::mt19937_64 random_;
    NetworkId network_id_;
    bool repeatable_;
    std::set<Digest> submitted_;
    std::vector<Block> blocks_;
    ListedBlock waiting_;
    std::uint64_t branches_ = 0;
    std::uint64_t events_ = 0;
    std::map<BondId, std::uint64_t> held_;
    std::set<CaseId> done_;
    std::set<BondId> slashed_;
};

}  // namespace holdfast::test
