// The verifier, and evidence.
#include <cstring>

#include "call.hpp"
#include "structs.hpp"

namespace holdfast_node {
namespace {

std::shared_ptr<holdfast_verifier> verifier_of(Call& c) {
    return c.at(0, "verifier").handle<holdfast_verifier>();
}

napi_value create(Call& c) {
    holdfast_verifier* verifier = nullptr;
    check(holdfast_verifier_new(c.at(0, "network").handle<holdfast_network>().get(), &verifier));
    return c.now(box(verifier));
}

napi_value load(Call& c) {
    return c.pool([folder = c.at(0, "folder").text()](auto) -> Value {
        holdfast_verifier* verifier = nullptr;
        check(holdfast_verifier_load(folder.c_str(), &verifier));
        return box(verifier);
    });
}

napi_value save(Call& c) {
    return c.pool([verifier = verifier_of(c), folder = c.at(1, "folder").text()](auto) -> Value {
        check(holdfast_verifier_save(verifier.get(), folder.c_str()));
        return {};
    });
}

napi_value network(Call& c) {
    holdfast_network* out = nullptr;
    check(holdfast_verifier_network(verifier_of(c).get(), &out));
    return c.now(box(out));
}

holdfast_known_height known_height(const In& in) {
    auto out = sized_struct<holdfast_known_height>();
    out.height = in.field("height").u64();
    copy_to<Digest>(out.block_hash, in.field("blockHash").digest());
    copy_to<Digest>(out.parent, in.field("parent").digest());
    out.time_ms = in.field("timeMs").u64();
    const In y = in.field("y");
    if (y.present()) {
        copy_to<Digest>(out.y, y.digest());
        out.has_y = 1;
    }
    const In global = in.field("global");
    if (global.present()) {
        copy_to<Digest>(out.global, global.digest());
        out.has_global = 1;
    }
    const In beacon = in.field("beacon");
    if (beacon.present()) {
        out.has_beacon = 1;
        out.beacon_round = beacon.field("round").u64();
        copy_to<Digest>(out.beacon_randomness, beacon.field("randomness").digest());
        out.beacon_proof = beacon.field("proof").view();
    }
    return out;
}

napi_value set_heights(Call& c) {
    std::vector<holdfast_known_height> heights;
    for (const In& item : c.at(1, "heights").items()) heights.push_back(known_height(item));
    check(holdfast_verifier_set_heights(verifier_of(c).get(), heights.data(), heights.size()));
    return c.nothing();
}

napi_value add_chain(Call& c) {
    const In in = c.at(1, "chain");
    auto chain = sized_struct<holdfast_known_chain>();
    chain.registration = in.field("registration").view();
    chain.accepted = in.field("accepted").u64();
    std::vector<holdfast_bytes> updates;
    if (in.field("updates").present()) {
        for (const In& item : in.field("updates").items()) updates.push_back(item.view());
    }
    std::vector<holdfast_known_reveal> reveals;
    if (in.field("reveals").present()) {
        for (const In& item : in.field("reveals").items()) {
            auto reveal = sized_struct<holdfast_known_reveal>();
            reveal.base = item.field("base").u64();
            reveal.index = item.field("index").u64();
            copy_to<Digest>(reveal.reveal, item.field("reveal").digest());
            reveals.push_back(reveal);
        }
    }
    chain.updates = updates.data();
    chain.updates_count = updates.size();
    chain.reveals = reveals.data();
    chain.reveals_count = reveals.size();
    std::uint8_t id[32];
    check(holdfast_verifier_add_chain(verifier_of(c).get(), &chain, id));
    return c.now(bytes_of(id));
}

napi_value height(Call& c) {
    auto out = sized_struct<holdfast_known_height>();
    check(holdfast_verifier_height(verifier_of(c).get(), c.at(1, "height").u64(), &out));
    return c.now(Fields{{"height", out.height},
                        {"blockHash", bytes_of(out.block_hash)},
                        {"parent", bytes_of(out.parent)},
                        {"timeMs", out.time_ms},
                        {"y", out.has_y != 0 ? bytes_of(out.y) : Value{}},
                        {"global", out.has_global != 0 ? bytes_of(out.global) : Value{}}});
}

napi_value chains(Call& c) {
    const auto verifier = verifier_of(c);
    const Bytes all = sized(0, [&](std::uint8_t* out, std::size_t* size) {
        return holdfast_verifier_chains(verifier.get(), out, size);
    });
    Items ids;
    for (std::size_t i = 0; i + 32 <= all.size(); i += 32) ids.push_back(bytes_of(&all[i], 32));
    return c.now(std::move(ids));
}

Value judged(const holdfast_verifier* verifier, holdfast_bytes object, const Hints& hints,
             const holdfast_control* control) {
    const holdfast_verify_hints view = hints.view();
    auto report = sized_struct<holdfast_verify_report>();
    check(holdfast_verifier_verify(verifier, object.data, object.size, &view, control, &report));
    return report_value(report);
}

napi_value verify(Call& c) {
    return c.thread(c.at(3, "control"),
                    [verifier = verifier_of(c), object = c.at(1, "object").bytes(),
                     hints = Hints(c.at(2, "hints"))](auto control) {
                        return judged(verifier.get(), bytes_view(object), hints, control);
                    });
}

/// Here and now: some hundred microseconds. Seal proofs cost fills, that is seconds: not here.
napi_value verify_sync(Call& c) {
    const holdfast_bytes object = c.at(1, "object").view();
    if (object.size >= 2 && object.data[1] == HOLDFAST_KIND_SEAL_PROOF) {
        throw Failure{HOLDFAST_INVALID_ARGUMENT,
                      "a seal proof takes seconds to verify: not on the event loop",
                      {}};
    }
    return c.now(judged(verifier_of(c).get(), object, Hints(c.at(2, "hints")), nullptr));
}

napi_value place(Call& c) {
    auto out = sized_struct<holdfast_link_place>();
    check(holdfast_verifier_link_place(verifier_of(c).get(), c.at(1, "height").u64(), &out));
    return c.now(link_place_value(out));
}

// --- evidence ------------------------------------------------------------------------------------

napi_value evidence_make(Call& c) {
    const In in = c.at(1, "request");
    const In what = in.field("what");
    auto request = sized_struct<holdfast_accusation_request>();
    const std::int32_t word = what.word(
        {"equivocation", "opening", "seal", "vdf", "checkpoint", "response", "head", "slots"}, 1);
    request.what = word <= 6 ? word : word + 4;  // heads and slots are 11 and 12
    return c.thread(
        c.at(2, "control"),
        [verifier = verifier_of(c), request, objects = byte_strings(in.field("objects")),
         chain = optional_digest(in.field("chainId")),
         replica = optional_text(in.field("replica"))](auto control) mutable -> Value {
            const auto views = objects.views();
            request.objects = views.data();
            request.objects_count = views.size();
            request.chain_id = chain.data();
            request.replica = text_or_null(replica);
            return sized(64 * 1024, [&](std::uint8_t* out, std::size_t* size) {
                return holdfast_evidence_make(verifier.get(), &request, control, out, size);
            });
        });
}

napi_value evidence_verify(Call& c) {
    return c.thread(
        c.at(3, "control"),
        [verifier = verifier_of(c), evidence = c.at(1, "evidence").bytes(),
         without_fill = flag_or(c.at(2, "withoutFill"), false)](auto control) -> Value {
            auto out = sized_struct<holdfast_judgement>();
            check(holdfast_evidence_verify(verifier.get(), evidence.data(), evidence.size(),
                                           without_fill ? 1 : 0, control, &out));
            return Fields{{"verdict", verdict_value(out.verdict)},
                          {"offence", number(out.offence)},
                          {"needsFill", out.needs_fill != 0},
                          {"offender", bytes_of(out.offender)},
                          {"height", out.height},
                          {"offenceId", bytes_of(out.offence_id)}};
        });
}

}  // namespace

void add_verifier(Exports& exports) {
    exports.insert(exports.end(), {
                                      {"verifierNew", entry<create>},
                                      {"verifierLoad", entry<load>},
                                      {"verifierSave", entry<save>},
                                      {"verifierNetwork", entry<network>},
                                      {"verifierSetHeights", entry<set_heights>},
                                      {"verifierAddChain", entry<add_chain>},
                                      {"verifierHeight", entry<height>},
                                      {"verifierChains", entry<chains>},
                                      {"verifierVerify", entry<verify>},
                                      {"verifierVerifySync", entry<verify_sync>},
                                      {"verifierLinkPlace", entry<place>},
                                      {"evidenceMake", entry<evidence_make>},
                                      {"evidenceVerify", entry<evidence_verify>},
                                  });
}

}  // namespace holdfast_node
