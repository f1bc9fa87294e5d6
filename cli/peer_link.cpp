#include "cli/peer_link.hpp"

#include "cli/waiting.hpp"
#include "cli/workspace.hpp"
#include "clock/public_record.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint32_t kLookMs = 50;
constexpr double kMaxTimeoutSeconds = 3'600;

Result<Peer> parse_peer(const std::string& word, const PublicKey& prover) {
    const std::size_t at = word.find('@');
    Peer peer{prover, at == std::string::npos ? word : word.substr(at + 1)};
    if (at != std::string::npos) {
        HOLDFAST_ASSIGN(key, parse_hex<PublicKey>(word.substr(0, at), "the key in --from"));
        peer.key = key;
    }
    if (!is_tcp_address(peer.address)) {
        return fail(ErrorCode::kInvalidArgument,
                    "--from is HOST:PORT or KEY@HOST:PORT, not '" + word + "'");
    }
    return peer;
}

}  // namespace

Status wait_connected(TcpNetwork& network, const Peer& peer, double seconds) {
    const Waiting waiting("a connection to " + peer.address);
    const StopCheck stop = stop_requested();
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (true) {
        if (stop()) return fail(ErrorCode::kInterrupted, "stopped on request");
        const Status done = network.wait_connected(peer.key, kLookMs);
        const bool waits = !done && (done.error().code == ErrorCode::kTimeout ||
                                     done.error().code == ErrorCode::kUnavailable);
        if (!waits) return done;
        HOLDFAST_ASSIGN(report, network.peer_report(peer.key));
        if (report.failure && is_absent(*report.failure)) {
            return fail(ErrorCode::kUnavailable, "no connection to " + report.why);
        }
        if (std::chrono::steady_clock::now() >= end) {
            return fail(ErrorCode::kUnavailable,
                        "no connection to " + peer.address +
                            " in time (--timeout waits longer): " + done.error().message);
        }
    }
}

void PeerArguments::add_to(CLI::App* command) {
    command->add_option("chain", chain, "X.registration, or a chain id that --public knows")
        ->required();
    command
        ->add_option("-p,--public", network,
                     "folder of public data; beside X.registration a node folder or network.params "
                     "does too")
        ->required();
    command->add_option("--from", from, "HOST:PORT of the chain's prover, or KEY@HOST:PORT")
        ->required();
    command->add_option("-k,--key", key, "this side's key file; without one a key is made");
    command->add_option("--timeout", timeout, "seconds to wait for the connection")
        ->capture_default_str();
}

Result<AskedChain> AskedChain::find(const std::string& word, const std::string& network) {
    ChainId id;
    if (from_hex(word, MutByteView(id.bytes))) {
        HOLDFAST_ASSIGN(record, PublicRecord::load(network));
        const auto found = record.chains().find(id);
        if (found == record.chains().end()) {
            return fail(ErrorCode::kNotFound,
                        "the public data in " + network + " know no chain " + word);
        }
        const Registration& registration = found->second.registration;
        return AskedChain{record.params(), registration,
                          ReadSource::of(record.network_id(), registration)};
    }
    HOLDFAST_ASSIGN(registration, read_registration(word));
    HOLDFAST_ASSIGN(params, read_network(network));
    if (const Verdict v = check_registration(params, params.id(), registration); !v) {
        return fail_refused(v, word);
    }
    return AskedChain{params, registration, ReadSource::of(params.id(), registration)};
}

Result<std::unique_ptr<PeerLink>> PeerLink::connect(const PeerArguments& arguments,
                                                    const AskedChain& chain,
                                                    TcpNetworkOptions options) {
    if (!(arguments.timeout > 0) || arguments.timeout > kMaxTimeoutSeconds) {
        return fail(ErrorCode::kInvalidArgument, "--timeout is above 0 and at most 3600 seconds");
    }
    HOLDFAST_ASSIGN(peer, parse_peer(arguments.from, chain.registration.header.prover));
    HOLDFAST_ASSIGN(key,
                    arguments.key.empty() ? generate_key_pair() : load_key_pair(arguments.key));
    options.network = chain.params.id();
    options.roles = kRoleReader;
    std::unique_ptr<PeerLink> link(new PeerLink);
    link->peer_ = peer;
    link->made_key_ = arguments.key.empty();
    HOLDFAST_ASSIGN(network, TcpNetwork::start(key, std::move(options)));
    link->network_ = std::move(network);
    HOLDFAST_TRY(link->network_->add_peer(peer));
    Status connected = wait_connected(*link->network_, peer, arguments.timeout);
    if (!connected) {
        Error why = std::move(connected).error();
        if (why.code == ErrorCode::kPermission && link->made_key_) {
            why.message += " (made for this run); have yours listed there and give it with --key";
        }
        return fail(std::move(why));
    }
    link->watch_ = std::thread([raw = link.get(), stop = stop_requested()] {
        while (!raw->done_.load()) {
            if (stop()) {
                (void)raw->network_->stop(0);
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
        }
    });
    return link;
}

PeerLink::~PeerLink() {
    done_.store(true);
    if (watch_.joinable()) watch_.join();
}

}  // namespace holdfast::cli
