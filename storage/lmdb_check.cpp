#include "storage/lmdb_check.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/codec.hpp"
#include "storage/file.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

// The on-disk format of LMDB 0.9.
constexpr std::uint32_t kMagic = 0xBEEFC0DE;
constexpr std::uint32_t kDataVersion = 1;
constexpr std::uint16_t kBranchPage = 1;
constexpr std::uint16_t kLeafPage = 2;
constexpr std::uint16_t kOverflowPage = 4;
constexpr std::uint16_t kMetaPage = 8;
constexpr std::uint16_t kBigData = 1;
constexpr std::uint16_t kSubData = 2;
constexpr std::uint16_t kIntegerKey = 8;
constexpr std::size_t kPageHeaderBytes = 16;
constexpr std::size_t kNodeHeaderBytes = 8;
constexpr std::size_t kDbBytes = 48;
constexpr std::size_t kMaxDepth = 32;
constexpr std::uint64_t kNoPage = UINT64_MAX;

Bytes to_bytes(ByteView v) { return {v.begin(), v.end()}; }

std::uint16_t load_le16(const std::uint8_t* in) {
    return static_cast<std::uint16_t>(in[0] | in[1] << 8);
}

struct Db {
    std::uint32_t pad = 0;  // of the free list's: the page size
    std::uint16_t flags = 0;
    std::uint16_t depth = 0;
    std::uint64_t branch_pages = 0;
    std::uint64_t leaf_pages = 0;
    std::uint64_t overflow_pages = 0;
    std::uint64_t entries = 0;
    std::uint64_t root = kNoPage;

    static Db decode(ByteView bytes) {
        const std::uint8_t* p = bytes.data();
        return {load_le32(p),      load_le16(p + 4),  load_le16(p + 6),  load_le64(p + 8),
                load_le64(p + 16), load_le64(p + 24), load_le64(p + 32), load_le64(p + 40)};
    }
};

struct Meta {
    std::uint32_t magic = 0;
    std::uint32_t version = 0;
    Db free;
    Db main;
    std::uint64_t last_page = 0;
    std::uint64_t txn = 0;
};

enum class Role { kFreeList, kNames, kTable };

struct Node {
    std::uint16_t flags = 0;
    ByteView key;
    std::uint64_t size = 0;  // leaf: of the data; branch: the child's page
    ByteView data;           // leaf: inline data, or the number of the first overflow page
};

bool key_less(Role role, ByteView a, ByteView b) {
    if (role == Role::kFreeList) return load_le64(a.data()) < load_le64(b.data());
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

class Checker {
  public:
    Checker(const File& file, std::uint64_t map_bytes, bool check_values, unsigned threads)
        : file_(file), map_bytes_(map_bytes), check_values_(check_values), threads_(threads) {}

    Status run() {
        HOLDFAST_TRY(read_metas());
        HOLDFAST_TRY(walk(meta_.free, Role::kFreeList, "free list"));
        HOLDFAST_TRY(walk(meta_.main, Role::kNames, "table of tables"));
        for (const auto& [name, db] : tables_) {
            if (db.flags != 0) return damaged("flags of table " + name);
            HOLDFAST_TRY(walk(db, Role::kTable, name));
        }
        return check_big_values();
    }

  private:
    struct Bounds {
        std::optional<Bytes> from;   // no key is below
        std::optional<Bytes> below;  // every key is below
    };
    struct Counts {
        std::uint64_t branch = 0;
        std::uint64_t leaf = 0;
        std::uint64_t overflow = 0;
        std::uint64_t entries = 0;
    };
    struct Walk {
        Db db;
        Role role;
        std::string name;
        Counts counts;
    };

    [[nodiscard]] tl::unexpected<Error> damaged(const std::string& what) const {
        return fail(ErrorCode::kCorrupt, "registry database " + file_.path().string() +
                                             " is damaged: " + what +
                                             "; restore a backup or rebuild it");
    }

    Status read_metas() {
        HOLDFAST_ASSIGN(first, read_meta(0, 0));
        page_bytes_ = first.free.pad;
        if (!std::has_single_bit(page_bytes_) || page_bytes_ < 512 || page_bytes_ > 65536) {
            return damaged("page size");
        }
        HOLDFAST_ASSIGN(second, read_meta(page_bytes_, 1));
        // Commits alternate between the two, so their numbers are neighbours and of known parity.
        const bool fresh = first.txn == 0 && second.txn <= 1;
        const std::uint64_t apart =
            std::max(first.txn, second.txn) - std::min(first.txn, second.txn);
        if (!fresh && (apart != 1 || first.txn % 2 != 0)) return damaged("commit numbers");
        meta_ = first.txn < second.txn ? second : first;
        if (second.free.pad != page_bytes_ || meta_.last_page >= map_bytes_ / page_bytes_) {
            if (meta_.last_page < UINT32_MAX && second.free.pad == page_bytes_) {
                return fail(ErrorCode::kOutOfSpace,
                            "registry database " + file_.path().string() +
                                " is larger than map_bytes; open it with a larger one");
            }
            return damaged("page count");
        }
        if (meta_.free.flags != kIntegerKey || meta_.main.flags != 0) return damaged("flags");
        HOLDFAST_ASSIGN(bytes, file_.size());
        // Pages given back within the commit that made them may lie behind the end, unwritten; the
        // number of pages in the file bounds what is worth remembering.
        pages_.assign(std::min(meta_.last_page, bytes / page_bytes_) + 1, 0);
        return {};
    }

    Result<Meta> read_meta(std::uint64_t offset, std::uint64_t number) {
        std::array<std::uint8_t, 152> raw{};
        HOLDFAST_TRY(file_.read_at(offset, raw));
        const ByteView v(raw);
        Meta m;
        m.magic = load_le32(&raw[16]);
        m.version = load_le32(&raw[20]);
        m.free = Db::decode(v.subspan(40, kDbBytes));
        m.main = Db::decode(v.subspan(88, kDbBytes));
        m.last_page = load_le64(&raw[136]);
        m.txn = load_le64(&raw[144]);
        if (load_le64(raw.data()) != number || load_le16(&raw[10]) != kMetaPage ||
            m.magic != kMagic) {
            return damaged("meta page " + std::to_string(number));
        }
        if (m.version != kDataVersion) {
            return fail(ErrorCode::kUnsupported,
                        "registry database " + file_.path().string() + " is of another LMDB");
        }
        return m;
    }

    /// Each page has one owner: a tree, or the free list.
    Status claim(std::uint64_t first, std::uint64_t count, const std::string& owner) {
        for (std::uint64_t page = first; page - first < count; ++page) {
            if (page < 2 || page >= pages_.size() || pages_[page] != 0) {
                return damaged("page " + std::to_string(page) + " of " + owner);
            }
            pages_[page] = 1;
        }
        return {};
    }

    Status walk(const Db& db, Role role, const std::string& name) {
        Walk w{db, role, name, {}};
        if (db.root == kNoPage) {
            if (db.depth != 0 || db.entries != 0) return damaged("root of " + name);
            return {};
        }
        if (db.depth == 0 || db.depth > kMaxDepth) return damaged("depth of " + name);
        HOLDFAST_TRY(walk_page(w, db.root, 1, {}));
        const Counts& c = w.counts;
        if (c.branch != db.branch_pages || c.leaf != db.leaf_pages ||
            c.overflow != db.overflow_pages || c.entries != db.entries) {
            return damaged("counts of " + name);
        }
        return {};
    }

    Status walk_page(Walk& w, std::uint64_t number, std::size_t level, const Bounds& bounds) {
        const std::string where = "page " + std::to_string(number) + " of " + w.name;
        HOLDFAST_TRY(claim(number, 1, w.name));
        Bytes page(page_bytes_);
        HOLDFAST_TRY(file_.read_at(number * page_bytes_, page));
        const bool leaf = level == w.db.depth;
        const std::uint16_t lower = load_le16(&page[12]);
        const std::uint16_t upper = load_le16(&page[14]);
        if (load_le64(page.data()) != number ||
            load_le16(&page[10]) != (leaf ? kLeafPage : kBranchPage) || lower < kPageHeaderBytes ||
            lower % 2 != 0 || lower > upper || upper > page_bytes_) {
            return damaged("header of " + where);
        }
        const std::size_t count = (lower - kPageHeaderBytes) / 2;
        if (count < (leaf ? 1U : 2U)) return damaged("number of nodes of " + where);
        ++(leaf ? w.counts.leaf : w.counts.branch);
        std::vector<Node> nodes;
        for (std::size_t i = 0; i < count; ++i) {
            HOLDFAST_ASSIGN(node, read_node(w, page, upper, i, leaf, where));
            nodes.push_back(node);
        }
        HOLDFAST_TRY(check_order(w, nodes, leaf, bounds, where));
        for (std::size_t i = 0; i < count; ++i) {
            if (leaf) {
                HOLDFAST_TRY(check_entry(w, nodes[i], where));
                continue;
            }
            Bounds below = bounds;
            if (i > 0) below.from.emplace(nodes[i].key.begin(), nodes[i].key.end());
            if (i + 1 < count)
                below.below.emplace(nodes[i + 1].key.begin(), nodes[i + 1].key.end());
            HOLDFAST_TRY(walk_page(w, nodes[i].size, level + 1, below));
        }
        return {};
    }

    Result<Node> read_node(const Walk& w, ByteView page, std::uint16_t upper, std::size_t i,
                           bool leaf, const std::string& where) const {
        const std::size_t at = load_le16(&page[kPageHeaderBytes + 2 * i]);
        if (at < upper || at % 2 != 0 || at + kNodeHeaderBytes > page.size()) {
            return damaged("node place in " + where);
        }
        const std::uint8_t* p = &page[at];
        const std::uint64_t low = load_le32(p);
        const std::size_t key_bytes = load_le16(p + 6);
        Node node;
        node.flags = leaf ? load_le16(p + 4) : std::uint16_t{0};
        node.size = leaf ? low : low | std::uint64_t{load_le16(p + 4)} << 32;
        const std::uint64_t stored = !leaf ? 0 : (node.flags & kBigData) != 0 ? 8 : node.size;
        const std::uint64_t room = page.size() - at - kNodeHeaderBytes;
        if (key_bytes > room || stored > room - key_bytes) return damaged("node in " + where);
        node.key = page.subspan(at + kNodeHeaderBytes, key_bytes);
        node.data =
            page.subspan(at + kNodeHeaderBytes + key_bytes, static_cast<std::size_t>(stored));
        const bool leftmost = !leaf && i == 0;
        if (w.role == Role::kFreeList && !leftmost && key_bytes != 8) {
            return damaged("key in " + where);
        }
        return node;
    }

    Status check_order(const Walk& w, const std::vector<Node>& nodes, bool leaf,
                       const Bounds& bounds, const std::string& where) const {
        // The leftmost key of a branch is not used.
        for (std::size_t i = leaf ? 0 : 1; i < nodes.size(); ++i) {
            const ByteView key = nodes[i].key;
            const bool ordered = i == (leaf ? 0U : 1U) || key_less(w.role, nodes[i - 1].key, key);
            if (!ordered || (bounds.from && key_less(w.role, key, *bounds.from)) ||
                (bounds.below && !key_less(w.role, key, *bounds.below))) {
                return damaged("order of keys in " + where);
            }
        }
        return {};
    }

    Status check_entry(Walk& w, const Node& node, const std::string& where) {
        ++w.counts.entries;
        ByteView data = node.data;
        Bytes big;
        if (node.flags == kBigData) {
            const std::uint64_t pages = (kPageHeaderBytes - 1 + node.size) / page_bytes_ + 1;
            const std::uint64_t first = load_le64(data.data());
            HOLDFAST_TRY(claim(first, pages, w.name));
            w.counts.overflow += pages;
            std::array<std::uint8_t, kPageHeaderBytes> header{};
            HOLDFAST_TRY(file_.read_at(first * page_bytes_, header));
            if (load_le64(header.data()) != first || load_le16(&header[10]) != kOverflowPage ||
                load_le32(&header[12]) != pages) {
                return damaged("overflow page " + std::to_string(first) + " of " + w.name);
            }
            if (w.role == Role::kTable) {
                // Most of the file: read when all is known, in the order of the disk, by all cores.
                if (check_values_) big_.push_back({first, node.size, to_bytes(node.key), where});
                return {};
            }
            big.resize(static_cast<std::size_t>(node.size));
            HOLDFAST_TRY(file_.read_at(first * page_bytes_ + kPageHeaderBytes, big));
            data = big;
        } else if (node.flags != (w.role == Role::kNames ? kSubData : 0)) {
            return damaged("kind of a node in " + where);
        }
        switch (w.role) {
            case Role::kFreeList:
                return check_free_pages(data, where);
            case Role::kNames:
                return note_table(node, where);
            case Role::kTable:
                return check_values_ ? check_value(node.key, data, where) : Status{};
        }
        return {};
    }

    Status check_free_pages(ByteView list, const std::string& where) {
        const std::size_t places = list.size() / 8;
        if (places == 0 || load_le64(list.data()) > places - 1) return damaged("list in " + where);
        const std::uint64_t count = load_le64(list.data());
        for (std::size_t i = 1; i <= count; ++i) {
            const std::uint64_t page = load_le64(list.data() + 8 * i);
            if (page > meta_.last_page) return damaged("free page in " + where);
            if (page < pages_.size()) HOLDFAST_TRY(claim(page, 1, "the free list"));
        }
        return {};
    }

    Status note_table(const Node& node, const std::string& where) {
        if (node.flags != kSubData || node.size != kDbBytes) return damaged("table in " + where);
        tables_.emplace_back(std::string(node.key.begin(), node.key.end()), Db::decode(node.data));
        return {};
    }

    Status check_value(ByteView key, ByteView stored, const std::string& where) const {
        const bool holds = stored.size() >= kStoredSumBytes &&
                           load_le32(stored.data() + stored.size() - kStoredSumBytes) ==
                               stored_value_sum(key, stored.first(stored.size() - kStoredSumBytes));
        return holds ? Status{} : damaged("checksum of an entry in " + where);
    }

    /// A value that fills pages of its own.
    struct BigValue {
        std::uint64_t first_page = 0;
        std::uint64_t bytes = 0;
        Bytes key;
        std::string where;
    };

    Status check_big_values() {
        std::sort(big_.begin(), big_.end(),
                  [](const BigValue& a, const BigValue& b) { return a.first_page < b.first_page; });
        std::mutex guard;
        std::optional<std::pair<std::size_t, Error>> first_failure;
        for_each_parallel(big_.size(), threads_, [&](std::size_t i) {
            const Status checked = check_big_value(big_[i]);
            if (checked) return;
            const std::lock_guard held(guard);
            if (!first_failure || i < first_failure->first) first_failure = {i, checked.error()};
        });
        if (first_failure) return fail(first_failure->second);
        return {};
    }

    [[nodiscard]] Status check_big_value(const BigValue& big) const {
        Bytes value(static_cast<std::size_t>(big.bytes));
        HOLDFAST_TRY(file_.read_at(big.first_page * page_bytes_ + kPageHeaderBytes, value));
        return check_value(big.key, value, big.where);
    }

    const File& file_;
    std::uint64_t map_bytes_;
    bool check_values_;
    unsigned threads_;
    std::vector<BigValue> big_;
    std::uint32_t page_bytes_ = 0;
    Meta meta_;
    std::vector<std::uint8_t> pages_;
    std::vector<std::pair<std::string, Db>> tables_;
};

}  // namespace

Status check_store_file(const std::filesystem::path& data_file, std::uint64_t map_bytes,
                        bool check_values, unsigned threads) {
    HOLDFAST_ASSIGN(file, File::open(data_file, File::Mode::kRead));
    return Checker(file, map_bytes, check_values, threads).run();
}

}  // namespace holdfast
