#include "node/history_source.hpp"

#include "core/hash.hpp"

namespace holdfast::node {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

}  // namespace

Result<Digest> hash_of_file(const File& file) {
    Sha256 hash;
    Bytes piece(kReadBytes);
    for (std::uint64_t at = 0;;) {
        HOLDFAST_ASSIGN(got, file.read_some_at(at, piece));
        if (got == 0) return hash.finish();
        hash.update(ByteView(piece).first(got));
        at += got;
    }
}

Result<LedgerCopy> LedgerCopies::newest() {
    const std::lock_guard lock(mutex_);
    if (made_ && clock_() - made_->at_ns < kLeastAgeNs) return made_->copy;
    if (ledger_ != nullptr) HOLDFAST_TRY(ledger_->copy_to(path_));
    HOLDFAST_ASSIGN(file, File::open(path_, File::Mode::kRead));
    HOLDFAST_ASSIGN(bytes, file.size());
    HOLDFAST_ASSIGN(hash, hash_of_file(file));
    made_.emplace(Made{{hash, bytes}, std::move(file), clock_()});
    return made_->copy;
}

Result<Bytes> LedgerCopies::piece(const LedgerPieceQuestion& question) {
    const std::lock_guard lock(mutex_);
    if (!made_ || made_->copy.copy != question.copy) {
        return fail(ErrorCode::kNotFound, "another copy of the ledger has taken its place");
    }
    Bytes out(question.most_bytes);
    HOLDFAST_ASSIGN(got, made_->file.read_some_at(question.offset, out));
    out.resize(got);
    return out;
}

HistorySource history_source(const Registry& registry, LocalChain& chain, const HeadFile& heads,
                             LedgerCopies* ledger) {
    HistorySource out;
    out.registry = &registry;
    out.head = [&heads](Height height) { return heads.head(height); };
    out.block = [&chain](Height height) -> Result<WholeBlock> {
        HOLDFAST_ASSIGN(block, chain.block_by_height(height));
        HOLDFAST_ASSIGN(listed, chain.listed_at(height));
        return WholeBlock{block, std::move(listed)};
    };
    if (ledger == nullptr) return out;
    out.ledger = [ledger] { return ledger->newest(); };
    out.ledger_piece = [ledger](const LedgerPieceQuestion& q) { return ledger->piece(q); };
    return out;
}

}  // namespace holdfast::node
