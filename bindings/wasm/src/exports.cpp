// What JavaScript calls: one input buffer, one run, one output buffer. src/instance.js is the only
// caller.
//
// A run is a function of its input alone; nothing stays from one to the next but the two buffers.
// The answer is 0 where the object holds, the number of the Reason where it is refused, and
// -1 - ErrorCode where it could not be judged. The output then holds what was asked for, the index
// of the refusal as a u64 where there is one, or the error's message. Sizes in bytes.
#include <cstdlib>

#include "core/fill.hpp"
#include "core/hash.hpp"
#include "core/keys.hpp"
#include "core/merkle.hpp"
#include "json/objects.hpp"
#include "known.hpp"
#include "proofs/entropy.hpp"
#include "proofs/journal.hpp"
#include "verify_object.hpp"

namespace holdfast::wasm {
namespace {

/// More than any object with what must be known of it.
constexpr std::uint32_t kMaxInputBytes = 16 << 20;

std::uint8_t* g_input = nullptr;
std::uint32_t g_input_bytes = 0;
Bytes g_output;

using Answer = Result<Checked<Bytes>>;

Bytes bytes_of(std::string_view text) { return {view(text).begin(), view(text).end()}; }
template <std::size_t N>
Bytes bytes_of(const FixedBytes<N>& v) {
    return {v.begin(), v.end()};
}

Answer answer(const Result<Verdict>& verdict) {
    if (!verdict) return fail(verdict.error());
    if (!verdict->accepted()) return Checked<Bytes>(refuse(*verdict));
    return Checked<Bytes>(Bytes());
}

Status finished(const Reader& r) {
    const Verdict v = r.finish();
    if (v.accepted()) return {};
    return fail(ErrorCode::kInvalidArgument, "arguments are not well-formed: " + to_string(v));
}

// --- what can be run -----------------------------------------------------------------------------

/// Every reason as JSON: [{"name", "meaning", "action"}, …], by number.
Answer run_reasons(Reader&) {
    json::Json out = json::Json::array();
    for (std::size_t i = 0; i < reason_count(); ++i) {
        const ReasonInfo& info = describe(static_cast<Reason>(i));
        out.push_back({{"name", info.name}, {"meaning", info.meaning}, {"action", info.action}});
    }
    return Checked<Bytes>(bytes_of(json::dump(out)));
}

/// The fields of an object that stands alone, as `holdfast inspect --json` prints them.
Answer run_inspect(Reader& r) {
    const ByteView object = r.raw(r.remaining());
    const Checked<json::Json> fields = json::describe_trusted_object(object);
    if (!fields) return Checked<Bytes>(refuse(fields.error()));
    return Checked<Bytes>(bytes_of(json::dump(*fields)));
}

/// Bytes of the network's parameters (kind 19, standing alone), then what is asked of it.
Result<Checked<Network>> read_network(Reader& r) {
    const ByteView object = read_bytes(r);
    if (r.failed()) HOLDFAST_TRY(finished(r));
    const auto body = unwrap_object(Kind::kNetwork, object);
    if (!body) return Checked<Network>(refuse(body.error()));
    Checked<NetworkParams> params = NetworkParams::decode(*body);
    if (!params) return Checked<Network>(refuse(params.error()));
    const NetworkId id = params->id();
    return Checked<Network>(Network{std::move(*params), id});
}

template <class Body>
Answer with_network(Reader& r, Body body) {
    HOLDFAST_ASSIGN(network, read_network(r));
    if (!network) return Checked<Bytes>(refuse(network.error()));
    return body(*network);
}

/// network_id.
Answer run_network(Reader& r) {
    return with_network(r, [&](const Network& network) -> Answer {
        HOLDFAST_TRY(finished(r));
        return Checked<Bytes>(bytes_of(network.id));
    });
}

Answer run_verify(Reader& r) {
    return with_network(r, [&](const Network& network) -> Answer {
        const ByteView context = read_bytes(r);
        if (r.failed()) HOLDFAST_TRY(finished(r));
        return answer(verify_object(network, context, r.raw(r.remaining())));
    });
}

/// replica_id and chain_id of a registration's body.
Answer run_ids(Reader& r) {
    return with_network(r, [&](const Network& network) -> Answer {
        const Checked<Registration> registration = Registration::decode(r.raw(r.remaining()));
        if (!registration) return Checked<Bytes>(refuse(registration.error()));
        Writer w;
        w.fixed(registration->replica_id(network.id)).fixed(registration->chain_id(network.id));
        return Checked<Bytes>(w.take());
    });
}

/// The seed of a height; where the network has no VDF it is y.
Answer run_seed(Reader& r) {
    return with_network(r, [&](const Network& network) -> Answer {
        const Height height = r.height();
        const auto block_hash = r.fixed<BlockHash>();
        std::optional<BeaconRandomness> beacon;
        if (read_flag(r)) {
            const std::uint64_t round = r.u64();
            beacon = BeaconRandomness{round, r.fixed<Digest>()};
        }
        HOLDFAST_TRY(finished(r));
        const auto seed = make_seed(network.params, network.id, height, block_hash, beacon);
        if (!seed) return Checked<Bytes>(refuse(seed.error()));
        return Checked<Bytes>(bytes_of(*seed));
    });
}

/// What a verifier needs beside this height (spec 7, what a verifier brings itself): flags (1: it
/// has an anchor; 2: it is the network's first), the anchor's height, the height whose y draws
/// compact proofs, and genesis_global, which stands for the digests before the network's first.
Answer run_around(Reader& r) {
    return with_network(r, [&](const Network& network) -> Answer {
        const Height height = r.height();
        HOLDFAST_TRY(finished(r));
        const std::optional<Height> anchor = anchor_height(network.params, height);
        const bool is_first = height == network.params.genesis_height;
        Writer w;
        w.u8(static_cast<std::uint8_t>((anchor ? 1 : 0) | (is_first ? 2 : 0)));
        w.height(anchor.value_or(Height(0)));
        w.height(compact_draw_height(network.params, height)).fixed(genesis_global(network.id));
        return Checked<Bytes>(w.take());
    });
}

Answer run_signature(Reader& r) {
    const auto key = r.fixed<PublicKey>();
    const auto signature = r.fixed<Signature>();
    if (r.failed()) HOLDFAST_TRY(finished(r));
    return answer(verify_signature(key, r.raw(r.remaining()), signature));
}

Answer run_registrable_key(Reader& r) {
    const auto key = r.fixed<PublicKey>();
    HOLDFAST_TRY(finished(r));
    return answer(check_registrable_key(key));
}

/// The root that a multiproof leads to; every index is below the number of leaves.
Answer run_multiproof(Reader& r) {
    const std::uint64_t leaves = r.u64();
    const auto indices = read_list(r, [](Reader& one) { return one.u64(); });
    const auto hashes = read_list(r, [](Reader& one) { return one.fixed<Digest>(); });
    const auto siblings = read_list(r, [](Reader& one) { return one.fixed<Digest>(); });
    HOLDFAST_TRY(finished(r));
    if (indices.size() != hashes.size()) return Checked<Bytes>(refuse(Reason::kProofLength));
    const auto root = root_from_multiproof(leaves, indices, hashes, siblings);
    if (!root) return Checked<Bytes>(refuse(root.error()));
    return Checked<Bytes>(bytes_of(*root));
}

/// That the journal of an accepted head (its body) holds this entry at this place.
Answer run_entry(Reader& r) {
    const JournalHead head = JournalHead::decode(r);
    const std::uint64_t index = r.u64();
    const auto path = read_list(r, [](Reader& one) { return one.fixed<Digest>(); });
    const ByteView entry = read_bytes(r);
    HOLDFAST_TRY(finished(r));
    const auto form = decode_entry(entry);
    if (!form) return Checked<Bytes>(refuse(form.error()));
    return answer(check_entry(head, index, entry, path));
}

/// That the journal of the newer of two accepted heads begins with that of the older.
Answer run_extension(Reader& r) {
    const JournalHead older = JournalHead::decode(r);
    const JournalHead newer = JournalHead::decode(r);
    const auto proof = read_list(r, [](Reader& one) { return one.fixed<Digest>(); });
    HOLDFAST_TRY(finished(r));
    return answer(check_extension(older, newer, proof));
}

/// Argon2d's tag of a fill, as a check of the memory-hard function alone.
Answer run_fill(Reader& r) {
    FillSpec spec;
    spec.lanes = r.u32();
    spec.passes = r.u32();
    spec.blocks = r.u64();
    spec.password = read_bytes(r);
    spec.salt = read_bytes(r);
    spec.associated_data = read_bytes(r);
    HOLDFAST_TRY(finished(r));
    if (spec.blocks > kMaxArenaKib) return fail(ErrorCode::kInvalidArgument, "a fill too large");
    HOLDFAST_ASSIGN(memory, FillMemory::allocate(spec.blocks * kBlockBytes));
    const MutByteView bytes{memory.data(), static_cast<std::size_t>(memory.size())};
    HOLDFAST_TRY(fill(spec, bytes));
    return Checked<Bytes>(bytes_of(argon2d_tag(spec, bytes)));
}

/// By the number that src/instance.js names it with.
constexpr Answer (*kRuns[])(Reader&) = {
    run_reasons,   run_inspect,   run_network,         run_verify,     run_ids,
    run_seed,      run_signature, run_registrable_key, run_multiproof, run_entry,
    run_extension, run_fill,      run_around,
};

std::int32_t deliver(const Answer& given) {
    if (!given) {
        g_output = bytes_of(given.error().message);
        return -1 - static_cast<std::int32_t>(given.error().code);
    }
    const Checked<Bytes>& checked = *given;
    if (checked) {
        g_output = *checked;
        return 0;
    }
    Writer w;
    if (checked.error().index) w.u64(*checked.error().index);
    g_output = w.take();
    return static_cast<std::int32_t>(checked.error().reason);
}

}  // namespace
}  // namespace holdfast::wasm

extern "C" {

/// Where the caller writes the next run's input; 0 when it is over 16 MiB or there is no memory.
[[clang::export_name("hf_input")]] std::uint8_t* hf_input(std::uint32_t bytes) {
    using namespace holdfast::wasm;
    std::free(g_input);
    g_input = nullptr;
    g_input_bytes = 0;
    if (bytes > kMaxInputBytes) return nullptr;
    g_input = static_cast<std::uint8_t*>(std::malloc(bytes > 0 ? bytes : 1));
    if (g_input != nullptr) g_input_bytes = bytes;
    return g_input;
}

[[clang::export_name("hf_run")]] std::int32_t hf_run(std::uint32_t number) {
    using namespace holdfast::wasm;
    if (number >= std::size(kRuns)) return -1;  // invalid-argument
    holdfast::Reader r({g_input, g_input_bytes});
    return deliver(kRuns[number](r));
}

[[clang::export_name("hf_output")]] const std::uint8_t* hf_output() {
    return holdfast::wasm::g_output.data();
}

[[clang::export_name("hf_output_bytes")]] std::uint32_t hf_output_bytes() {
    return static_cast<std::uint32_t>(holdfast::wasm::g_output.size());
}

}  // extern "C"
