#include "load_servers.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

extern char** environ;

namespace octavo::test {
namespace {

void demand(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(what);
}

/// In `folder`; stdin is /dev/null; stdout and stderr go to `log`.
pid_t start_openssl(std::vector<std::string> arguments, const Folder& folder, const std::string& log) {
    arguments.insert(arguments.begin(), "openssl");
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder.file("").c_str());
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, "openssl", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    demand(error == 0, "openssl does not start");
    return pid;
}

std::string wait_for_address(const std::string& log) {
    for (int i = 0; i < 200; ++i) {
        std::ifstream file(log);
        for (std::string line; std::getline(file, line) && !file.eof();)
            if (line.starts_with("ACCEPT ")) return line.substr(7);
        usleep(50000);
    }
    throw std::runtime_error("openssl s_server does not listen");
}

int listen_on_loopback(sockaddr_in& address) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    demand(fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 && listen(fd, 128) == 0 &&
               getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0,
           "cannot listen on loopback");
    return fd;
}

std::string to_text(const sockaddr_in& address) { return "127.0.0.1:" + std::to_string(ntohs(address.sin_port)); }

}  // namespace

Folder::Folder() {
    std::string name = std::filesystem::temp_directory_path() / "octavo-load-test-XXXXXX";
    demand(mkdtemp(name.data()) != nullptr, "mkdtemp");
    path_ = name;
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void make_certificate(const Folder& folder, const std::string& name, const std::string& key) {
    std::vector<std::string> arguments{"req",           "-x509",   "-nodes",
                                       "-days",         "2",       "-subj",
                                       "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"};
    for (const std::string& more : {std::string("-newkey"), key, std::string("-keyout"), folder.file(name + ".key"),
                                    std::string("-out"), folder.file(name + ".pem")})
        arguments.push_back(more);
    if (key == "ec") arguments.insert(arguments.end(), {"-pkeyopt", "ec_paramgen_curve:P-256"});
    int status = 0;
    const pid_t pid = start_openssl(arguments, folder, folder.file("req.log"));
    demand(waitpid(pid, &status, 0) == pid && status == 0, "openssl req fails");
}

TlsServer::TlsServer(const Folder& folder, const std::string& certificate, const std::vector<std::string>& options) {
    static int serial = 0;
    const std::string log = folder.file("s_server" + std::to_string(++serial));
    std::vector<std::string> arguments{"s_server",    "-accept",
                                       "127.0.0.1:0", "-www",
                                       "-cert",       folder.file(certificate + ".pem"),
                                       "-key",        folder.file(certificate + ".key")};
    arguments.insert(arguments.end(), options.begin(), options.end());
    pid_ = start_openssl(arguments, folder, log);
    address_ = wait_for_address(log);
}

TlsServer::~TlsServer() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

PlainServer::PlainServer(std::function<void(int)> serve) : serve_(std::move(serve)) {
    sockaddr_in address;
    listener_ = listen_on_loopback(address);
    address_ = to_text(address);
    thread_ = std::thread([this] {
        pollfd ready{listener_, POLLIN, 0};
        while (!stop_) {
            if (poll(&ready, 1, 20) <= 0) continue;
            if (const int fd = accept(listener_, nullptr, nullptr); fd >= 0) {
                ++accepted_;
                serve_(fd);
            }
        }
    });
}

PlainServer::~PlainServer() {
    stop_ = true;
    thread_.join();
    close(listener_);
}

std::string refusing_address() {
    sockaddr_in address;
    close(listen_on_loopback(address));
    return to_text(address);
}

}  // namespace octavo::test
