#include "keep/put_journal.hpp"

#include <algorithm>

#include "core/hash.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t kPlanVersion = 1;
constexpr std::uint64_t kMaxPlanBytes = std::uint64_t{256} << 20;
constexpr std::size_t kTermsLength = kDepositTermsBytes;

void write_word(Writer& w, const std::string& word) {
    w.u32(static_cast<std::uint32_t>(word.size())).raw(view(word));
}

std::string read_word(Reader& r) {
    const ByteView bytes = r.raw(r.u32());
    return {bytes.begin(), bytes.end()};
}

}  // namespace

Bytes PutPlan::encode() const {
    Writer w(4'096);
    w.u32(kPlanVersion).u64(source.bytes).u64(static_cast<std::uint64_t>(source.modified_ns));
    w.u8(shape.data).u8(shape.parity).u8(encrypted ? 1 : 0).fixed(salt);
    w.raw(header.salt).raw(header.prefix).u32(static_cast<std::uint32_t>(parts.size()));
    for (const PutPart& part : parts) {
        w.fixed(part.prover.key);
        write_word(w, part.prover.address);
        write_word(w, part.prover.place);
        w.fixed(part.order.id).raw(part.order.terms.encode()).u64(part.order.bytes);
    }
    w.u32(static_cast<std::uint32_t>(roots.size()));
    for (const Root& root : roots) w.fixed(root);
    const Digest sum = sha256(w.bytes());
    w.fixed(sum);
    return w.take();
}

Checked<PutPlan> PutPlan::decode(ByteView bytes) {
    if (bytes.size() < Digest::size()) return refuse(Reason::kTruncated);
    const ByteView body = bytes.first(bytes.size() - Digest::size());
    if (!std::ranges::equal(view(sha256(body)), bytes.subspan(body.size()))) {
        return refuse(Reason::kBadSum);
    }
    Reader r(body);
    PutPlan plan;
    if (r.u32() != kPlanVersion) return refuse(Reason::kBadVersion);
    plan.source.bytes = r.u64();
    plan.source.modified_ns = static_cast<std::int64_t>(r.u64());
    plan.shape.data = r.u8();
    plan.shape.parity = r.u8();
    plan.encrypted = r.u8() == 1;
    plan.salt = r.fixed<Digest>();
    std::ranges::copy(r.raw(plan.header.salt.size()), plan.header.salt.begin());
    std::ranges::copy(r.raw(plan.header.prefix.size()), plan.header.prefix.begin());
    const std::uint32_t parts = r.u32();
    for (std::uint32_t i = 0; i < parts && !r.failed(); ++i) {
        PutPart part;
        part.prover.key = r.fixed<PublicKey>();
        part.prover.address = read_word(r);
        part.prover.place = read_word(r);
        part.order.id = r.fixed<DepositId>();
        HOLDFAST_ASSIGN(terms, DepositTerms::decode(r.raw(kTermsLength)));
        part.order.terms = terms;
        part.order.bytes = r.u64();
        plan.parts.push_back(std::move(part));
    }
    const std::uint32_t roots = r.u32();
    for (std::uint32_t i = 0; i < roots && !r.failed(); ++i) plan.roots.push_back(r.fixed<Root>());
    if (const Verdict v = r.finish(); !v) return refuse(v);
    if (!plan.shape.validate()) return refuse(Reason::kBadField);
    return plan;
}

Result<std::unique_ptr<PutJournal>> PutJournal::open(const std::filesystem::path& folder) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return fail_errno(failed.value(), "cannot make '" + folder.string() + "'");
    HOLDFAST_ASSIGN(lock, File::open(folder / "lock", File::Mode::kCreate, 0600));
    HOLDFAST_TRY(lock.lock_exclusive());
    return std::unique_ptr<PutJournal>(new PutJournal(folder, std::move(lock)));
}

std::optional<PutPlan> PutJournal::load() const {
    const Result<Bytes> bytes = read_file(folder_ / "plan", kMaxPlanBytes);
    if (!bytes) return std::nullopt;
    Checked<PutPlan> plan = PutPlan::decode(*bytes);
    if (!plan) return std::nullopt;
    return std::move(*plan);
}

Status PutJournal::begin(const PutPlan& plan) {
    HOLDFAST_TRY(clear());
    return update(plan);
}

Status PutJournal::update(const PutPlan& plan) {
    return write_file(folder_ / "plan", plan.encode(), true, 0600);
}

Status PutJournal::open_tags(std::uint64_t segments) {
    HOLDFAST_ASSIGN(file, File::open(folder_ / "tags", File::Mode::kCreate, 0600));
    HOLDFAST_TRY(file.truncate(segments * kCipherTagBytes));
    tags_.assign(static_cast<std::size_t>(segments * kCipherTagBytes), 0);
    HOLDFAST_TRY(file.read_at(0, tags_));
    tag_file_ = std::move(file);
    HOLDFAST_TRY(tag_file_->sync());
    return sync_folder(folder_);
}

bool PutJournal::note_tag(std::uint64_t segment, ByteView tag) {
    const std::lock_guard lock(mutex_);
    const MutByteView known = MutByteView(tags_).subspan(
        static_cast<std::size_t>(segment * kCipherTagBytes), kCipherTagBytes);
    if (std::ranges::equal(known, tag)) return true;
    if (std::ranges::any_of(known, [](std::uint8_t b) { return b != 0; })) return false;
    std::ranges::copy(tag, known.begin());
    fresh_.push_back(segment);
    return true;
}

Status PutJournal::sync_tags() {
    const std::lock_guard lock(mutex_);
    if (fresh_.empty()) return {};
    for (const std::uint64_t segment : fresh_) {
        const std::uint64_t at = segment * kCipherTagBytes;
        HOLDFAST_TRY(tag_file_->write_at(
            at, ByteView(tags_).subspan(static_cast<std::size_t>(at), kCipherTagBytes)));
    }
    HOLDFAST_TRY(tag_file_->sync());
    fresh_.clear();
    return {};
}

Status PutJournal::clear() {
    tag_file_.reset();
    std::error_code failed;
    // The plan first: tags of no plan mean nothing, and no plan may be without its tags.
    std::filesystem::remove(folder_ / "plan", failed);
    if (failed) return fail_errno(failed.value(), "cannot remove a plan in " + folder_.string());
    HOLDFAST_TRY(sync_folder(folder_));
    std::filesystem::remove(folder_ / "tags", failed);
    if (failed) return fail_errno(failed.value(), "cannot remove tags in " + folder_.string());
    return sync_folder(folder_);
}

}  // namespace holdfast
