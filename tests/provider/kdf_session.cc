#include "kdf_session.hpp"

#include <cstring>

namespace octavo::test {

Params& Params::add(Item item) {
    items_.push_back(std::move(item));
    return *this;
}

Params& Params::number(const char* name, int number) {
    Data bytes(sizeof number);
    std::memcpy(bytes.data(), &number, sizeof number);
    return add({name, OSSL_PARAM_INTEGER, std::move(bytes)});
}

const OSSL_PARAM* Params::get() {
    list_.clear();
    for (auto& item : items_) {
        const auto len = item.bytes.size();
        item.bytes.resize(len + 1);  // texts end with a zero, and what is empty has an address
        list_.push_back({item.name, item.type, item.null ? nullptr : item.bytes.data(), len, 0});
        item.bytes.resize(len);
    }
    list_.push_back(OSSL_PARAM_construct_end());
    return list_.data();
}

KdfSession::KdfSession(OSSL_LIB_CTX* side, const char* name) {
    const Kdf kdf(EVP_KDF_fetch(side, name, nullptr));
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_KDF_get0_provider(kdf.get())), name_of(side));
    context_.reset(EVP_KDF_CTX_new(kdf.get()));
}

void KdfSession::set(Params params) { trace_.note("set", EVP_KDF_CTX_set_params(context_.get(), params.get())); }

void KdfSession::derive(std::size_t len, Params params) {
    Data out(len);
    if (trace_.note("derive", EVP_KDF_derive(context_.get(), out.data(), len, params.get())))
        trace_.value("out", hex(out));
}

void KdfSession::derive(std::size_t len) {
    Data out(len);
    if (trace_.note("derive", EVP_KDF_derive(context_.get(), out.data(), len, nullptr))) trace_.value("out", hex(out));
}

void KdfSession::size() {
    const auto size = EVP_KDF_CTX_get_kdf_size(context_.get());
    trace_.note("size", 1);
    trace_.value("size", std::to_string(size));
}

void KdfSession::duplicate() {
    KdfContext copy(EVP_KDF_CTX_dup(context_.get()));
    if (trace_.note("dup", copy != nullptr ? 1 : 0)) context_ = std::move(copy);
}

PkeyKdfSession::PkeyKdfSession(OSSL_LIB_CTX* side, const char* kdf)
    : context_(EVP_PKEY_CTX_new_from_name(side, kdf, nullptr)) {}

void PkeyKdfSession::init() {
    if (trace_.note("init", EVP_PKEY_derive_init(get())))
        trace_.value("done by another than asked", std::to_string(EVP_PKEY_CTX_get0_provider(get()) == nullptr));
}

void PkeyKdfSession::set(Params params) { trace_.note("set", EVP_PKEY_CTX_set_params(get(), params.get())); }

void PkeyKdfSession::say(const char* name, const std::string& value) {
    trace_.note(name, EVP_PKEY_CTX_ctrl_str(get(), name, value.c_str()));
}

void PkeyKdfSession::derive(std::size_t len) {
    Data out(len);
    if (!trace_.note("derive", EVP_PKEY_derive(get(), out.data(), &len))) return;
    trace_.value("length", std::to_string(len));
    trace_.value("out", hex(out));
}

void PkeyKdfSession::size() {
    std::size_t len = 0;
    trace_.note("size", EVP_PKEY_derive(get(), nullptr, &len));
    trace_.value("size", std::to_string(len));
}

void PkeyKdfSession::duplicate() {
    PkeyContext copy(EVP_PKEY_CTX_dup(get()));
    if (trace_.note("dup", copy != nullptr ? 1 : 0)) context_ = std::move(copy);
}

}  // namespace octavo::test
