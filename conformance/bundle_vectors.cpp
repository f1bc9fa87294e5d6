// bundles: bundles and their members, the short proofs of a registry, acknowledgements.
#include "api/link_prover.hpp"
#include "conformance/replica_case.hpp"
#include "conformance/vector_file.hpp"
#include "core/hash.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/bundle_verify.hpp"
#include "proofs/link_verify.hpp"
#include "proofs/reveal.hpp"

namespace holdfast::conformance {
namespace {

// --- bundles -------------------------------------------------------------------------------------

/// What a case tells of its bundle, in no order.
std::vector<BundleEntry> told_entries(const Value& v) {
    std::vector<BundleEntry> out;
    if (v.has("chains")) {
        for (const Value& chain : v["chains"].items()) {
            out.push_back({chain["chain_id"].id<ChainId>(), chain["link"].id<Link>()});
        }
    }
    const Bytes others = v["others"].bytes();
    if (others.size() % kBundleEntryBytes != 0) {
        v["others"].malformed("should be whole pieces of 64 bytes");
    }
    Reader r(others);
    while (r.remaining() > 0) {
        const auto chain_id = r.fixed<ChainId>();
        out.push_back({chain_id, r.fixed<Link>()});
    }
    return out;
}

/// A bundle's key, and where it was made.
struct BundleCase {
    KeyPair key;
    KnownHeight known;
};

BundleCase read_bundle_case(Checker& check, const Value& v, std::size_t members) {
    BundleCase out{KeyPair::from_secret(view(v["secret_key"].digest())), {}};
    check.equal(v["prover_pk"], out.key.public_key());
    check.equal(v["n"], members);
    out.known.height = v["height"].height();
    out.known.block_hash = v["block_hash"].id<BlockHash>();
    out.known.anchor = v["anchor"].id<GlobalDigest>();
    return out;
}

/// One registered chain of the bundle: its verdict there, and its member standing alone.
void check_bundle_chain(Checker& check, const Value& v, const Network& network,
                        const BundleCase& made, const Bundle& bundle, const BundleTree& tree) {
    const Registration registration =
        check.need(v["registration"].where(), Registration::decode(v["registration"].bytes()));
    const KnownChain chain = KnownChain::of(network.id, registration);
    check.equal(v["chain_id"], chain.id);
    const std::uint32_t index = v["index"].u32();
    if (index >= bundle.members.size()) v["index"].malformed("is not below n");
    const Member member = tree.member(index);
    check.equal(v["chain_id"], member.chain_id);
    check.equal(v["link"], member.bundled.link);
    check.equal(v["body"], member.encode());

    const bool holds = v["holds"].flag();
    const Verdict as_member = check_member_prover(chain, bundle.prover);
    check.holds(v["holds"].where(),
                as_member.reason == (holds ? Reason::kOk : Reason::kWrongProver),
                "in the bundle its verdict is \"" + to_string(as_member) + "\"");
    const auto examine = [&](ByteView body) -> Verdict {
        const auto decoded = Member::decode(body);
        if (!decoded) return decoded.error();
        return verify_member(network.id, chain, made.known, *decoded);
    };
    if (holds) {
        check.refusals_if_any(v, "refused", v["body"].bytes(), examine);
    } else {
        check.refused(v["body"].where(), examine(v["body"].bytes()));
    }
}

void check_one_bundle(Checker& check, const Value& v, const Network& network) {
    std::vector<BundleEntry> entries = told_entries(v);
    const BundleCase made = read_bundle_case(check, v, entries.size());
    const KnownHeight& known = made.known;
    const Bundle bundle =
        check.need(v.where(), make_bundle(network.id, known.block_hash, known.height, known.anchor,
                                          std::move(entries), made.key));
    const BundleTree tree(bundle);
    check.equal(v["root"], tree.root());
    check.equal(v["signed"], bundle.digest(network.id, known.block_hash));
    check.equal(v["signature"], bundle.signature);
    const Bytes body = bundle.encode();
    check.equal(v["body_sha256"], sha256(body));
    if (v.has("body")) check.equal(v["body"], body);
    check.refusals_if_any(v, "refused", body, [&](ByteView bytes) -> Verdict {
        const auto decoded = Bundle::decode(bytes);
        if (!decoded) return decoded.error();
        return verify_bundle(network.id, known, *decoded);
    });
    for (const Value& chain : v["chains"].items()) {
        check.poll();
        check_bundle_chain(check, chain, network, made, bundle, tree);
    }
}

/// More members than a bundle may have, well signed: neither made nor taken.
void check_too_many(Checker& check, const Value& v, const Network& network) {
    std::vector<BundleEntry> entries = told_entries(v);
    const BundleCase made = read_bundle_case(check, v, entries.size());
    check.refused(v["n"].where(),
                  verdict_of(unsigned_bundle(made.key.public_key(), made.known.height,
                                             made.known.anchor, entries)));
    std::sort(entries.begin(), entries.end(),
              [](const BundleEntry& a, const BundleEntry& b) { return a.chain_id < b.chain_id; });
    Bundle bundle{
        made.key.public_key(), made.known.height, made.known.anchor, std::move(entries), {}};
    bundle.signature =
        made.key.sign(view(bundle.digest(network.id, made.known.block_hash))).value();
    check.equal(v["signature"], bundle.signature);
    const Bytes body = bundle.encode();
    check.equal(v["body_sha256"], sha256(body));
    check.refused(v["body_sha256"].where(), verdict_of(Bundle::decode(body)));
}

// --- short proofs --------------------------------------------------------------------------------

/// A replica whose links a registry has taken.
struct ShortStory {
    const Network& network;
    const SealedCase& sealed;
    KnownChain chain;  // the last known reveal is the commitment
    std::optional<RevealChain> reveals;
};

/// What the registry knows of a height, but for the link that it took.
KnownHeight read_known_height(const Value& v) {
    KnownHeight known;
    known.height = v["block"]["height"].height();
    known.block_hash = v["block"]["block_hash"].id<BlockHash>();
    known.y = v["block"]["y"].id<VdfOutput>();
    known.anchor = v["anchor"].id<GlobalDigest>();
    known.link_before = v["link_before"].id<Link>();
    known.y_compact = v["y_c"].id<VdfOutput>();
    return known;
}

/// The verdict on a body; that only a full proof counts comes last, and so says that it holds.
template <class Short>
Verdict examine_short(const ShortStory& story, const KnownHeight& known,
                      const std::optional<Link>& link, ByteView body) {
    const auto proof = Short::decode(body);
    if (!proof) return proof.error();
    const Verdict v = verify_short(story.network.params, story.network.id, story.chain, known, link,
                                   AnyShort(*proof));
    return v.reason == Reason::kCompactNotAllowed ? Verdict::ok() : v;
}

void check_short_height(Checker& check, ShortStory& story, const Value& v) {
    const KnownHeight known = read_known_height(v);
    LinkFacts facts{story.chain.id,
                    known.height,
                    known.block_hash,
                    *known.y,
                    known.anchor,
                    *known.link_before,
                    {}};
    if (story.reveals) {
        facts.reveal = check.need(v["reveal"].where(), story.reveals->at_height(known.height));
    }
    check.equal(v["reveal"], facts.reveal);
    const LinkOpening opening =
        check.need(v.where(), open_link(story.network.id, story.sealed.replica, facts));
    check.equal(v["link"], opening.link);
    const std::uint8_t j = compact_index(story.network.id, *known.y_compact, story.chain.id);
    check.equal(v["compact_j"], std::uint64_t{j});
    const bool full_only = full_required(story.network.id, *known.y_compact, story.chain.id);
    check.flag(v["full_required"], full_only);

    const std::uint64_t drawn[] = {opening.where[j].index().value};
    Opening cell = check.need(v.where(), story.sealed.replica.open_cells(drawn));
    const ShortCompact compact =
        to_short_compact(story.network.id, opening, *known.y_compact, std::move(cell.siblings));
    check.equal(v["short_compact"], compact.encode());
    const Verdict counts = verify_short(story.network.params, story.network.id, story.chain, known,
                                        opening.link, AnyShort(compact));
    check.holds(v["full_required"].where(),
                counts.reason == (full_only ? Reason::kCompactNotAllowed : Reason::kOk),
                "the verdict on the compact one is \"" + to_string(counts) + "\"");
    check.refusals_if_any(v, "refused_short_compact", v["short_compact"].bytes(),
                          [&](ByteView body) {
                              return examine_short<ShortCompact>(story, known, opening.link, body);
                          });
    check.equal(v["short_full"], to_short_full(opening).encode());
    check.refusals_if_any(v, "refused_short_full", v["short_full"].bytes(), [&](ByteView body) {
        return examine_short<ShortFull>(story, known, opening.link, body);
    });
}

/// A height of which the registry took no such link.
void check_not_taken(Checker& check, const ShortStory& story, const Value& v) {
    const KnownHeight known = read_known_height(v);
    std::optional<Link> link;
    if (!v["link"].is_null()) link = v["link"].id<Link>();
    const std::string why = " (" + v["why"].text() + ")";
    check.refused(v["short_compact"].where() + why,
                  examine_short<ShortCompact>(story, known, link, v["short_compact"].bytes()));
    check.refused(v["short_full"].where() + why,
                  examine_short<ShortFull>(story, known, link, v["short_full"].bytes()));
}

void check_shorts(Checker& check, const Value& v, const Network& network) {
    const SealedCase sealed = check_sealed_chain(check, v, network);
    const Registration& registration = sealed.chain.registration;
    ShortStory story{network, sealed, KnownChain::of(network.id, registration), {}};
    if (registration.has_commitment()) {
        story.reveals.emplace(RevealChain::make(network.id, sealed.chain.replica_id,
                                                registration.genesis_height, sealed.chain.key)
                                  .value());
    }
    for (const Value& height : v["heights"].items()) check_short_height(check, story, height);
    for (const Value& height : v["not_taken"].items()) check_not_taken(check, story, height);
}

// --- acknowledgements ----------------------------------------------------------------------------

void check_one_acknowledgement(Checker& check, const Value& v, const Network& network) {
    const KeyPair key = KeyPair::from_secret(view(v["secret_key"].digest()));
    check.equal(v["host_pk"], key.public_key());
    const Bytes object = v["object"].bytes();
    const Acknowledgement made = make_acknowledgement(network.id, object, v["height"].height(),
                                                      v["block_hash"].id<BlockHash>(), key)
                                     .value();
    check.equal(v["object_sha256"], made.object);
    check.equal(v["signed"], made.digest(network.id));
    check.equal(v["body"], made.encode());
    check.refusals_if_any(v, "refused", v["body"].bytes(), [&](ByteView body) -> Verdict {
        const auto decoded = Acknowledgement::decode(body);
        if (!decoded) return decoded.error();
        return check_acknowledgement(network.id, key.public_key(), object, *decoded);
    });
}

}  // namespace

void check_bundles(Checker& check, const Network& network, const Value& cases) {
    check_cases(check, cases["bundles"], network, check_one_bundle);
    check_cases(check, cases["too_many"], network, check_too_many);
    check_cases(check, cases["shorts"], network, check_shorts);
    check_cases(check, cases["acknowledgements"], network, check_one_acknowledgement);
}

}  // namespace holdfast::conformance
