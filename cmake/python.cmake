# Asks Python_EXECUTABLE which interpreter it is, and decides how the executable is linked with its
# libpython. Gives:
#   Python_EXECUTABLE, Python::Module   the base interpreter and its headers
#   STORMCELL_PYTHON_BINDIR             where that interpreter lies
#   stormcell_libpython                 what the executable links
#   STORMCELL_LINKED                    "static" or "shared"

set(facts_script ${CMAKE_CURRENT_LIST_DIR}/python_facts.py)

# Python_EXECUTABLE may be a script around the interpreter: the interpreter itself knows better.
execute_process(COMMAND ${Python_EXECUTABLE} -I ${facts_script}
                OUTPUT_VARIABLE facts RESULT_VARIABLE status)
if(status)
    message(FATAL_ERROR "${Python_EXECUTABLE} does not run: status ${status}")
endif()
foreach(fact executable version archive libraries identity)
    string(JSON python_${fact} GET "${facts}" ${fact})
endforeach()
set(Python_EXECUTABLE "${python_executable}" CACHE FILEPATH "The base interpreter" FORCE)
cmake_path(GET Python_EXECUTABLE PARENT_PATH STORMCELL_PYTHON_BINDIR)
if(python_version VERSION_LESS 3.10)
    message(FATAL_ERROR "Stormcell needs Python 3.10 or newer: "
                        "${Python_EXECUTABLE} is ${python_version}")
endif()

find_package(Python ${python_version} EXACT QUIET
             COMPONENTS Interpreter Development.Module OPTIONAL_COMPONENTS Development.Embed)
if(NOT Python_Development.Module_FOUND)
    message(FATAL_ERROR "${Python_EXECUTABLE} has no Python.h: apt-get install python3-dev")
endif()

# Archives that do not link are common, and so are programs that start with the library of another
# Python of the same version, or whose extension modules then fail to load. So: link a smallest
# host, run it, and see whether it is this very Python. The answer is kept.
configure_file(${CMAKE_CURRENT_LIST_DIR}/trial.c.in ${CMAKE_BINARY_DIR}/trial.c @ONLY)
function(try_libpython result maps_libpython)
    string(MD5 key "${facts};${ARGN}")
    if(NOT DEFINED TRIAL_${key})
        try_run(exit_${key} links_${key} ${CMAKE_BINARY_DIR}/trial ${CMAKE_BINARY_DIR}/trial.c
                LINK_OPTIONS -Wl,--export-dynamic LINK_LIBRARIES ${ARGN}
                COMPILE_OUTPUT_VARIABLE output RUN_OUTPUT_VARIABLE answer)
        file(APPEND ${CMAKE_BINARY_DIR}/trial.log "== ${ARGN}\n${output}${answer}\n")
        string(JSON identity ERROR_VARIABLE error GET "${answer}" identity)
        string(JSON maps ERROR_VARIABLE error GET "${answer}" libpython)
        if(identity STREQUAL python_identity AND maps STREQUAL maps_libpython)
            set(TRIAL_${key} ON CACHE INTERNAL "")
        else()
            set(TRIAL_${key} OFF CACHE INTERNAL "")
        endif()
    endif()
    set(${result} ${TRIAL_${key}} PARENT_SCOPE)
endfunction()

add_library(stormcell_libpython INTERFACE)
set(STORMCELL_LINKED)

# -no-pie: Debian's archive is not position independent (its -pic.a is, and runs as slowly as the
# shared library). The whole archive: extension modules use more of it than we do.
if(python_archive AND NOT STORMCELL_LINK STREQUAL shared)
    set(whole_archive -Wl,--whole-archive ${python_archive} -Wl,--no-whole-archive
                      ${python_libraries})
    try_libpython(usable OFF -no-pie ${whole_archive})
    if(usable)
        set(STORMCELL_LINKED static)
        target_link_options(stormcell_libpython INTERFACE -no-pie)
        target_link_libraries(stormcell_libpython INTERFACE ${whole_archive})
    endif()
endif()
if(NOT STORMCELL_LINKED AND Python_Development.Embed_FOUND AND NOT STORMCELL_LINK STREQUAL static)
    try_libpython(usable ON ${Python_LIBRARIES})
    if(usable)
        set(STORMCELL_LINKED shared)
        target_link_libraries(stormcell_libpython INTERFACE Python::Python)
    endif()
endif()
if(NOT STORMCELL_LINKED)
    message(FATAL_ERROR "No libpython (STORMCELL_LINK=${STORMCELL_LINK}) of ${Python_EXECUTABLE} "
                        "links and runs: see trial.log in ${CMAKE_BINARY_DIR}")
endif()
message(STATUS "Python ${python_version} (${STORMCELL_LINKED}) at ${Python_EXECUTABLE}")
