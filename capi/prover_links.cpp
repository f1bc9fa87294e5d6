// Provers: links, and what is made of them.
#include <algorithm>

#include "api/recorded_link.hpp"
#include "api/seal_prover.hpp"
#include "capi/prover.hpp"
#include "proofs/bundle.hpp"
#include "storage/parallel.hpp"

namespace holdfast::capi {
namespace {

constexpr std::size_t kBundleBytes = 2 + kBundleFixedBytes;  // standing alone, without members

struct LinkedPlace {
    LinkPlace at;
    VdfOutput y;
};

Got<LinkedPlace> place_from(const holdfast_link_place* in) {
    HOLDFAST_ASSIGN(given, read_struct(in, "place"));
    LinkedPlace out;
    out.at.height = Height(given.height);
    std::memcpy(out.at.block_hash.data(), given.block_hash, BlockHash::kSize);
    std::memcpy(out.at.anchor.data(), given.anchor, GlobalDigest::kSize);
    std::memcpy(out.y.data(), given.y, VdfOutput::kSize);
    return out;
}

struct ChainFacts {
    ChainId id;
    Link link_before;
    std::optional<Height> reveal_base;
};

Got<ChainFacts> chain_facts_from(const holdfast_link_facts* in) {
    HOLDFAST_ASSIGN(given, read_struct(in, "a chain's facts"));
    ChainFacts out;
    std::memcpy(out.id.data(), given.chain_id, ChainId::kSize);
    std::memcpy(out.link_before.data(), given.link_before, Link::kSize);
    if (given.has_reveal_base != 0) out.reveal_base = Height(given.reveal_base);
    return out;
}

/// A link under way, or why it is not made.
struct LinkJob {
    ChainFacts facts;
    std::filesystem::path replica;
    Reveal reveal;
    std::optional<Failure> failed = {};
    std::optional<Link> link = {};

    void fail_with(Failure why) { failed.emplace(std::move(why)); }
};

Got<std::vector<LinkJob>> jobs_from(holdfast_prover& prover, const LinkedPlace& place,
                                    const holdfast_link_facts* chains, std::size_t count) {
    std::vector<LinkJob> jobs;
    std::set<ChainId> seen;
    for (std::size_t i = 0; i < count; ++i) {
        HOLDFAST_ASSIGN(facts, chain_facts_from(element(chains, i)));
        if (!seen.insert(facts.id).second) return bad_argument("a chain stands there twice");
        LinkJob job{facts, {}, {}};
        if (const auto chain = prover.chain(facts.id)) {
            job.replica = chain->replica;
            const auto reveal = prover.reveal(chain->member, facts.reveal_base, place.at.height);
            if (reveal) job.reveal = *reveal;
            if (!reveal) job.fail_with(reveal.error());
        } else {
            job.fail_with(chain.error());
        }
        jobs.push_back(std::move(job));
    }
    return jobs;
}

/// Reads and checks the cells of every link.
Done open_links(const holdfast_prover& prover, const LinkedPlace& place,
                std::vector<LinkJob>& jobs) {
    const auto one = [&](unsigned, std::uint64_t i) -> Status {
        LinkJob& job = jobs[i];
        if (job.failed) return {};
        const auto replica = prover.open(job.replica);
        if (!replica) {
            job.fail_with(replica.error());
            return {};
        }
        const auto opened = open_link(prover.id, *replica,
                                      {job.facts.id, place.at.height, place.at.block_hash, place.y,
                                       place.at.anchor, job.facts.link_before, job.reveal});
        if (opened) job.link = opened->link;
        if (!opened) job.fail_with(opened.error());
        return {};
    };
    HOLDFAST_TRY(run_workers(worker_count(prover.threads, jobs.size()), jobs.size(), {}, one));
    return {};
}

/// Those that are on the device, ascending by chain: only they may be signed.
Got<std::vector<BundleEntry>> record_links(holdfast_prover& prover, const LinkedPlace& place,
                                           std::vector<LinkJob>& jobs) {
    std::vector<std::pair<ChainLink, LinkJob*>> made;
    for (LinkJob& job : jobs) {
        if (job.link) made.push_back({{job.facts.id, *job.link}, &job});
    }
    std::ranges::sort(made, {}, [](const auto& m) { return m.first; });
    std::vector<ChainLink> links;
    for (const auto& [link, job] : made) links.push_back(link);
    HOLDFAST_ASSIGN(verdicts, prover.set.records().record(place.at, links));
    std::vector<BundleEntry> out;
    for (std::size_t i = 0; i < links.size(); ++i) {
        if (verdicts[i]) {
            out.push_back({links[i].chain_id, links[i].link});
        } else {
            made[i].second->fail_with(
                refused(verdicts[i], "another link for this height on record").value());
        }
    }
    return out;
}

/// What the caller gets of a link on record again.
Got<RecordedLink> recorded_from(const holdfast_link_place* place, const holdfast_link_facts* chain,
                                const std::uint8_t* y_compact, ByteView path) {
    HOLDFAST_ASSIGN(where, place_from(place));
    HOLDFAST_ASSIGN(facts, chain_facts_from(chain));
    RecordedLink out;
    out.chain_id = facts.id;
    out.request = {where.at.height, where.at.block_hash, where.y,
                   where.at.anchor, facts.link_before,   facts.reveal_base};
    if (y_compact != nullptr) {
        HOLDFAST_ASSIGN(y, fixed_of<VdfOutput>(y_compact, "y_compact"));
        out.y_compact = y;
    }
    if (path.empty()) return out;
    HOLDFAST_ASSIGN(proof, object_as<PathProof>(Kind::kPath, path, "the path"));
    out.path = std::move(proof);
    return out;
}

Got<AnyProof> link_proof_from(ByteView object, const char* name) {
    const Checked<Kind> kind = peek_kind(object);
    if (!kind) return refused(kind.error(), name);
    if (*kind == Kind::kCompact) {
        HOLDFAST_ASSIGN(compact, object_as<Compact>(*kind, object, name));
        return AnyProof(std::move(compact));
    }
    HOLDFAST_ASSIGN(full, object_as<Full>(Kind::kFull, object, name));
    return AnyProof(std::move(full));
}

Bytes short_form(const AnyProof& proof) {
    if (const auto* const c = std::get_if<Compact>(&proof)) {
        return wrap_object(Kind::kShortCompact,
                           ShortCompact{c->chain_id, c->receipt.height, c->reveal, c->cell,
                                        c->cell_path, c->opening_path}
                               .encode());
    }
    const Full& f = std::get<Full>(proof);
    return wrap_object(
        Kind::kShortFull,
        ShortFull{f.chain_id, f.receipt.height, f.reveal, f.cells, f.siblings}.encode());
}

Verdict window_order(const std::vector<AnyProof>& links) {
    for (std::size_t i = 1; i < links.size(); ++i) {
        if (chain_of(links[i]) != chain_of(links[0])) return {Reason::kWrongChain, i};
        if (receipt_of(links[i]).height <= receipt_of(links[i - 1]).height) {
            return {Reason::kWindowOrder, i};
        }
    }
    return Verdict::ok();
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_prover_link(holdfast_prover* prover, const holdfast_link_place* place,
                                     const holdfast_link_facts* chains, size_t count, uint8_t* out,
                                     size_t* out_bytes, holdfast_status* statuses) {
    return run_alone(prover, "prover", [&]() -> Done {
        if (chains == nullptr) return missing("chains");
        if (count == 0 || count > kBundleMaxMembers) {
            return bad_argument("a bundle has 1 to 16,384 members, not " + std::to_string(count));
        }
        HOLDFAST_ASSIGN(where, place_from(place));
        HOLDFAST_TRY(need_room(kBundleBytes + count * kBundleEntryBytes, out, out_bytes));
        HOLDFAST_ASSIGN(jobs, jobs_from(*prover, where, chains, count));
        HOLDFAST_TRY(open_links(*prover, where, jobs));
        HOLDFAST_ASSIGN(members, record_links(*prover, where, jobs));
        for (std::size_t i = 0; i < count && statuses != nullptr; ++i) {
            statuses[i] = jobs[i].failed ? jobs[i].failed->status : HOLDFAST_OK;
        }
        if (members.empty()) return tl::make_unexpected(*jobs.front().failed);
        HOLDFAST_ASSIGN(bundle, make_bundle(prover->id, where.at.block_hash, where.at.height,
                                            where.at.anchor, std::move(members), *prover->signer));
        return put_bytes(wrap_object(Kind::kBundle, bundle.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_prover_receipt(holdfast_prover* prover, const holdfast_link_place* place,
                                        const uint8_t chain_id[32], uint8_t* out,
                                        size_t* out_bytes) {
    return run_alone(prover, "prover", [&]() -> Done {
        HOLDFAST_ASSIGN(where, place_from(place));
        HOLDFAST_ASSIGN(id, fixed_of<ChainId>(chain_id, "chain_id"));
        HOLDFAST_TRY(need_room(HOLDFAST_RECEIPT_BYTES, out, out_bytes));
        const std::optional<Link> link = prover->set.records().find(where.at, id);
        if (!link) return refused(Reason::kTooLate, "a link that is not on record");
        HOLDFAST_ASSIGN(receipt,
                        prover->set.records().sign(where.at, {id, *link}, *prover->signer));
        return put_bytes(wrap_object(Kind::kReceipt, receipt.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_prover_prove(holdfast_prover* prover, const holdfast_link_place* place,
                                      const holdfast_link_facts* chain, const uint8_t* y_compact,
                                      const uint8_t* path, size_t path_bytes, uint8_t* out,
                                      size_t* out_bytes) {
    return run_alone(prover, "prover", [&]() -> Done {
        HOLDFAST_ASSIGN(path_object, view_of(path, path_bytes, "path"));
        HOLDFAST_ASSIGN(link, recorded_from(place, chain, y_compact, path_object));
        HOLDFAST_ASSIGN(proof, prover->proofs.prove(link));
        return put_bytes(wrap_object(kind_of(proof), encode_body(proof)), out, out_bytes);
    });
}

holdfast_status holdfast_proof_shorten(const uint8_t* proof, size_t proof_bytes, uint8_t* out,
                                       size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_ASSIGN(object, view_of(proof, proof_bytes, "proof"));
        HOLDFAST_ASSIGN(decoded, link_proof_from(object, "the proof"));
        return put_bytes(short_form(decoded), out, out_bytes);
    });
}

holdfast_status holdfast_window_make(const holdfast_bytes* proofs, size_t count, uint8_t* out,
                                     size_t* out_bytes) {
    return run([&]() -> Done {
        if (proofs == nullptr) return missing("proofs");
        if (count == 0 || count > kWindowMaxLinks) {
            return bad_argument("a window has 1 to 5 proofs, not " + std::to_string(count));
        }
        ProofWindow window;
        for (std::size_t i = 0; i < count; ++i) {
            HOLDFAST_ASSIGN(object, view_of(proofs[i].data, proofs[i].size, "a proof"));
            HOLDFAST_ASSIGN(proof, link_proof_from(object, "a proof"));
            window.links.push_back(std::move(proof));
        }
        if (const Verdict v = window_order(window.links); !v) return refused(v, "the window");
        return put_bytes(wrap_object(Kind::kWindow, window.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_prover_seal_proof(holdfast_prover* prover, const uint8_t chain_id[32],
                                           uint64_t y_height, const uint8_t y[32], uint32_t audit,
                                           const holdfast_control* control, uint8_t* out,
                                           size_t* out_bytes) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(prover, "prover"));
        const Turn turn(prover->taken);
        HOLDFAST_TRY(turn.check("prover"));
        HOLDFAST_ASSIGN(id, fixed_of<ChainId>(chain_id, "chain_id"));
        HOLDFAST_ASSIGN(output, fixed_of<VdfOutput>(y, "y"));
        HOLDFAST_ASSIGN(chain, prover->chain(id));
        HOLDFAST_ASSIGN(registration, prover->registration(id));
        const SealProofKind kind = audit != 0 ? SealProofKind::kAudit : SealProofKind::kSeal;
        const SealChallenge drawn =
            draw_seal_challenge(prover->params, prover->id, registration, output, kind);
        HOLDFAST_TRY(need_room(2 + drawn.body_bytes(), out, out_bytes));
        HOLDFAST_ASSIGN(replica, prover->open(chain.replica));
        RawOptions raw;
        raw.workers =
            prover->threads == 0 ? worker_count(0, drawn.windows.size()) : prover->threads;
        raw.stop = work.stop();
        HOLDFAST_ASSIGN(proof,
                        make_seal_proof(prover->params, prover->id, registration, replica,
                                        Height(y_height), output, kind, *prover->signer, raw));
        return put_bytes(wrap_object(Kind::kSealProof, proof.encode()), out, out_bytes);
    });
}
