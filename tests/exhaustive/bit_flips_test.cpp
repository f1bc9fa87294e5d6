// Every single bit of a small object of each kind, flipped: the verifier refuses all of them. Of
// challenges, responses, outcomes, checkpoints, VDF proofs and evidence: tests/unit.

#include <atomic>
#include <functional>
#include <set>
#include <thread>

#include "api/seal_prover.hpp"
#include "chunking/erasure.hpp"
#include "core/hash.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/bundle_verify.hpp"
#include "proofs/journal.hpp"
#include "proofs/seal_proof_verify.hpp"
#include "support/link_world.hpp"

namespace holdfast {
namespace {

using test::LinkHeight;
using test::LinkWorld;

using Examine = std::function<Verdict(const Bytes&)>;

/// `examine` accepts `body` and refuses it with any one bit changed. Runs on all cores.
void expect_every_flip_refused(const Bytes& body, const Examine& examine) {
    ASSERT_EQ(examine(body), Verdict::ok());
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> accepted{0};
    const auto work = [&] {
        for (std::size_t at = next++; at < body.size(); at = next++) {
            Bytes flipped = body;
            for (unsigned bit = 0; bit < 8; ++bit) {
                flipped[at] = static_cast<std::uint8_t>(body[at] ^ (1U << bit));
                if (examine(flipped)) ++accepted;
            }
        }
    };
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i) workers.emplace_back(work);
    for (std::thread& worker : workers) worker.join();
    EXPECT_GE(next, body.size());
    EXPECT_EQ(accepted, 0U);
}

/// A replica of sixteen chunks in a network that draws one cell, so that its seal proof is small.
struct SealStory {
    test::TempFolder folder;
    NetworkParams params;
    NetworkId id;
    KeyPair key = KeyPair::from_secret(Bytes(32, 7));
    Registration registration;
    Height accepted{60};
    ChainHistory history;
    SealContext known{Height(70), VdfOutput(), SealProofKind::kSeal};
    Bytes proof;

    SealStory() {
        params.name = "bit flips";
        params.seal_presets = {{16, 512}};
        params.seal_windows = params.seal_cells = 1;
        id = params.id();
        SealRequest request;
        request.network = params;
        request.prover = key.public_key();
        request.seal = params.seal_presets[0];
        request.source = folder / "source";
        request.replica_path = folder / "x.replica";
        request.tree_path = folder / "x.tree";
        test::spill(request.source, test::expand(view("bit flips"), 60'000));
        const auto sealed = seal(request);
        EXPECT_TRUE(sealed) << sealed.error().message;
        registration.header = sealed->header.replica;
        registration.sealed_root = sealed->header.sealed_root;
        registration.genesis_height = Height(50);
        registration = sign_registration(id, registration, key).value();
        history = {registration.chain_id(id), key.public_key(), 3, registration.genesis_height};
        const auto replica = Replica::open(request.replica_path, request.tree_path, params);
        EXPECT_TRUE(replica) << replica.error().message;
        const auto made = make_seal_proof(params, id, registration, *replica, known.y_height,
                                          known.y, known.kind, key);
        EXPECT_TRUE(made) << made.error().message;
        proof = made->encode();
    }
    [[nodiscard]] Verdict seal_proof(const Bytes& body) const {
        const auto verdict = verify_seal_proof(params, id, registration, known, body);
        EXPECT_TRUE(verdict) << verdict.error().message;
        return verdict ? *verdict : Verdict::ok();
    }
};

TEST(BitFlips, Registration) {
    const SealStory s;
    expect_every_flip_refused(s.registration.encode(), [&](const Bytes& body) -> Verdict {
        const auto decoded = Registration::decode(body);
        if (!decoded) return decoded.error();
        return check_registration(s.params, s.id, *decoded);
    });
}

TEST(BitFlips, Update) {
    const SealStory s;
    const Update update =
        make_update(s.id, s.history.chain_id, 4, Height(70), Reveal(), s.key).value();
    expect_every_flip_refused(update.encode(), [&](const Bytes& body) -> Verdict {
        const auto decoded = Update::decode(body);
        if (!decoded) return decoded.error();
        return check_update(s.params, s.id, *decoded, s.history, s.accepted);
    });
}

TEST(BitFlips, Removal) {
    const SealStory s;
    const Removal removal = make_removal(s.id, s.history.chain_id, 4, Height(59), s.key).value();
    expect_every_flip_refused(removal.encode(), [&](const Bytes& body) -> Verdict {
        const auto decoded = Removal::decode(body);
        if (!decoded) return decoded.error();
        return check_removal(s.id, *decoded, s.history, s.accepted);
    });
}

TEST(BitFlips, SealProof) {
    const SealStory s;
    EXPECT_EQ(s.proof.size(), 104 + 2 * (kCellBytes + 8 * kDigestBytes));
    expect_every_flip_refused(s.proof, [&](const Bytes& body) { return s.seal_proof(body); });
}

TEST(BitFlips, SealProofSignedAgain) {
    // Whoever holds the key can sign any change: the trees must find it.
    const SealStory s;
    const SealChallenge challenge =
        draw_seal_challenge(s.params, s.id, s.registration, s.known.y, s.known.kind);
    const Bytes rest(s.proof.begin(), s.proof.end() - Signature::kSize);
    expect_every_flip_refused(rest, [&](const Bytes& flipped) {
        Bytes body = flipped;
        body.resize(challenge.body_bytes());
        SealProof proof = *SealProof::decode(body, challenge);
        proof.signature = s.key.sign(view(proof.digest(s.id))).value();
        const Verdict verdict = s.seal_proof(proof.encode());
        EXPECT_NE(verdict.reason, Reason::kBadSignature);
        return verdict;
    });
}

TEST(BitFlips, Receipt) {
    const LinkWorld w(0);
    const auto& rich = w.heights[w.rich()];
    expect_every_flip_refused(rich.body("receipt"),
                              [&](const Bytes& b) { return w.receipt(rich.known, b); });
}

TEST(BitFlips, Compact) {
    for (const std::size_t which : {0U, 1U}) {
        const LinkWorld w(which);
        const auto& rich = w.heights[w.rich()];
        expect_every_flip_refused(rich.body("compact"),
                                  [&](const Bytes& b) { return w.compact(rich.known, b); });
    }
}

TEST(BitFlips, Full) {
    const LinkWorld w(0);
    const auto& rich = w.heights[w.rich()];
    expect_every_flip_refused(rich.body("full"),
                              [&](const Bytes& b) { return w.full(rich.known, b); });
}

TEST(BitFlips, Path) {
    for (const std::size_t which : {0U, 1U}) {
        const LinkWorld w(which);
        const auto& rich = w.heights[w.rich()];
        expect_every_flip_refused(rich.body("path"), [&](const Bytes& body) -> Verdict {
            const auto decoded = PathProof::decode(body);
            if (!decoded) return decoded.error();
            return verify_path(w.network.params, w.network.id, rich.known, *decoded);
        });
    }
}

TEST(BitFlips, Window) {
    const LinkWorld w(0);
    ProofWindow window;
    std::vector<KnownHeight> heights;
    for (const auto& h : w.heights) {
        if (!h.has_link() || window.links.size() == kWindowMaxLinks) continue;
        window.links.emplace_back(*Compact::decode(h.body("compact")));
        heights.push_back(h.known);
    }
    ASSERT_GT(heights.size(), 1U);
    const Bytes body = window.encode();
    const auto examine = [&](const Bytes& b) -> Verdict {
        const auto decoded = ProofWindow::decode(b);
        if (!decoded) return decoded.error();
        return w.window(heights, *decoded);
    };
    // All bits of what a window adds (count, kinds, lengths); of the proofs, whose every bit the
    // tests above flip, one in 29.
    std::set<std::size_t> frame{0};
    std::size_t at = 1;
    for (const AnyProof& link : window.links) {
        for (std::size_t i = 0; i < 5; ++i) frame.insert(at + i);
        at += 5 + std::get<Compact>(link).encode().size();
    }
    ASSERT_EQ(at, body.size());
    ASSERT_EQ(examine(body), Verdict::ok());
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
        if (bit % 29 != 0 && !frame.contains(bit / 8)) continue;
        Bytes flipped = body;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(examine(flipped)) << "bit " << bit;
    }
}

/// Links of three chains of one key at one height.
struct BundleStory {
    KeyPair key = KeyPair::from_secret(Bytes(32, 8));
    NetworkId id = NetworkParams().id();
    KnownHeight known;
    Bundle bundle;

    BundleStory() {
        known.height = Height(70);
        known.block_hash = BlockHash(sha256(view("block")));
        known.anchor = GlobalDigest(sha256(view("anchor")));
        std::vector<BundleEntry> entries;
        for (const char* name : {"a", "b", "c"}) {
            entries.push_back({ChainId(sha256(view(std::string_view(name)))),
                               Link(sha256(view(std::string_view("link"))))});
        }
        bundle = *make_bundle(id, known.block_hash, known.height, known.anchor, entries, key);
    }
};

TEST(BitFlips, Bundle) {
    const BundleStory s;
    expect_every_flip_refused(s.bundle.encode(), [&](const Bytes& body) -> Verdict {
        const auto decoded = Bundle::decode(body);
        if (!decoded) return decoded.error();
        return verify_bundle(s.id, s.known, *decoded);
    });
}

TEST(BitFlips, Member) {
    const BundleStory s;
    const BundleTree tree(s.bundle);
    for (std::uint32_t index = 0; index < 3; ++index) {
        const Member member = tree.member(index);
        KnownChain chain;
        chain.id = member.chain_id;
        chain.prover = s.key.public_key();
        expect_every_flip_refused(member.encode(), [&](const Bytes& body) -> Verdict {
            const auto decoded = Member::decode(body);
            if (!decoded) return decoded.error();
            return verify_member(s.id, chain, s.known, *decoded);
        });
    }
}

TEST(BitFlips, ShortProofs) {
    const LinkWorld w(0);
    const LinkHeight& rich = w.heights[w.rich()];
    const Compact compact = *Compact::decode(rich.body("compact"));
    const Full full = *Full::decode(rich.body("full"));
    const auto examine = [&](const auto& decoded) -> Verdict {
        if (!decoded) return decoded.error();
        const Verdict v = verify_short(w.network.params, w.network.id, w.chain, rich.known,
                                       full.receipt.link, AnyShort(*decoded));
        return v.reason == Reason::kCompactNotAllowed ? Verdict::ok() : v;
    };
    const ShortCompact one{full.chain_id, full.receipt.height, full.reveal,
                           compact.cell,  compact.cell_path,   compact.opening_path};
    expect_every_flip_refused(
        one.encode(), [&](const Bytes& body) { return examine(ShortCompact::decode(body)); });
    const ShortFull all{full.chain_id, full.receipt.height, full.reveal, full.cells, full.siblings};
    expect_every_flip_refused(all.encode(),
                              [&](const Bytes& body) { return examine(ShortFull::decode(body)); });
}

TEST(BitFlips, Acknowledgement) {
    const BundleStory s;
    const Bytes object = wrap_object(Kind::kBundle, s.bundle.encode());
    const Acknowledgement made =
        make_acknowledgement(s.id, object, s.known.height, s.known.block_hash, s.key).value();
    expect_every_flip_refused(made.encode(), [&](const Bytes& body) -> Verdict {
        const auto decoded = Acknowledgement::decode(body);
        if (!decoded) return decoded.error();
        return check_acknowledgement(s.id, s.key.public_key(), object, *decoded);
    });
}

TEST(BitFlips, JournalHead) {
    const BundleStory s;
    NetworkParams params = NetworkParams::preset(kParamsVersion2);
    params.operator_key = s.key.public_key();
    const JournalHead head =
        sign_head(params.id(),
                  {{}, s.known.height, s.known.block_hash, s.known.anchor, {}, 5, {}, {}}, s.key)
            .value();
    expect_every_flip_refused(head.encode(), [&](const Bytes& body) -> Verdict {
        const auto decoded = JournalHead::decode(body);
        if (!decoded) return decoded.error();
        return check_head(params, params.id(), *decoded);
    });
}

TEST(BitFlips, ManifestAndParametersAreAnotherOne) {
    Manifest manifest;
    manifest.data_len = 10'000;
    manifest.shape = {4, 2};
    manifest.shard_len = 2'500;
    manifest.roots.assign(6, Root(sha256(view("root"))));
    expect_every_flip_refused(manifest.encode(), [&](const Bytes& b) -> Verdict {
        const auto decoded = Manifest::decode(b);
        if (!decoded) return decoded.error();
        return decoded->id() == manifest.id() ? Reason::kOk : Reason::kBadField;
    });
    for (const std::uint8_t version : {kParamsVersion1, kParamsVersion2}) {
        NetworkParams params = NetworkParams::preset(version);
        expect_every_flip_refused(params.encode(), [&](const Bytes& b) -> Verdict {
            const auto decoded = NetworkParams::decode(b);
            if (!decoded) return decoded.error();
            return decoded->id() == params.id() ? Reason::kOk : Reason::kWrongNetwork;
        });
    }
}

}  // namespace
}  // namespace holdfast
