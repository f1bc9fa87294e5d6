// The recorded chains of tests/vectors/drand, and a server that replays them.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "adapters/drand/beacon.hpp"
#include "support/paths.hpp"

namespace holdfast::test {

using Json = nlohmann::json;

struct Recorded {
    DrandChain chain;
    Json info;
    Json rounds;

    static Recorded read(const std::string& name) {
        std::ifstream file(std::string(kVectorsFolder) + "/drand/" + name + ".json");
        Recorded out;
        const Json all = Json::parse(file);
        out.info = all["info"];
        out.rounds = all["rounds"];
        auto chain = DrandChain::from_info(out.info.dump());
        EXPECT_TRUE(chain) << chain.error().message;
        if (chain) out.chain = *chain;
        return out;
    }

    [[nodiscard]] BeaconRound round(std::size_t i) const {
        auto value = drand_round(chain, rounds[i].dump());
        EXPECT_TRUE(value) << value.error().message;
        return value ? *value : BeaconRound{};
    }

    [[nodiscard]] std::uint64_t number(std::size_t i) const { return rounds[i]["round"]; }

    [[nodiscard]] NetworkParams params() const {
        NetworkParams p;
        p.has_beacon = true;
        p.beacon_key = chain.beacon_key();
        p.beacon_genesis_s = chain.genesis_s;
        p.beacon_period_s = chain.period_s;
        return p;
    }

    /// What an honest server answers to a path.
    [[nodiscard]] std::string honest(const std::string& path) const {
        const std::string base = "/" + to_hex(view(chain.chain_hash()));
        if (path == base + "/info") return info.dump();
        for (const Json& one : rounds) {
            if (path == base + "/public/" + std::to_string(one["round"].get<std::uint64_t>())) {
                return one.dump();
            }
        }
        return {};
    }
};

/// An HTTP server on a port of its own: `answer` gives the body for a path (empty: 404).
class ReplayServer {
  public:
    using Answer = std::function<std::string(const std::string& path)>;

    explicit ReplayServer(Answer answer) : answer_(std::move(answer)) {
        socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        socklen_t length = sizeof address;
        EXPECT_EQ(::bind(socket_, generic, length), 0);
        EXPECT_EQ(::listen(socket_, 16), 0);
        EXPECT_EQ(::getsockname(socket_, generic, &length), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ReplayServer(const ReplayServer&) = delete;
    ReplayServer& operator=(const ReplayServer&) = delete;
    ~ReplayServer() {
        stopping_ = true;
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
    }

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] int asked() const { return asked_; }
    void set(Answer answer) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
    }

  private:
    void serve() {
        while (!stopping_) {
            const int client = ::accept(socket_, nullptr, nullptr);
            if (client < 0) continue;
            handle(client);
            ::close(client);
        }
    }

    void handle(int client) {
        std::string request;
        char piece[2048];
        while (request.find("\r\n\r\n") == std::string::npos) {
            const ssize_t n = ::recv(client, piece, sizeof piece, 0);
            if (n <= 0) return;
            request.append(piece, static_cast<std::size_t>(n));
        }
        ++asked_;
        const std::size_t start = request.find(' ') + 1;
        Answer answer;
        {
            const std::lock_guard lock(mutex_);
            answer = answer_;
        }
        const std::string body = answer(request.substr(start, request.find(' ', start) - start));
        const std::string head =
            body.empty() ? "HTTP/1.1 404 Not Found\r\n" : "HTTP/1.1 200 OK\r\n";
        const std::string all =
            head + "Connection: close\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body;
        for (std::size_t sent = 0; sent < all.size();) {
            const ssize_t n = ::send(client, all.data() + sent, all.size() - sent, MSG_NOSIGNAL);
            if (n <= 0) return;
            sent += static_cast<std::size_t>(n);
        }
    }

    std::mutex mutex_;
    Answer answer_;
    int socket_ = -1;
    int port_ = 0;
    std::atomic<bool> stopping_{false};
    std::atomic<int> asked_{0};
    std::thread thread_;
};

}  // namespace holdfast::test
