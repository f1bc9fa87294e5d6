#include "keep/provers.hpp"

#include <map>
#include <mutex>

#include "transport/tcp_network.hpp"

namespace holdfast {

Result<ProverAddress> parse_prover_address(const std::string& word) {
    const std::size_t at = word.find('@');
    const std::size_t equals = word.find('=');
    ProverAddress out;
    if (at != std::string::npos) {
        out.address = word.substr(at + 1, equals == std::string::npos ? equals : equals - at - 1);
        if (equals != std::string::npos) out.place = word.substr(equals + 1);
    }
    if (at == std::string::npos || !from_hex(word.substr(0, at), MutByteView(out.key.bytes)) ||
        !is_tcp_address(out.address) || out.address.size() > 255) {
        return fail(ErrorCode::kInvalidArgument,
                    "a prover is KEY@HOST:PORT or KEY@HOST:PORT=PLACE, not '" + word + "'");
    }
    if (const Verdict v = check_registrable_key(out.key); !v) return fail_refused(v, word);
    return out;
}

class TcpProvers::Impl {
  public:
    Impl(std::unique_ptr<TcpNetwork> network, const TcpProversOptions& options)
        : network_(std::move(network)), options_(options) {}

    Result<Bytes> ask(const ProverAddress& prover, ByteView request) {
        HOLDFAST_TRY(connect(prover));
        HOLDFAST_ASSIGN(reply, network_->request(prover.key, request, options_.request_ms));
        return std::move(reply.response);
    }

  private:
    Status connect(const ProverAddress& prover) {
        {
            const std::lock_guard lock(mutex_);
            const auto [at, fresh] = known_.try_emplace(prover.key, prover.address);
            if (!fresh && at->second != prover.address) {
                // The owner names another address than before: the newer one holds.
                HOLDFAST_TRY(network_->remove_peer(prover.key));
                at->second = prover.address;
                HOLDFAST_TRY(network_->add_peer({prover.key, prover.address}));
            } else if (fresh) {
                HOLDFAST_TRY(network_->add_peer({prover.key, prover.address}));
            }
        }
        // In steps, so that a stop is heard.
        constexpr std::uint32_t kStepMs = 50;
        for (std::uint32_t waited = 0;; waited += kStepMs) {
            if (options_.stop && options_.stop()) {
                return fail(ErrorCode::kInterrupted, "stopped on request");
            }
            const Status connected = network_->wait_connected(prover.key, kStepMs);
            if (connected || (connected.error().code != ErrorCode::kTimeout &&
                              connected.error().code != ErrorCode::kUnavailable)) {
                return connected;
            }
            const Result<PeerReport> report = network_->peer_report(prover.key);
            if (report && report->failure && is_absent(*report->failure)) {
                return fail(ErrorCode::kUnavailable, "no connection to " + report->why);
            }
            if (waited >= options_.connect_ms) {
                return fail(ErrorCode::kUnavailable, "no connection to " + prover.address + ": " +
                                                         connected.error().message);
            }
        }
    }

    std::unique_ptr<TcpNetwork> network_;
    const TcpProversOptions options_;
    std::mutex mutex_;
    std::map<PublicKey, std::string> known_;
};

TcpProvers::TcpProvers(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TcpProvers::~TcpProvers() = default;

Result<std::unique_ptr<TcpProvers>> TcpProvers::start(const KeyPair& owner,
                                                      const NetworkId& network,
                                                      const TcpProversOptions& options) {
    TcpNetworkOptions tcp;
    tcp.network = network;
    tcp.roles = kRoleReader;
    tcp.limits.backoff_max_ms = 2'000;
    HOLDFAST_ASSIGN(started, TcpNetwork::start(owner, std::move(tcp)));
    return std::unique_ptr<TcpProvers>(
        new TcpProvers(std::make_unique<Impl>(std::move(started), options)));
}

AskProverOf TcpProvers::asker() {
    return [impl = impl_.get()](const ProverAddress& prover) -> AskProver {
        return [impl, prover](ByteView request) { return impl->ask(prover, request); };
    };
}

}  // namespace holdfast
