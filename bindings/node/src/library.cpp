// The add-on itself; the library, objects, networks, signers, what a host gives.
#include "call.hpp"
#include "host.hpp"
#include "structs.hpp"

namespace holdfast_node {
namespace {

napi_value use_error_class(Call& c) {
    Instance::of(c.env()).error_class(c.at(0, "constructor").function());
    return c.nothing();
}

napi_value end(Call& c) {
    Instance::of(c.env()).end();
    return c.nothing();
}

napi_value library(Call& c) {
    Items reasons;
    for (std::size_t i = 0; i < holdfast_reason_count(); ++i) {
        const auto reason = static_cast<holdfast_reason>(i);
        reasons.push_back(Fields{{"name", name(holdfast_reason_name(reason))},
                                 {"meaning", name(holdfast_reason_meaning(reason))},
                                 {"action", name(holdfast_reason_action(reason))}});
    }
    return c.now(Fields{{"version", name(holdfast_version())},
                        {"abiVersion", number(holdfast_abi_version())},
                        {"reasons", std::move(reasons)}});
}

napi_value has_feature(Call& c) {
    return c.now(holdfast_has_feature(c.at(0, "name").text().c_str()) != 0);
}

napi_value object_kind(Call& c) {
    const holdfast_bytes object = c.at(0, "object").view();
    holdfast_kind kind = 0;
    check(holdfast_object_kind(object.data, object.size, &kind));
    return c.now(name(holdfast_kind_name(kind)));
}

napi_value object_to_json(Call& c) {
    const holdfast_bytes object = c.at(0, "object").view();
    return c.now(text_of([&](char* out, std::size_t* size) {
        return holdfast_object_to_json(object.data, object.size, out, size);
    }));
}

napi_value object_from_json(Call& c) {
    const std::string json = c.at(0, "json").text();
    return c.now(sized(4'096, [&](std::uint8_t* out, std::size_t* size) {
        return holdfast_object_from_json(json.data(), json.size(), out, size);
    }));
}

napi_value sha256(Call& c) {
    const holdfast_bytes data = c.at(0, "data").view();
    std::uint8_t out[32];
    check(holdfast_sha256(data.data, data.size, out));
    return c.now(bytes_of(out));
}

// --- networks ------------------------------------------------------------------------------------

napi_value network_load(Call& c) {
    return c.pool([path = c.at(0, "path").text()](auto) -> Value {
        holdfast_network* network = nullptr;
        check(holdfast_network_load(path.c_str(), &network));
        return box(network);
    });
}

napi_value network_from_object(Call& c) {
    const holdfast_bytes object = c.at(0, "object").view();
    holdfast_network* network = nullptr;
    check(holdfast_network_from_object(object.data, object.size, &network));
    return c.now(box(network));
}

napi_value network_from_preset(Call& c) {
    const auto preset = optional_text(c.at(0, "preset"));
    const Texts settings = texts(c.at(1, "settings"));
    const auto pointers = settings.pointers();
    holdfast_network* network = nullptr;
    check(holdfast_network_from_preset(text_or_null(preset), pointers.data(), pointers.size(),
                                       &network));
    return c.now(box(network));
}

napi_value network_id(Call& c) {
    std::uint8_t out[32];
    check(holdfast_network_id(c.at(0, "network").handle<holdfast_network>().get(), out));
    return c.now(bytes_of(out));
}

napi_value network_object(Call& c) {
    const auto network = c.at(0, "network").handle<holdfast_network>();
    return c.now(sized(1'024, [&](std::uint8_t* out, std::size_t* size) {
        return holdfast_network_object(network.get(), out, size);
    }));
}

napi_value network_compact_height(Call& c) {
    std::uint64_t out = 0;
    check(holdfast_network_compact_height(c.at(0, "network").handle<holdfast_network>().get(),
                                          c.at(1, "height").u64(), &out));
    return c.now(out);
}

napi_value network_to_json(Call& c) {
    const auto network = c.at(0, "network").handle<holdfast_network>();
    return c.now(text_of([&](char* out, std::size_t* size) {
        return holdfast_network_to_json(network.get(), out, size);
    }));
}

napi_value network_save(Call& c) {
    return c.pool([network = c.at(0, "network").handle<holdfast_network>(),
                   path = c.at(1, "path").text()](auto) -> Value {
        check(holdfast_network_save(network.get(), path.c_str()));
        return {};
    });
}

// --- signers -------------------------------------------------------------------------------------

napi_value signer_generate(Call& c) {
    holdfast_signer* signer = nullptr;
    check(holdfast_signer_generate(&signer));
    return c.now(box(signer));
}

napi_value signer_from_secret(Call& c) {
    Digest secret = c.at(0, "secret").digest();
    holdfast_signer* signer = nullptr;
    const holdfast_status status = holdfast_signer_from_secret(secret.data(), &signer);
    for (volatile std::uint8_t& byte : secret) byte = 0;
    check(status);
    return c.now(box(signer));
}

napi_value signer_load(Call& c) {
    return c.pool([path = c.at(0, "path").text()](auto) -> Value {
        holdfast_signer* signer = nullptr;
        check(holdfast_signer_load(path.c_str(), &signer));
        return box(signer);
    });
}

napi_value signer_save(Call& c) {
    return c.pool([signer = c.at(0, "signer").handle<holdfast_signer>(),
                   path = c.at(1, "path").text()](auto) -> Value {
        check(holdfast_signer_save(signer.get(), path.c_str()));
        return {};
    });
}

napi_value signer_public_key(Call& c) {
    std::uint8_t out[32];
    check(holdfast_signer_public_key(c.at(0, "signer").handle<holdfast_signer>().get(), out));
    return c.now(bytes_of(out));
}

napi_value signer_sign(Call& c) {
    return c.thread([signer = c.at(0, "signer").handle<holdfast_signer>(),
                     message = c.at(1, "message").bytes()](auto) -> Value {
        std::uint8_t out[64];
        check(holdfast_signer_sign(signer.get(), message.data(), message.size(), out));
        return bytes_of(out);
    });
}

napi_value signature_verify(Call& c) {
    const Digest key = c.at(0, "publicKey").digest();
    const holdfast_bytes message = c.at(1, "message").view();
    const auto signature = c.at(2, "signature").fixed<64>();
    holdfast_verdict verdict{};
    check(holdfast_signature_verify(key.data(), message.data, message.size, signature.data(),
                                    &verdict));
    return c.now(verdict_value(verdict));
}

// --- what a host gives ---------------------------------------------------------------------------

template <HandleBox (*make)(napi_env, const In&, const In&)>
napi_value interface_of(Call& c) {
    return c.now(make(c.env(), c.at(0, "ask"), c.at(1, "options")));
}

napi_value signer_from_host(Call& c) {
    return make_signer(c.env(), c.at(0, "ask"), c.at(1, "options"));
}

napi_value answer_question(Call& c) {
    answer(c.env(), c.at(0, "number"), c.at(1, "answer"));
    return c.nothing();
}

napi_value refuse_question(Call& c) {
    refuse(c.env(), c.at(0, "number"), c.at(1, "code"), c.at(2, "reason"), c.at(3, "text"));
    return c.nothing();
}

// --- calls and handles ---------------------------------------------------------------------------

napi_value stop_flag(Call& c) {
    return c.now(HandleBox{std::make_shared<StopFlag>(0), "stop", false});
}

napi_value stop(Call& c) {
    std::static_pointer_cast<StopFlag>(c.at(0, "stop").object_of("stop"))->store(1);
    return c.nothing();
}

/// Lets the object of a handle go once no call uses it any more; the promise comes after that where
/// this was the last.
napi_value close(Call& c) {
    HandleBox* const box = c.at(0, "handle").any_handle();
    if (box == nullptr) c.at(0, "handle").bad("a handle");
    return c.pool([object = std::exchange(box->object, nullptr)](auto) mutable -> Value {
        object.reset();
        return {};
    });
}

}  // namespace

void add_library(Exports& exports) {
    exports.insert(exports.end(), {
                                      {"useErrorClass", entry<use_error_class>},
                                      {"end", entry<end>},
                                      {"library", entry<library>},
                                      {"hasFeature", entry<has_feature>},
                                      {"objectKind", entry<object_kind>},
                                      {"objectToJson", entry<object_to_json>},
                                      {"objectFromJson", entry<object_from_json>},
                                      {"sha256", entry<sha256>},
                                      {"networkLoad", entry<network_load>},
                                      {"networkFromObject", entry<network_from_object>},
                                      {"networkFromPreset", entry<network_from_preset>},
                                      {"networkId", entry<network_id>},
                                      {"networkObject", entry<network_object>},
                                      {"networkCompactHeight", entry<network_compact_height>},
                                      {"networkToJson", entry<network_to_json>},
                                      {"networkSave", entry<network_save>},
                                      {"signerGenerate", entry<signer_generate>},
                                      {"signerFromSecret", entry<signer_from_secret>},
                                      {"signerLoad", entry<signer_load>},
                                      {"signerSave", entry<signer_save>},
                                      {"signerPublicKey", entry<signer_public_key>},
                                      {"signerSign", entry<signer_sign>},
                                      {"signatureVerify", entry<signature_verify>},
                                      {"blockchain", entry<interface_of<make_blockchain>>},
                                      {"token", entry<interface_of<make_token>>},
                                      {"beacon", entry<interface_of<make_beacon>>},
                                      {"peers", entry<interface_of<make_peers>>},
                                      {"signerFromHost", entry<signer_from_host>},
                                      {"answer", entry<answer_question>},
                                      {"refuse", entry<refuse_question>},
                                      {"stopFlag", entry<stop_flag>},
                                      {"stop", entry<stop>},
                                      {"close", entry<close>},
                                  });
}

namespace {

napi_value start(napi_env env, napi_value exports) {
    auto* const instance = new Instance(env);
    must(env,
         napi_set_instance_data(
             env, instance,
             [](napi_env, void* data, void*) { delete static_cast<Instance*>(data); }, nullptr));
    must(env, napi_add_env_cleanup_hook(
                  env, [](void* data) { static_cast<Instance*>(data)->end(); }, instance));
    Exports all;
    add_library(all);
    add_storage(all);
    add_prover(all);
    add_verifier(all);
    add_challenges(all);
    add_time(all);
    add_aggregator(all);
    for (const Export& each : all) {
        napi_value function = nullptr;
        must(env, napi_create_function(env, each.name, NAPI_AUTO_LENGTH, each.function, nullptr,
                                       &function));
        must(env, napi_set_named_property(env, exports, each.name, function));
    }
    return exports;
}

}  // namespace
}  // namespace holdfast_node

NAPI_MODULE_INIT() {
    try {
        return holdfast_node::start(env, exports);
    } catch (...) {
        holdfast_node::throw_current(env);
        return nullptr;
    }
}
