#include "api/block_processor_impl.hpp"
#include "api/seal_prover.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kProofsAtOnce = 4'096;  // held in memory, and in one transaction

}  // namespace

/// The height whose compact index this block's y has drawn, and the heights before it whose proofs
/// are still taken: files that could not be read then may be readable now.
Status BlockProcessor::Run::proofs() {
    HOLDFAST_ASSIGN(heights, source_.proof_heights());
    if (!heights.empty()) self_.kept_.forget_below(heights.front());
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
        HOLDFAST_TRY(submit_proofs(known, group));
        for (ProofJob& job : group) job.proof.reset();
    }
    return {};
}

Status BlockProcessor::Run::proof_piece(unsigned worker, const KnownHeight& known,
                                        std::span<ProofJob> jobs) {
    const LinkPlace place{known.height, known.block_hash, known.anchor};
    std::vector<CellsToOpen> cells;
    std::vector<ProofParts> proofs;
    for (ProofJob& job : jobs) {
        const ChainId& chain_id = job.due.chain_id;
        const auto facts =
            facts_of(chain_id, job.member, known, job.due.link_before, job.due.reveal_base);
        if (!facts) continue;
        const ChunkCount chunks = set_.members()[job.member].chunks;
        ProofParts& proof = proofs.emplace_back();
        proof.job = &job;
        proof.draw = draw_link(self_.network_id_, *facts, chunks);
        const bool full = full_required(self_.network_id_, *known.y_compact, chain_id);
        if (!full) proof.kept = self_.kept_.find(place, chain_id);
        if (proof.kept == nullptr) {
            proof.all = cells.size();
            cells.push_back(cells_of(job.member));
            cells.back().cells.assign(proof.draw.cells.begin(), proof.draw.cells.end());
        }
        if (full) continue;
        const std::uint8_t j = compact_index(self_.network_id_, *known.y_compact, chain_id);
        proof.one = cells.size();
        cells.push_back(cells_of(job.member));
        cells.back().cells = {proof.draw.where[j].index().value};
    }
    open_cells(*self_.readers_[worker], set_.files(), cells);
    for (const ProofParts& parts : proofs) {
        Result<AnyShort> proof = prove(known, parts, cells);
        if (proof) {
            parts.job->proof = std::make_unique<AnyShort>(*std::move(proof));
        } else {
            fault(parts.job->due.chain_id, proof.error());
        }
    }
    return {};
}

Result<AnyShort> BlockProcessor::Run::prove(const KnownHeight& known, const ProofParts& parts,
                                            std::span<CellsToOpen> cells) const {
    const Link& link = parts.job->due.link;
    const std::string& replica = set_.members()[parts.job->member].replica;
    if (parts.all) HOLDFAST_TRY(cells[*parts.all].opening);
    if (parts.one) HOLDFAST_TRY(cells[*parts.one].opening);
    if (parts.kept != nullptr) {
        Result<ShortCompact> proof =
            to_short_compact(self_.network_id_, parts.draw, *parts.kept, link, *known.y_compact,
                             std::move(*cells[*parts.one].opening));
        if (!proof) return fail(ErrorCode::kCorrupt, replica + ": " + proof.error().message);
        return AnyShort(*std::move(proof));
    }
    const LinkOpening opening =
        assemble_link(self_.network_id_, parts.draw, std::move(*cells[*parts.all].opening));
    if (opening.link != link) {
        return fail(ErrorCode::kCorrupt,
                    replica + ": no longer gives the link that was signed for height " +
                        std::to_string(known.height.value));
    }
    if (!parts.one) return AnyShort(to_short_full(opening));
    return AnyShort(to_short_compact(self_.network_id_, opening, *known.y_compact,
                                     std::move(cells[*parts.one].opening->siblings)));
}

Status BlockProcessor::Run::submit_proofs(const KnownHeight& known, std::span<ProofJob> jobs) {
    const LinkPlace place{known.height, known.block_hash, known.anchor};
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
        self_.kept_.forget(place, chain_id);
        if (!self_.options_.on_proof) continue;
        HOLDFAST_TRY(
            self_.options_.on_proof({chain_id, known.height, full, std::move(objects[i])}));
    }
    return {};
}

}  // namespace holdfast
