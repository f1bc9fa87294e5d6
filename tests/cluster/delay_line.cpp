// A star of network namespaces with real delay and loss between them, for tests of several nodes.
//
//   delay_line NAME:HOST:DELAY_US:JITTER_US:LOSS_PER_MILLE …
//
// Makes one namespace for each NAME, with a TUN device that has the address 10.77.0.HOST/24, and
// carries IP packets between them in this process: a packet from a to b leaves after the delays of
// both, each with an even jitter, and is lost with the probability of either. The order between two
// namespaces is kept. Prints "NAME PID" for each, PID being a process that holds the namespace,
// then "ready"; runs until standard input ends, and takes the namespaces with it.
//
// Exit status: 0, 2 for wrong arguments, 3 where the system allows no namespaces or TUN devices.
// Needs root, or the root of a user namespace. One thread; memory bounded by kMostWaiting packets.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kMostWaiting = 20'000;
constexpr std::size_t kPacketBytes = 2'048;  // above the devices' 1,500
constexpr int kExitUsage = 2;
constexpr int kExitUnsupported = 3;

struct Node {
    std::string name;
    unsigned host = 0;
    std::int64_t delay_us = 0;
    std::int64_t jitter_us = 0;
    unsigned loss_per_mille = 0;
    int tun = -1;
};

struct Packet {
    std::int64_t due_us = 0;
    std::uint64_t number = 0;  // of two that are due together the older leaves first
    std::size_t to = 0;
    std::vector<char> bytes;
    bool operator<(const Packet& other) const {
        return due_us != other.due_us ? due_us > other.due_us : number > other.number;
    }
};

std::int64_t now_us() {
    using namespace std::chrono;
    return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

bool parse(const char* word, Node& node) {
    char name[32];
    long long delay = 0;
    long long jitter = 0;
    int end = -1;
    if (std::sscanf(word, "%31[^:]:%u:%lld:%lld:%u%n", name, &node.host, &delay, &jitter,
                    &node.loss_per_mille, &end) != 5 ||
        end < 0 || word[end] != '\0') {
        return false;
    }
    node.name = name;
    node.delay_us = delay;
    node.jitter_us = jitter;
    return node.host >= 1 && node.host <= 254 && delay >= 0 && jitter >= 0 &&
           node.loss_per_mille <= 1'000;
}

bool fails(const char* what) {
    std::fprintf(stderr, "delay_line: %s: %s\n", what, std::strerror(errno));
    return false;
}

bool bring_up(const char* device, unsigned host) {
    const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0) return fails("socket");
    ifreq request{};
    std::snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    bool good = true;
    const auto set_address = [&](unsigned long call, std::uint32_t address) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_addr.s_addr = htonl(address);
        std::memcpy(&request.ifr_addr, &in, sizeof in);
        good = good && ioctl(control, call, &request) == 0;
    };
    if (host != 0) {
        set_address(SIOCSIFADDR, (10U << 24) | (77U << 16) | host);
        set_address(SIOCSIFNETMASK, 0xffffff00U);
    }
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    good = good && ioctl(control, SIOCSIFFLAGS, &request) == 0;
    if (!good) fails(device);
    close(control);
    return good;
}

/// In the new namespace: the TUN device, up, with its address.
int make_device(unsigned host) {
    const int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tun < 0) {
        fails("/dev/net/tun");
        return -1;
    }
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::snprintf(request.ifr_name, sizeof request.ifr_name, "hf0");
    if (ioctl(tun, TUNSETIFF, &request) != 0) {
        fails("TUNSETIFF");
        return -1;
    }
    return bring_up("lo", 0) && bring_up("hf0", host) ? tun : -1;
}

bool send_descriptor(int socket_fd, int fd) {
    char byte = 'd';
    iovec data{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = space.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(socket_fd, &message, 0) == 1;
}

int receive_descriptor(int socket_fd) {
    char byte = 0;
    iovec data{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = space.size();
    if (recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

/// Forks the process that holds the namespace; it ends with this one.
bool make_namespace(Node& node) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return fails("socketpair");
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) return fails("fork");
    if (child == 0) {
        close(pair[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(kExitUnsupported);
        if (unshare(CLONE_NEWNET) != 0) {
            fails("unshare");
            _exit(kExitUnsupported);
        }
        const int tun = make_device(node.host);
        if (tun < 0 || !send_descriptor(pair[1], tun)) _exit(kExitUnsupported);
        close(tun);
        for (;;) pause();
    }
    close(pair[1]);
    node.tun = receive_descriptor(pair[0]);
    close(pair[0]);
    if (node.tun < 0) return false;
    std::printf("%s %d\n", node.name.c_str(), static_cast<int>(child));
    return true;
}

class Line {
  public:
    explicit Line(std::vector<Node>& nodes)
        : nodes_(nodes), last_due_us_(nodes.size() * nodes.size(), 0) {}

    void run() {
        std::vector<pollfd> waited;
        for (const Node& n : nodes_) waited.push_back({n.tun, POLLIN, 0});
        waited.push_back({STDIN_FILENO, POLLIN, 0});
        for (;;) {
            timespec wait{};
            if (!packets_.empty()) {
                const std::int64_t left =
                    std::max<std::int64_t>(packets_.top().due_us - now_us(), 0);
                wait = {left / 1'000'000, (left % 1'000'000) * 1'000};
            }
            const int ready =
                ppoll(waited.data(), waited.size(), packets_.empty() ? nullptr : &wait, nullptr);
            if (ready < 0 && errno != EINTR) return;
            deliver();
            if (ready <= 0) continue;
            for (std::size_t i = 0; i < nodes_.size(); ++i) {
                if (waited[i].revents != 0) take_from(i);
            }
            if (waited.back().revents != 0 && !input_goes_on()) return;
        }
    }

  private:
    static bool input_goes_on() {
        char ignored[64];
        return read(STDIN_FILENO, ignored, sizeof ignored) > 0;
    }

    void take_from(std::size_t from) {
        std::array<char, kPacketBytes> buffer;
        for (;;) {
            const ssize_t size = read(nodes_[from].tun, buffer.data(), buffer.size());
            if (size <= 0) return;
            if (size < 20 || (static_cast<unsigned char>(buffer[0]) >> 4) != 4) continue;
            const unsigned host = static_cast<unsigned char>(buffer[19]);
            for (std::size_t to = 0; to < nodes_.size(); ++to) {
                if (nodes_[to].host == host && to != from) {
                    send(from, to, {buffer.data(), buffer.data() + size});
                }
            }
        }
    }

    void send(std::size_t from, std::size_t to, std::vector<char> bytes) {
        if (packets_.size() >= kMostWaiting || lost(nodes_[from]) || lost(nodes_[to])) return;
        std::int64_t& last = last_due_us_[from * nodes_.size() + to];
        last = std::max(last, now_us() + delay(nodes_[from]) + delay(nodes_[to]));
        packets_.push({last, ++number_, to, std::move(bytes)});
    }

    void deliver() {
        while (!packets_.empty() && packets_.top().due_us <= now_us()) {
            const Packet& p = packets_.top();
            // A device whose queue is full drops it, as a network would.
            (void)!write(nodes_[p.to].tun, p.bytes.data(), p.bytes.size());
            packets_.pop();
        }
    }

    bool lost(const Node& n) { return n.loss_per_mille > random_() % 1'000; }
    std::int64_t delay(const Node& n) {
        return n.delay_us +
               (n.jitter_us == 0 ? 0 : static_cast<std::int64_t>(random_() % (n.jitter_us + 1)));
    }

    std::vector<Node>& nodes_;
    std::priority_queue<Packet> packets_;
    std::vector<std::int64_t> last_due_us_;  // for each pair: keeps the order
    std::mt19937 random_{20'261};
    std::uint64_t number_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    std::vector<Node> nodes;
    for (int i = 1; i < argc; ++i) {
        Node node;
        if (!parse(argv[i], node)) {
            std::fprintf(stderr,
                         "delay_line: not NAME:HOST:DELAY_US:JITTER_US:LOSS_PER_MILLE: %s\n",
                         argv[i]);
            return kExitUsage;
        }
        nodes.push_back(node);
    }
    if (nodes.empty()) return kExitUsage;
    for (Node& node : nodes) {
        if (!make_namespace(node)) return kExitUnsupported;
    }
    std::puts("ready");
    std::fflush(stdout);
    Line(nodes).run();
    return 0;
}
