#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "speed/progress.hpp"
#include "speed/side.hpp"

namespace octavo::cli {

/// Which kernel row to take: the lane row that takes the key (else `ref`), or whichever of the two is faster at this depth.
enum class RowChoice { lane, cheapest };
/// The one that `choice` asks for. `lanes` is null where no lane row runs.
SidePtr choose_row(SidePtr lanes, SidePtr ref, RowChoice choice);
/// What a reader should know of a row that is called with `depth` jobs, or "".
std::string row_note(std::string_view row, std::size_t max_batch, std::size_t depth);

/// What OpenSSL's side is compared with: it does the same work as that layer of Octavo.
enum class Counterpart { kernel, api, provider };

/// A row of `octavo speed`. `depth` is 1 or more.
class Operation {
public:
    Operation(const char* name, const char* text) noexcept : name_(name), text_(text) {}
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;
    virtual ~Operation() = default;

    const char* name() const noexcept { return name_; }
    const char* text() const noexcept { return text_; }

    /// Whether it is computed in the caller's place, by no kernel: measured at the layer provider alone, without jobs.
    virtual bool is_in_place() const noexcept { return false; }
    /// Makes keys that take long and that later calls use; tells `progress`.
    virtual void prepare(Progress&) const {}
    virtual SidePtr kernel(std::size_t depth, RowChoice choice) const = 0;
    virtual SidePtr api(std::size_t depth) const = 0;
    /// Through the provider: in `depth` jobs at a time, or one by one without a job.
    virtual SidePtr provider(std::size_t depth, bool jobs) const = 0;
    /// OpenSSL's default provider, one operation at a time.
    virtual SidePtr openssl(Counterpart of) const = 0;
    /// Jobs that the row which runs here takes in one call.
    virtual std::size_t max_batch() const = 0;
    /// Vector multiply-adds (vpmadd52, eight lanes each) that one of `depth` operations needs, lanes full; 0: no formula.
    virtual double multiply_adds(std::size_t depth) const = 0;

private:
    const char *name_, *text_;
};

/// One that is computed in the caller's place. kernel() and api() throw UsageError.
class InPlaceOperation : public Operation {
public:
    using Operation::Operation;

    bool is_in_place() const noexcept final { return true; }
    SidePtr kernel(std::size_t depth, RowChoice choice) const final;
    SidePtr api(std::size_t depth) const final;
    std::size_t max_batch() const final { return 1; }
    double multiply_adds(std::size_t) const final { return 0; }
};

using Operations = std::vector<const Operation*>;
const Operations& all_operations();

/// Pointers into a table that lives as long as the program.
template <typename Table>
Operations operations_of(const Table& table) {
    Operations operations;
    for (const auto& operation : table) operations.push_back(&operation);
    return operations;
}

/// The operations that the arguments name, in the table's order: a whole name, its part before a dash ("rsa2048", "tls1-prf"), or "all". Where there
/// are no arguments: those of a TLS handshake. UsageError names the first argument that fits none.
Operations choose_operations(const std::vector<std::string>& arguments);

}  // namespace octavo::cli
