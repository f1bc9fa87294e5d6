// One call of BlockProcessor::process(): what its steps share. Seal proofs and links are in
// block_processor.cpp, proofs of earlier links in block_processor_proofs.cpp.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "api/block_processor.hpp"
#include "chunking/replica_batch.hpp"
#include "proofs/digests.hpp"
#include "storage/parallel.hpp"

namespace holdfast {

/// Adds the time until it goes away to a step's.
class Timed {
  public:
    explicit Timed(double& seconds) : seconds_(seconds) {}
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;
    ~Timed() { seconds_ += std::chrono::duration<double>(Clock::now() - start_).count(); }

  private:
    using Clock = std::chrono::steady_clock;
    double& seconds_;
    Clock::time_point start_ = Clock::now();
};

/// What is owed by members of the set, of what is owed by all; both ascend by chain id.
template <class Due>
std::vector<std::pair<Due, std::uint32_t>> owed_by(const ProverSet& set,
                                                   const std::vector<Due>& due) {
    std::vector<std::pair<Due, std::uint32_t>> out;
    auto own = set.by_chain().begin();
    const auto end = set.by_chain().end();
    for (const Due& d : due) {
        while (own != end && own->first < d.chain_id) ++own;
        if (own != end && own->first == d.chain_id) out.emplace_back(d, own->second);
    }
    return out;
}

/// One call of process().
class BlockProcessor::Run {
  public:
    Run(BlockProcessor& self, ProverSet& set, Height height, const StopCheck& stop)
        : self_(self), source_(*self.source_), set_(set), height_(height), stop_(stop) {}

    Result<SetReport> all() {
        report_.members = set_.members().size();
        HOLDFAST_TRY(set_.find_chains(
            source_, [&](const std::filesystem::path&, const Error& e) { fault({}, e); }));
        if (self_.options_.seal_proofs) HOLDFAST_TRY(seal_proofs());
        HOLDFAST_TRY(new_bases());
        HOLDFAST_TRY(links());
        HOLDFAST_TRY(proofs());
        if (reveal_refused_) set_.new_bases().look_again();
        report_.most_open_files = set_.files().most();
        std::sort(report_.faults.begin(), report_.faults.end(),
                  [](const BlockFault& a, const BlockFault& b) {
                      return std::tie(a.chain_id, a.height, a.error.message) <
                             std::tie(b.chain_id, b.height, b.error.message);
                  });
        return std::move(report_);
    }

  private:
    static constexpr std::size_t kBatchChains = 32;   // read together by one worker
    static constexpr std::size_t kFilesPerChain = 2;  // replica and tree

    struct LinkJob {
        DueLink due;
        std::uint32_t member = 0;
        std::optional<Link> link;
        KeptOpenings::Openings openings;  // of that link
    };
    struct ProofJob {
        DueProof due;
        std::uint32_t member = 0;
        std::unique_ptr<AnyShort> proof;  // kilobytes: only while its group is under way
    };

    void fault(const std::optional<ChainId>& chain_id, const Error& error) {
        const std::lock_guard lock(mutex_);
        ++report_.fault_count;
        if (report_.faults.size() < self_.options_.most_faults) {
            report_.faults.push_back({chain_id, height_, error});
        }
    }
    [[nodiscard]] unsigned workers() const { return static_cast<unsigned>(self_.readers_.size()); }
    /// Workers and chains of a piece, so that what they hold open stays within the set's limit: two
    /// files a chain.
    [[nodiscard]] unsigned reading_workers() const {
        return static_cast<unsigned>(
            std::clamp<std::size_t>(set_.files().limit() / kFilesPerChain, 1, workers()));
    }
    [[nodiscard]] std::size_t reading_piece() const {
        return std::clamp<std::size_t>(set_.files().limit() / (kFilesPerChain * reading_workers()),
                                       1, kBatchChains);
    }

    /// body(worker, from, end) for [0, count) in pieces.
    template <class Body>
    Status in_pieces(const char* what, std::size_t count, std::size_t piece, unsigned threads,
                     const Body& body) {
        std::size_t done = 0;
        const std::size_t pieces = (count + piece - 1) / piece;
        return run_workers(threads, pieces, stop_, [&](unsigned worker, std::uint64_t i) {
            const std::size_t from = static_cast<std::size_t>(i) * piece;
            const std::size_t end = std::min(count, from + piece);
            const Status status = body(worker, from, end);
            if (self_.options_.progress) {
                const std::lock_guard lock(mutex_);
                self_.options_.progress(what, done += end - from, count);
            }
            return status;
        });
    }

    /// The facts of a link; empty, and a fault, where its reveal is not to be had.
    std::optional<LinkFacts> facts_of(const ChainId& chain_id, std::uint32_t member,
                                      const KnownHeight& known, const Link& link_before,
                                      const std::optional<Height>& base) {
        LinkFacts facts{chain_id,     known.height, known.block_hash, *known.y,
                        known.anchor, link_before,  Reveal{}};
        if (!base) return facts;
        const Result<RevealChain*> reveals = set_.reveals(member, *base);
        if (!reveals) {
            fault(chain_id, reveals.error());
            return std::nullopt;
        }
        const Checked<Reveal> reveal = (*reveals)->at_height(known.height);
        if (reveal) {
            facts.reveal = *reveal;
            return facts;
        }
        fault(chain_id, fail_refused(reveal.error(), "the reveal of this height").value());
        reveal_refused_ = true;
        return std::nullopt;
    }
    [[nodiscard]] DutySource::Wanted own_chains() const {
        return [this](const ChainId& id) { return set_.member_of(id).has_value(); };
    }
    [[nodiscard]] CellsToOpen cells_of(std::uint32_t member) const {
        const SetMember& m = set_.members()[member];
        CellsToOpen out;
        out.replica = m.replica;
        out.chunks = m.chunks;
        out.sealed_root = m.sealed_root;
        return out;
    }

    Status seal_proofs();
    struct AnsweredDuty {
        SealDuty duty;
        Bytes object;
    };
    Result<Bytes> prove_seal(const SealDuty& duty, std::uint32_t member);
    Status submit_seal_proofs(std::span<const AnsweredDuty> answered);
    Status new_bases();
    Status links();
    Status links_of(Height height);
    Status make_links(const KnownHeight& known, std::vector<LinkJob>& jobs);
    Status link_piece(unsigned worker, const KnownHeight& known, std::span<LinkJob> jobs);
    Status hand_over(const KnownHeight& known, std::span<const LinkJob> jobs);
    Status record(const LinkPlace& place, std::span<const LinkJob> jobs,
                  std::vector<ChainLink>& signable);
    Status submit(const LinkPlace& place, std::span<const ChainLink> links);
    Status proofs();
    Status proofs_of(Height proven);
    Status proof_piece(unsigned worker, const KnownHeight& known, std::span<ProofJob> jobs);
    /// What a proof is made of: places among the cells that are opened.
    struct ProofParts {
        ProofJob* job = nullptr;
        LinkDraw draw;
        const KeptOpenings::Openings* kept = nullptr;  // then the one cell is enough
        std::optional<std::size_t> all;
        std::optional<std::size_t> one;  // empty: a full proof
    };
    Result<AnyShort> prove(const KnownHeight& known, const ProofParts& parts,
                           std::span<CellsToOpen> cells) const;
    Status submit_proofs(const KnownHeight& known, std::span<ProofJob> jobs);

    BlockProcessor& self_;
    DutySource& source_;
    ProverSet& set_;
    Height height_;
    const StopCheck& stop_;
    std::mutex mutex_;
    SetReport report_;
    std::atomic<bool> reveal_refused_{false};
};

}  // namespace holdfast
