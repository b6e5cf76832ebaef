// Lock folders that cannot be used: a clear error, and the process goes on without a section, on the portable row.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstring>

#include "instance/stats_file.hpp"
#include "section_child.hpp"
#include "support.hpp"

namespace {

using api_test::SectionChild;
using octavo::config::section_text;

/// An operation of the thread's instance works, and is counted as one without a section; "" or what is wrong.
std::string works_without_section(const octavo::Key& key) {
    octavo_instance instance{};
    if (octavo_thread_instance(&instance) != OCTAVO_OK) return "no instance";
    const api_test::Buffer input(256, 1);
    api_test::Buffer output(256);
    std::size_t length = 0;
    const auto status = octavo_execute(instance, key.handle(), OCTAVO_RSA_PUBLIC, input.data(), input.size(),
                                       output.data(), output.size(), &length);
    if (status != OCTAVO_OK) return octavo_error_text();
    const auto counted = api_test::statistics_of(instance);
    if (counted.fallback[OCTAVO_FALLBACK_SECTION] != 1) return "not counted as a fallback";
    for (const auto& process : octavo::instance::read_all_stats())
        if (process.pid == static_cast<std::uint32_t>(getpid()))
            return process.section.state == octavo::instance::SectionNote::denied ? "" : "not shown as denied";
    return "not shown at all";
}

class SectionFolder : public api_test::SectionTest {
protected:
    SectionFolder() {
        configure(section_text("SSL", 2, true, 1));
        mkdir(locks_.c_str(), 0700);
        setenv("OCTAVO_RUN_DIR", locks_.c_str(), 1);
    }

    /// "OCTAVO_ERR_SYSTEM: text", in a child which `prepare` may give a file system of its own; whatever it says is the answer.
    template <typename Prepare>
    std::string answer(Prepare&& prepare) const {
        const SectionChild child{[&]() -> std::string {
            if (const std::string problem = prepare(); !problem.empty()) return problem;
            const auto status = octavo_section_start("SSL");
            if (status == OCTAVO_OK) return api_test::held_section();
            const auto text = std::string{octavo_status_name(status)} + ": " + octavo_error_text();
            const auto problem = works_without_section(key_);
            return problem.empty() ? text : problem;
        }};
        return child.told();
    }
    /// As answer(), with a tmpfs of these options over the folder; `fill` works in it.
    template <typename Fill>
    std::string answer_on_tmpfs(const char* options, unsigned long flags, Fill&& fill) const {
        return answer([&]() -> std::string {
            // without privileges there is a chance in a user namespace
            if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return cannot("unshare");
            if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return cannot("make mounts private");
            if (mount("none", locks_.c_str(), "tmpfs", 0, options) != 0) return cannot("mount a tmpfs");
            fill();
            if (flags != 0 && mount("none", locks_.c_str(), nullptr, MS_REMOUNT | flags, options) != 0)
                return cannot("mount it anew");
            return {};
        });
    }
    static bool is_skip(const std::string& answer) { return answer.starts_with(kCannot); }
    static std::string cannot(const char* what) { return kCannot + std::string{what} + ": " + std::strerror(errno); }
    std::string lock(const char* name) const { return locks_ + "/" + name; }

    const std::string locks_ = folder_.file("locks");
    const octavo::Key key_ = api_test::make_key(api_test::shared_parts(2048));

private:
    static constexpr const char* kCannot = "NOT TESTED: ";
};

TEST_F(SectionFolder, Missing) {
    rmdir(locks_.c_str());
    EXPECT_EQ(answer([] { return ""; }),
              "OCTAVO_ERR_SYSTEM: no section: the lock folder " + locks_ +
                  ": No such file or directory; make that folder, or name another in OCTAVO_RUN_DIR");
}

TEST_F(SectionFolder, IsAFile) {
    setenv("OCTAVO_RUN_DIR", folder_.write("file", "").c_str(), 1);
    EXPECT_EQ(answer([] { return ""; }), "OCTAVO_ERR_SYSTEM: no section: the lock folder " + folder_.file("file") +
                                             ": Not a directory; OCTAVO_RUN_DIR can name another folder");
}

TEST_F(SectionFolder, ReadOnly) {
    const auto got = answer_on_tmpfs("", MS_RDONLY, [] {});
    if (is_skip(got)) GTEST_SKIP() << got;
    EXPECT_EQ(got, "OCTAVO_ERR_SYSTEM: no section: the lock folder " + lock("SSL_DEV0_INT_0.lock") +
                       ": Read-only file system; this user must be able to write there; or name another folder in "
                       "OCTAVO_RUN_DIR");
}

/// Root may write anywhere, and becomes somebody else.
TEST_F(SectionFolder, NotWritable) {
    const auto got = answer([&]() -> std::string {
        if (geteuid() != 0) return chmod(locks_.c_str(), 0500) == 0 ? "" : cannot("chmod");
        constexpr uid_t kNobody = 65534;
        const auto statistics = folder_.file("statistics");
        setenv("OCTAVO_STATS_DIR", statistics.c_str(), 1);
        const bool is_ready = mkdir(statistics.c_str(), 0700) == 0 && chown(statistics.c_str(), kNobody, kNobody) == 0;
        for (const auto& folder : {folder_.path(), locks_})
            if (!is_ready || chmod(folder.c_str(), 0755) != 0) return cannot("hand folders out");
        return setresuid(kNobody, kNobody, kNobody) == 0 ? "" : cannot("be another user");
    });
    if (is_skip(got)) GTEST_SKIP() << got;
    EXPECT_EQ(got, "OCTAVO_ERR_SYSTEM: no section: the lock folder " + lock("SSL_DEV0_INT_0.lock") +
                       ": Permission denied; this user must be able to write there; or name another folder in "
                       "OCTAVO_RUN_DIR");
}

TEST_F(SectionFolder, Full) {
    const auto got = answer_on_tmpfs("nr_inodes=1", 0, [] {});
    if (is_skip(got)) GTEST_SKIP() << got;
    EXPECT_EQ(got, "OCTAVO_ERR_SYSTEM: no section: the lock folder " + lock("SSL_DEV0_INT_0.lock") +
                       ": No space left on device; make room there, or name another folder in OCTAVO_RUN_DIR");
}

/// Locks that are there already need no room.
TEST_F(SectionFolder, FullButWithLocks) {
    const auto got = answer_on_tmpfs("size=4k,nr_inodes=3", 0, [&] {
        for (const char* name : {"SSL_DEV0_INT_0.lock", "SSL_DEV0_INT_1.lock"})
            close(open(lock(name).c_str(), O_CREAT | O_WRONLY, 0600));
    });
    if (is_skip(got)) GTEST_SKIP() << got;
    EXPECT_EQ(got, "SSL_DEV0_INT_0");
}

TEST_F(SectionFolder, OfAnotherUser) {
    const auto got = answer_on_tmpfs("uid=12345,mode=0755", 0, [] {});
    if (is_skip(got)) GTEST_SKIP() << got;
    EXPECT_EQ(got, "OCTAVO_ERR_SYSTEM: no section: the lock folder " + locks_ +
                       ": belongs to user 12345, neither to this one nor to root: its locks cannot be trusted; name "
                       "another folder in OCTAVO_RUN_DIR");
}

TEST_F(SectionFolder, OpenToOthers) {
    ASSERT_EQ(chmod(locks_.c_str(), 0777), 0);
    EXPECT_EQ(answer([] { return ""; }),
              "OCTAVO_ERR_SYSTEM: no section: the lock folder " + locks_ +
                  ": others may write to it, and may remove locks: set its sticky bit (chmod +t)");
    ASSERT_EQ(chmod(locks_.c_str(), 01777), 0);
    EXPECT_EQ(answer([] { return ""; }), "SSL_DEV0_INT_0");
}

TEST_F(SectionFolder, ALockThatIsNone) {
    ASSERT_EQ(symlink("/nowhere", lock("SSL_DEV0_INT_0.lock").c_str()), 0);
    EXPECT_EQ(answer([] { return ""; }), "OCTAVO_ERR_SYSTEM: no section: the lock folder " +
                                             lock("SSL_DEV0_INT_0.lock") +
                                             ": Too many levels of symbolic links; OCTAVO_RUN_DIR can name another "
                                             "folder");
}

/// Once the folder is right the process may ask again.
TEST_F(SectionFolder, CanBeAskedAgain) {
    rmdir(locks_.c_str());
    EXPECT_EQ(octavo_section_start("SSL"), OCTAVO_ERR_SYSTEM);
    EXPECT_EQ(works_without_section(key_), "");
    mkdir(locks_.c_str(), 0700);
    EXPECT_EQ(octavo_section_start("SSL"), OCTAVO_OK);
    EXPECT_EQ(api_test::held_section(), "SSL_DEV0_INT_0");
}

}  // namespace
