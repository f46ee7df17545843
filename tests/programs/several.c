/* several local|namespace {LIBPYTHON HOME SCRIPT}...: loads several libpythons into one process, each
 * by dlopen with RTLD_LOCAL or into a link-map namespace of its own, and runs a script in each, the
 * last in the main thread. SCRIPT "-" leaves that libpython loaded but not initialised. Only the last script
 * has GILSPY_READY_FIFO in its environment; it gets the argument 60. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct python {
  void* library;
  const char* script;
};

static void* symbol(const struct python* python, const char* name) {
  void* const found = dlsym(python->library, name);
  if (found == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return found;
}

static void* run(void* argument) {
  const struct python* const python = argument;
  int (*const ensure)(void) = (int (*)(void))symbol(python, "PyGILState_Ensure");
  int (*const run_string)(const char*, void*) =
      (int (*)(const char*, void*))symbol(python, "PyRun_SimpleStringFlags");
  char code[4096];
  snprintf(code, sizeof(code),
           "import sys, os\nsys.argv = ['%s', '60']\nsys.path.insert(0, os.path.dirname('%s'))\n"
           "exec(compile(open('%s').read(), '%s', 'exec'), {'__name__': '__main__'})\n",
           python->script, python->script, python->script, python->script);
  ensure();
  run_string(code, NULL);
  return NULL;
}

int main(int argc, char** argv) {
  const int local = argc > 1 && strcmp(argv[1], "local") == 0;
  const char* const fifo = getenv("GILSPY_READY_FIFO");
  char* const kept = fifo != NULL ? strdup(fifo) : NULL;
  for (int i = 2; i + 2 < argc; i += 3) {
    struct python* const python = malloc(sizeof(*python));
    pthread_t thread;
    setenv("PYTHONHOME", argv[i + 1], 1);
    if (i + 5 < argc) unsetenv("GILSPY_READY_FIFO");
    else if (kept != NULL) setenv("GILSPY_READY_FIFO", kept, 1);
    python->library = local ? dlopen(argv[i], RTLD_NOW | RTLD_LOCAL)
                            : dlmopen(LM_ID_NEWLM, argv[i], RTLD_NOW | RTLD_LOCAL);
    python->script = argv[i + 2];
    if (python->library == NULL) {
      fprintf(stderr, "%s\n", dlerror());
      return 1;
    }
    if (strcmp(python->script, "-") == 0) continue;
    ((void (*)(int))symbol(python, "Py_InitializeEx"))(0);
    ((void* (*)(void))symbol(python, "PyEval_SaveThread"))();
    // A thread of the program's own libc would be lost in the libc of another namespace.
    if (i + 5 >= argc) run(python);
    else pthread_create(&thread, NULL, run, python);
  }
  return 0;
}
