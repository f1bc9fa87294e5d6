// The four interfaces over callbacks in C, and their handles.
#include <utility>

#include "callbacks/guard.hpp"
#include "capi/host.hpp"

namespace holdfast::capi {
namespace {

/// Asks for an answer of many parts.
template <class T, class Call>
Result<T> ask_for(const char* function, Call&& call) {
    holdfast_answer answer;
    answer.parts = T{};
    HOLDFAST_TRY(ask_host(function, [&] { return call(&answer); }));
    return std::move(std::get<T>(answer.parts));
}

class HostChain final : public Blockchain, public Host<holdfast_blockchain_callbacks> {
  public:
    using Host::Host;
    Result<Height> current_height() override {
        std::uint64_t height = 0;
        HOLDFAST_TRY(
            ask_host("current_height", [&] { return c_.current_height(c_.user_data, &height); }));
        return Height(height);
    }
    Result<BlockInfo> block_by_height(Height height) override {
        holdfast_block block{};
        block.struct_size = sizeof block;
        HOLDFAST_TRY(ask_host("block_by_height", [&] {
            return c_.block_by_height(c_.user_data, height.value, &block);
        }));
        BlockInfo out{Height(block.height), {}, {}, block.time_ms, block.final != 0};
        std::memcpy(out.hash.data(), block.hash, BlockHash::kSize);
        std::memcpy(out.parent.data(), block.parent, BlockHash::kSize);
        return out;
    }
    Status submit(Kind kind, ByteView object) override {
        return ask_host("submit", [&] {
            return c_.submit(c_.user_data, static_cast<holdfast_kind>(kind), object.data(),
                             object.size());
        });
    }
    Result<std::vector<Submission>> submissions_at(Height height) override {
        return ask_for<std::vector<Submission>>("submissions_at", [&](holdfast_answer* answer) {
            return c_.submissions_at(c_.user_data, height.value, answer);
        });
    }
    Result<std::vector<BondEvent>> bond_events_at(Height height) override {
        return ask_for<std::vector<BondEvent>>("bond_events_at", [&](holdfast_answer* answer) {
            return c_.bond_events_at(c_.user_data, height.value, answer);
        });
    }
};

class HostToken final : public Token, public Host<holdfast_token_callbacks> {
  public:
    using Host::Host;
    Result<BondId> create_bond(const PublicKey& owner, std::uint64_t amount, BondPurpose purpose,
                               const IdempotencyKey& key) override {
        BondId out;
        HOLDFAST_TRY(ask_host("create_bond", [&] {
            return c_.create_bond(c_.user_data, owner.data(), amount,
                                  static_cast<holdfast_bond_purpose>(purpose), key.data(),
                                  out.data());
        }));
        return out;
    }
    Result<std::uint64_t> release_bond(const BondId& bond, std::uint64_t amount,
                                       const IdempotencyKey& key) override {
        std::uint64_t released = 0;
        HOLDFAST_TRY(ask_host("release_bond", [&] {
            return c_.release_bond(c_.user_data, bond.data(), amount, key.data(), &released);
        }));
        return released;
    }
    Result<std::uint64_t> slash_bond(const BondId& bond, std::uint64_t amount,
                                     const OffenceId& offence, const IdempotencyKey& key) override {
        std::uint64_t slashed = 0;
        HOLDFAST_TRY(ask_host("slash_bond", [&] {
            return c_.slash_bond(c_.user_data, bond.data(), amount, offence.data(), key.data(),
                                 &slashed);
        }));
        return slashed;
    }
    Status pay_reward(const PublicKey& to, std::uint64_t amount, const Digest& reference,
                      const IdempotencyKey& key) override {
        return ask_host("pay_reward", [&] {
            return c_.pay_reward(c_.user_data, to.data(), amount, reference.data(), key.data());
        });
    }
    Result<BondInfo> bond_info(const BondId& bond) override {
        holdfast_bond_info info{};
        info.struct_size = sizeof info;
        HOLDFAST_TRY(
            ask_host("bond_info", [&] { return c_.bond_info(c_.user_data, bond.data(), &info); }));
        if (info.purpose < HOLDFAST_BOND_STORAGE || info.purpose > HOLDFAST_BOND_OPERATOR) {
            return fail(ErrorCode::kUnavailable,
                        "the host's callback bond_info gave a purpose that is none");
        }
        BondInfo out;
        std::memcpy(out.id.data(), info.bond, BondId::kSize);
        std::memcpy(out.owner.data(), info.owner, PublicKey::kSize);
        out.purpose = static_cast<BondPurpose>(info.purpose);
        out.state = info.released != 0 ? BondState::kReleased : BondState::kHeld;
        out.created_amount = info.created_amount;
        out.held_amount = info.held_amount;
        out.slashed_amount = info.slashed_amount;
        return out;
    }
};

class HostBeacon final : public Beacon, public Host<holdfast_beacon_callbacks> {
  public:
    using Host::Host;
    Result<BeaconRound> randomness(std::uint64_t round) override {
        BeaconRound out;
        out.round = round;
        HOLDFAST_ASSIGN(proof, ask_for<Bytes>("randomness", [&](holdfast_answer* answer) {
                            return c_.randomness(c_.user_data, round, out.randomness.data(),
                                                 answer);
                        }));
        out.proof = proof;
        return out;
    }
    Status verify(std::uint64_t round, const BeaconRound& value) override {
        if (value.round != round) return fail_refused(Reason::kBadBeacon, "another round's value");
        return ask_host("verify", [&] {
            return c_.verify(c_.user_data, round, value.randomness.data(), value.proof.data(),
                             value.proof.size());
        });
    }
};

class HostPeers final : public Network, public Host<holdfast_peers_callbacks> {
  public:
    using Host::Host;
    Result<std::vector<Peer>> peers() override {
        return ask_for<std::vector<Peer>>(
            "peers", [&](holdfast_answer* answer) { return c_.peers(c_.user_data, answer); });
    }
    Result<std::vector<std::uint64_t>> measure_latency(const PublicKey& peer, std::uint32_t samples,
                                                       std::uint32_t timeout_ms) override {
        return ask_for<std::vector<std::uint64_t>>("measure_latency", [&](holdfast_answer* answer) {
            return c_.measure_latency(c_.user_data, peer.data(), samples, timeout_ms, answer);
        });
    }
    Result<ChallengeReply> send_challenge(const PublicKey& peer, ByteView challenge,
                                          std::uint32_t deadline_ms) override {
        ChallengeReply out;
        HOLDFAST_ASSIGN(response, ask_for<Bytes>("send_challenge", [&](holdfast_answer* answer) {
                            return c_.send_challenge(c_.user_data, peer.data(), challenge.data(),
                                                     challenge.size(), deadline_ms, answer,
                                                     &out.service_us, &out.ping_us);
                        }));
        out.response = response;
        return out;
    }
    Result<std::vector<VantageReport>> verify_place(const PublicKey& peer, const Place& claimed,
                                                    std::uint32_t timeout_ms) override {
        if (c_.verify_place == nullptr) {
            return fail(ErrorCode::kUnsupported, "this host measures no places");
        }
        return ask_for<std::vector<VantageReport>>("verify_place", [&](holdfast_answer* answer) {
            return c_.verify_place(c_.user_data, peer.data(), claimed.latitude_udeg,
                                   claimed.longitude_udeg, timeout_ms, answer);
        });
    }
};

/// A new handle on a guarded host.
template <class Handle, class Interface, class Over, class Callbacks>
Done make_host(const Callbacks& callbacks, const holdfast_guard_options* guard, Handle** out) {
    HOLDFAST_ASSIGN(given, read_optional(guard, "guard"));
    GuardOptions options;
    if (given.timeout_ms != 0) options.timeout_ms = given.timeout_ms;
    if (given.max_calls != 0) options.max_calls = given.max_calls;
    HOLDFAST_ASSIGN(guarding, make_guard(options));
    auto handle = std::make_unique<Handle>();
    const auto host = std::make_shared<Over>(callbacks);
    HOLDFAST_ASSIGN(guarded, intercept(std::shared_ptr<Interface>(host), std::move(guarding)));
    handle->host = std::move(guarded);
    host->adopt();
    *out = handle.release();
    return {};
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_blockchain_new(const holdfast_blockchain_callbacks* callbacks,
                                        const holdfast_guard_options* guard,
                                        holdfast_blockchain** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(given, read_struct(callbacks, "callbacks"));
        if (given.current_height == nullptr || given.block_by_height == nullptr ||
            given.submit == nullptr || given.submissions_at == nullptr ||
            given.bond_events_at == nullptr) {
            return missing("a function of the blockchain");
        }
        return make_host<holdfast_blockchain, Blockchain, HostChain>(given, guard, out);
    });
}

void holdfast_blockchain_free(holdfast_blockchain* chain) { free_handle(chain); }

holdfast_status holdfast_token_new(const holdfast_token_callbacks* callbacks,
                                   const holdfast_guard_options* guard, holdfast_token** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(given, read_struct(callbacks, "callbacks"));
        if (given.create_bond == nullptr || given.release_bond == nullptr ||
            given.slash_bond == nullptr || given.pay_reward == nullptr ||
            given.bond_info == nullptr) {
            return missing("a function of the token");
        }
        return make_host<holdfast_token, Token, HostToken>(given, guard, out);
    });
}

void holdfast_token_free(holdfast_token* token) { free_handle(token); }

holdfast_status holdfast_beacon_new(const holdfast_beacon_callbacks* callbacks,
                                    const holdfast_guard_options* guard, holdfast_beacon** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(given, read_struct(callbacks, "callbacks"));
        if (given.randomness == nullptr || given.verify == nullptr) {
            return missing("a function of the beacon");
        }
        return make_host<holdfast_beacon, Beacon, HostBeacon>(given, guard, out);
    });
}

void holdfast_beacon_free(holdfast_beacon* beacon) { free_handle(beacon); }

holdfast_status holdfast_peers_new(const holdfast_peers_callbacks* callbacks,
                                   const holdfast_guard_options* guard, holdfast_peers** out) {
    return run([&]() -> Done {
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(given, read_struct(callbacks, "callbacks"));
        if (given.peers == nullptr || given.measure_latency == nullptr ||
            given.send_challenge == nullptr) {
            return missing("a function of the peers");
        }
        return make_host<holdfast_peers, Network, HostPeers>(given, guard, out);
    });
}

void holdfast_peers_free(holdfast_peers* peers) { free_handle(peers); }
