#include "node/prover_deposits.hpp"

#include <algorithm>
#include <chrono>

namespace holdfast::node {

using json::Json;

namespace {

constexpr std::uint64_t kEndAgainAfter = 8;  // heights

std::uint64_t now_since_1970_ms() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

void deposit_metric(std::vector<Metric>& out, Metric::Kind kind, const char* name, const char* help,
                    std::uint64_t value) {
    out.push_back(
        {std::string("holdfast_prover_") + name, help, kind, static_cast<double>(value), {}});
}

}  // namespace

Config with_deposits(const Config& config) {
    Config out = config;
    if (config.deposits.folder.empty()) return out;
    out.folders.push_back({config.deposits.folder});
    for (const DepositClientQuota& client : config.deposits.clients) {
        const bool known =
            std::any_of(config.peers.begin(), config.peers.end(),
                        [&](const PeerEntry& peer) { return peer.key == client.key; });
        if (!known) out.peers.push_back({client.key, ""});
    }
    return out;
}

Result<std::unique_ptr<ProverDeposits>> ProverDeposits::open(const Config& config,
                                                             const Identity& identity,
                                                             const OwnChains& chains, Log& log) {
    if (config.deposits.folder.empty()) return std::unique_ptr<ProverDeposits>();
    std::unique_ptr<ProverDeposits> out(new ProverDeposits(chains, log));
    HOLDFAST_ASSIGN(service, DepositService::open(config.deposits, identity.params, *identity.key,
                                                  out->host()));
    out->service_ = std::move(service);
    return out;
}

void ProverDeposits::begin(Parts parts) {
    parts_ = std::move(parts);
    begun_ = true;
}

DepositHost ProverDeposits::host() {
    DepositHost host;
    host.now_ms = now_since_1970_ms;
    host.clock = machine_clock();
    host.tip = [this] { return begun_ ? parts_.tip() : std::nullopt; };
    host.chain = [this](const ReplicaId& replica) { return chain_of(replica); };
    host.end_chain = [this](const ChainId& chain) { return end_chain(chain); };
    host.look = [this] {
        if (begun_) parts_.look();
    };
    host.leave = [this](const std::filesystem::path& replica) {
        if (begun_) parts_.leave(replica);
    };
    host.tell = [this](const char* event, const DepositId& id, const std::string& detail,
                       bool failed) {
        if (failed) {
            log_.error(event, {{"deposit", id}, {"error", detail}});
        } else {
            log_.info(event, {{"deposit", id}, {"detail", detail}});
        }
    };
    return host;
}

std::optional<DepositChain> ProverDeposits::chain_of(const ReplicaId& replica) const {
    const auto known = chains_.of_replica(replica);
    if (!known) return std::nullopt;
    DepositChain out;
    out.chain = known->chain_id;
    out.accepted = known->accepted;
    out.proven = known->phase == ChainPhase::kSealed;
    out.over = !owes(*known);
    if (out.proven && begun_) out.linked = parts_.newest_linked().value_or(Height(0));
    return out;
}

/// A removal counts once a block lists it: asked for again only when none has for a while.
Status ProverDeposits::end_chain(const ChainId& chain) {
    const auto known = chains_.of_chain(chain);
    if (!begun_ || (known && known->removal_at)) return {};
    const Height tip = parts_.tip().value_or(Height(0));
    const auto last = asked_.find(chain);
    if (last != asked_.end() && tip < last->second + kEndAgainAfter) return {};
    HOLDFAST_TRY(parts_.end_chain(chain));
    asked_[chain] = tip;
    return {};
}

TcpHandler taking_deposits(TcpHandler inner, DepositService& service) {
    return [inner = std::move(inner), &service](const PublicKey& from,
                                                ByteView message) -> Result<Bytes> {
        if (message.size() < 2 || message[1] != kDepositQuestionKind) return inner(from, message);
        return service.handle(from, message);
    };
}

Json to_json(const DepositCounts& c) {
    Json out = {
        {"receiving", c.receiving}, {"sealing", c.sealing}, {"held", c.held},
        {"failed", c.failed},       {"bytes", c.bytes},     {"reserved_bytes", c.reserved_bytes},
        {"pieces", c.pieces},       {"sealed", c.sealed},   {"refused", c.refused}};
    if (!c.error.empty()) out["error"] = c.error;
    return out;
}

Json deposits_json(ProverDeposits* deposits) {
    Json list = Json::array();
    if (deposits != nullptr) {
        for (const DepositService::View& one : deposits->service().deposits()) {
            const DepositState& s = one.state;
            Json entry = {{"id", to_hex(s.id)},
                          {"client", to_hex(one.client)},
                          {"phase", std::string(to_string(s.phase))},
                          {"bytes", s.bytes},
                          {"arrived", s.arrived},
                          {"until", s.until.value}};
            if (s.reason != DepositReason::kNone)
                entry["reason"] = std::string(to_string(s.reason));
            if (!s.replica.is_zero()) entry["replica"] = to_hex(s.replica);
            if (!s.chain.is_zero()) entry["chain"] = to_hex(s.chain);
            list.push_back(std::move(entry));
        }
    }
    return {{"deposits", std::move(list)}};
}

void append_metrics(std::vector<Metric>& out, const DepositCounts& c) {
    const auto count = [&](const char* name, const char* help, std::uint64_t value) {
        deposit_metric(out, Metric::Kind::kCounter, name, help, value);
    };
    const auto gauge = [&](const char* name, const char* help, std::uint64_t value) {
        deposit_metric(out, Metric::Kind::kGauge, name, help, value);
    };
    count("deposit_pieces_total", "Pieces of deposits taken.", c.pieces);
    count("deposits_sealed_total", "Deposits sealed.", c.sealed);
    count("deposit_questions_refused_total", "Questions about deposits refused.", c.refused);
    gauge("deposits_receiving", "Deposits that arrive.", c.receiving);
    gauge("deposits_sealing", "Deposits that wait for sealing, or are being sealed.", c.sealing);
    gauge("deposits_held", "Deposits that are sealed.", c.held);
    gauge("deposit_reserved_bytes", "Of the folder's limit, for deposits at hand.",
          c.reserved_bytes);
}

std::vector<std::string> problems(const DepositCounts& c) {
    if (c.error.empty()) return {};
    return {"deposits: " + c.error};
}

}  // namespace holdfast::node
