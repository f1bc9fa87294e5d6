// What a thousand peers cost that say nothing: the whole memory of a process that serves them.
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include "support/tcp_world.hpp"

namespace holdfast {
namespace {

using namespace test;

constexpr unsigned kPeers = 1'000;
constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

std::size_t resident_bytes(pid_t process) {
    std::ifstream statm("/proc/" + std::to_string(process) + "/statm");
    std::size_t all = 0;
    std::size_t resident = 0;
    statm >> all >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Serves anybody until it is killed; its address goes into the pipe.
[[noreturn]] void serve(int pipe) {
    TcpNetworkOptions options = node_options();
    options.accept_anyone = true;
    const TcpNode node = start_node(1, options);
    const std::string address = node->address() + "\n";
    if (::write(pipe, address.data(), address.size()) < 0) std::_Exit(1);
    while (true) ::pause();
}

std::string read_line(int pipe) {
    std::string line;
    for (char c = 0; ::read(pipe, &c, 1) == 1 && c != '\n';) line += c;
    return line;
}

KeyPair peer_key(unsigned n) {
    Bytes secret(32, 3);
    store_le32(secret.data(), n);
    return KeyPair::from_secret(secret);
}

TEST(IdlePeers, AThousandFitIntoSixtyFourMebibytes) {
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4'096);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
    ASSERT_GE(files.rlim_cur, kPeers + 100);
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t server = ::fork();
    ASSERT_GE(server, 0);
    if (server == 0) serve(pipe[1]);
    const std::string address = read_line(pipe[0]);
    const std::size_t before = resident_bytes(server);
    std::vector<std::unique_ptr<RawPeer>> peers;
    for (unsigned n = 0; n < kPeers && !HasFailure(); ++n) {
        const std::string from = "127.0.1." + std::to_string(1 + n / 200);
        peers.push_back(std::make_unique<RawPeer>(address, peer_key(n), from));
        EXPECT_TRUE(peers.back()->greet()) << n;
    }
    const std::size_t after = resident_bytes(server);
    // All are there: the first and the last are answered.
    for (const auto& peer : {peers.front().get(), peers.back().get()}) {
        EXPECT_TRUE(peer->frame({0, FrameType::kPing, 0, 1}));
        auto pong = peer->read();
        // On a slow machine the server has asked by itself.
        while (pong && pong->first.type == FrameType::kPing) pong = peer->read();
        EXPECT_TRUE(pong && pong->first.type == FrameType::kPong);
    }
    RecordProperty("bytes_a_peer", std::to_string((after - before) / kPeers));
    std::cout << kPeers << " idle peers: " << after / 1'024 << " KiB resident in all, "
              << (after - before) / kPeers << " bytes a peer\n";
    EXPECT_LE(after, kMaxBytes);
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
}

}  // namespace
}  // namespace holdfast
