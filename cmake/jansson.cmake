# Finds jansson: JANSSON_INCLUDE_DIR, JANSSON_LIBRARY, and for the module MODULE_LINK_OPTIONS.
# The archive is preferred, since a worker then needs nothing but Python.
find_path(JANSSON_INCLUDE_DIR jansson.h)
find_library(JANSSON_SHARED jansson)
find_library(JANSSON_ARCHIVE libjansson.a)
if(NOT JANSSON_INCLUDE_DIR OR NOT (JANSSON_SHARED OR JANSSON_ARCHIVE))
    message(FATAL_ERROR "jansson is missing: apt-get install libjansson-dev")
endif()

# Debian's archive is -fPIE, which a module takes if none of its symbols can be replaced from
# outside, and if its one use of `stdin` (in json_loadf, which we never call) is put to rest.
set(MODULE_LINK_OPTIONS -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/module.map)
set(quiet_stdin -Wl,--defsym=stdin=_end)

set(JANSSON_LIBRARY ${JANSSON_SHARED})
if(JANSSON_ARCHIVE)
    include(CheckCSourceCompiles)
    set(CMAKE_REQUIRED_FLAGS -fPIC)
    set(CMAKE_REQUIRED_INCLUDES ${JANSSON_INCLUDE_DIR})
    set(CMAKE_REQUIRED_LINK_OPTIONS -shared ${MODULE_LINK_OPTIONS} ${quiet_stdin})
    set(CMAKE_REQUIRED_LIBRARIES ${JANSSON_ARCHIVE})
    set(CMAKE_REQUIRED_QUIET ON)
    check_c_source_compiles("
        #include <jansson.h>
        json_t *PyInit_trial(void);
        json_t *PyInit_trial(void) { return json_loads(\"\", 0, 0); }"
        JANSSON_ARCHIVE_FITS_A_MODULE)
    foreach(name FLAGS INCLUDES LINK_OPTIONS LIBRARIES QUIET)
        unset(CMAKE_REQUIRED_${name})
    endforeach()
    if(JANSSON_ARCHIVE_FITS_A_MODULE)
        set(JANSSON_LIBRARY ${JANSSON_ARCHIVE})
        list(APPEND MODULE_LINK_OPTIONS ${quiet_stdin})
    endif()
endif()
