// What stands in the tables of the bond ledger: amounts and bonds. Pure; any thread.
#pragma once

#include "callbacks/token.hpp"
#include "core/codec.hpp"
#include "core/result.hpp"
#include "embedded/bond_store_impl.hpp"

namespace holdfast::bond_store {

inline Bytes encode_u64(std::uint64_t v) { return Writer(8).u64(v).take(); }

inline Bytes encode_bond(const BondInfo& b) {
    Writer w(64);
    w.fixed(b.owner)
        .u8(static_cast<std::uint8_t>(b.purpose))
        .u8(static_cast<std::uint8_t>(b.state));
    return w.u64(b.created_amount).u64(b.held_amount).u64(b.slashed_amount).take();
}

inline Result<BondInfo> decode_bond(const BondId& id, ByteView bytes) {
    Reader r(bytes);
    BondInfo b;
    b.id = id;
    b.owner = r.fixed<PublicKey>();
    b.purpose = static_cast<BondPurpose>(r.u8());
    b.state = static_cast<BondState>(r.u8());
    b.created_amount = r.u64();
    b.held_amount = r.u64();
    b.slashed_amount = r.u64();
    if (!r.finish()) return corrupt("a bond is malformed");
    return b;
}

inline Result<std::uint64_t> decode_u64(ByteView bytes) {
    Reader r(bytes);
    const std::uint64_t v = r.u64();
    if (!r.finish()) return corrupt("an amount is malformed");
    return v;
}

}  // namespace holdfast::bond_store
