// A sealed replica, its pristine bytes, and ways to damage it.
#pragma once

#include "chunking/repair.hpp"
#include "support/seal_world.hpp"

namespace holdfast::test {

class DamagedReplica {
  public:
    explicit DamagedReplica(std::size_t data_bytes = 40 * kChunkBytes + 5,
                            const SealParams& seal = kTinySeal)
        : data_(some_bytes(data_bytes)) {
        sealed_ = world_.seal_bytes("x", data_, seal);
        files_.replica = world_.folder / "x.replica";
        files_.tree = world_.folder / "x.tree";
        files_.log = world_.folder / "x.scrub";
        replica_ = slurp(files_.replica);
        tree_ = slurp(files_.tree);
    }

    [[nodiscard]] const SealWorld& world() const { return world_; }
    [[nodiscard]] const NetworkParams& network() const { return world_.network; }
    [[nodiscard]] const FileHeader& header() const { return sealed_.header; }
    [[nodiscard]] const Bytes& data() const { return data_; }
    [[nodiscard]] const Bytes& replica_bytes() const { return replica_; }
    ReplicaFiles& files() { return files_; }

    void flip(const std::filesystem::path& file, std::uint64_t at) const {
        Bytes bytes = slurp(file);
        ASSERT_LT(at, bytes.size());
        bytes[at] ^= 0x10;
        spill(file, bytes);
    }
    void flip_chunk(std::uint64_t chunk) const {
        flip(files_.replica, kFileHeaderBytes + chunk * kChunkBytes + 1234);
    }
    void flip_node(TreeKind tree, unsigned level, std::uint64_t index) const {
        flip(files_.tree, TreeLayout(sealed_.header.replica.chunks).offset(tree, level, index));
    }
    /// Every byte as it was when it was sealed, and no log.
    void expect_pristine() const {
        EXPECT_TRUE(slurp(files_.replica) == replica_);
        EXPECT_TRUE(slurp(files_.tree) == tree_);
        EXPECT_FALSE(std::filesystem::exists(files_.log));
    }

    [[nodiscard]] ScrubReport scrubbed(const ScrubOptions& options = {}) const {
        const auto report = scrub(files_, network(), options);
        if (!report) {
            ADD_FAILURE() << report.error().message;
            return {};
        }
        return *report;
    }
    [[nodiscard]] std::unique_ptr<RawSource> original() const {
        auto source = open_raw_file(world_.folder / "x", 0);
        if (!source) std::abort();
        return std::move(*source);
    }
    [[nodiscard]] Result<RepairReport> repaired(bool with_source = true) const {
        const auto source = with_source ? original() : nullptr;
        return repair(files_, network(), source.get());
    }

  private:
    SealWorld world_;
    Bytes data_;
    SealedReplica sealed_;
    ReplicaFiles files_;
    Bytes replica_;
    Bytes tree_;
};

}  // namespace holdfast::test
