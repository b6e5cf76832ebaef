// Starts the section that the environment names, tells which one it has got, and stays.
#include <octavo/octavo.h>
#include <unistd.h>

#include <cstdio>

int main() {
    char name[OCTAVO_SECTION_NAME] = "";
    const auto status = octavo_section_start(nullptr);
    if (status != OCTAVO_OK || octavo_section_name(name, sizeof name) != OCTAVO_OK)
        std::snprintf(name, sizeof name, "%s", octavo_status_name(status));
    std::printf("%s\n", name);
    std::fflush(stdout);
    for (;;) pause();
}
