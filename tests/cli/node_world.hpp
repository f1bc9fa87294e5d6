// A folder with a node and sealed replicas, made by the command itself.
#pragma once

#include <algorithm>
#include <fstream>
#include <sstream>

#include "command.hpp"
#include "core/codec.hpp"
#include "core/keys.hpp"
#include "storage/key_file.hpp"

namespace holdfast::test {

/// Keys, data and times are the same in every run, so that every height draws the same.
class NodeWorld {
  public:
    static constexpr const char* kFast =
        " --preset dev --set vdf.arena_kib=1024 --set vdf.passes=1 --set "
        "vdf.steps_per_checkpoint=64 --set vdf.checkpoints=4 --genesis-time-ms 1700000000000";

    explicit NodeWorld(const std::string& name = "local") {
        good("network init node --name " + name + kFast);
        key("alice.key", 1);
        data("a", 300'000, 1);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return folder_.path() / name;
    }

    Ran run(const std::string& line) const { return holdfast_command(path(), words_of(line)); }
    Ran good(const std::string& line) const {
        const Ran ran = run(line);
        EXPECT_EQ(ran.code, kExitOk) << ran;
        EXPECT_EQ(ran.signal, 0) << ran;
        return ran;
    }
    [[nodiscard]] nlohmann::json json(const std::string& line) const {
        return good(line + " --json").json();
    }

    void key(const std::string& name, std::uint8_t seed) const {
        const Bytes secret(32, seed);
        const Status saved = save_key_pair(KeyPair::from_secret(secret), *this / name);
        EXPECT_TRUE(saved.has_value());
    }
    void data(const std::string& name, std::size_t bytes, std::uint32_t seed) const {
        Bytes content(bytes);
        std::uint32_t x = seed * 2654435761U + 1;
        for (std::uint8_t& b : content) {
            x = x * 1664525U + 1013904223U;
            b = static_cast<std::uint8_t>(x >> 24);
        }
        spill(*this / name, content);
    }

    /// seal, issue, register: X.replica of file X.
    std::string enlist(const std::string& name, const std::string& key_file) const {
        good("seal " + name + " --key " + key_file + " --out " + name + ".replica");
        good("ledger issue --key " + key_file + " --amount 1000");
        return json("register " + name + ".replica --key " + key_file)["chain_id"];
    }

    /// From a fresh node to heights with links, compact and full proofs, for these files and keys.
    void live(const std::vector<std::pair<std::string, std::string>>& replicas) {
        good("chain new-block --count 4");
        std::string provers;
        for (const auto& [name, key_file] : replicas) {
            chains_.push_back(enlist(name, key_file));
            provers += " --replica " + name + ".replica --key " + key_file;
        }
        good("chain new-block --count 9");
        good("block process");
        good("seal-proof make a.replica --key alice.key --out seal.proof");
        good("chain new-block --count 20");
        good("block process --proofs proofs" + provers);
        good("public export --out public");
    }
    [[nodiscard]] const std::string& chain(std::size_t i = 0) const { return chains_.at(i); }

    /// A height at which the chain has a compact proof, and its file.
    [[nodiscard]] std::uint64_t compact_height(std::size_t i = 0) const {
        for (std::uint64_t h = 16; h < 25; ++h) {
            if (std::filesystem::exists(compact(h, i))) return h;
        }
        ADD_FAILURE() << "no compact proof";
        return 0;
    }
    [[nodiscard]] std::filesystem::path compact(std::uint64_t height, std::size_t i = 0) const {
        return path() / "proofs" /
               (chain(i).substr(0, 16) + "-" + std::to_string(height) + ".compact");
    }

    /// One proof in every format: NAME.receipt, .compact, .full, .window, .path.
    void prove_all(const std::string& name, const std::string& key_file, std::size_t i = 0) const {
        const std::uint64_t h = compact_height(i);
        const std::string height = " --height " + std::to_string(h);
        const std::string prove = "prove " + name + ".replica --key " + key_file + height;
        for (const char* format : {"receipt", "compact", "full", "window"}) {
            good(prove + " --format " + format +
                 (std::string(format) == "window" ? " --links 3" : "") + " --out " + name + "." +
                 format);
        }
        good("path make --chain " + chain(i) + height + " --out " + name + ".path");
    }

  private:
    TempFolder folder_;
    std::vector<std::string> chains_;
};

/// A copy of a file with bytes changed at `at`.
inline void patch(const std::filesystem::path& from, const std::filesystem::path& to,
                  std::size_t at, const Bytes& with) {
    Bytes bytes = slurp(from);
    ASSERT_LE(at + with.size(), bytes.size()) << from;
    std::copy(with.begin(), with.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    spill(to, bytes);
}

inline void flip(const std::filesystem::path& from, const std::filesystem::path& to,
                 std::size_t bit) {
    Bytes bytes = slurp(from);
    ASSERT_LT(bit / 8, bytes.size()) << from;
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << (bit % 8)));
    spill(to, bytes);
}

inline void cut(const std::filesystem::path& file, std::size_t bytes) {
    std::filesystem::resize_file(file, bytes);
}

inline Bytes garbage(std::size_t bytes) {
    Bytes out(bytes);
    std::uint32_t x = 77;
    for (std::uint8_t& b : out)
        b = static_cast<std::uint8_t>((x = x * 1664525U + 1013904223U) >> 24);
    return out;
}

}  // namespace holdfast::test
