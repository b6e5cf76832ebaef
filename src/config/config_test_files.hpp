#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "config/configuration.hpp"

namespace octavo::config {

/// A folder of endpoint files for the length of a test.
class TestFolder {
public:
    TestFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "octavo-config-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = pattern;
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    ~TestFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + '/' + name; }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream{file(name), std::ios::binary} << text;
        return file(name);
    }

private:
    std::string path_;
};

/// A user section with its instances, named after it.
inline std::string section_text(const std::string& name, unsigned processes, bool limit, unsigned instances) {
    std::string text = "[" + name + "]\nNumProcesses = " + std::to_string(processes) +
                       "\nLimitDevAccess = " + std::to_string(limit ? 1 : 0) +
                       "\nNumCyInstances = " + std::to_string(instances) + "\n";
    for (unsigned i = 0; i < instances; ++i) {
        const auto cy = "Cy" + std::to_string(i);
        text += cy + "Name = \"" + name + std::to_string(i) + "\"\n" + cy + "IsPolled = 1\n" + cy +
                "CoreAffinity = " + std::to_string(i) + "\n";
    }
    return text;
}

/// The file names from octavo_dev0.conf on, with these texts.
inline Loaded load_texts(const TestFolder& folder, const std::vector<std::string>& texts) {
    std::vector<std::string> files;
    for (std::size_t i = 0; i < texts.size(); ++i)
        files.push_back(folder.write("octavo_dev" + std::to_string(i) + ".conf", texts[i]));
    return load_files(files);
}

}  // namespace octavo::config
