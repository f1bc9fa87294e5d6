// A conformance suite that a host runs against its own Blockchain, Token, Beacon or Network.
//
// Every sentence of the interfaces' contracts that can be observed from outside is a check with a
// name: what is answered, refused, repeated, listed and paid, also from several threads at once.
// The subject is asked through a guard (guard.hpp), so that one that throws, hangs or answers
// nonsense fails its checks and ends neither the suite nor the process.
//
// The suite creates blocks, bonds, payments and submissions: run it on a chain and a ledger made
// for the purpose. Threading: one suite at a time on one subject; it starts threads and joins them.
// Time of a run: milliseconds for a subject that answers; at most timeout_ms for each call that
// hangs.
//
//     TokenSubject subject;
//     subject.token = std::make_shared<MyToken>();
//     subject.owner = rich;  // has 1,000 units
//     subject.empty_handed = poor;
//     const ConformanceReport report = check_token(subject);
//     std::puts(report.to_text().c_str());
//     return report.passed() ? 0 : 1;
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "callbacks/network.hpp"
#include "callbacks/token.hpp"
#include "core/result.hpp"

namespace holdfast {

/// One promise of an interface, and whether it was kept.
struct ConformanceCheck {
    std::string name;  // e.g. "token/one offence is slashed once"
    bool passed = false;
    std::string detail;  // what was seen instead; empty when passed
};

/// All checks of one subject.
struct ConformanceReport {
    std::vector<ConformanceCheck> checks;
    [[nodiscard]] bool passed() const;  // false for a report without checks
    /// One line a check, failures with what was seen.
    [[nodiscard]] std::string to_text() const;
};

/// How thoroughly the suite looks.
struct ConformanceOptions {
    std::uint32_t timeout_ms = 2'000;  // for each call
    unsigned threads = 4;              // for checks from several threads at once; 1 to 16
};

/// A host's chain, and the levers that the suite pulls.
struct BlockchainSubject {
    std::shared_ptr<Blockchain> chain;
    Height first;  // of the chain's first block
    /// Makes the chain longer by one block, with what was submitted in it.
    std::function<Status()> make_block;
    /// Replaces the newest block, not final, by another at the same height; empty where the host
    /// cannot: the checks of reorganisations are then left out.
    std::function<Status()> replace_tip;
    /// Two or more different objects that the chain must take, none of them submitted before.
    std::vector<Submission> samples;
};
[[nodiscard]] ConformanceReport check_blockchain(const BlockchainSubject& subject,
                                                 const ConformanceOptions& options = {});

/// A host's token, and the levers that the suite pulls.
struct TokenSubject {
    std::shared_ptr<Token> token;
    PublicKey owner;         // of an account with at least 1,000 units
    PublicKey empty_handed;  // of an account without any
    std::uint64_t salt = 0;  // another one for each run on one ledger: keys follow from it
    /// Units of an account; empty where the host cannot say: sums are then not compared.
    std::function<Result<std::uint64_t>(const PublicKey&)> balance;
};
[[nodiscard]] ConformanceReport check_token(const TokenSubject& subject,
                                            const ConformanceOptions& options = {});

/// A host's beacon, and what the suite needs to know of it.
struct BeaconSubject {
    std::shared_ptr<Beacon> beacon;
    std::uint64_t published = 1;  // a round that is out, and so is the one before if it is not 1
    std::uint64_t future = 0;     // a round that is not out yet; 0: there is none
};
[[nodiscard]] ConformanceReport check_beacon(const BeaconSubject& subject,
                                             const ConformanceOptions& options = {});

/// A host's network, and the levers that the suite pulls.
struct NetworkSubject {
    std::shared_ptr<Network> network;
    PublicKey peer;     // answers challenges and pings well within timeout_ms
    PublicKey unknown;  // is nobody
    Bytes challenge;    // that the peer answers
    /// A peer that takes longer than timeout_ms to answer; zeros: there is none.
    PublicKey slow;
};
[[nodiscard]] ConformanceReport check_network(const NetworkSubject& subject,
                                              const ConformanceOptions& options = {});

}  // namespace holdfast
