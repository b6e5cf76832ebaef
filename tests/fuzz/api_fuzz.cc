#include <octavo/octavo.h>

#include <array>
#include <map>
#include <memory>
#include <string>

#include "bytes.hpp"
#include "require.hpp"
#include "stock_keys.hpp"

/// The C interface's validation: an interpreter of calls with arbitrary handles, lengths, sizes, flags and nulls. Pointers are either null or
/// as long as the call says. Every accepted request ends once, and nothing is used after its end.

namespace {

using fuzz::Buffer;
using fuzz::Reader;
using fuzz::require;

class Machine;

/// A callback's argument; freed when it must not be used any more.
struct Ticket {
    Machine* machine;
    std::uint64_t instance;
    octavo_request request;
};

class Machine {
public:
    explicit Machine(Reader in) : in_(in) {}
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine();
    void run() {
        for (int i = 0; i < 64 && !in_.empty(); ++i) step();
    }

private:
    using Tickets = std::map<std::uint64_t, std::unique_ptr<Ticket>>;  // by request

    static void on_done(void* argument, octavo_request request, octavo_status status, const std::uint8_t* output,
                        std::size_t len);
    void step();
    void create_key();
    void destroy_key();
    void create_instance();
    void destroy_instance();
    void submit();
    void fill(octavo_submission& submission);
    void poll();
    void wait();
    void result();
    void cancel();
    void execute();
    void look();
    void inside();

    std::size_t size_field(std::size_t right) {
        return in_.byte() < 240 ? right : static_cast<std::size_t>(in_.number(8));
    }
    /// Mostly one that was given out, now and then any number.
    template <std::size_t n>
    std::uint64_t pick(const std::array<std::uint64_t, n>& known) {
        const auto which = in_.byte();
        return which < 240 ? known[which % n] : in_.number(8);
    }
    std::array<std::uint64_t, 4> keys_{}, instances_{};
    std::array<std::uint64_t, 16> requests_{};
    std::size_t next_key_ = 0, next_instance_ = 0, next_request_ = 0;
    std::map<std::uint64_t, Tickets> tickets_;  // by instance
    Reader in_;
    bool in_callback_ = false;
};

Machine::~Machine() {
    for (const auto id : instances_) octavo_instance_destroy({id});
    for (const auto id : keys_) octavo_key_destroy({id});
}

void Machine::on_done(void* argument, octavo_request request, octavo_status status, const std::uint8_t* output,
                      std::size_t len) {
    const auto* ticket = static_cast<Ticket*>(argument);
    auto& machine = *ticket->machine;
    require(ticket->request.id == request.id, "a callback for another request");
    require((status == OCTAVO_OK) == (output != nullptr) && (output != nullptr) == (len != 0),
            "an inconsistent result");
    require(machine.tickets_[ticket->instance].erase(request.id) == 1, "a second completion");
    machine.inside();
}

/// What a callback may and may not do.
void Machine::inside() {
    if (in_callback_) return;
    in_callback_ = true;
    if (!in_.empty() && in_.byte() % 4 == 0) step();
    in_callback_ = false;
}

void Machine::step() {
    switch (in_.byte() % 16) {
        case 0:
            return create_key();
        case 1:
            return destroy_key();
        case 2:
            return create_instance();
        case 3:
            return destroy_instance();
        case 4:
        case 5:
        case 6:
        case 7:
            return submit();
        case 8:
        case 9:
            return poll();
        case 10:
            return wait();
        case 11:
            return result();
        case 12:
        case 13:
            return cancel();
        case 14:
            return execute();
        default:
            return look();
    }
}

void Machine::create_key() {
    api_test::RawKey raw{fuzz::stock_keys()[in_.byte() % fuzz::stock_keys().size()]};
    raw->size = size_field(sizeof(octavo_rsa_key));
    octavo_key key{1};
    if (octavo_key_create_rsa(raw.get(), &key) != OCTAVO_OK) return require(key.id == 0, "a key in spite of an error");
    auto& place = keys_[next_key_++ % keys_.size()];
    octavo_key_destroy({place});
    place = key.id;
}

void Machine::destroy_key() { octavo_key_destroy({pick(keys_)}); }

void Machine::create_instance() {
    octavo_instance_config config{};
    config.size = size_field(sizeof config);
    const std::string name(in_.byte() % 40, 'f');
    config.name = name.empty() ? nullptr : name.c_str();
    config.driver = in_.byte() % 8 < 6 ? OCTAVO_DRIVER_INLINE : in_.byte() % 4;
    config.ring_size = in_.byte() < 200 ? 2U << in_.byte() % 5 : static_cast<std::uint32_t>(in_.number(4));
    config.never_in_place = in_.byte() % 3;
    octavo_instance instance{1};
    const auto status = octavo_instance_create(&config, &instance);
    if (status != OCTAVO_OK) return require(status < 0 && instance.id == 0, "an instance in spite of an error");
    auto& place = instances_[next_instance_ % instances_.size()];
    if (octavo_instance_destroy({place}) == OCTAVO_ERR_BAD_ARGUMENT) {  // its callback runs
        octavo_instance_destroy(instance);
        return;
    }
    tickets_.erase(place);
    place = instance.id;
    ++next_instance_;
}

void Machine::destroy_instance() {
    const auto id = pick(instances_);
    if (octavo_instance_destroy({id}) == OCTAVO_OK) tickets_.erase(id);
}

void Machine::fill(octavo_submission& submission) {
    submission.size = size_field(sizeof submission);
    submission.key.id = pick(keys_);
    submission.operation = in_.byte() < 250 ? 1U + in_.byte() % 2 : static_cast<std::uint32_t>(in_.number(4));
}

/// A good input of the key's length, or any.
Buffer operand(Reader& in, std::uint64_t key) {
    std::size_t len = 0;
    octavo_key_length({key}, &len);
    if (in.byte() >= 230) return in.bytes(in.byte());
    Buffer input(len, in.byte());
    if (!input.empty() && in.byte() < 240) input[0] = 0;
    return input;
}

void Machine::submit() {
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    fill(submission);
    const auto input = operand(in_, submission.key.id);
    submission.input = in_.byte() < 250 ? input.data() : nullptr;
    submission.input_len = input.size();
    const auto instance = pick(instances_);
    auto ticket = std::make_unique<Ticket>(Ticket{this, instance, {}});
    const auto flags = in_.byte();
    if (flags & 1) submission.callback = on_done, submission.callback_argument = ticket.get();
    if (flags & 0x20) submission.wakeup.call = [](void*) {};
    octavo_request request{1};
    const auto status = octavo_submit({instance}, &submission, flags % 16 == 14 ? nullptr : &request);
    if (flags % 16 == 14) return require(status < 0, "a request without a handle");
    if (status != OCTAVO_OK && status != OCTAVO_PENDING)
        return require(request.id == 0, "a request in spite of a refusal");
    requests_[next_request_++ % requests_.size()] = request.id;
    ticket->request = request;
    if (flags & 1)
        require(tickets_[instance].emplace(request.id, std::move(ticket)).second, "a handle given out twice");
}

void Machine::poll() {
    const std::size_t quota = in_.byte() < 250 ? in_.byte() : SIZE_MAX;
    std::size_t num_reaped = 0;
    const auto status = octavo_poll({pick(instances_)}, quota, in_.byte() % 8 == 0 ? nullptr : &num_reaped);
    require(num_reaped <= quota && (status == OCTAVO_OK || num_reaped == 0), "more reaped than asked for");
    require(status != OCTAVO_OK || quota != 0, "a quota of 0 was taken");
}

void Machine::wait() {
    const auto timeout = in_.byte() % 2 == 0 ? UINT64_MAX : in_.number(3);
    octavo_wait({pick(instances_)}, {pick(requests_)}, timeout);
}

void Machine::result() {
    Buffer output(in_.byte() % 8 == 0 ? in_.byte() : 256);
    std::size_t len = 0;
    const auto status = octavo_result({pick(instances_)}, {pick(requests_)}, in_.byte() < 250 ? output.data() : nullptr,
                                      output.size(), in_.byte() % 8 == 0 ? nullptr : &len);
    require(len <= output.size() && (status == OCTAVO_OK || len == 0), "a length without a result");
}

void Machine::cancel() {
    const auto instance = pick(instances_), request = pick(requests_);
    if (octavo_cancel({instance}, {request}) != OCTAVO_OK) return;
    if (const auto found = tickets_.find(instance); found != tickets_.end()) found->second.erase(request);
}

void Machine::execute() {
    const auto key = pick(keys_);
    auto input = operand(in_, key);
    const std::size_t len = input.size();
    input.resize(3 * len + 16);
    const auto from = len == 0 ? 0 : in_.number(2) % (2 * len);
    auto* const output = in_.byte() % 16 == 0 ? nullptr : input.data() + (in_.byte() % 2 == 0 ? 0 : from);
    const std::size_t capacity = in_.byte() % 4 == 0 ? in_.byte() % (len + 1) : len;
    std::size_t output_len = 0;
    octavo_execute({pick(instances_)}, {key}, 1U + in_.byte() % 3, input.data(), len, output, capacity, &output_len);
    require(output_len <= capacity, "more output than room");
}

void Machine::look() {
    const octavo_instance instance{pick(instances_)};
    octavo_statistics s{};
    s.size = size_field(sizeof s);
    if (octavo_instance_statistics(instance, &s) == OCTAVO_OK)
        require(s.submitted == s.completed + s.failed + s.cancelled + s.in_flight, "the counters do not add up");
    int fd = -1;
    if (in_.byte() % 16 == 0) octavo_instance_fd(instance, &fd);
    require(octavo_status_name(static_cast<octavo_status>(in_.number(4) % 64)) != nullptr, "no name");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Machine machine{Reader{{data, size}}};
    machine.run();
    return 0;
}
