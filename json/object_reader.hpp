// Proof objects out of the JSON that objects.hpp prints of them: receipts, compact, full, short and
// path proofs, windows, bundles, members and acknowledgements. The other direction of
// describe_object, with the same names.
//
// What does not describe exactly one object is refused: a field that is missing, of another type,
// out of its range, or that the object would not be printed with. Pure; any thread.
#pragma once

#include "core/result.hpp"
#include "core/types.hpp"
#include "json/json.hpp"

namespace holdfast::json {

/// The object, standing alone. kInvalidArgument names the field; kRefused: the fields make no
/// object of that kind (path lengths that do not follow from the counts, a window out of order).
Result<Bytes> object_from_json(const Json& json);

}  // namespace holdfast::json
