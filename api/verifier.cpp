#include "api/verifier.hpp"

#include <algorithm>

#include "proofs/bundle_verify.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/journal.hpp"
#include "proofs/seal_proof_verify.hpp"

namespace holdfast {
namespace {

VerifyReport refused(Kind kind, const Verdict& verdict) {
    return {kind, std::nullopt, std::nullopt, verdict};
}

/// What the caller expects must be what the object says.
Verdict check_hints(const VerifyHints& hints, const ChainId& chain_id, Height height) {
    if (hints.chain_id && *hints.chain_id != chain_id) return Reason::kWrongChain;
    if (hints.height && *hints.height != height) return Reason::kWrongHeight;
    return Verdict::ok();
}

}  // namespace

Result<VerifyReport> Verifier::receipt(ByteView body, const VerifyHints& hints) const {
    const Checked<Receipt> receipt = Receipt::decode(body);
    if (!receipt) return refused(Kind::kReceipt, receipt.error());
    VerifyHints found = hints;
    if (!found.chain_id && record_.chains().size() == 1) {
        found.chain_id = record_.chains().begin()->first;
    }
    if (!found.chain_id) {
        return fail(ErrorCode::kInvalidArgument,
                    "a receipt does not name its chain, and the record knows several: say which");
    }
    VerifyReport report{Kind::kReceipt, found.chain_id, receipt->height, {}};
    report.verdict = check_hints(hints, *found.chain_id, receipt->height);
    if (!report.verdict) return report;
    HOLDFAST_ASSIGN(chain, record_.known_chain(*found.chain_id, receipt->height));
    HOLDFAST_ASSIGN(known, record_.known_height(receipt->height));
    report.verdict = verify_receipt(record_.network_id(), chain, known, *receipt);
    return report;
}

/// The bundle itself and, where a chain is meant, that it stands in it under its own prover.
Result<VerifyReport> Verifier::bundle(ByteView body, const VerifyHints& hints) const {
    const Checked<Bundle> bundle = Bundle::decode(body);
    if (!bundle) return refused(Kind::kBundle, bundle.error());
    VerifyReport report{Kind::kBundle, hints.chain_id, bundle->height, {}};
    const ChainId meant = hints.chain_id.value_or(bundle->members.front().chain_id);
    report.verdict = check_hints(hints, meant, bundle->height);
    if (!report.verdict) return report;
    HOLDFAST_ASSIGN(known, record_.known_height(bundle->height));
    report.verdict = verify_bundle(record_.network_id(), known, *bundle);
    if (!report.verdict || !hints.chain_id) return report;
    const bool stands = std::any_of(bundle->members.begin(), bundle->members.end(),
                                    [&](const BundleEntry& m) { return m.chain_id == meant; });
    if (!stands) {
        report.verdict = Reason::kWrongChain;
        return report;
    }
    HOLDFAST_ASSIGN(chain, record_.known_chain(meant, bundle->height));
    report.verdict = check_member_prover(chain, bundle->prover);
    return report;
}

Result<VerifyReport> Verifier::member(ByteView body, const VerifyHints& hints) const {
    const Checked<Member> member = Member::decode(body);
    if (!member) return refused(Kind::kMember, member.error());
    const Height height = member->bundled.height;
    VerifyReport report{Kind::kMember, member->chain_id, height,
                        check_hints(hints, member->chain_id, height)};
    if (!report.verdict) return report;
    if (!record_.chains().contains(member->chain_id)) {
        report.verdict = Reason::kUnknownChain;
        return report;
    }
    HOLDFAST_ASSIGN(chain, record_.known_chain(member->chain_id, height));
    HOLDFAST_ASSIGN(known, record_.known_height(height));
    report.verdict = verify_member(record_.network_id(), chain, known, *member);
    return report;
}

/// The operator's signature; whether it is true only its journal tells.
Result<VerifyReport> Verifier::head(ByteView body) const {
    const Checked<JournalHead> head = JournalHead::decode(body);
    if (!head) return refused(Kind::kHead, head.error());
    return VerifyReport{Kind::kHead, std::nullopt, head->height,
                        check_head(record_.params(), record_.network_id(), *head)};
}

Result<VerifyReport> Verifier::proof(Kind kind, ByteView body, const VerifyHints& hints) const {
    std::optional<AnyProof> proof;
    if (kind == Kind::kCompact) {
        const Checked<Compact> compact = Compact::decode(body);
        if (!compact) return refused(kind, compact.error());
        proof = *compact;
    } else {
        const Checked<Full> full = Full::decode(body);
        if (!full) return refused(kind, full.error());
        proof = *full;
    }
    const ChainId& chain_id = chain_of(*proof);
    const Height height = receipt_of(*proof).height;
    VerifyReport report{kind, chain_id, height, check_hints(hints, chain_id, height)};
    if (!report.verdict) return report;
    if (!record_.chains().contains(chain_id)) {
        report.verdict = Reason::kUnknownChain;
        return report;
    }
    HOLDFAST_ASSIGN(chain, record_.known_chain(chain_id, height));
    HOLDFAST_ASSIGN(known, record_.known_height(height));
    report.verdict = verify_proof(record_.params(), record_.network_id(), chain, known, *proof);
    return report;
}

Result<VerifyReport> Verifier::window(ByteView body, const VerifyHints& hints) const {
    const Checked<ProofWindow> window = ProofWindow::decode(body);
    if (!window) return refused(Kind::kWindow, window.error());
    const ChainId& chain_id = chain_of(window->links.front());
    const Height last = receipt_of(window->links.back()).height;
    VerifyReport report{Kind::kWindow, chain_id, last, {}};
    report.verdict = check_hints({hints.chain_id, std::nullopt, {}}, chain_id, last);
    if (report.verdict && !record_.chains().contains(chain_id))
        report.verdict = Reason::kUnknownChain;
    if (!report.verdict) return report;
    std::vector<KnownPlace> places;
    for (const AnyProof& link : window->links) {
        const Height height = receipt_of(link).height;
        HOLDFAST_ASSIGN(chain, record_.known_chain(chain_id, height));
        HOLDFAST_ASSIGN(known, record_.known_height(height));
        places.push_back({std::move(chain), known});
    }
    report.verdict = verify_window(record_.params(), record_.network_id(), places, *window);
    if (report.verdict) {
        const PublicChain& facts = record_.chains().at(chain_id);
        report.window = shown_by(*window, facts.registration.genesis_height);
    }
    return report;
}

WindowShown Verifier::shown_by(const ProofWindow& window, Height genesis) const {
    WindowShown out;
    out.first = receipt_of(window.links.front()).height;
    out.last = receipt_of(window.links.back()).height;
    out.links = window.links.size();
    for (const AnyProof& link : window.links) {
        out.full += std::holds_alternative<Full>(link) ? 1 : 0;
    }
    std::uint64_t between = 0;
    for (const auto& [height, facts] : record_.heights()) {
        if (!facts.y) continue;
        out.heights += height >= genesis ? 1 : 0;
        between += height >= out.first && height <= out.last ? 1 : 0;
    }
    out.left_out = between - out.links;  // each of their heights has y
    return out;
}

Result<VerifyReport> Verifier::path(ByteView body, const VerifyHints& hints) const {
    const Checked<PathProof> path = PathProof::decode(body);
    if (!path) return refused(Kind::kPath, path.error());
    if (!hints.height) {
        return fail(ErrorCode::kInvalidArgument,
                    "a path proof does not say under which height's digest it stands: say which");
    }
    VerifyReport report{Kind::kPath, path->leaf.chain_id, hints.height, {}};
    report.verdict = check_hints(hints, path->leaf.chain_id, *hints.height);
    if (!report.verdict) return report;
    HOLDFAST_ASSIGN(known, record_.known_height(*hints.height));
    report.verdict = verify_path(record_.params(), record_.network_id(), known, *path);
    return report;
}

Result<VerifyReport> Verifier::registration(ByteView body) const {
    const Checked<Registration> registration = Registration::decode(body);
    if (!registration) return refused(Kind::kRegistration, registration.error());
    VerifyReport report{Kind::kRegistration,
                        registration->chain_id(record_.network_id()),
                        registration->genesis_height,
                        {}};
    report.verdict = check_registration(record_.params(), record_.network_id(), *registration);
    const auto block = record_.heights().find(registration->genesis_height);
    if (report.verdict && block != record_.heights().end() &&
        block->second.block.hash != registration->genesis_block_hash) {
        report.verdict = Reason::kWrongBlock;
    }
    return report;
}

Result<VerifyReport> Verifier::update(ByteView body) const {
    const Checked<Update> update = Update::decode(body);
    if (!update) return refused(Kind::kUpdate, update.error());
    VerifyReport report{Kind::kUpdate, update->chain_id, update->effective_height, {}};
    const auto chain = record_.chains().find(update->chain_id);
    report.verdict =
        chain == record_.chains().end()
            ? Verdict(Reason::kUnknownChain)
            : verify_signature(chain->second.registration.header.prover,
                               update->digest(record_.network_id()), update->signature);
    return report;
}

Result<VerifyReport> Verifier::removal(ByteView body) const {
    const Checked<Removal> removal = Removal::decode(body);
    if (!removal) return refused(Kind::kRemoval, removal.error());
    VerifyReport report{Kind::kRemoval, removal->chain_id, removal->height, {}};
    const auto chain = record_.chains().find(removal->chain_id);
    report.verdict =
        chain == record_.chains().end()
            ? Verdict(Reason::kUnknownChain)
            : verify_signature(chain->second.registration.header.prover,
                               removal->digest(record_.network_id()), removal->signature);
    return report;
}

// Spec 10.6: total_chains is under the digest, and only what leads there shows it.
Result<VerifyReport> Verifier::checkpoint(ByteView body, const VerifyHints& hints) const {
    const Checked<Checkpoint> checkpoint = Checkpoint::decode(body);
    if (!checkpoint) return refused(Kind::kCheckpoint, checkpoint.error());
    VerifyReport report{Kind::kCheckpoint, std::nullopt, checkpoint->height, {}};
    report.verdict = check_checkpoint(record_.params(), record_.network_id(), *checkpoint);
    if (!report.verdict) return report;
    HOLDFAST_ASSIGN(known, record_.known_height(checkpoint->height));
    if (!known.global) {
        report.verdict = Reason::kNoEntropy;
        return report;
    }
    CheckpointFacts own{known.block_hash, *known.global, checkpoint->total_chains};
    if (hints.path) {
        report.verdict = verify_path(record_.params(), record_.network_id(), known, *hints.path);
        if (!report.verdict) return report;
        own.total_chains = hints.path->path.total_chains;
    }
    report.verdict = verify_checkpoint(record_.params(), record_.network_id(), *checkpoint, own);
    if (report.verdict) report.total = {checkpoint->total_chains, hints.path.has_value()};
    return report;
}

Result<VerifyReport> Verifier::seal_proof(ByteView body, const VerifyHints& hints,
                                          const VerifyOptions& options) const {
    // The sizes of a seal proof follow from its registration, which its first 40 bytes lead to.
    Reader head(body);
    const auto chain_id = head.fixed<ChainId>();
    const Height y_height = head.height();
    if (head.failed()) return refused(Kind::kSealProof, head.verdict());
    VerifyReport report{Kind::kSealProof, chain_id, y_height, {}};
    report.verdict = check_hints(hints, chain_id, y_height);
    const auto chain = record_.chains().find(chain_id);
    if (report.verdict && chain == record_.chains().end()) report.verdict = Reason::kUnknownChain;
    if (!report.verdict) return report;

    const PublicChain& facts = chain->second;
    SealContext known;
    known.y_height = y_height;
    // A registration's own challenge is drawn from the first y at accepted + seal_delay or after;
    // any later height is that of an audit.
    Height due = facts.accepted + record_.params().seal_delay;
    for (auto at = record_.heights().lower_bound(due); at != record_.heights().end(); ++at) {
        if (!at->second.y) continue;
        due = at->first;
        break;
    }
    known.kind = y_height == due ? SealProofKind::kSeal : SealProofKind::kAudit;
    const auto block = record_.heights().find(y_height);
    if (y_height < due) {
        report.verdict = Reason::kWrongHeight;
        return report;
    }
    if (block == record_.heights().end() || !block->second.y) {
        return fail(ErrorCode::kNotFound, "the public record has no y of height " +
                                              std::to_string(y_height.value) +
                                              ", which this seal proof names");
    }
    known.y = *block->second.y;
    FillOptions fill;
    fill.kernel = options.kernel;
    fill.stop = options.stop;
    HOLDFAST_ASSIGN(verdict, verify_seal_proof(record_.params(), record_.network_id(),
                                               facts.registration, known, body, fill));
    report.verdict = verdict;
    return report;
}

// Spec 0, bodies and objects: an object that stands alone.
Result<VerifyReport> Verifier::verify(ByteView object, const VerifyHints& hints,
                                      const VerifyOptions& options) const {
    const Checked<Kind> kind = peek_kind(object);
    if (!kind) return refused(Kind{}, kind.error());
    const ByteView body = object.subspan(2);
    switch (*kind) {
        case Kind::kReceipt:
            return receipt(body, hints);
        case Kind::kBundle:
            return bundle(body, hints);
        case Kind::kMember:
            return member(body, hints);
        case Kind::kHead:
            return head(body);
        case Kind::kCompact:
        case Kind::kFull:
            return proof(*kind, body, hints);
        case Kind::kWindow:
            return window(body, hints);
        case Kind::kPath:
            return path(body, hints);
        case Kind::kRegistration:
            return registration(body);
        case Kind::kUpdate:
            return update(body);
        case Kind::kRemoval:
            return removal(body);
        case Kind::kCheckpoint:
            return checkpoint(body, hints);
        case Kind::kSealProof:
            return seal_proof(body, hints, options);
        case Kind::kNetwork: {
            const Checked<NetworkParams> params = NetworkParams::decode(body);
            if (!params) return refused(*kind, params.error());
            const bool same = params->id() == record_.network_id();
            return refused(*kind, same ? Reason::kOk : Reason::kWrongNetwork);
        }
        case Kind::kAcknowledgement:
            return fail(ErrorCode::kInvalidArgument,
                        "an acknowledgement is judged with what it is of (--object) and by whom "
                        "(--host)");
        case Kind::kShortCompact:
        case Kind::kShortFull:
            return fail(ErrorCode::kInvalidArgument,
                        "a " + std::string(to_string(*kind)) +
                            " proof is for a registry that has its link (--dir); of anybody else "
                            "ask for the compact or full proof");
        default:
            return fail(ErrorCode::kInvalidArgument,
                        "a " + std::string(to_string(*kind)) +
                            " does not stand alone, or has a command of its own");
    }
}

}  // namespace holdfast
