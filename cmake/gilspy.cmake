# Flags every target of ours shares.
add_library(gilspy_flags INTERFACE)
target_include_directories(gilspy_flags INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_options(gilspy_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's own stable_sort uses what it has deprecated itself.
  target_compile_options(gilspy_flags INTERFACE -Wno-deprecated-declarations)
endif()
if(GILSPY_WERROR)
  target_compile_options(gilspy_flags INTERFACE -Werror)
endif()
if(GILSPY_SANITIZE)
  target_compile_options(gilspy_flags INTERFACE -fsanitize=${GILSPY_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(gilspy_flags INTERFACE -fsanitize=${GILSPY_SANITIZE})
endif()

# gilspy_room(NAME SOURCES a.cpp ... ROOMS base ... LIBRARIES fmt::fmt ...)
# ROOMS: the rooms whose headers this one includes. LIBRARIES: outside code, seen by this room alone.
function(gilspy_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;ROOMS;LIBRARIES" ${ARGN})
  add_library(gilspy_${name} STATIC ${ROOM_SOURCES})
  list(TRANSFORM ROOM_ROOMS PREPEND gilspy_)
  target_link_libraries(gilspy_${name} PUBLIC gilspy_flags ${ROOM_ROOMS} PRIVATE ${ROOM_LIBRARIES})
endfunction()
