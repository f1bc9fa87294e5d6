// Provers that do not keep to the rules, for the cluster test: the daemon of `holdfast prover` with
// a cheat in front of it.
//
//   cheating_daemon lying --config FILE            signs chunks of zeros for every challenge
//   cheating_daemon false-reads --config FILE      sends readers other bytes than it was given
//   cheating_daemon garbage REPLICA --config FILE  links and proves whatever lies in its replica
//   cheating_daemon equivocating NTH FOLDER --config FILE
//       signs a second link of a height, once, beside its NTH bundle, and leaves both in FOLDER
//
// FILE is a settings file as `holdfast prover` takes it. Prints the daemon's ready line; runs until
// SIGINT or SIGTERM. Exit status: 0, 2 for wrong arguments, 3 when it could not start.
#include <charconv>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "availability/exchange.hpp"
#include "cluster/cheating_duties.hpp"
#include "node/connect.hpp"
#include "node/prover.hpp"
#include "proofs/reading_verify.hpp"

namespace holdfast::node {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitEnvironment = 3;

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

TcpHandler lying(TcpHandler honest, const Identity& identity) {
    return [honest = std::move(honest), &identity](const PublicKey& from,
                                                   ByteView message) -> Result<Bytes> {
        const auto challenge = challenge_in(message);
        if (!challenge) return honest(from, message);
        const Response lie =
            sign_response(challenge->id(identity.params.id()),
                          Bytes(identity.params.availability_chunks * kChunkBytes), *identity.key)
                .value();
        return wrap_object(Kind::kResponse, lie.encode());
    };
}

TcpHandler false_reads(TcpHandler honest) {
    return [honest = std::move(honest)](const PublicKey& from, ByteView message) -> Result<Bytes> {
        HOLDFAST_ASSIGN(answer, honest(from, message));
        Checked<ReadAnswer> read = ReadAnswer::decode(answer);
        if (!read || read->status != ReadStatus::kData) return answer;
        read->chunks_and_siblings[0] ^= 1;
        return read->encode();
    };
}

Result<unsigned> parse_number(const std::string& word) {
    unsigned out = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), out);
    if (read.ec == std::errc{} && read.ptr == word.data() + word.size()) return out;
    return fail(ErrorCode::kInvalidArgument, "not a number: " + word);
}

Status run(const std::vector<std::string>& words, const std::string& file) {
    HOLDFAST_ASSIGN(config, load_config(file));
    HOLDFAST_ASSIGN(identity, open_identity(config));
    HOLDFAST_ASSIGN(log, Log::open(config.log));
    const CheatPlace place{identity.params, *identity.key, *log};
    ProverHooks hooks;
    hooks.ready = [](const Json& ready) { std::cout << ready.dump() << std::endl; };
    if (words[0] == "lying" && words.size() == 1) {
        hooks.handler = [&](TcpHandler honest) { return lying(std::move(honest), identity); };
    } else if (words[0] == "false-reads" && words.size() == 1) {
        hooks.handler = false_reads;
    } else if (words[0] == "garbage" && words.size() == 2) {
        hooks.duties = [&](DutySource& honest) -> Result<std::unique_ptr<DutySource>> {
            HOLDFAST_ASSIGN(cheat, GarbageDuties::open(honest, place, words[1]));
            return std::unique_ptr<DutySource>(std::move(cheat));
        };
    } else if (words[0] == "equivocating" && words.size() == 3) {
        HOLDFAST_ASSIGN(nth, parse_number(words[1]));
        hooks.duties = [&, nth](DutySource& honest) -> Result<std::unique_ptr<DutySource>> {
            return std::unique_ptr<DutySource>(
                std::make_unique<EquivocatingDuties>(honest, place, nth, words[2]));
        };
    } else {
        return fail(ErrorCode::kInvalidArgument, "unknown cheat, or wrong number of arguments");
    }
    const Result<Json> done = run_prover(config, *log, hooks, stopped());
    return done ? Status{} : Status(fail(done.error()));
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
