#include "storage/link_set_records.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>

#include "core/codec.hpp"
#include "storage/begun.hpp"
#include "storage/numbered_files.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kHead = 1;
constexpr std::uint8_t kLinks = 2;
constexpr std::uint8_t kForm = 1;
constexpr std::size_t kLinksPerRecord = 16'000;
constexpr std::size_t kPlaceBytes = 1 + 8 + 2 * kDigestBytes + 4;
constexpr std::size_t kMaxBodyBytes = kPlaceBytes + kLinksPerRecord * 2 * kDigestBytes;
static_assert(kMaxBodyBytes <= kMaxRecordBodyBytes);
/// One record() is one write; what a crash may leave of it is cut. A longer tail is damage.
constexpr std::uint64_t kMostChains = 1'600'000;
constexpr std::uint64_t kMaxCutBytes =
    (kMostChains / kLinksPerRecord) * (kRecordHeaderBytes + kMaxBodyBytes);
constexpr std::string_view kSuffix = ".links";

RecordLog::Options set_log_options(RecordLog::Mode mode) {
    RecordLog::Options options;
    options.mode = mode;
    options.max_body_bytes = kMaxBodyBytes;
    options.max_cut_bytes = kMaxCutBytes;
    return options;
}

tl::unexpected<Error> damaged(const std::filesystem::path& path, const std::string& what) {
    return fail(ErrorCode::kCorrupt, path.string() + ": " + what +
                                         "; nothing will be signed with these records until they "
                                         "are restored");
}

bool before(const ChainLink& a, const ChainId& b) { return a.chain_id < b; }

const ChainLink* find_in(std::span<const ChainLink> links, const ChainId& chain_id) {
    const auto at = std::lower_bound(links.begin(), links.end(), chain_id, before);
    return at != links.end() && at->chain_id == chain_id ? &*at : nullptr;
}

Bytes encode_links(const LinkPlace& place, std::span<const ChainLink> links) {
    Writer w(kPlaceBytes + links.size() * 2 * kDigestBytes);
    w.u8(kLinks).height(place.height).fixed(place.block_hash).fixed(place.anchor);
    w.u32(static_cast<std::uint32_t>(links.size()));
    for (const ChainLink& l : links) w.fixed(l.chain_id).fixed(l.link);
    return w.take();
}

}  // namespace

LinkSetRecords::LinkSetRecords(std::filesystem::path folder, const NetworkId& network_id,
                               const PublicKey& prover, const Options& options, File lock)
    : folder_(std::move(folder)),
      network_id_(network_id),
      prover_(prover),
      options_(options),
      lock_(std::move(lock)) {}

Result<LinkSetRecords> LinkSetRecords::open(const std::filesystem::path& folder,
                                            const NetworkId& network_id, const PublicKey& prover,
                                            const Options& options) {
    if (options.kept_heights < 2) {
        return fail(ErrorCode::kInvalidArgument, "link records must keep at least two heights");
    }
    HOLDFAST_TRY(check_not_vanished(folder));
    std::error_code error;
    std::filesystem::create_directory(folder, error);
    if (error) return fail_errno(error.value(), "cannot make folder " + folder.string());
    HOLDFAST_ASSIGN(lock, File::open(folder / "lock", File::Mode::kCreate, 0600));
    if (const Status locked = lock.lock_exclusive(); !locked) {
        if (locked.error().code != ErrorCode::kBusy) return fail(locked.error());
        return fail(ErrorCode::kBusy,
                    folder.string() + ": another process signs with these records");
    }
    LinkSetRecords out(folder, network_id, prover, options, std::move(lock));
    HOLDFAST_TRY(out.load());
    HOLDFAST_TRY(mark_begun(folder));
    return out;
}

std::filesystem::path LinkSetRecords::file(std::uint64_t number) const {
    return numbered_file(folder_, number, kSuffix);
}

Bytes LinkSetRecords::head(std::uint64_t number) const {
    Writer w(2 + 2 * kDigestBytes + 16);
    w.u8(kHead).u8(kForm).fixed(network_id_).fixed(prover_).u64(number).height(floor_);
    return w.take();
}

// --- opening -------------------------------------------------------------------------------------

Status LinkSetRecords::load() {
    HOLDFAST_ASSIGN(numbers, numbered_files(folder_, kSuffix));
    for (std::size_t i = 1; i < numbers.size(); ++i) {
        if (numbers[i] != numbers[0] + i) {
            return damaged(file(numbers[0] + i), "a file of records is missing");
        }
    }
    if (numbers.empty()) {
        HOLDFAST_ASSIGN(begun, has_begun(folder_));
        return begun ? Status(vanished(folder_)) : start_file(1);
    }
    // The one before the newest holds heights above the newest's floor: it is never let go.
    if (numbers.size() == 1 && numbers[0] != 1) {
        return damaged(file(numbers[0] - 1), "a file of records is missing");
    }
    for (const std::uint64_t number : numbers) {
        const bool newest = number == numbers.back();
        HOLDFAST_ASSIGN(
            log, RecordLog::open(file(number), set_log_options(newest ? RecordLog::Mode::kReadWrite
                                                                      : RecordLog::Mode::kRead)));
        if (!newest && log.recovery().cut_bytes != 0) {
            return damaged(log.path(), "records are damaged before the newest");
        }
        if (newest) {
            cut_bytes_ = log.recovery().cut_bytes;
            first_in_log_.reset();
            // Interrupted while it was made: nothing can have been recorded in it.
            if (log.records() == 0) HOLDFAST_TRY(log.append(head(number)));
        }
        files_[number] = Height(0);
        HOLDFAST_TRY(load_file(log, number));
        if (newest) log_.emplace(std::move(log));
    }
    return {};
}

Status LinkSetRecords::load_file(RecordLog& log, std::uint64_t number) {
    return log.for_each([&](std::uint64_t index, ByteView body) -> Status {
        if (index > 0) return load_links(log, body);
        Reader r(body);
        const std::uint8_t type = r.u8();
        const std::uint8_t form = r.u8();
        if (!r.failed() && type == kHead && form > kForm) {
            return fail(ErrorCode::kUnsupported, log.path().string() + ": of a newer build");
        }
        const auto network = r.fixed<NetworkId>();
        const auto prover = r.fixed<PublicKey>();
        const std::uint64_t own_number = r.u64();
        const Height own_floor = r.height();
        if (!r.finish() || type != kHead || form != kForm || own_number != number) {
            return damaged(log.path(), "the first record is not that of this file");
        }
        if (network != network_id_) return fail_refused(Reason::kWrongNetwork, log.path().string());
        if (prover != prover_) {
            return fail_refused(Reason::kBadKey, log.path().string() + ", of another key");
        }
        floor_ = std::max(floor_, own_floor);
        floor_in_head_ = own_floor;
        return {};
    });
}

Status LinkSetRecords::load_links(const RecordLog& log, ByteView body) {
    Reader r(body);
    const std::uint8_t type = r.u8();
    LinkPlace place;
    place.height = r.height();
    place.block_hash = r.fixed<BlockHash>();
    place.anchor = r.fixed<GlobalDigest>();
    const std::uint32_t count = r.u32();
    if (r.failed() || type != kLinks || count == 0 || r.remaining() != count * 2 * kDigestBytes) {
        return damaged(log.path(), "a record holds no links");
    }
    std::vector<ChainLink> links(count);
    for (ChainLink& l : links) {
        l.chain_id = r.fixed<ChainId>();
        l.link = r.fixed<Link>();
        const std::optional<Link> known = find(place, l.chain_id);
        if (known && *known != l.link) {
            return damaged(log.path(), "two links of chain " + to_hex(view(l.chain_id)) +
                                           " for height " + std::to_string(place.height.value) +
                                           " on one branch");
        }
    }
    if (!std::is_sorted(links.begin(), links.end())) {
        return damaged(log.path(), "a record is out of order");
    }
    note(place, links);
    return {};
}

// --- recording -----------------------------------------------------------------------------------

// B80: what is forgotten is refused. Under the mutex.
void LinkSetRecords::raise_floor(Height newest) {
    if (newest.value + 1 > options_.kept_heights) {
        floor_ = std::max(floor_, newest - (options_.kept_heights - 1));
    }
    while (!links_.empty() && links_.begin()->first.height < floor_) links_.erase(links_.begin());
}

/// What is on the device becomes what is known.
void LinkSetRecords::note(const LinkPlace& place, std::span<const ChainLink> links) {
    Height& newest = files_.rbegin()->second;
    newest = std::max(newest, place.height);
    first_in_log_ = first_in_log_ ? std::min(*first_in_log_, place.height) : place.height;
    const std::unique_lock lock(*mutex_);
    std::vector<ChainLink>& known = links_[place];
    std::vector<ChainLink> merged;
    merged.reserve(known.size() + links.size());
    std::set_union(known.begin(), known.end(), links.begin(), links.end(),
                   std::back_inserter(merged));
    merged.erase(std::unique(merged.begin(), merged.end()), merged.end());
    known = std::move(merged);
    raise_floor(place.height);
}

Status LinkSetRecords::start_file(std::uint64_t number) {
    HOLDFAST_ASSIGN(log,
                    RecordLog::open(file(number), set_log_options(RecordLog::Mode::kReadWrite)));
    HOLDFAST_TRY(log.append(head(number)));
    HOLDFAST_TRY(sync_folder(folder_));
    files_[number] = Height(0);
    first_in_log_.reset();
    floor_in_head_ = floor_;
    log_.emplace(std::move(log));
    return {};
}

/// A new file once the newest holds as many heights as are kept, and no file whose heights are all
/// below the floor that stands in the newest file's head: what is forgotten stays refused.
Status LinkSetRecords::make_room(Height height) {
    if (first_in_log_ && height.since(*first_in_log_) >= options_.kept_heights) {
        HOLDFAST_TRY(start_file(files_.rbegin()->first + 1));
    }
    bool removed = false;
    while (files_.size() > 1 && files_.begin()->second < floor_in_head_) {
        HOLDFAST_TRY(remove_store_file(file(files_.begin()->first)));
        files_.erase(files_.begin());
        removed = true;
    }
    return removed ? sync_folder(folder_) : Status{};
}

// Spec 7 and B80: recorded durably, and no second link.
Result<std::vector<Verdict>> LinkSetRecords::record(const LinkPlace& place,
                                                    std::span<const ChainLink> links) {
    const bool ascending =
        std::adjacent_find(links.begin(), links.end(), [](const ChainLink& a, const ChainLink& b) {
            return a.chain_id >= b.chain_id;
        }) == links.end();
    if (!ascending || links.size() > kMostChains) {
        return fail(ErrorCode::kInvalidArgument, "links to record must ascend by chain, at most " +
                                                     std::to_string(kMostChains) + " at once");
    }
    std::vector<Verdict> verdicts(links.size());
    std::vector<ChainLink> fresh;
    for (std::size_t i = 0; i < links.size(); ++i) {
        if (place.height < floor_) {
            verdicts[i] = Reason::kTooLate;
            continue;
        }
        const std::optional<Link> known = find(place, links[i].chain_id);
        if (!known) fresh.push_back(links[i]);
        if (known && *known != links[i].link) verdicts[i] = Reason::kBadLink;
    }
    if (fresh.empty()) return verdicts;
    HOLDFAST_TRY(make_room(place.height));
    std::vector<Bytes> bodies;
    for (std::size_t at = 0; at < fresh.size(); at += kLinksPerRecord) {
        const std::size_t count = std::min(kLinksPerRecord, fresh.size() - at);
        bodies.push_back(encode_links(place, std::span(fresh).subspan(at, count)));
    }
    const std::vector<ByteView> views(bodies.begin(), bodies.end());
    HOLDFAST_TRY(log_->append_all(views));
    note(place, fresh);
    return verdicts;
}

std::optional<Link> LinkSetRecords::find(const LinkPlace& place, const ChainId& chain_id) const {
    const std::shared_lock lock(*mutex_);
    const auto at = links_.find(place);
    if (at == links_.end()) return std::nullopt;
    const ChainLink* found = find_in(at->second, chain_id);
    return found != nullptr ? std::optional(found->link) : std::nullopt;
}

std::vector<LinkPlace> LinkSetRecords::places() const {
    const std::shared_lock lock(*mutex_);
    std::vector<LinkPlace> out;
    for (const auto& [place, links] : links_) out.push_back(place);
    return out;
}

Height LinkSetRecords::floor() const {
    const std::shared_lock lock(*mutex_);
    return floor_;
}

// Spec 7: only what is recorded is signed.
Result<Receipt> LinkSetRecords::sign(const LinkPlace& place, const ChainLink& link,
                                     const KeyPair& key) const {
    if (find(place, link.chain_id) != link.link || key.public_key() != prover_) {
        return fail_refused(Reason::kBadLink, "a link that is not on record is not signed");
    }
    Receipt receipt{link.link, place.height, place.anchor, {}};
    HOLDFAST_ASSIGN(signature,
                    key.sign(view(receipt_digest(network_id_, link.chain_id, place.height,
                                                 place.block_hash, place.anchor, link.link))));
    receipt.signature = signature;
    return receipt;
}

}  // namespace holdfast
