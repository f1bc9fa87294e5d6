// The prover, and proofs made of its proofs.
#include "call.hpp"
#include "structs.hpp"

namespace holdfast_node {
namespace {

std::shared_ptr<holdfast_prover> prover_of(Call& c) {
    return c.at(0, "prover").handle<holdfast_prover>();
}

napi_value open(Call& c) {
    const In in = c.at(3, "options");
    auto options = sized_struct<holdfast_prover_options>();
    if (in.present()) {
        options.open_files = u32_or(in.field("openFiles"), 0);
        options.kept_heights = u32_or(in.field("keptHeights"), 0);
        options.threads = u32_or(in.field("threads"), 0);
        options.responses_at_once = u32_or(in.field("responsesAtOnce"), 0);
    }
    return c.thread([network = c.at(0, "network").handle<holdfast_network>(),
                     signer = c.at(1, "signer").handle<holdfast_signer>(),
                     records = c.at(2, "records").text(), options](auto) -> Value {
        holdfast_prover* prover = nullptr;
        check(
            holdfast_prover_open(network.get(), signer.get(), records.c_str(), &options, &prover));
        return box(prover);
    });
}

napi_value add(Call& c) {
    return c.pool([prover = prover_of(c), replica = c.at(1, "replica").text()](auto) -> Value {
        std::uint8_t id[32];
        check(holdfast_prover_add(prover.get(), replica.c_str(), id));
        return bytes_of(id);
    });
}

napi_value remove(Call& c) {
    return c.pool([prover = prover_of(c), replica = c.at(1, "replica").text()](auto) -> Value {
        std::uint64_t removed = 0;
        check(holdfast_prover_remove(prover.get(), replica.c_str(), &removed));
        return removed;
    });
}

napi_value count(Call& c) {
    std::uint64_t out = 0;
    check(holdfast_prover_count(prover_of(c).get(), &out));
    return c.now(out);
}

napi_value to_json(Call& c) {
    const auto prover = prover_of(c);
    return c.now(text_of([&](char* out, std::size_t* size) {
        return holdfast_prover_to_json(prover.get(), out, size);
    }));
}

napi_value make_registration(Call& c) {
    const In in = c.at(2, "terms");
    auto terms = sized_struct<holdfast_registration_terms>();
    terms.genesis_height = in.field("genesisHeight").u64();
    copy_to<Digest>(terms.genesis_block_hash, in.field("genesisBlockHash").digest());
    copy_to<Digest>(terms.bond, in.field("bond").digest());
    const In retention = in.field("retention");
    if (retention.present()) {
        terms.retention =
            retention.word({"temporary", "default", "archival"}, HOLDFAST_RETENTION_TEMPORARY);
    }
    terms.with_commitment = flag_or(in.field("withCommitment"), false) ? 1 : 0;
    return c.thread(
        [prover = prover_of(c), replica = c.at(1, "replicaId").digest(), terms](auto) -> Value {
            std::uint8_t chain_id[32];
            Bytes object =
                sized(HOLDFAST_REGISTRATION_BYTES, [&](std::uint8_t* out, std::size_t* size) {
                    return holdfast_prover_make_registration(prover.get(), replica.data(), &terms,
                                                             out, size, chain_id);
                });
            return Fields{{"registration", std::move(object)}, {"chainId", bytes_of(chain_id)}};
        });
}

napi_value note_registration(Call& c) {
    return c.pool([prover = prover_of(c), object = c.at(1, "registration").bytes()](auto) -> Value {
        std::uint8_t chain_id[32];
        check(holdfast_prover_note_registration(prover.get(), object.data(), object.size(),
                                                chain_id));
        return bytes_of(chain_id);
    });
}

napi_value make_update(Call& c) {
    const In in = c.at(2, "update");
    return c.thread([prover = prover_of(c), chain = c.at(1, "chainId").digest(),
                     sequence = in.field("sequence").u32(), effective = in.field("effective").u64(),
                     commits = flag_or(in.field("withCommitment"), false)](auto) -> Value {
        return sized(HOLDFAST_UPDATE_BYTES, [&](std::uint8_t* out, std::size_t* size) {
            return holdfast_prover_make_update(prover.get(), chain.data(), sequence, effective,
                                               commits ? 1 : 0, out, size);
        });
    });
}

napi_value make_removal(Call& c) {
    const In in = c.at(2, "removal");
    return c.thread([prover = prover_of(c), chain = c.at(1, "chainId").digest(),
                     sequence = in.field("sequence").u32(),
                     tip = in.field("tip").u64()](auto) -> Value {
        return sized(HOLDFAST_REMOVAL_BYTES, [&](std::uint8_t* out, std::size_t* size) {
            return holdfast_prover_make_removal(prover.get(), chain.data(), sequence, tip, out,
                                                size);
        });
    });
}

napi_value reveal(Call& c) {
    return c.thread([prover = prover_of(c), chain = c.at(1, "chainId").digest(),
                     base = c.at(2, "base").u64(),
                     height = c.at(3, "height").u64()](auto) -> Value {
        std::uint8_t out[32];
        check(holdfast_prover_reveal(prover.get(), chain.data(), base, height, out));
        return bytes_of(out);
    });
}

napi_value link(Call& c) {
    std::vector<holdfast_link_facts> chains;
    for (const In& item : c.at(2, "chains").items()) chains.push_back(link_facts(item));
    return c.thread([prover = prover_of(c), place = link_place(c.at(1, "place")),
                     chains = std::move(chains)](auto) -> Value {
        std::vector<holdfast_status> statuses(chains.size(), HOLDFAST_OK);
        Bytes bundle = sized(142 + 64 * chains.size(), [&](std::uint8_t* out, std::size_t* size) {
            return holdfast_prover_link(prover.get(), &place, chains.data(), chains.size(), out,
                                        size, statuses.data());
        });
        Items words;
        for (const holdfast_status status : statuses) {
            words.push_back(name(holdfast_status_name(status)));
        }
        return Fields{{"bundle", std::move(bundle)}, {"statuses", std::move(words)}};
    });
}

napi_value receipt(Call& c) {
    return c.thread([prover = prover_of(c), place = link_place(c.at(1, "place")),
                     chain = c.at(2, "chainId").digest()](auto) -> Value {
        return sized(HOLDFAST_RECEIPT_BYTES, [&](std::uint8_t* out, std::size_t* size) {
            return holdfast_prover_receipt(prover.get(), &place, chain.data(), out, size);
        });
    });
}

napi_value prove(Call& c) {
    return c.thread([prover = prover_of(c), place = link_place(c.at(1, "place")),
                     chain = link_facts(c.at(2, "chain")), y = optional_digest(c.at(3, "yCompact")),
                     path = optional_bytes(c.at(4, "path"))](auto) -> Value {
        return sized(HOLDFAST_MAX_PROOF_BYTES, [&](std::uint8_t* out, std::size_t* size) {
            return holdfast_prover_prove(prover.get(), &place, &chain, y.data(), path.data(),
                                         path.size(), out, size);
        });
    });
}

napi_value proof_shorten(Call& c) {
    const holdfast_bytes proof = c.at(0, "proof").view();
    return c.now(sized(HOLDFAST_MAX_PROOF_BYTES, [&](std::uint8_t* out, std::size_t* size) {
        return holdfast_proof_shorten(proof.data, proof.size, out, size);
    }));
}

napi_value window_make(Call& c) {
    const ByteStrings proofs = byte_strings(c.at(0, "proofs"));
    const auto views = proofs.views();
    return c.now(sized(HOLDFAST_MAX_PROOF_BYTES, [&](std::uint8_t* out, std::size_t* size) {
        return holdfast_window_make(views.data(), views.size(), out, size);
    }));
}

napi_value seal_proof(Call& c) {
    const In in = c.at(2, "challenge");
    return c.thread(c.at(3, "control"),
                    [prover = prover_of(c), chain = c.at(1, "chainId").digest(),
                     height = in.field("yHeight").u64(), y = in.field("y").digest(),
                     audit = flag_or(in.field("audit"), false)](auto control) -> Value {
                        return sized(256 * 1024, [&](std::uint8_t* out, std::size_t* size) {
                            return holdfast_prover_seal_proof(prover.get(), chain.data(), height,
                                                              y.data(), audit ? 1 : 0, control, out,
                                                              size);
                        });
                    });
}

napi_value on_final_block(Call& c) {
    return c.pool(
        [prover = prover_of(c), block = ChallengeHeight(c.at(1, "block"))](auto) -> Value {
            const holdfast_challenge_height view = block.view();
            check(holdfast_prover_on_final_block(prover.get(), &view));
            return {};
        });
}

napi_value respond(Call& c) {
    return c.thread([prover = prover_of(c), from = c.at(1, "from").digest(),
                     challenge = c.at(2, "challenge").bytes()](auto) -> Value {
        return sized(HOLDFAST_MAX_RESPONSE_BYTES, [&](std::uint8_t* out, std::size_t* size) {
            return holdfast_prover_respond(prover.get(), from.data(), challenge.data(),
                                           challenge.size(), out, size);
        });
    });
}

}  // namespace

void add_prover(Exports& exports) {
    exports.insert(exports.end(), {
                                      {"proverOpen", entry<open>},
                                      {"proverAdd", entry<add>},
                                      {"proverRemove", entry<remove>},
                                      {"proverCount", entry<count>},
                                      {"proverToJson", entry<to_json>},
                                      {"proverMakeRegistration", entry<make_registration>},
                                      {"proverNoteRegistration", entry<note_registration>},
                                      {"proverMakeUpdate", entry<make_update>},
                                      {"proverMakeRemoval", entry<make_removal>},
                                      {"proverReveal", entry<reveal>},
                                      {"proverLink", entry<link>},
                                      {"proverReceipt", entry<receipt>},
                                      {"proverProve", entry<prove>},
                                      {"proverSealProof", entry<seal_proof>},
                                      {"proverOnFinalBlock", entry<on_final_block>},
                                      {"proverRespond", entry<respond>},
                                      {"proofShorten", entry<proof_shorten>},
                                      {"windowMake", entry<window_make>},
                                  });
}

}  // namespace holdfast_node
