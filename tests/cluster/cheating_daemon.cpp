// Provers that do not keep to the rules, for the cluster test: an honest daemon with a cheat in
// front of it.
//
//   cheating_daemon slow MS --config FILE          holds every answer back
//   cheating_daemon lying --config FILE            signs chunks of zeros
//   cheating_daemon outsourcing KEY@ADDRESS --config FILE
//       keeps the tree alone; fetches the chunks of each challenge from a vault, all at once, and
//       forgets them again. Its replica file is emptied at the start: give it a copy
//   cheating_daemon vault REPLICA ADDRESS --config FILE
//       lends the chunks of a replica, of whomever it is, to anybody who asks
//
// FILE is a settings file as `holdfast serve` takes it. Prints the daemon's ready line; runs until
// SIGINT or SIGTERM. Exit status: 0, 2 for wrong arguments, 3 when it could not start.
#include <csignal>
#include <cstdio>
#include <future>
#include <iostream>
#include <mutex>
#include <thread>

#include "availability/chunk_server.hpp"
#include "availability/exchange.hpp"
#include "chunking/file_header.hpp"
#include "node/connect.hpp"
#include "node/node_folder.hpp"
#include "node/serve.hpp"
#include "storage/file.hpp"

namespace holdfast::node {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitEnvironment = 3;
constexpr std::uint32_t kFetchMs = 450;

volatile std::sig_atomic_t g_stop = 0;

StopCheck stopped() {
    return [] { return g_stop != 0; };
}

std::optional<Challenge2> challenge_in(ByteView message) {
    const Checked<ByteView> body = unwrap_object(Kind::kChallenge2, message);
    if (!body) return std::nullopt;
    const Checked<Challenge2> challenge = Challenge2::decode(*body);
    return challenge ? std::optional(*challenge) : std::nullopt;
}

TcpHandler slow(TcpHandler honest, std::chrono::milliseconds held) {
    return [honest = std::move(honest), held](const PublicKey& from, ByteView message) {
        Result<Bytes> answer = honest(from, message);
        std::this_thread::sleep_for(held);
        return answer;
    };
}

TcpHandler lying(TcpHandler honest, const Identity& identity) {
    return [honest = std::move(honest), &identity](const PublicKey& from,
                                                   ByteView message) -> Result<Bytes> {
        const auto challenge = challenge_in(message);
        if (!challenge) return honest(from, message);
        const Response lie =
            sign_response(challenge->id(identity.params.id()),
                          Bytes(identity.params.availability_chunks * kChunkBytes), *identity.key);
        return wrap_object(Kind::kResponse, lie.encode());
    };
}

/// A replica file without its chunks, which are put back for as long as a challenge takes.
class Outsourcing {
  public:
    Outsourcing(const Identity& identity, const Registration& registration, File replica,
                TcpNetwork& network, const PublicKey& vault)
        : identity_(identity),
          registration_(registration),
          chain_id_(registration.chain_id(identity.params.id())),
          replica_(std::move(replica)),
          network_(network),
          vault_(vault) {}

    Status empty() {
        const Bytes nothing(kChunkBytes);
        for (std::uint64_t i = 0; i < registration_.header.chunks.value; ++i) {
            HOLDFAST_TRY(put(i, nothing));
        }
        return {};
    }

    void on_y(Height height, const VdfOutput& y) {
        const std::lock_guard lock(mutex_);
        y_.insert_or_assign(height, y);
        while (y_.size() > 4) y_.erase(y_.begin());
    }

    Result<Bytes> answer(const TcpHandler& honest, const PublicKey& from, ByteView message) {
        const auto challenge = challenge_in(message);
        if (!challenge) return honest(from, message);
        const std::lock_guard one_at_a_time(fetching_);
        const auto asked = asked_by(*challenge);
        HOLDFAST_TRY(fetch(asked));
        Result<Bytes> answer = honest(from, message);
        for (const std::uint64_t i : asked) HOLDFAST_TRY(put(i, Bytes(kChunkBytes)));
        return answer;
    }

  private:
    std::vector<std::uint64_t> asked_by(const Challenge2& c) {
        const std::lock_guard lock(mutex_);
        const auto y = y_.find(c.height);
        if (y == y_.end()) return {};
        return challenged_chunks(identity_.params, identity_.params.id(), y->second, c.chain_id,
                                 c.challenger, c.nonce, registration_.header.chunks);
    }

    Status fetch(std::span<const std::uint64_t> chunks) {
        std::vector<std::future<Result<TcpReply>>> replies;
        for (const std::uint64_t i : chunks) {
            const ReadRequest request{chain_id_, ReadWhat::kSealed, ChunkIndex(i), 1};
            replies.push_back(std::async(std::launch::async, [this, bytes = request.encode()] {
                return network_.request(vault_, bytes, kFetchMs);
            }));
        }
        for (std::size_t k = 0; k < chunks.size(); ++k) {
            const Result<TcpReply> reply = replies[k].get();
            if (!reply) return fail(reply.error());
            const Checked<ReadAnswer> answer = ReadAnswer::decode(reply->response);
            if (!answer || answer->status != ReadStatus::kData) {
                return fail(ErrorCode::kUnavailable, "the vault has no data");
            }
            HOLDFAST_TRY(put(chunks[k], ByteView(answer->chunks_and_siblings).first(kChunkBytes)));
        }
        return {};
    }

    Status put(std::uint64_t chunk, ByteView bytes) {
        return replica_.write_at(kFileHeaderBytes + chunk * kChunkBytes, bytes);
    }

    static constexpr std::uint64_t kFileHeaderBytes = 4'096;  // spec section 12
    const Identity& identity_;
    const Registration registration_;
    const ChainId chain_id_;
    File replica_;
    TcpNetwork& network_;
    const PublicKey vault_;
    std::mutex fetching_;
    std::mutex mutex_;  // guards y_
    std::map<Height, VdfOutput> y_;
};

void print_ready(const Json& ready) { std::cout << ready.dump() << std::endl; }

Result<PeerEntry> parse_peer(const std::string& word) {
    const std::size_t at = word.find('@');
    PeerEntry out;
    if (at == std::string::npos || !from_hex(word.substr(0, at), MutByteView(out.key.bytes))) {
        return fail(ErrorCode::kInvalidArgument, "not KEY@ADDRESS: " + word);
    }
    out.address = word.substr(at + 1);
    return out;
}

Status serve(const Config& config, Log& log, const ServeHooks& hooks) {
    const Result<Json> done = run_serve(config, log, hooks, stopped());
    return done ? Status{} : Status(fail(done.error()));
}

Status run_outsourcing(const Config& config, const Identity& identity, Log& log,
                       const std::string& vault_word) {
    HOLDFAST_ASSIGN(vault, parse_peer(vault_word));
    HOLDFAST_ASSIGN(registration,
                    registration_beside(identity.params, config.replicas.at(0).replica));
    HOLDFAST_ASSIGN(file, File::open(config.replicas.at(0).replica, File::Mode::kReadWrite));
    Config fetching;
    fetching.peers = {vault};
    HOLDFAST_ASSIGN(network, start_network(fetching, identity.params.id(), *identity.key,
                                           kRoleReader, nullptr, log));
    Outsourcing cheat(identity, registration, std::move(file), *network, vault.key);
    HOLDFAST_TRY(cheat.empty());
    ServeHooks hooks;
    hooks.ready = print_ready;
    hooks.y = [&cheat](Height height, const VdfOutput& y) { cheat.on_y(height, y); };
    hooks.handler = [&cheat](TcpHandler honest) -> TcpHandler {
        return [&cheat, honest = std::move(honest)](const PublicKey& from, ByteView message) {
            return cheat.answer(honest, from, message);
        };
    };
    return serve(config, log, hooks);
}

Status run_vault(const Config& config, const Identity& identity, Log& log,
                 const std::filesystem::path& replica_path, const std::string& address) {
    HOLDFAST_ASSIGN(registration, registration_beside(identity.params, replica_path));
    const ProverFiles files = ProverFiles::beside(replica_path);
    HOLDFAST_ASSIGN(replica, Replica::open(files.replica, files.tree, identity.params));
    ChunkServer chunks(machine_clock());
    const ChainId id = registration.chain_id(identity.params.id());
    HOLDFAST_TRY(chunks.add_chain(id, std::make_shared<const Replica>(std::move(replica))));
    Config lending;
    lending.listen = address;
    lending.accept_anyone = true;
    lending.workers = config.workers;
    HOLDFAST_ASSIGN(network, start_network(
                                 lending, identity.params.id(), *identity.key, kRoleReader,
                                 [&chunks](const PublicKey& from, ByteView message) {
                                     return Result<Bytes>(chunks.handle(from, message));
                                 },
                                 log));
    print_ready({{"event", "ready"},
                 {"role", "vault"},
                 {"address", network->address()},
                 {"key", to_hex(identity.key->public_key())}});
    while (!stopped()()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return network->stop(0);
}

Status run(const std::vector<std::string>& words, const std::string& file) {
    HOLDFAST_ASSIGN(config, load_config(file));
    HOLDFAST_ASSIGN(identity, open_identity(config));
    HOLDFAST_ASSIGN(log, Log::open(config.log));
    ServeHooks hooks;
    hooks.ready = print_ready;
    if (words[0] == "slow" && words.size() == 2) {
        const std::chrono::milliseconds held(std::stoul(words[1]));
        hooks.handler = [held](TcpHandler honest) { return slow(std::move(honest), held); };
        return serve(config, *log, hooks);
    }
    if (words[0] == "lying" && words.size() == 1) {
        hooks.handler = [&](TcpHandler honest) { return lying(std::move(honest), identity); };
        return serve(config, *log, hooks);
    }
    if (words[0] == "outsourcing" && words.size() == 2 && config.replicas.size() == 1) {
        return run_outsourcing(config, identity, *log, words[1]);
    }
    if (words[0] == "vault" && words.size() == 3) {
        return run_vault(config, identity, *log, words[1], words[2]);
    }
    return fail(ErrorCode::kInvalidArgument, "unknown cheat, or wrong number of arguments");
}

int main_of(std::vector<std::string> words) {
    if (words.size() < 3 || words[words.size() - 2] != "--config") {
        std::cerr << "usage: cheating_daemon CHEAT [ARGUMENT]… --config FILE\n";
        return kExitUsage;
    }
    const std::string file = words.back();
    words.resize(words.size() - 2);
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { g_stop = 1; });
    const Status done = run(words, file);
    if (done) return 0;
    std::cerr << "cheating_daemon: " << done.error().message << "\n";
    return done.error().code == ErrorCode::kInvalidArgument ? kExitUsage : kExitEnvironment;
}

}  // namespace
}  // namespace holdfast::node

int main(int argc, char** argv) { return holdfast::node::main_of({argv + 1, argv + argc}); }
