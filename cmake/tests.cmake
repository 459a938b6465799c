# What the unit tests and the fuzz targets share: tests/c without the tests themselves.
file(GLOB test_sources CONFIGURE_DEPENDS tests/c/*.c)
set(support_sources ${test_sources})
list(FILTER support_sources EXCLUDE REGEX "/check_[a-z0-9_]*\\.c$")
list(REMOVE_ITEM test_sources ${support_sources})
add_library(test_support STATIC ${support_sources})
target_include_directories(test_support PUBLIC tests/c)
target_link_libraries(test_support PUBLIC stormcell_local m)

# One libFuzzer program for each tests/fuzz/fuzz_*.c; as a test it only replays its seeds.
if(STORMCELL_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL Clang)
        message(FATAL_ERROR "libFuzzer needs clang (preset `fuzz`): "
                            "apt-get install clang libclang-rt-14-dev")
    endif()
    target_compile_options(stormcell_core PUBLIC -fsanitize=fuzzer-no-link) # local's as well
    file(GLOB fuzz_sources CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
    foreach(source ${fuzz_sources})
        cmake_path(GET source STEM name)
        add_executable(${name} ${source})
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        target_link_libraries(${name} PRIVATE test_support)
        string(REPLACE fuzz_ tests/fuzz/corpus/ seeds ${name})
        add_test(NAME ${name} COMMAND ${name} -runs=0 ${PROJECT_SOURCE_DIR}/${seeds})
    endforeach()
    return()
endif()

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(CHECK QUIET IMPORTED_TARGET check)
endif()
if(NOT CHECK_FOUND)
    message(FATAL_ERROR "check is missing: apt-get install check pkg-config "
                        "(or -DSTORMCELL_TESTS=OFF)")
endif()
add_executable(check_core ${test_sources})
target_link_libraries(check_core PRIVATE test_support PkgConfig::CHECK)
target_link_options(check_core PRIVATE -Wl,--wrap=realloc) # tests/c/scarce.c lets it fail
# A test for each suite, so that several run at a time.
file(STRINGS tests/c/suites.h suites REGEX "^Suite ")
foreach(declaration IN LISTS suites)
    string(REGEX REPLACE "^Suite \\*(.+)_suite.*" "\\1" suite "${declaration}")
    add_test(NAME ${suite} COMMAND check_core ${suite} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endforeach()

# What tests/storm/test_values.py compares with a real Storm.
add_executable(storm_values tests/storm/values.c)
target_link_libraries(storm_values PRIVATE stormcell_local)

# The module shows its init function and nothing else; the executable shows Python's symbols but
# not our jansson's. (A sanitizer adds symbols of its own.)
if(NOT STORMCELL_SANITIZE)
    add_test(NAME exports_of_module COMMAND
             sh -c "! nm -D --defined-only \"$0\" | grep -v ' T PyInit_'" $<TARGET_FILE:_stormcell>)
    add_test(NAME exports_of_executable COMMAND
             sh -c "! nm -D --defined-only \"$0\" | grep -E ' (json|frame)_'"
             $<TARGET_FILE:stormcell-shim>)
    add_test(NAME exports_of_limited_module COMMAND
             sh -c "! nm -D --defined-only \"$0\" | grep -v ' T PyInit_'"
             $<TARGET_FILE:stormcell-module>)
    add_test(NAME runner_is_without_python COMMAND
             sh -c "! nm -D \"$0\" | grep ' _*Py'" $<TARGET_FILE:stormcell-runner>)
endif()
