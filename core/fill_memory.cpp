#if !defined(__wasm__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "core/fill.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kHugePageBytes = std::uint64_t{2} << 20;

std::uint64_t round_up(std::uint64_t n, std::uint64_t unit) { return (n + unit - 1) / unit * unit; }

/// Below a huge page: from the heap, zeroed. A map would be given back with every fill, and a TLB
/// of many cores flushed each time, which takes longer than a small fill.
std::uint8_t* allocate_small(std::uint64_t page, std::uint64_t bytes) {
    const auto size = static_cast<std::size_t>(bytes);
    void* p = std::aligned_alloc(static_cast<std::size_t>(page), size);
    if (p == nullptr) return nullptr;
    return static_cast<std::uint8_t*>(std::memset(p, 0, size));
}

#if defined(__wasm__)

// No maps: everything comes from the heap.
constexpr std::uint64_t kWasmPageBytes = 64 * 1024;
std::uint64_t page_bytes() { return kWasmPageBytes; }
std::uint8_t* allocate_large(std::uint64_t bytes) { return allocate_small(kWasmPageBytes, bytes); }
void free_large(std::uint8_t* data, std::uint64_t) { std::free(data); }

#else

std::uint64_t page_bytes() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

std::uint8_t* map_anonymous(std::uint64_t bytes) {
    void* p = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(p);
}

/// `bytes` (whole huge pages) at a huge page's boundary: maps one more and gives the ends back.
std::uint8_t* allocate_large(std::uint64_t bytes) {
    std::uint8_t* raw = map_anonymous(bytes + kHugePageBytes);
    if (raw == nullptr) return nullptr;
    const std::uint64_t start = reinterpret_cast<std::uintptr_t>(raw);
    const std::uint64_t before = round_up(start, kHugePageBytes) - start;
    if (before != 0) ::munmap(raw, before);
    if (before != kHugePageBytes) ::munmap(raw + before + bytes, kHugePageBytes - before);
    return raw + before;
}

void free_large(std::uint8_t* data, std::uint64_t bytes) { ::munmap(data, bytes); }

#endif

}  // namespace

Result<FillMemory> FillMemory::allocate(std::uint64_t bytes) {
    if (bytes == 0)
        return fail(ErrorCode::kInvalidArgument, "cannot allocate an empty fill memory");
    const std::string size = std::to_string(bytes) + " bytes of memory for a fill";
    if (bytes > std::numeric_limits<std::size_t>::max() / 2) {
        return fail(ErrorCode::kOutOfMemory, size + ": more than this machine can address");
    }
    const bool large = bytes >= kHugePageBytes;
    const std::uint64_t page = page_bytes();
    FillMemory m;
    m.mapped_ = round_up(bytes, large ? kHugePageBytes : page);
    m.data_ = large ? allocate_large(m.mapped_) : allocate_small(page, m.mapped_);
    if (m.data_ == nullptr) {
        m.mapped_ = 0;
        if (errno != ENOMEM) return fail_errno(errno, size);
        return fail(ErrorCode::kOutOfMemory, size + " are not available; use fewer workers");
    }
    m.bytes_ = bytes;
#if defined(MADV_HUGEPAGE)
    m.huge_ = large && ::madvise(m.data_, m.mapped_, MADV_HUGEPAGE) == 0;
#endif
    return m;
}

FillMemory::FillMemory(FillMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      mapped_(std::exchange(other.mapped_, 0)),
      huge_(std::exchange(other.huge_, false)) {}

FillMemory& FillMemory::operator=(FillMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(mapped_, other.mapped_);
    std::swap(huge_, other.huge_);
    return *this;
}

FillMemory::~FillMemory() {
    if (data_ == nullptr) return;
    if (bytes_ >= kHugePageBytes) {
        free_large(data_, mapped_);
    } else {
        std::free(data_);
    }
}

}  // namespace holdfast
