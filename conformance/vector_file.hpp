// Reading vector files: values with their place in the file, and the checks that are counted.
//
// Internal to conformance/. Throws Malformed where the file does not have the form it should have;
// the runner turns that into a counted failure. Not thread-safe: one file, one thread.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "conformance/check_vectors.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast::conformance {

/// The file does not have the form that its checks read.
struct Malformed {
    std::string where;
    std::string what;
};

/// The caller's stop check said so.
struct Stopped {};

using Visited = std::unordered_set<const nlohmann::json*>;

/// A value of the file. Reading it, or anything below it, marks it as looked at.
class Value {
  public:
    Value(const nlohmann::json& json, std::string where, Visited& visited)
        : json_(&json), where_(std::move(where)), visited_(&visited) {
        visited_->insert(json_);
    }

    [[nodiscard]] const std::string& where() const { return where_; }
    [[nodiscard]] bool is_null() const { return json_->is_null(); }
    [[nodiscard]] bool is_integer() const { return json_->is_number_unsigned(); }
    [[nodiscard]] bool has(const std::string& key) const;
    [[nodiscard]] Value operator[](const std::string& key) const;
    [[nodiscard]] Value operator[](std::size_t index) const;
    /// Elements of an array, members of an object.
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::vector<Value> items() const;
    [[nodiscard]] std::vector<std::pair<std::string, Value>> members() const;

    [[nodiscard]] std::uint64_t u64() const;
    [[nodiscard]] std::uint32_t u32() const;
    [[nodiscard]] std::uint8_t u8() const;
    [[nodiscard]] bool flag() const;
    [[nodiscard]] std::string text() const;
    [[nodiscard]] Height height() const { return Height(u64()); }
    /// Hex, or {"expand": seed, "len": n}.
    [[nodiscard]] Bytes bytes() const;
    template <class T>
    [[nodiscard]] T fixed() const {
        T out{};
        fill_fixed({out.bytes.data(), out.bytes.size()});
        return out;
    }
    [[nodiscard]] Digest digest() const { return fixed<Digest>(); }
    template <class T>
    [[nodiscard]] T id() const {
        return T(digest());
    }
    [[nodiscard]] std::vector<std::uint64_t> u64s() const;
    [[nodiscard]] std::vector<Digest> digests() const;
    /// The key of a member as an integer, as for slots and heights.
    [[nodiscard]] std::uint64_t key_u64(const std::string& key) const;

    [[noreturn]] void malformed(const std::string& what) const;

  private:
    void fill_fixed(MutByteView out) const;
    const nlohmann::json* json_;
    std::string where_;
    Visited* visited_;
};

/// SHA-256(seed || LE64(0)) || SHA-256(seed || LE64(1)) || …, cut to `length` bytes.
Bytes expand(ByteView seed, std::uint64_t length);

/// A network as a vector file names it.
struct Network {
    NetworkParams params;
    NetworkId id;
};

template <class T>
Verdict verdict_of(const Checked<T>& value) {
    return value ? Verdict::ok() : value.error();
}

/// Verdict of a verifier on bytes.
using Examine = std::function<Verdict(ByteView)>;

/// Counts the checks of one file. Each names the place of its expected value.
class Checker {
  public:
    /// `scratch`: an empty folder of this file's own.
    Checker(FileReport& report, const VectorOptions& options, std::filesystem::path scratch)
        : report_(report), options_(options), scratch_(std::move(scratch)) {}

    void equal(const Value& expected, ByteView actual);
    template <std::size_t N>
    void equal(const Value& expected, const FixedBytes<N>& actual) {
        equal(expected, view(actual));
    }
    void equal(const Value& expected, std::uint64_t actual);
    void equal(const Value& expected, std::span<const std::uint64_t> actual);
    void equal(const Value& expected, std::span<const Digest> actual);
    void flag(const Value& expected, bool actual);
    void holds(const std::string& where, bool condition, const std::string& otherwise);
    void accepted(const std::string& where, const Verdict& verdict);
    void refused(const std::string& where, const Verdict& verdict);
    /// The encoding itself must be accepted, and every entry of `list`, applied to it, refused.
    void refusals(const Value& list, ByteView encoding, const Examine& examine);
    /// The same for a list that may be absent; the encoding is examined in any case.
    void refusals_if_any(const Value& holder, const std::string& key, ByteView encoding,
                         const Examine& examine);

    /// The value; where there is none the case is abandoned and counts as failed.
    template <class T, class E>
    T need(const std::string& where, tl::expected<T, E> value) {
        if (!value) throw Malformed{where, reason_of(value.error())};
        if constexpr (!std::is_void_v<T>) return std::move(*value);
    }

    /// `network` and `network_id` of the file or case: decoded, encoded again and identified.
    Network network(const Value& holder);
    /// The case's own network where it has one.
    Network network_or(const Value& holder, const Network& otherwise);

    /// Runs one case: a Malformed inside it is one failure, and the next case goes on.
    void run_case(const Value& at, const std::function<void()>& body);
    void fail(const std::string& where, const std::string& what);
    /// Throws Stopped when the caller wants to stop.
    void poll() const;
    [[nodiscard]] const StopCheck& stop() const { return options_.stop; }
    /// A path in the scratch folder that no other call has given.
    [[nodiscard]] std::filesystem::path scratch_path(const std::string& extension);

  private:
    static std::string reason_of(const Verdict& v) { return "refused: " + to_string(v); }
    static std::string reason_of(const Error& e) { return e.message; }
    void count(const std::string& where, bool passed, const std::string& what);

    FileReport& report_;
    const VectorOptions& options_;
    std::filesystem::path scratch_;
    std::uint64_t scratch_files_ = 0;
};

/// Runs one check over every case of a group, each in its own network where it has one.
using CaseCheck = void (*)(Checker&, const Value&, const Network&);
void check_cases(Checker& check, const Value& group, const Network& file_network, CaseCheck one);

/// A kind of vector file: checks the value of `cases` in the file's network.
using FileCheck = void (*)(Checker&, const Network&, const Value& cases);

void check_availability(Checker&, const Network&, const Value&);
void check_bundles(Checker&, const Network&, const Value&);
void check_entropy(Checker&, const Network&, const Value&);
void check_erasure(Checker&, const Network&, const Value&);
void check_evidence(Checker&, const Network&, const Value&);
void check_files(Checker&, const Network&, const Value&);
void check_fill(Checker&, const Network&, const Value&);
void check_history(Checker&, const Network&, const Value&);
void check_hierarchy(Checker&, const Network&, const Value&);
void check_lifecycle(Checker&, const Network&, const Value&);
void check_links(Checker&, const Network&, const Value&);
void check_merkle(Checker&, const Network&, const Value&);
void check_network(Checker&, const Network&, const Value&);
void check_seal(Checker&, const Network&, const Value&);
void check_selection(Checker&, const Network&, const Value&);
void check_signatures(Checker&, const Network&, const Value&);
void check_vdf(Checker&, const Network&, const Value&);

}  // namespace holdfast::conformance
