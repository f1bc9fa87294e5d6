#include "capi/verifier.hpp"

#include "capi/network.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/link_verify.hpp"

using holdfast::capi::Done;

Done holdfast_verifier::change(const std::function<Done(holdfast::PublicRecord&)>& change) {
    const std::lock_guard lock(mutex_);
    // Nobody can take a share of the state while this holds the lock.
    if (state_.use_count() == 1) return change(state_->record());
    auto copy = std::make_shared<holdfast::Verifier>(*state_);
    Done done = change(copy->record());
    if (done) state_ = std::move(copy);
    return done;
}

namespace holdfast::capi {
namespace {

Got<PublicHeight> height_from(const holdfast_known_height& from) {
    PublicHeight out;
    HOLDFAST_ASSIGN(hash, fixed_of<BlockHash>(from.block_hash, "block_hash"));
    HOLDFAST_ASSIGN(parent, fixed_of<BlockHash>(from.parent, "parent"));
    out.block = {Height(from.height), hash, parent, from.time_ms, true};
    if (from.has_y != 0) {
        HOLDFAST_ASSIGN(y, fixed_of<VdfOutput>(from.y, "y"));
        out.y = y;
    }
    if (from.has_global != 0) {
        HOLDFAST_ASSIGN(global, fixed_of<GlobalDigest>(from.global, "global"));
        out.global = global;
    }
    if (from.has_beacon == 0) return out;
    HOLDFAST_ASSIGN(randomness, fixed_of<Digest>(from.beacon_randomness, "beacon_randomness"));
    HOLDFAST_ASSIGN(proof, view_of(from.beacon_proof.data, from.beacon_proof.size, "beacon_proof"));
    if (proof.size() > kMaxBeaconProofBytes) return bad_argument("beacon_proof is too long");
    out.beacon = BeaconRound{from.beacon_round, randomness, Bytes(proof.begin(), proof.end())};
    return out;
}

holdfast_known_height height_to_c(const PublicHeight& from) {
    holdfast_known_height out{};
    out.height = from.block.height.value;
    put_fixed(out.block_hash, from.block.hash);
    put_fixed(out.parent, from.block.parent);
    out.time_ms = from.block.time_ms;
    if (from.y) put_fixed(out.y, *from.y);
    out.has_y = from.y ? 1 : 0;
    if (from.global) put_fixed(out.global, *from.global);
    out.has_global = from.global ? 1 : 0;
    if (!from.beacon) return out;
    out.has_beacon = 1;
    out.beacon_round = from.beacon->round;
    put_fixed(out.beacon_randomness, from.beacon->randomness);
    return out;
}

Got<PublicChain> chain_from(const holdfast_known_chain& from) {
    PublicChain out;
    HOLDFAST_ASSIGN(registration, object_as<Registration>(Kind::kRegistration, from.registration,
                                                          "registration"));
    out.registration = registration;
    out.accepted = Height(from.accepted);
    if (from.updates == nullptr && from.updates_count > 0) return missing("updates");
    if (from.reveals == nullptr && from.reveals_count > 0) return missing("reveals");
    for (std::size_t i = 0; i < from.updates_count; ++i) {
        HOLDFAST_ASSIGN(update, object_as<Update>(Kind::kUpdate, from.updates[i], "an update"));
        out.updates.push_back(update);
    }
    for (std::size_t i = 0; i < from.reveals_count; ++i) {
        HOLDFAST_ASSIGN(given, read_struct(element(from.reveals, i), "a reveal"));
        HOLDFAST_ASSIGN(reveal, fixed_of<Reveal>(given.reveal, "reveal"));
        out.reveals.push_back({Height(given.base), {given.index, reveal}});
    }
    return out;
}

Got<VerifyHints> hints_from(const holdfast_verify_hints& from) {
    VerifyHints out;
    if (from.chain_id != nullptr) {
        HOLDFAST_ASSIGN(chain, fixed_of<ChainId>(from.chain_id, "chain_id"));
        out.chain_id = chain;
    }
    if (from.has_height != 0) out.height = Height(from.height);
    if (from.path.size > 0) {
        HOLDFAST_ASSIGN(path, object_as<PathProof>(Kind::kPath, from.path, "path"));
        out.path = std::move(path);
    }
    return out;
}

holdfast_verify_report report_to_c(const VerifyReport& from) {
    holdfast_verify_report out{};
    out.verdict = to_c(from.verdict);
    out.kind = static_cast<holdfast_kind>(from.kind);
    out.has_chain_id = from.chain_id ? 1 : 0;
    if (from.chain_id) put_fixed(out.chain_id, *from.chain_id);
    out.has_height = from.height ? 1 : 0;
    if (from.height) out.height = from.height->value;
    if (from.window) {
        out.has_window = 1;
        out.first = from.window->first.value;
        out.last = from.window->last.value;
        out.links = from.window->links;
        out.full = from.window->full;
        out.left_out = from.window->left_out;
        out.heights = from.window->heights;
        out.openings = from.window->openings();
    }
    if (from.total) {
        out.has_total = 1;
        out.total_is_proven = from.total->proven ? 1 : 0;
        out.total_chains = from.total->total_chains;
    }
    return out;
}

/// A proof in a short form: by what the registry took for its chain and height.
Got<VerifyReport> verify_short_form(const PublicRecord& record, Kind kind, ByteView body,
                                    const holdfast_verify_hints& hints) {
    VerifyReport report{kind, {}, {}, {}};
    std::optional<AnyShort> proof;
    if (kind == Kind::kShortCompact) {
        Checked<ShortCompact> compact = ShortCompact::decode(body);
        if (compact) proof = std::move(*compact);
        if (!compact) report.verdict = compact.error();
    } else {
        Checked<ShortFull> full = ShortFull::decode(body);
        if (full) proof = std::move(*full);
        if (!full) report.verdict = full.error();
    }
    if (!proof) return report;
    report.chain_id = chain_of(*proof);
    report.height = height_of(*proof);
    if (!record.chains().contains(*report.chain_id)) {
        report.verdict = Reason::kUnknownChain;
        return report;
    }
    HOLDFAST_ASSIGN(chain, record.known_chain(*report.chain_id, *report.height));
    HOLDFAST_ASSIGN(known, record.known_height(*report.height));
    std::optional<Link> link;
    if (hints.link != nullptr) {
        HOLDFAST_ASSIGN(given, fixed_of<Link>(hints.link, "link"));
        link = given;
    }
    if (hints.link_before != nullptr) {
        HOLDFAST_ASSIGN(before, fixed_of<Link>(hints.link_before, "link_before"));
        known.link_before = before;
    }
    report.verdict = verify_short(record.params(), record.network_id(), chain, known, link, *proof);
    return report;
}

Got<VerifyReport> verify_acknowledgement(const PublicRecord& record, ByteView body,
                                         const holdfast_verify_hints& hints) {
    VerifyReport report{Kind::kAcknowledgement, {}, {}, {}};
    const Checked<Acknowledgement> ack = Acknowledgement::decode(body);
    if (!ack) {
        report.verdict = ack.error();
        return report;
    }
    HOLDFAST_ASSIGN(host, fixed_of<PublicKey>(hints.host, "hints->host"));
    HOLDFAST_ASSIGN(
        object, view_of(hints.acknowledged.data, hints.acknowledged.size, "hints->acknowledged"));
    if (object.empty()) return bad_argument("hints->acknowledged is empty: what is it of?");
    report.height = ack->height;
    report.verdict = check_acknowledgement(record.network_id(), host, object, *ack);
    return report;
}

Got<VerifyReport> verify_object(const Verifier& verifier, ByteView object,
                                const holdfast_verify_hints& hints, Control& work) {
    const Checked<Kind> kind = peek_kind(object);
    if (kind && (*kind == Kind::kShortCompact || *kind == Kind::kShortFull)) {
        return verify_short_form(verifier.record(), *kind, object.subspan(2), hints);
    }
    if (kind && *kind == Kind::kAcknowledgement) {
        return verify_acknowledgement(verifier.record(), object.subspan(2), hints);
    }
    HOLDFAST_ASSIGN(known, hints_from(hints));
    VerifyOptions options;
    options.stop = work.stop();
    HOLDFAST_ASSIGN(report, verifier.verify(object, known, options));
    return report;
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_verifier_new(const holdfast_network* network, holdfast_verifier** out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        if (out == nullptr) return missing("out");
        *out = new holdfast_verifier(PublicRecord(network->params));
        return {};
    });
}

holdfast_status holdfast_verifier_load(const char* folder, holdfast_verifier** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(path, text_of(folder, "folder"));
        HOLDFAST_ASSIGN(record, PublicRecord::load(path));
        *out = new holdfast_verifier(std::move(record));
        return {};
    });
}

holdfast_status holdfast_verifier_save(const holdfast_verifier* verifier, const char* folder) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(verifier, "verifier"));
        HOLDFAST_ASSIGN(path, text_of(folder, "folder"));
        HOLDFAST_TRY(verifier->state()->record().save(path));
        return {};
    });
}

void holdfast_verifier_free(holdfast_verifier* verifier) { free_handle(verifier); }

holdfast_status holdfast_verifier_network(const holdfast_verifier* verifier,
                                          holdfast_network** out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(verifier, "verifier"));
        if (out == nullptr) return missing("out");
        *out = new holdfast_network(verifier->state()->record().params());
        return {};
    });
}

holdfast_status holdfast_verifier_set_heights(holdfast_verifier* verifier,
                                              const holdfast_known_height* heights, size_t count) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(verifier, "verifier"));
        if (heights == nullptr && count > 0) return missing("heights");
        std::vector<PublicHeight> read;
        for (std::size_t i = 0; i < count; ++i) {
            HOLDFAST_ASSIGN(given, read_struct(element(heights, i), "a height"));
            HOLDFAST_ASSIGN(facts, height_from(given));
            read.push_back(std::move(facts));
        }
        return verifier->change([&](PublicRecord& record) -> Done {
            for (PublicHeight& facts : read) record.set_height(std::move(facts));
            return {};
        });
    });
}

holdfast_status holdfast_verifier_add_chain(holdfast_verifier* verifier,
                                            const holdfast_known_chain* chain,
                                            uint8_t chain_id[32]) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(verifier, "verifier"));
        HOLDFAST_ASSIGN(given, read_struct(chain, "chain"));
        HOLDFAST_ASSIGN(facts, chain_from(given));
        return verifier->change([&](PublicRecord& record) -> Done {
            HOLDFAST_ASSIGN(id, record.add_chain(std::move(facts)));
            put_optional(chain_id, id);
            return {};
        });
    });
}

holdfast_status holdfast_verifier_height(const holdfast_verifier* verifier, uint64_t height,
                                         holdfast_known_height* out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(verifier, "verifier"));
        HOLDFAST_TRY(check_out(out, "out"));
        const auto state = verifier->state();
        const auto found = state->record().heights().find(Height(height));
        if (found == state->record().heights().end()) {
            return failure(HOLDFAST_NOT_FOUND,
                           "nothing is known of height " + std::to_string(height));
        }
        write_struct(out, height_to_c(found->second));
        return {};
    });
}

holdfast_status holdfast_verifier_chains(const holdfast_verifier* verifier, uint8_t* out,
                                         size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(verifier, "verifier"));
        Writer ids;
        for (const auto& [id, facts] : verifier->state()->record().chains()) ids.fixed(id);
        return put_bytes(ids.bytes(), out, out_bytes);
    });
}

holdfast_status holdfast_verifier_link_place(const holdfast_verifier* verifier, uint64_t height,
                                             holdfast_link_place* out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(verifier, "verifier"));
        HOLDFAST_TRY(check_out(out, "out"));
        HOLDFAST_ASSIGN(known, verifier->state()->record().known_height(Height(height)));
        if (!known.y) {
            return failure(HOLDFAST_NOT_FOUND, "height " + std::to_string(height) + " has no y");
        }
        holdfast_link_place place{};
        place.height = height;
        put_fixed(place.block_hash, known.block_hash);
        put_fixed(place.y, *known.y);
        put_fixed(place.anchor, known.anchor);
        write_struct(out, place);
        return {};
    });
}

holdfast_status holdfast_verifier_verify(const holdfast_verifier* verifier, const uint8_t* object,
                                         size_t object_bytes, const holdfast_verify_hints* hints,
                                         const holdfast_control* control,
                                         holdfast_verify_report* out) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(verifier, "verifier"));
        HOLDFAST_TRY(check_out(out, "out"));
        HOLDFAST_ASSIGN(bytes, view_of(object, object_bytes, "object"));
        HOLDFAST_ASSIGN(given, read_optional(hints, "hints"));
        HOLDFAST_ASSIGN(report, verify_object(*verifier->state(), bytes, given, work));
        write_struct(out, report_to_c(report));
        return {};
    });
}
