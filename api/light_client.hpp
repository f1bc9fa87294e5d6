// A light client: verifies objects with nothing but a network's parameters and addresses of nodes.
//
// Fetches only what it lacks, and checks whatever can be checked (api/light_node.hpp, y:
// api/light_output.hpp), then judges with the one verifier (api/verifier.hpp). A node that lies is
// named and not asked again; the others are. Of several nodes all are asked; where two that were
// not caught lying tell different things, nothing is decided. Each report says what it rests on.
//
// Nodes are functions that carry a message there and an answer back: the transport, its deadlines,
// and waiting for a busy node are the caller's.
//
// Threading: one thread. Memory: what was fetched, and one arena. Errors: kUnavailable (no node is
// left that has what is needed, each with its reason; two nodes differ), kRefused (every node
// lied), those of the requests. Spec: docs/spec.md sections 7, 10 and 14.
//
//     HOLDFAST_ASSIGN(client, LightClient::open(params, {{"KEY@HOST", ask}}, {}));
//     HOLDFAST_ASSIGN(report, client->verify_link(chain_id, height));
//     if (!report.judged.verdict) std::puts(to_string(report.judged.verdict).c_str());
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/light_node.hpp"
#include "api/light_output.hpp"
#include "api/verifier.hpp"

namespace holdfast {

/// A node that can be asked.
struct LightNode {
    std::string name;  // for reports: KEY@HOST
    FollowRequest ask;
};

/// How a light client checks y, and where it keeps what it has checked.
struct LightOptions {
    LightOutputOptions outputs;
    std::filesystem::path cache;  // a folder for what was fetched and checked; empty: none
};

/// Why a node is not asked (any more).
struct LightFault {
    std::string node;
    bool lied = false;  // otherwise it was not to be had, or has not what is needed
    std::string why;
    Verdict verdict = {};  // on what it said, where it lied
};

/// A verdict, the object, and what it rests on.
struct LightReport {
    VerifyReport judged;
    Bytes object;                       // as it was judged
    std::vector<std::string> rests_on;  // whose word the verdict rests on
};

/// What a closed digest shows of a chain.
struct LightLeaf {
    PublicHeight facts;
    std::optional<ChainLeaf> leaf;  // empty: every node says that it holds no slot there
};

/// What verifying has cost so far.
struct LightTraffic {
    std::uint64_t requests = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_fetched = 0;
    double output_seconds = 0;  // spent on checking y, arenas included
};

/// Verifies objects from parameters and nodes alone.
class LightClient {
  public:
    /// kInvalidArgument without nodes, or with segments to check that are none or too many; those
    /// of reading the cache (kCorrupt: remove it; kRefused: it is of another network).
    static Result<std::unique_ptr<LightClient>> open(const NetworkParams& params,
                                                     std::vector<LightNode> nodes,
                                                     const LightOptions& options);
    ~LightClient();
    LightClient(const LightClient&) = delete;
    LightClient& operator=(const LightClient&) = delete;

    /// An object standing alone, of every kind that Verifier::verify judges.
    [[nodiscard]] Result<LightReport> verify(ByteView object, const VerifyHints& hints = {},
                                             const VerifyOptions& options = {});
    /// A proof of the chain's link at a height, fetched from whoever has one.
    [[nodiscard]] Result<LightReport> verify_link(const ChainId& chain_id, Height height);
    /// The chain's leaf in a closed digest, its path verified.
    [[nodiscard]] Result<LightLeaf> leaf(const ChainId& chain_id, Height height);
    /// The newest final block of the nodes that answer: the highest.
    [[nodiscard]] Result<FollowTip> tip();

    [[nodiscard]] const NetworkParams& params() const;
    [[nodiscard]] const std::vector<LightFault>& faults() const;
    [[nodiscard]] LightTraffic traffic() const;

  private:
    class Impl;
    explicit LightClient(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
