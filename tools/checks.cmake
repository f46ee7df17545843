# The project's checks of itself that need no build, as tests: ctest -L check
find_package(Python3 REQUIRED COMPONENTS Interpreter)

add_test(NAME check.layers COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/check_layers)
add_test(NAME check.layers_self_test
         COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/check_layers --self-test)
set_tests_properties(check.layers check.layers_self_test PROPERTIES LABELS check)
