// Final blocks that a test has made up, as a host chain.
#pragma once

#include <map>

#include "callbacks/blockchain.hpp"
#include "hierarchy/registry.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {

class ListedChain final : public Blockchain {
  public:
    std::map<Height, FinalBlock> blocks;

    Result<Height> current_height() override { return blocks.rbegin()->first; }
    Result<BlockInfo> block_by_height(Height height) override {
        const auto found = blocks.find(height);
        if (found == blocks.end()) return fail(ErrorCode::kNotFound, "no such block");
        return BlockInfo{height, found->second.hash, test_hash(height - 1), found->second.time_ms,
                         true};
    }
    Status submit(Kind, ByteView) override { return fail(ErrorCode::kUnsupported, "made up"); }
    Result<std::vector<Submission>> submissions_at(Height height) override {
        return blocks.at(height).listed.objects;
    }
    Result<std::vector<BondEvent>> bond_events_at(Height height) override {
        return blocks.at(height).listed.bonds;
    }
};

/// For replays of networks whose y is the tests' own.
inline Result<Verdict> is_test_y(Height height, const VdfOutput& y) {
    return Verdict(y == test_y(height) ? Reason::kOk : Reason::kWrongOutput);
}

}  // namespace holdfast::test
