// y of heights as a light client checks it, out of what a node hands over.
//
// A spot check asks for the ends of y's VDF proof first, draws segments with randomness of its own
// when the root that the evaluator signed is fixed, and asks for these; the epoch that it rests on
// is the word of whoever vouches for the source's y. In full every segment of every proof is
// checked, from epoch 0 on; what has been checked so once is not checked again. A network without
// a VDF has y = seed, which is computed.
//
// Threading: one thread. Memory: one arena. Spec: docs/spec.md sections 5 and 6.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <tuple>

#include "clock/public_record.hpp"
#include "core/result.hpp"
#include "follow/public_client.hpp"
#include "vdf/arena.hpp"
#include "vdf/verify.hpp"

namespace holdfast {

enum class LightY : std::uint8_t { kNone = 0, kSpot = 1, kFull = 2 };
std::string_view to_string(LightY how);
/// "none", "spot", "full".
[[nodiscard]] std::optional<LightY> parse_light_y(std::string_view word);

/// How y is checked.
struct LightOutputOptions {
    LightY how = LightY::kSpot;
    std::uint32_t segments = 16;  // of a spot check; at most kMaxSegmentsAsked
    unsigned threads = 0;
    StopCheck stop;
    std::function<void(const char* what, std::uint64_t done, std::uint64_t total)> progress;
};

/// One y that was checked.
struct CheckedOutput {
    Height height;
    BlockHash block_hash;
    VdfOutput y;
    std::uint32_t segments = 0;  // looked at; as many as there are: in full
    friend bool operator==(const CheckedOutput&, const CheckedOutput&) = default;
};

/// Checks y of heights, each once.
class LightOutputs {
  public:
    /// Facts of a final height, from the node that is asked; kNotFound.
    using Fetch = std::function<Result<PublicHeight>(Height height)>;

    LightOutputs(const NetworkParams& params, LightOutputOptions options);

    /// Whether this y of the node's may be used, as far as asked for. A refusal is of what the node
    /// handed over. kUnavailable: it has no proof of this y (any more).
    [[nodiscard]] Result<Verdict> check(const PublicClient& node, const Fetch& fetch,
                                        Height height);
    /// The height whose y made the epoch of `height`; empty: epoch 0, or none had y.
    [[nodiscard]] Result<std::optional<Height>> source_of(const Fetch& fetch, Height height) const;

    /// What was checked, for whoever keeps it, and takes it in again.
    [[nodiscard]] std::vector<CheckedOutput> checked() const;
    void note(const CheckedOutput& one);
    [[nodiscard]] const LightOutputOptions& options() const { return options_; }
    /// Seconds that checks took here, fills of arenas included; time spent asking is not.
    [[nodiscard]] double seconds() const { return seconds_; }

  private:
    using Key = std::tuple<Height, BlockHash, VdfOutput>;

    [[nodiscard]] Result<Verdict> check_one(const PublicClient& node, const PublicHeight& facts,
                                            const Seed& seed, const VdfOutput& source, LightY how);
    [[nodiscard]] Result<Verdict> spot(const PublicClient& node, const VdfContext& context,
                                       const VdfOutput& y);
    [[nodiscard]] Result<Verdict> full(const PublicClient& node, const VdfContext& context,
                                       const VdfOutput& y);
    [[nodiscard]] Result<std::shared_ptr<const VdfArena>> arena(const VdfContext& context);
    [[nodiscard]] Checked<Seed> seed_of(const PublicHeight& facts) const;
    [[nodiscard]] bool is_checked(const PublicHeight& facts, std::uint32_t segments) const;
    [[nodiscard]] VdfVerifyOptions verifying() const;

    const NetworkParams params_;
    const NetworkId network_id_;
    const LightOutputOptions options_;
    std::shared_ptr<const VdfArena> arena_;
    std::map<Key, std::uint32_t> checked_;  // segments looked at
    double seconds_ = 0;
};

}  // namespace holdfast
