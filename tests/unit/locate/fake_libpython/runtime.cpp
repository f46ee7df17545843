// A library that looks like a CPython from outside: where _PyRuntime lies, and which version it is.
// Nothing in it runs; a test loads it to have it among its mappings.

#ifdef FAKE_HIDDEN
#define FAKE_SEEN __attribute__((visibility("hidden")))
#else
#define FAKE_SEEN __attribute__((visibility("default")))
#endif

extern "C" {

#ifdef FAKE_VERSION
extern FAKE_SEEN const unsigned long Py_Version;  // NOLINT: CPython's name
const unsigned long Py_Version = FAKE_VERSION;
#endif

#if defined(FAKE_STRIPPED)
// Found by its section alone.
__attribute__((visibility("hidden"), used, section(".PyRuntime"))) char fake_runtime[4096] = {1};
__attribute__((visibility("default"))) char* fake_runtime_address() { return fake_runtime; }
#else
FAKE_SEEN alignas(8) char _PyRuntime[4096] = {1};  // NOLINT: CPython's name
__attribute__((visibility("default"))) char* fake_runtime_address() { return _PyRuntime; }
#endif
}
