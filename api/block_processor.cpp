#include "api/block_processor.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "api/seal_prover.hpp"
#include "chunking/replica_batch.hpp"
#include "proofs/bundle.hpp"
#include "proofs/digests.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatchChains = 32;             // read together by one worker
constexpr std::size_t kFilesPerChain = 2;            // replica and tree
constexpr std::size_t kSealProofsPerCommit = 1'024;  // in one transaction
constexpr std::size_t kProofsAtOnce = 4'096;         // held in memory, and in one transaction

/// Adds the time until it goes away to a step's.
class Timed {
  public:
    explicit Timed(double& seconds) : seconds_(seconds) {}
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;
    ~Timed() { seconds_ += std::chrono::duration<double>(Clock::now() - start_).count(); }

  private:
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

}  // namespace

/// One call of process().
class BlockProcessor::Run {
  public:
    Run(BlockProcessor& self, ProverSet& set, Height height, const StopCheck& stop)
        : self_(self), source_(*self.source_), set_(set), height_(height), stop_(stop) {}

    Result<SetReport> all() {
        report_.members = set_.members().size();
        HOLDFAST_TRY(set_.find_chains(
            source_, [&](const std::filesystem::path&, const Error& e) { fault({}, e); }));
        HOLDFAST_TRY(source_.hand_over_again());
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
    struct LinkJob {
        DueLink due;
        std::uint32_t member = 0;
        std::optional<Link> link;
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
    Result<std::optional<AnyShort>> prove(const KnownHeight& known, const ProofJob& job,
                                          const LinkDraw& draw, CellsToOpen& cells,
                                          CellsToOpen* cell) const;
    Status submit_proofs(Height proven, std::span<ProofJob> jobs);

    BlockProcessor& self_;
    DutySource& source_;
    ProverSet& set_;
    Height height_;
    const StopCheck& stop_;
    std::mutex mutex_;
    SetReport report_;
    std::atomic<bool> reveal_refused_{false};
};

// --- seal and audit proofs -----------------------------------------------------------------------

Status BlockProcessor::Run::seal_proofs() {
    std::vector<std::pair<SealDuty, std::uint32_t>> own;
    {
        const Timed timed(report_.times.plan);
        HOLDFAST_ASSIGN(due, source_.due_seal_proofs(own_chains()));
        own = owed_by(set_, due);
    }
    const Timed timed(report_.times.seal);
    for (std::size_t at = 0; at < own.size(); at += kSealProofsPerCommit) {
        const std::size_t count = std::min(kSealProofsPerCommit, own.size() - at);
        std::vector<Bytes> objects(count);
        HOLDFAST_TRY(in_pieces("seal proofs", count, 1, workers(),
                               [&](unsigned, std::size_t i, std::size_t) -> Status {
                                   const auto& [duty, member] = own[at + i];
                                   Result<Bytes> proof = prove_seal(duty, member);
                                   if (proof) {
                                       objects[i] = std::move(*proof);
                                       return {};
                                   }
                                   if (proof.error().code == ErrorCode::kInterrupted) {
                                       return fail(proof.error());
                                   }
                                   fault(duty.chain_id, proof.error());
                                   return {};
                               }));
        std::vector<AnsweredDuty> answered;
        for (std::size_t i = 0; i < count; ++i) {
            if (objects[i].empty()) continue;
            answered.push_back({own[at + i].first, std::move(objects[i])});
        }
        HOLDFAST_TRY(submit_seal_proofs(answered));
    }
    return {};
}

/// Makes the proof and checks it as everybody else would: one fill each.
Result<Bytes> BlockProcessor::Run::prove_seal(const SealDuty& duty, std::uint32_t member) {
    const SetMember& m = set_.members()[member];
    HOLDFAST_ASSIGN(registration, source_.registration(duty.chain_id));
    if (!registration) return fail(ErrorCode::kNotFound, "the registry has lost the chain");
    RawOptions raw;
    raw.stop = stop_;
    return make_checked_seal_proof(self_.params_, self_.network_id_, *registration, m.replica,
                                   {*duty.y_height, *duty.y, duty.kind}, set_.key(), raw);
}

/// Proofs that have been made and checked.
Status BlockProcessor::Run::submit_seal_proofs(std::span<const AnsweredDuty> answered) {
    std::vector<ByteView> objects;
    for (const AnsweredDuty& a : answered) objects.emplace_back(a.object);
    if (objects.empty()) return {};
    std::map<ChainId, VdfOutput> checked;
    for (const AnsweredDuty& a : answered) checked[a.duty.chain_id] = *a.duty.y;
    const SealCheck check = [&](const Registration& registration, const SealContext& known,
                                ByteView) -> Result<Verdict> {
        const auto found = checked.find(registration.chain_id(self_.network_id_));
        const bool same = found != checked.end() && found->second == known.y;
        return same ? Verdict::ok() : Verdict(Reason::kWrongHeight);
    };
    HOLDFAST_ASSIGN(outcomes, source_.accept(objects, check));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        report_.seal_proofs += outcomes[i].verdict ? 1 : 0;
        // Two audits that draw the same y are answered by one proof.
        if (!outcomes[i].verdict && outcomes[i].verdict.reason != Reason::kWrongHeight) {
            fault(answered[i].duty.chain_id,
                  fail_refused(outcomes[i].verdict, "our own seal proof").value());
        }
    }
    return {};
}

Status BlockProcessor::Run::new_bases() {
    const Timed timed(report_.times.seal);
    const auto failed = [&](const ChainId& chain_id, const Error& e) { fault(chain_id, e); };
    HOLDFAST_ASSIGN(made, set_.new_bases().make(self_.params_, source_, set_, height_, workers(),
                                                stop_, failed));
    report_.updates = made;
    return {};
}

// --- links ---------------------------------------------------------------------------------------

/// Of every open height whose y is there: one that came late is linked while it is open.
Status BlockProcessor::Run::links() {
    HOLDFAST_ASSIGN(open, source_.open_heights());
    for (const Height h : open) {
        if (h <= height_) HOLDFAST_TRY(links_of(h));
    }
    return {};
}

Status BlockProcessor::Run::links_of(Height height) {
    std::vector<LinkJob> jobs;
    KnownHeight known;
    {
        const Timed timed(report_.times.plan);
        HOLDFAST_ASSIGN(of_height, source_.known_height(height));
        if (!of_height.y) return {};  // no link counts at a height without y
        known = of_height;
        HOLDFAST_ASSIGN(due, source_.due_links(height, own_chains()));
        jobs.reserve(due.size());
        for (const auto& [link, member] : owed_by(set_, due)) jobs.push_back({link, member, {}});
        for (const LinkJob& j : jobs) {
            if (j.due.reveal_base) HOLDFAST_TRY(set_.reveals(j.member, *j.due.reveal_base));
        }
    }
    report_.links_due += jobs.size();
    HOLDFAST_TRY(make_links(known, jobs));
    return hand_over(known, jobs);
}

Status BlockProcessor::Run::make_links(const KnownHeight& known, std::vector<LinkJob>& jobs) {
    const Timed timed(report_.times.links);
    return in_pieces("links", jobs.size(), reading_piece(), reading_workers(),
                     [&](unsigned worker, std::size_t from, std::size_t end) {
                         return link_piece(worker, known,
                                           std::span(jobs).subspan(from, end - from));
                     });
}

Status BlockProcessor::Run::link_piece(unsigned worker, const KnownHeight& known,
                                       std::span<LinkJob> jobs) {
    std::vector<CellsToOpen> cells;
    std::vector<LinkDraw> draws;
    std::vector<LinkJob*> drawn;
    for (LinkJob& job : jobs) {
        const auto facts =
            facts_of(job.due.chain_id, job.member, known, job.due.link_before, job.due.reveal_base);
        if (!facts) continue;
        cells.push_back(cells_of(job.member));
        draws.push_back(draw_link(self_.network_id_, *facts, cells.back().chunks));
        cells.back().cells.assign(draws.back().cells.begin(), draws.back().cells.end());
        drawn.push_back(&job);
    }
    open_cells(*self_.readers_[worker], set_.files(), cells);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        if (!cells[i].opening) {
            fault(drawn[i]->due.chain_id, cells[i].opening.error());
            continue;
        }
        drawn[i]->link =
            assemble_link(self_.network_id_, draws[i], std::move(*cells[i].opening)).link;
    }
    return {};
}

Status BlockProcessor::Run::record(const LinkPlace& place, std::span<const LinkJob> jobs,
                                   std::vector<ChainLink>& signable) {
    const Timed timed(report_.times.record);
    std::vector<ChainLink> links;
    for (const LinkJob& j : jobs) {
        if (j.link) links.push_back({j.due.chain_id, *j.link});
    }
    HOLDFAST_ASSIGN(verdicts, set_.records().record(place, links));
    for (std::size_t i = 0; i < links.size(); ++i) {
        if (verdicts[i]) {
            signable.push_back(links[i]);
        } else {
            fault(links[i].chain_id,
                  fail_refused(verdicts[i], "another link for this height on record").value());
        }
    }
    return {};
}

Status BlockProcessor::Run::hand_over(const KnownHeight& known, std::span<const LinkJob> jobs) {
    const LinkPlace place{known.height, known.block_hash, known.anchor};
    std::vector<ChainLink> signable;
    HOLDFAST_TRY(record(place, jobs, signable));
    for (std::size_t at = 0; at < signable.size(); at += kBundleMaxMembers) {
        if (stop_ && stop_()) return interrupted();
        const std::size_t count = std::min<std::size_t>(kBundleMaxMembers, signable.size() - at);
        HOLDFAST_TRY(submit(place, std::span(signable).subspan(at, count)));
    }
    return {};
}

/// One bundle of links that are on record.
Status BlockProcessor::Run::submit(const LinkPlace& place, std::span<const ChainLink> links) {
    Bytes object;
    {
        const Timed timed(report_.times.sign);
        std::vector<BundleEntry> members;
        members.reserve(links.size());
        for (const ChainLink& l : links) members.push_back({l.chain_id, l.link});
        HOLDFAST_ASSIGN(bundle, make_bundle(self_.network_id_, place.block_hash, place.height,
                                            place.anchor, std::move(members), set_.key()));
        object = wrap_object(Kind::kBundle, bundle.encode());
    }
    const Timed timed(report_.times.bundles);
    const ByteView one(object);
    HOLDFAST_ASSIGN(outcomes, source_.accept({&one, 1}, {}));
    ObjectOutcome& outcome = outcomes[0];
    if (outcome.verdict.reason == Reason::kTooLate) {  // the height has closed meanwhile
        for (const ChainLink& l : links) {
            fault(l.chain_id, fail_refused(outcome.verdict, "our own bundle").value());
        }
        return {};
    }
    if (!outcome.verdict) return fail_refused(outcome.verdict, "our own bundle");
    // What a block will list is judged then.
    if (!self_.params_.has_operator()) outcome.members.resize(links.size(), Verdict::ok());
    std::vector<ChainLink> good;
    for (std::size_t i = 0; i < links.size(); ++i) {
        if (outcome.members[i]) {
            good.push_back(links[i]);
        } else {
            fault(links[i].chain_id, fail_refused(outcome.members[i], "our own link").value());
        }
    }
    report_.links += good.size();
    if (self_.options_.on_links) self_.options_.on_links(place, good);
    return {};
}

// --- proofs of earlier links ---------------------------------------------------------------------

/// The height whose compact index this block's y has drawn, and the heights before it whose proofs
/// are still taken: files that could not be read then may be readable now.
Status BlockProcessor::Run::proofs() {
    HOLDFAST_ASSIGN(heights, source_.proof_heights());
    for (const Height h : heights) {
        if (compact_draw_height(self_.params_, h) <= height_) HOLDFAST_TRY(proofs_of(h));
    }
    return {};
}

Status BlockProcessor::Run::proofs_of(Height proven) {
    std::vector<ProofJob> jobs;
    KnownHeight known;
    {
        const Timed timed(report_.times.proofs);
        HOLDFAST_ASSIGN(of_height, source_.known_height(proven));
        if (!of_height.y || !of_height.y_compact) return {};  // counts for nobody
        known = of_height;
        HOLDFAST_ASSIGN(due, source_.due_proofs(proven, own_chains()));
        jobs.reserve(due.size());
        for (const auto& [proof, member] : owed_by(set_, due)) jobs.push_back({proof, member, {}});
        if (jobs.empty()) return {};
        for (const ProofJob& j : jobs) {
            if (j.due.reveal_base) HOLDFAST_TRY(set_.reveals(j.member, *j.due.reveal_base));
        }
    }
    report_.proofs_due += jobs.size();
    for (std::size_t at = 0; at < jobs.size(); at += kProofsAtOnce) {
        const auto group = std::span(jobs).subspan(at, std::min(kProofsAtOnce, jobs.size() - at));
        {
            const Timed timed(report_.times.proofs);
            HOLDFAST_TRY(in_pieces("proofs", group.size(), reading_piece(), reading_workers(),
                                   [&](unsigned worker, std::size_t from, std::size_t end) {
                                       return proof_piece(worker, known,
                                                          group.subspan(from, end - from));
                                   }));
        }
        const Timed timed(report_.times.proven);
        HOLDFAST_TRY(submit_proofs(proven, group));
        for (ProofJob& job : group) job.proof.reset();
    }
    return {};
}

Status BlockProcessor::Run::proof_piece(unsigned worker, const KnownHeight& known,
                                        std::span<ProofJob> jobs) {
    constexpr std::size_t kNone = SIZE_MAX;
    std::vector<CellsToOpen> cells;
    std::vector<LinkDraw> draws;
    std::vector<std::pair<ProofJob*, std::size_t>> drawn;  // with its place of the one cell
    std::vector<CellsToOpen> single;
    for (ProofJob& job : jobs) {
        const ChainId& chain_id = job.due.chain_id;
        const auto facts =
            facts_of(chain_id, job.member, known, job.due.link_before, job.due.reveal_base);
        if (!facts) continue;
        cells.push_back(cells_of(job.member));
        draws.push_back(draw_link(self_.network_id_, *facts, cells.back().chunks));
        cells.back().cells.assign(draws.back().cells.begin(), draws.back().cells.end());
        drawn.emplace_back(&job, kNone);
        if (full_required(self_.network_id_, *known.y_compact, chain_id)) continue;
        const std::uint8_t j = compact_index(self_.network_id_, *known.y_compact, chain_id);
        drawn.back().second = single.size();
        single.push_back(cells_of(job.member));
        single.back().cells = {draws.back().where[j].index().value};
    }
    const std::size_t links = cells.size();
    cells.insert(cells.end(), std::make_move_iterator(single.begin()),
                 std::make_move_iterator(single.end()));
    open_cells(*self_.readers_[worker], set_.files(), cells);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        auto& [job, place] = drawn[i];
        CellsToOpen* const cell = place == kNone ? nullptr : &cells[links + place];
        Result<std::optional<AnyShort>> proof = prove(known, *job, draws[i], cells[i], cell);
        if (proof) {
            if (*proof) job->proof = std::make_unique<AnyShort>(*std::move(*proof));
        } else {
            fault(job->due.chain_id, proof.error());
        }
    }
    return {};
}

Result<std::optional<AnyShort>> BlockProcessor::Run::prove(const KnownHeight& known,
                                                           const ProofJob& job,
                                                           const LinkDraw& draw, CellsToOpen& cells,
                                                           CellsToOpen* cell) const {
    HOLDFAST_TRY(cells.opening);
    const LinkOpening opening = assemble_link(self_.network_id_, draw, std::move(*cells.opening));
    if (opening.link != job.due.link) {
        return fail(ErrorCode::kCorrupt, cells.replica.string() +
                                             ": no longer gives the link that was signed for "
                                             "height " +
                                             std::to_string(known.height.value));
    }
    if (cell == nullptr) return std::optional<AnyShort>(to_short_full(opening));
    HOLDFAST_TRY(cell->opening);
    return std::optional<AnyShort>(to_short_compact(self_.network_id_, opening, *known.y_compact,
                                                    std::move(cell->opening->siblings)));
}

Status BlockProcessor::Run::submit_proofs(Height proven, std::span<ProofJob> jobs) {
    std::vector<const ProofJob*> made;
    std::vector<Bytes> objects;
    for (const ProofJob& job : jobs) {
        if (!job.proof) continue;
        const bool full = std::holds_alternative<ShortFull>(*job.proof);
        made.push_back(&job);
        objects.push_back(
            wrap_object(full ? Kind::kShortFull : Kind::kShortCompact,
                        std::visit([](const auto& p) { return p.encode(); }, *job.proof)));
    }
    if (made.empty()) return {};
    const std::vector<ByteView> views(objects.begin(), objects.end());
    HOLDFAST_ASSIGN(outcomes, source_.accept(views, {}));
    for (std::size_t i = 0; i < made.size(); ++i) {
        const ChainId& chain_id = made[i]->due.chain_id;
        if (!outcomes[i].verdict) {
            fault(chain_id, fail_refused(outcomes[i].verdict, "our own proof").value());
            if (outcomes[i].verdict.reason == Reason::kRevealTooFar) reveal_refused_ = true;
            continue;
        }
        const bool full = std::holds_alternative<ShortFull>(*made[i]->proof);
        ++(full ? report_.full_proofs : report_.compact_proofs);
        if (!self_.options_.on_proof) continue;
        HOLDFAST_TRY(self_.options_.on_proof({chain_id, proven, full, std::move(objects[i])}));
    }
    return {};
}

// --- the processor -------------------------------------------------------------------------------

BlockProcessor::BlockProcessor(const NetworkParams& params, DutySource& source,
                               const BlockProcessorOptions& options)
    : params_(params), network_id_(params.id()), source_(&source), options_(options) {}

Result<BlockProcessor> BlockProcessor::make(const NetworkParams& params, DutySource& source,
                                            const BlockProcessorOptions& options) {
    BlockProcessor out(params, source, options);
    const unsigned workers = worker_count(options.threads, UINT64_MAX);
    for (unsigned i = 0; i < workers; ++i) {
        if (!options.way) {
            out.readers_.push_back(BatchReader::best(options.depth));
            continue;
        }
        HOLDFAST_ASSIGN(reader, BatchReader::make(*options.way, options.depth));
        out.readers_.push_back(std::move(reader));
    }
    return out;
}

Result<SetReport> BlockProcessor::process(ProverSet& set, Height height, const StopCheck& stop) {
    return Run(*this, set, height, stop).all();
}

}  // namespace holdfast
