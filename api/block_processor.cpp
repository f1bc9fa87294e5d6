#include "api/block_processor.hpp"

#include <algorithm>
#include <map>

#include "api/block_processor_impl.hpp"
#include "api/seal_prover.hpp"
#include "proofs/bundle.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kSealProofsPerCommit = 1'024;  // in one transaction

}  // namespace

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
        for (const auto& [link, member] : owed_by(set_, due))
            jobs.push_back({link, member, {}, {}});
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
        const LinkOpening opening =
            assemble_link(self_.network_id_, draws[i], std::move(*cells[i].opening));
        drawn[i]->link = opening.link;
        drawn[i]->openings = opening.openings;
    }
    return {};
}

Status BlockProcessor::Run::record(const LinkPlace& place, std::span<const LinkJob> jobs,
                                   std::vector<ChainLink>& signable) {
    const Timed timed(report_.times.record);
    std::vector<ChainLink> links;
    for (const LinkJob& j : jobs) {
        if (!j.link) continue;
        const ChainLink link{j.due.chain_id, *j.link};
        if (const Status alone = set_.record_alone(j.member, place, link); !alone) {
            fault(link.chain_id, alone.error());
            continue;
        }
        links.push_back(link);
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
    for (const LinkJob& job : jobs) {
        if (job.link) self_.kept_.keep(place, job.due.chain_id, job.openings);
    }
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

// --- the processor -------------------------------------------------------------------------------

BlockProcessor::BlockProcessor(const NetworkParams& params, DutySource& source,
                               const BlockProcessorOptions& options)
    : params_(params),
      network_id_(params.id()),
      source_(&source),
      options_(options),
      kept_(options.kept_opening_bytes) {}

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
